"""Golden command lines: one folder a case with `cmd`, `stdout`, `stderr` and `exit`.

After an intended change, refresh them all with `PLANNER_UPDATE_GOLDEN=1 pytest tests/golden` and read the difference.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from planner.cli.main import cli

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = sorted(p.parent for p in HERE.glob("*/cmd"))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_output_is_as_recorded(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("PLANNER_TODAY", "2026-11-24")
    words = shlex.split((case / "cmd").read_text("utf-8"), comments=True)
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    got = {"stdout": done.stdout, "stderr": done.stderr, "exit": f"{done.exit_code}\n"}
    if os.environ.get("PLANNER_UPDATE_GOLDEN"):
        for name, text in got.items():
            (case / name).write_text(text, "utf-8")
    for name, text in got.items():
        assert text == (case / name).read_text("utf-8"), name


def test_there_are_cases() -> None:
    assert CASES


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_no_line_is_wider_than_the_terminal(case: Path) -> None:
    wide = [x for x in (case / "stdout").read_text("utf-8").splitlines() if len(x) > 100]
    assert not wide
