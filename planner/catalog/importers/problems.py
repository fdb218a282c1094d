"""Problems an importer finds in a file: always coded, always with the line, never a traceback."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from planner.diagnostics import Diagnostic, DiagnosticError, Severity, Span


class RowError(ValueError):
    """Why a row cannot be used; the message becomes the reason in the log."""


def problem(
    code: str,
    message: str,
    file: str,
    *,
    line: int = 1,
    column: int = 1,
    width: int = 1,
    label: str = "",
    help: tuple[str, ...] = (),
) -> Diagnostic:
    """An error at one place of an imported file."""
    span = Span(file, line, column, column + max(width, 1))
    return Diagnostic(code, Severity.ERROR, message, span, label, help=help)


def refuse(code: str, message: str, file: str, *, line: int = 1) -> DiagnosticError:
    """The exception that stops an import with a single error."""
    return DiagnosticError([problem(code, message, file, line=line)])


def read_text(path: Path) -> str:
    """The text of a file, or error P001 that says why it cannot be read."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(
            "P001", f"`{path}` is not UTF-8 text: byte {error.start}", str(path)
        ) from error
    except OSError as error:
        raise refuse("P001", f"`{path}` cannot be read: {error.strerror}", str(path)) from error


def read_head(path: Path, count: int) -> bytes:
    """The first bytes of a file, or error P001 that says why it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except OSError as error:
        raise refuse("P001", f"`{path}` cannot be read: {error.strerror}", str(path)) from error


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that was not taken over, and why."""

    line: int
    what: str
    reason: str


@dataclass(slots=True)
class Log:
    """What happened to each row of a file: `taken` + the rows skipped = all the rows read."""

    file: str
    rows: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    def skip(self, line: int, what: str, reason: str) -> None:
        """Leave a row out and remember why."""
        self.skipped.append(Skipped(line, what, reason))

    def diagnostics(self, limit: int = 20) -> list[Diagnostic]:
        """One warning per reason, with the lines it concerns (at most `limit` of them spelt out)."""
        by_reason: dict[str, list[Skipped]] = {}
        for row in self.skipped:
            by_reason.setdefault(row.reason, []).append(row)
        found = []
        for reason, rows in sorted(by_reason.items(), key=lambda item: item[1][0].line):
            names = ", ".join(f"{r.what} (line {r.line})" for r in rows[:limit])
            more = f", and {len(rows) - limit} more" if len(rows) > limit else ""
            noun = "row" if len(rows) == 1 else "rows"
            first = rows[0].line
            found.append(
                Diagnostic(
                    "P405",
                    Severity.WARNING,
                    f"{len(rows)} {noun} left out: {reason}",
                    Span(self.file, first, 1, 2),
                    notes=(names + more,),
                )
            )
        return found
