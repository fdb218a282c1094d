"""The records: a coded message with its place in the user's file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from planner.diagnostics.codes import CODES


class Severity(StrEnum):
    """How bad it is: an error stops, a warning does not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Span(NamedTuple):
    """A stretch of a file; lines and columns count from 1, `end_column` is one past the last."""

    file: str
    line: int
    column: int
    end_column: int


class Label(NamedTuple):
    """A second place that matters, with what to say about it."""

    span: Span
    text: str


class Fix(NamedTuple):
    """A replacement for the text at a place that most likely is what the user meant."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: code, severity, place, message, related places, and help that names the way out."""

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    label: str = ""
    """What to write after the carets."""
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    fix: Fix | None = None
    """Shown as a small diff; never applied."""

    def __post_init__(self) -> None:
        """Refuse a code the registry does not know."""
        if self.code not in CODES:
            raise KeyError(f"diagnostic code {self.code} is not registered")


class DiagnosticError(Exception):
    """Raised with all the problems found, never just the first."""

    def __init__(
        self, diagnostics: Sequence[Diagnostic], sources: Mapping[str, str] | None = None
    ) -> None:
        """Keep the problems, and the texts by file name where they can't be read from disk again."""
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in diagnostics))
        self.diagnostics = list(diagnostics)
        self.sources = dict(sources or {})
