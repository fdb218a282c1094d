"""A scenario that passed is not checked again until anything that its outcome rests on changes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal_runs import ROOT, environment

BASE = (ROOT / "tests" / "scenario" / "base.yaml").read_text("utf-8")
DAY = "2026-11-24"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its catalog, that a test may change."""
    home = tmp_path_factory.mktemp("installed")
    ignored = shutil.ignore_patterns("__pycache__", "offers")
    for name in ("planner", "catalogs"):
        shutil.copytree(ROOT / name, home / name, ignore=ignored)
    return home


class Desk:
    """A folder with a scenario, a cache, and planner run in processes of their own."""

    def __init__(self, folder: Path, installed: Path) -> None:
        self.folder, self.installed = folder, installed
        self.cache, self.scenario = folder / "cache", folder / "s.yaml"
        self.scenario.write_text(BASE, "utf-8")

    def check(self, *words: str, **extra: str) -> tuple[int, str, bool]:
        """Exit code, output, and whether the scenario was read at all."""
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "planner", "check", *words],
            capture_output=True, text=True, cwd=self.folder, check=False, timeout=120,
            env={
                **environment(PLANNER_CACHE_DIR=str(self.cache), PLANNER_TODAY=DAY),
                "PYTHONPATH": str(self.installed), **extra,
            },
        )  # fmt: skip
        return done.returncode, done.stdout, "planner.scenario.load" in done.stderr

    @property
    def passes(self) -> int:
        return len(list(self.cache.rglob("*"))) if self.cache.exists() else 0


@pytest.fixture
def desk(tmp_path: Path, installed: Path) -> Desk:
    return Desk(tmp_path, installed)


def test_an_unchanged_file_is_not_checked_again(desk: Desk) -> None:
    assert desk.check("s.yaml") == (0, "s.yaml: no problems\n", True)
    assert desk.check("s.yaml") == (0, "s.yaml: no problems\n", False)
    code, output, read = desk.check("s.yaml", "--format", "json")
    assert (code, json.loads(output)["diagnostics"], read) == (0, [], False)


def test_a_changed_file_is(desk: Desk) -> None:
    desk.check("s.yaml")
    desk.scenario.write_text(BASE.replace("kind: full", "kind: ful"), "utf-8")
    code, output, read = desk.check("s.yaml")
    assert (code, read) == (1, True)
    assert "`ful`" in output


@pytest.mark.parametrize("words", [("--fresh",), ("--set", "workloads.chat.context=4096")])
def test_flags_that_have_it_checked(desk: Desk, words: tuple[str, ...]) -> None:
    desk.check("s.yaml")
    assert desk.check("s.yaml", *words)[2]


def test_another_day_has_it_checked(desk: Desk) -> None:
    dated = BASE.replace("max_nodes: 4}", "max_nodes: 4, as_of: 2026-11-01}")
    desk.scenario.write_text(dated, "utf-8")
    assert desk.check("s.yaml")[1] == "s.yaml: no problems\n"
    assert "P401" in desk.check("s.yaml", PLANNER_TODAY="2027-11-01")[1]


@pytest.mark.parametrize("file", ["planner/scenario/checks.py", "catalogs/gpus/l40s.yaml"])
def test_another_planner_or_catalog_has_it_checked(desk: Desk, file: str) -> None:
    desk.check("s.yaml")
    path = desk.installed / file
    before, state = path.read_bytes(), path.stat()
    path.write_bytes(before)
    # Even where an installer sets the old time again.
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert desk.check("s.yaml")[2]


def test_only_a_clean_scenario_in_one_file_is_kept(desk: Desk) -> None:
    (desk.folder / "child.yaml").write_text("extends: s.yaml\nscenario: child\n", "utf-8")
    doubtful = BASE.replace("context: 8192", "context: 262144")
    (desk.folder / "doubt.yaml").write_text(doubtful, "utf-8")
    (desk.folder / "bad.yaml").write_text(BASE.replace("kind: full", "kind: ful"), "utf-8")
    for name in ("child.yaml", "doubt.yaml", "bad.yaml"):
        first, second = desk.check(name), desk.check(name)
        assert first == second
        assert second[2]
    assert desk.passes == 0


def test_no_folder_no_memory_and_no_complaint(desk: Desk) -> None:
    for folder in ("", "/dev/null/nowhere"):
        for _ in range(2):
            done = desk.check("s.yaml", PLANNER_CACHE_DIR=folder)
            assert done == (0, "s.yaml: no problems\n", True)
