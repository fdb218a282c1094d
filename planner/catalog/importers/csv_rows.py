"""Rows of a CSV file by header name, with their line numbers and typed cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from planner.catalog.importers.problems import RowError, problem
from planner.diagnostics import DiagnosticError


def bad_cell(column: str, value: str, expected: str) -> RowError:
    """A cell that is not what its column holds."""
    return RowError(f"`{column}` is not {expected}: `{value}`")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; a column the file lacks reads as empty."""

    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """The cell without surrounding blanks; empty where there is none."""
        return self.cells.get(column, "").strip()

    def number(self, column: str) -> Decimal | None:
        """The cell as an exact number that is not negative; None where it is empty."""
        value = self.text(column)
        if not value:
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise bad_cell(column, value, "a number") from None
        if not number.is_finite() or number < 0:
            raise bad_cell(column, value, "a number of zero or more")
        return number

    def flag(self, column: str) -> bool:
        """The cell as True or False, as Python writes them; empty is False."""
        value = self.text(column).lower()
        if value not in ("", "true", "false"):
            raise bad_cell(column, self.text(column), "True or False")
        return value == "true"


def read_rows(text: str, file: str, required: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a CSV text; raises P005 if it is empty or lacks a required column.

    A row with fewer or more cells than the header keeps what it has: `None` is the key of what is left over, which
    the caller sees as `Row.cells["+"]`.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=False)
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration:
        raise DiagnosticError([problem("P005", "the file is empty", file)]) from None
    missing = [name for name in required if name not in header]
    if missing:
        names = ", ".join(f"`{m}`" for m in missing)
        found = ", ".join(header[:12]) + (", ..." if len(header) > 12 else "")
        raise DiagnosticError(
            [problem("P005", f"no column {names}", file, help=(f"the header names: {found}",))]
        )
    yield from _data_rows(reader, header, file)


def _data_rows(reader: Iterator[list[str]], header: list[str], file: str) -> Iterator[Row]:
    start = 2
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DiagnosticError(
                [problem("P005", f"not readable as CSV: {error}", file, line=start)]
            ) from error
        line, start = start, getattr(reader, "line_num", start) + 1
        if not any(cell.strip() for cell in cells):
            continue
        row = dict(zip(header, cells, strict=False))
        if len(cells) > len(header):
            row["+"] = ",".join(cells[len(header) :])
        yield Row(line, row)
