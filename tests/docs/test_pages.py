"""README and docs tell the truth: commands run with the exit code stated, Python runs, links lead somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import PAGES, ROOT, links_of, steps_of


@pytest.mark.parametrize("page", [p for p in PAGES if steps_of(p)], ids=lambda p: p.name)
def test_every_snippet_runs_as_it_stands(page: Path, tmp_path: Path) -> None:
    for name in ("scenarios", "catalogs"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "tests").mkdir()
    shutil.copytree(ROOT / "tests" / "measurements", tmp_path / "tests" / "measurements")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    for step in steps_of(page):
        if step.kind == "file":
            (tmp_path / step.name).write_text(step.text, "utf-8")
            continue
        words = (
            ["bash", "-c", step.text] if step.kind == "run" else [sys.executable, "-c", step.text]
        )
        done = subprocess.run(
            words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == step.exit, f"{step.text}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in links_of(page):
        file, _, anchor = target.partition("#")
        path = (page.parent / file) if file else page
        assert path.exists(), target
        if anchor and path.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.M)
            slugs = [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads]
            assert anchor in slugs, target


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        waiting += [
            (page.parent / t.partition("#")[0]).resolve() for t in links_of(page) if ".md" in t
        ]
    assert set(PAGES) <= reached
