"""Diagnostics: a coded message with its place in the user's file.

Codes: P0xx file and syntax, P1xx shape of a field, P2xx cross-reference, P3xx infeasible, P4xx doubtful input
(a warning), P9xx a bug of planner. `CODES` is the registry: a code that is not in it cannot be raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: an error stops, a warning does not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a file; lines and columns count from 1, `end_column` is one past the last."""

    file: str
    line: int
    column: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that matters, with what to say about it."""

    span: Span
    text: str


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

    def __post_init__(self) -> None:
        """Refuse a code the registry does not know."""
        if self.code not in CODES:
            raise KeyError(f"diagnostic code {self.code} is not registered")


class DiagnosticError(Exception):
    """Raised with all the problems found, never just the first."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        """Keep the problems; the message is for logs, the renderer is for people."""
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in diagnostics))
        self.diagnostics = diagnostics


@dataclass(frozen=True, slots=True)
class Code:
    """A registered code: what it means and what to do, for `planner explain CODE`."""

    title: str
    explanation: str = ""


CODES: dict[str, Code] = {
    "P001": Code("the file cannot be read"),
    "P002": Code("the file is not valid YAML"),
    "P003": Code("a key appears twice"),
    "P005": Code("the file is not of the expected format"),
    "P101": Code("unknown key"),
    "P102": Code("invalid value"),
    "P103": Code("missing key"),
    "P110": Code("unit missing or unknown"),
    "P201": Code("unknown model"),
    "P202": Code("unknown GPU"),
    "P203": Code("unknown node type"),
    "P204": Code("unknown engine or framework"),
    "P205": Code("a name is used twice"),
    "P206": Code("a name is ambiguous"),
    "P210": Code("values that contradict one another"),
    "P207": Code(
        "unknown model architecture",
        "The `model_type` of a config.json is none that planner can count tensor by tensor. Give the "
        "dimensions in the scenario, or a parameter count, which costs exactness.",
    ),
    "P208": Code("a checkpoint's shape that planner cannot describe"),
    "P301": Code("no plan exists"),
    "P302": Code("a workload has no option"),
    "P303": Code("nothing found within the limit"),
    "P401": Code("a price is old"),
    "P402": Code("a figure nobody could verify"),
    "P405": Code(
        "rows of an imported file were left out",
        "Each row that was not taken over is named with its line and the reason; nothing is dropped silently.",
    ),
    "P901": Code("a bug of planner"),
    "P902": Code("the plan did not verify"),
}
