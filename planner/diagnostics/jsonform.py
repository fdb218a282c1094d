"""Diagnostics as JSON, for editors and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from planner.diagnostics.codes import CODES
from planner.diagnostics.records import Diagnostic, Severity, Span

SCHEMA: Final = "planner/diagnostics/1"
"""Name and version of the form."""
Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"


def to_json(diagnostics: Sequence[Diagnostic]) -> dict[str, Json]:
    """All diagnostics, none left out, with counts.

    >>> to_json([])["summary"]
    {'errors': 0, 'warnings': 0}
    """
    return {
        "schema": SCHEMA,
        "diagnostics": [_one(d) for d in diagnostics],
        "summary": {
            "errors": sum(d.severity is Severity.ERROR for d in diagnostics),
            "warnings": sum(d.severity is Severity.WARNING for d in diagnostics),
        },
    }


def _one(d: Diagnostic) -> dict[str, Json]:
    return {
        "code": d.code,
        "title": CODES[d.code].title,
        "severity": d.severity.value,
        "message": d.message,
        "span": _span(d.span),
        "label": d.label,
        "labels": [{"span": _span(label.span), "text": label.text} for label in d.labels],
        "notes": list(d.notes),
        "help": list(d.help),
        "fix": {"span": _span(d.fix.span), "replacement": d.fix.replacement} if d.fix else None,
    }


def _span(span: Span | None) -> Json:
    if span is None:
        return None
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_column": span.end_column,
    }
