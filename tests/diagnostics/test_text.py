"""Diagnostics as people see them: golden texts, cut lines, wide characters, colour that only adds."""

import re

import pytest

from planner.diagnostics import Diagnostic, Fix, Label, Severity, Span, render_text, summary
from planner.diagnostics.jsonform import to_json

SOURCE = "scenario: lab\nworkloads:\n  - name: chat\n    kind: inferense\n"
SPAN = Span("lab.yaml", 4, 11, 20)
ERROR = Diagnostic(
    "P102",
    Severity.ERROR,
    "invalid value for `kind`: `inferense`",
    SPAN,
    label="expected one of: inference, batch",
    help=("a value with a similar name exists: `inference`",),
    fix=Fix(SPAN, "inference"),
)


def test_golden() -> None:
    assert (
        render_text([ERROR], {"lab.yaml": SOURCE})
        == """\
error[P102]: invalid value for `kind`: `inferense`
 --> lab.yaml:4:11
  |
4 |     kind: inferense
  |           ^^^^^^^^^ expected one of: inference, batch
help: a value with a similar name exists: `inference`
  |
4 -     kind: inferense
4 +     kind: inference
"""
    )


def test_golden_with_labels_and_notes() -> None:
    found = Diagnostic(
        "P003",
        Severity.WARNING,
        "the key `name` appears twice",
        Span("lab.yaml", 12, 5, 9),
        label="again here",
        labels=(Label(Span("lab.yaml", 3, 5, 9), "first here"),),
        notes=("the last one would win",),
    )
    text = "\n" * 2 + "  - name: chat\n" + "\n" * 8 + "    name: x\n"
    assert (
        render_text([found], {"lab.yaml": text})
        == """\
warning[P003]: the key `name` appears twice
  --> lab.yaml:12:5
   |
12 |     name: x
   |     ^^^^ again here
  --> lab.yaml:3:5
   |
 3 |   - name: chat
   |     ---- first here
   = note: the last one would win
"""
    )


def test_without_source_the_place_is_still_named() -> None:
    text = render_text([ERROR], {"lab.yaml": ""})
    assert "lab.yaml:4:11" in text
    assert "expected one of: inference, batch" in text


def test_without_place() -> None:
    found = Diagnostic("P001", Severity.ERROR, "`x.yaml` does not exist", help=("try `y.yaml`",))
    assert render_text([found]) == "error[P001]: `x.yaml` does not exist\nhelp: try `y.yaml`\n"


def carets_under(rendered: str) -> str:
    """The text that the carets stand under."""
    lines = rendered.splitlines()
    index = next(i for i, line in enumerate(lines) if re.search(r"\|\s*\^+", line))
    start, end = lines[index].index("^"), lines[index].rindex("^") + 1
    return lines[index - 1][start:end]


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("before", [0, 30, 90, 400])
@pytest.mark.parametrize("after", [0, 90, 400])
def test_long_lines_are_cut_around_the_carets(width: int, before: int, after: int) -> None:
    line = "b" * before + "HERE" + "a" * after
    found = Diagnostic(
        "P102", Severity.ERROR, "x", Span("f", 1, before + 1, before + 5), label="why"
    )
    text = render_text([found], {"f": line}, width=width)
    assert carets_under(text) == "HERE"
    assert all(len(row) <= width for row in text.splitlines())
    assert ("..." in text) == (before + after + 4 > width - 4)


def test_tabs_and_wide_characters_keep_carets_in_place() -> None:
    line = "\tname: 漢字x"
    found = Diagnostic("P102", Severity.ERROR, "x", Span("f", 1, 8, 10))
    rows = render_text([found], {"f": line}).splitlines()
    assert rows[3] == "1 |     name: 漢字x"
    assert rows[4] == "  | " + " " * 10 + "^^^^", "two wide characters take four columns"


def test_control_characters_never_reach_the_terminal() -> None:
    found = Diagnostic("P102", Severity.ERROR, "bad \x1b[31m", Span("f", 1, 1, 3), label="\x07")
    assert "\x1b" not in render_text([found], {"f": "\x1b[2Jx"})


def test_colour_only_adds() -> None:
    plain = render_text([ERROR], {"lab.yaml": SOURCE})
    colored = render_text([ERROR], {"lab.yaml": SOURCE}, color=True)
    assert colored != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


def test_cap_counts_the_rest() -> None:
    text = render_text([ERROR] * 25, {"lab.yaml": SOURCE}, cap=20)
    assert text.count("error[P102]") == 20
    assert text.endswith("... and 5 more; fix these first\n")


def test_summary() -> None:
    warning = Diagnostic("P401", Severity.WARNING, "x")
    assert summary([ERROR, ERROR, warning], "lab.yaml", "No plan was computed.") == (
        "Found 2 errors and 1 warning in lab.yaml. No plan was computed."
    )
    assert summary([]) == "Found no problems."


def test_json_form() -> None:
    data = to_json([ERROR])
    assert data["schema"] == "planner/diagnostics/1"
    assert data["summary"] == {"errors": 1, "warnings": 0}
    (one,) = data["diagnostics"]  # type: ignore[misc]
    assert one["code"] == "P102"  # type: ignore[index,call-overload]
    assert one["span"] == {"file": "lab.yaml", "line": 4, "column": 11, "end_column": 20}  # type: ignore[index,call-overload]
    assert one["fix"]["replacement"] == "inference"  # type: ignore[index,call-overload]


def test_an_unregistered_code_cannot_be_raised() -> None:
    with pytest.raises(KeyError, match="P999"):
        Diagnostic("P999", Severity.ERROR, "x")
