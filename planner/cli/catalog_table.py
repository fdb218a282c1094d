"""Plain columns and key-value blocks for the catalog commands: aligned, no frame, at most the given width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

GAP: Final = 2
_CUT: Final = ".."
_LEGIBLE: Final = 20
"""Cells are not cut below this for the sake of an optional column."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, how it is aligned, and what to do when the line is too long."""

    title: str
    align: Literal["left", "right"] = "left"
    least: int = 0
    """Narrowest width the column may be cut to; 0: it is never cut."""
    optional: int = 0
    """Columns with a higher number are left out first where the width does not do; 0: never."""


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> str:
    """Rows under headings, at most `width` wide; ends in a newline.

    >>> print(table([Column("GPU"), Column("GB", "right")], [["t4", "16"], ["a100", "40"]], 80), end="")
    GPU   GB
    t4    16
    a100  40
    """
    kept = _fitting(columns, rows, width)
    heads = [columns[i].title for i in kept]
    body = [[row[i] for i in kept] for row in rows]
    widths = [
        max(len(h), *(len(r[i]) for r in body)) if body else len(h) for i, h in enumerate(heads)
    ]
    shown = [columns[i] for i in kept]
    _shrink(shown, widths, width)
    lines = [_line(shown, heads, widths)]
    lines += [_line(shown, row, widths) for row in body]
    return "".join(f"{line}\n" for line in lines)


def _needed(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], kept: Sequence[int], legible: int
) -> int:
    """Width of a line when cells that may be cut keep at least `legible` characters."""
    total = GAP * (len(kept) - 1)
    for i in kept:
        natural = max(len(columns[i].title), *(len(row[i]) for row in rows), 0)
        total += min(natural, max(columns[i].least, legible)) if columns[i].least else natural
    return total


def _fitting(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Columns that are shown: optional ones, the lowest number first, as long as the line holds them."""
    kept = [i for i, column in enumerate(columns) if not column.optional]
    for i in sorted(
        (i for i, c in enumerate(columns) if c.optional), key=lambda i: columns[i].optional
    ):
        wider = sorted([*kept, i])
        if _needed(columns, rows, wider, _LEGIBLE) <= width:
            kept = wider
    return kept


def _shrink(columns: Sequence[Column], widths: list[int], width: int) -> None:
    excess = sum(widths) + GAP * (len(widths) - 1) - width
    for i in sorted(range(len(widths)), key=lambda i: -widths[i]):
        if excess <= 0:
            return
        if columns[i].least:
            cut = min(excess, max(widths[i] - columns[i].least, 0))
            widths[i] -= cut
            excess -= cut


def _line(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]) -> str:
    parts = []
    for column, cell, size in zip(columns, cells, widths, strict=True):
        text = cell if len(cell) <= size else cell[: size - len(_CUT)] + _CUT
        parts.append(text.rjust(size) if column.align == "right" else text.ljust(size))
    return (" " * GAP).join(parts).rstrip()


def pairs(items: Iterable[tuple[str, str]], width: int, indent: int = 2) -> str:
    """Labels and values in two columns; long values are wrapped under themselves.

    >>> print(pairs([("memory", "80 GB"), ("TDP", "400 W")], 80), end="")
      memory  80 GB
      TDP     400 W
    """
    kept = [(label, value) for label, value in items if value]
    size = max((len(label) for label, _ in kept), default=0)
    lines = []
    for label, value in kept:
        head = " " * indent + label.ljust(size) + " " * GAP
        lines += textwrap.wrap(
            value, width, initial_indent=head, subsequent_indent=" " * len(head),
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def paragraph(text: str, width: int, indent: int = 2) -> str:
    """Text wrapped to the width."""
    lead = " " * indent
    return textwrap.fill(text, width, initial_indent=lead, subsequent_indent=lead) + "\n"


def figure(value: float | None, digits: int = 0) -> str:
    """A number with thousands separators, at most `digits` decimals and none that are zero; `-` for none.

    >>> figure(1555.0), figure(112.5, 1), figure(None), figure(0.25, 2)
    ('1,555', '112.5', '-', '0.25')
    """
    if value is None:
        return "-"
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def billions(count: int) -> str:
    """A parameter count as people write it.

    >>> billions(8030261248), billions(596049920), billions(1026408232448)
    ('8.03B', '596M', '1,026B')
    """
    if count < 1_000_000_000:
        return f"{count / 1e6:,.0f}M"
    digits = 2 if count < 10_000_000_000 else 1 if count < 1_000_000_000_000 else 0
    return f"{count / 1e9:,.{digits}f}B"
