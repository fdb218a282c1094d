"""The registry: every code is explained, and every example raises its code while the corrected one does not."""

import re
from pathlib import Path

import pytest

from planner.diagnostics import CODES, DiagnosticError, Severity
from planner.scenario import load

BASE = Path(__file__).parent.parent / "scenario" / "base.yaml"
CALL = r'(?:Diagnostic|refuse|problem|_error|_problem|_warn)\(\s*"(P\d{3})"'
WITH_EXAMPLE = [code for code, entry in CODES.items() if entry.example]


def raised(folder: Path, fragment: str) -> dict[str, Severity]:
    (folder / "base.yaml").write_text(BASE.read_text("utf-8"), "utf-8")
    (folder / "config.json").write_text(
        '{"model_type": "llama", "max_position_embeddings": 8192}', "utf-8"
    )
    text = fragment if fragment.startswith("extends:") else f"extends: ./base.yaml\n{fragment}"
    (folder / "example.yaml").write_text(text, "utf-8")
    try:
        found = load(folder / "example.yaml").warnings
    except DiagnosticError as error:
        found = error.diagnostics
    return {d.code: d.severity for d in found}


@pytest.mark.parametrize("code", WITH_EXAMPLE)
def test_example_raises_its_code_and_nothing_else(code: str, tmp_path: Path) -> None:
    assert set(raised(tmp_path, CODES[code].example)) == {code}


@pytest.mark.parametrize("code", WITH_EXAMPLE)
def test_corrected_example_is_clean(code: str, tmp_path: Path) -> None:
    assert raised(tmp_path, CODES[code].instead) == {}


@pytest.mark.parametrize("code", WITH_EXAMPLE)
def test_doubts_are_warnings_and_the_rest_errors(code: str, tmp_path: Path) -> None:
    expected = Severity.WARNING if code.startswith("P4") else Severity.ERROR
    assert raised(tmp_path, CODES[code].example)[code] is expected


def test_every_code_is_explained() -> None:
    for code, entry in CODES.items():
        assert re.fullmatch(r"P[0-49]\d\d", code)
        assert entry.title
        assert entry.title[0].islower()
        assert not entry.title.endswith(".")
        assert len(entry.explanation) > 60, f"{code} needs an explanation"
        assert entry.explanation.endswith(".")


def test_codes_used_in_the_source_are_registered() -> None:
    package = Path(__file__).parent.parent.parent / "planner"
    used = {c for p in package.rglob("*.py") for c in re.findall(CALL, p.read_text("utf-8"))}
    assert used <= set(CODES)
