"""A valid scenario to change, and a way to see what is found in it."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from planner.diagnostics import Diagnostic, DiagnosticError
from planner.scenario import load

BASE = (Path(__file__).parent / "base.yaml").read_text("utf-8")
TODAY = date(2026, 8, 1)


def diagnostics_of(path: Path, overrides: tuple[str, ...] = ()) -> list[Diagnostic]:
    """Problems and warnings of a file."""
    try:
        return list(load(path, overrides, today=TODAY).warnings)
    except DiagnosticError as error:
        return error.diagnostics


@pytest.fixture
def found(tmp_path: Path) -> Callable[[str], list[Diagnostic]]:
    """Diagnostics of a scenario text."""

    def check(text: str) -> list[Diagnostic]:
        path = tmp_path / "scenario.yaml"
        path.write_text(text, "utf-8")
        return diagnostics_of(path)

    return check
