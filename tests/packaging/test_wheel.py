"""A wheel carries its catalogs and example scenarios, and works from any folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, laid out as an installation has it."""
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = target.glob("*.whl")
    site = target / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def run(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line of the unpacked wheel, from a folder that is not the clone."""
    return subprocess.run(
        [sys.executable, "-m", "planner", *words],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_it_holds_catalogs_and_scenarios(unpacked: Path) -> None:
    data = unpacked / "planner" / "_data"
    shipped = {p.name for p in (ROOT / "catalogs" / "gpus").glob("*.yaml")}
    assert {p.name for p in (data / "catalogs" / "gpus").glob("*.yaml")} == shipped
    assert (data / "scenarios" / "lab.yaml").is_file()
    assert (unpacked / "planner" / "py.typed").is_file()


def test_the_shipped_example_solves_from_another_folder(unpacked: Path, tmp_path: Path) -> None:
    done = run(unpacked, tmp_path, "solve", "scenarios/lab.yaml", "--format", "json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["schema"] == "planner/plan/1"
    assert plan["status"] == "proven"
    assert "shipped example" in done.stderr


def test_a_scenario_of_ones_own_solves_too(unpacked: Path, tmp_path: Path) -> None:
    text = (ROOT / "scenarios" / "65b-on-4xv100.yaml").read_text("utf-8")
    (tmp_path / "mine.yaml").write_text(text, "utf-8")
    done = run(unpacked, tmp_path, "solve", "mine.yaml")
    assert done.returncode == 3, done.stderr
    assert "121.6 GiB" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["fit", "--help"], ["explain", "P301"]])
def test_light_commands_never_import_the_solver(words: list[str], tmp_path: Path) -> None:
    script = (
        "import sys\n"
        f"sys.argv = ['planner', *{words!r}]\n"
        "from planner.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "loaded = {m.split('.')[0] for m in sys.modules}\n"
        "sys.exit(1 if {'ortools', 'pandas'} & loaded else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_fit_itself_never_imports_the_solver(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "sys.argv = ['planner', 'fit', 'llama-3.1-8b', '--on', 'l40s', '--kind', 'inference']\n"
        "from planner.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert stop.code == 0, stop.code\n"
        "sys.exit(1 if 'ortools' in sys.modules else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "fits on 1 of 1 GPUs" in done.stdout
