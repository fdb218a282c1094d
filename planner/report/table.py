"""Plain-text tables: columns aligned, cells clipped, never wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Column:
    """One column: header, alignment, and whether it may be dropped or clipped when room is short."""

    header: str
    align: Literal["<", ">"] = "<"
    drop: int = 0
    """0: never dropped; otherwise the column with the highest number goes first."""
    clip: bool = False
    min_width: int = 10


def render_table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    width: int = 100,
    footer: Sequence[str] | None = None,
    gap: int = 2,
) -> list[str]:
    """Lines of a table no wider than `width`: columns are dropped by rank, then clipped.

    >>> render_table([Column("A"), Column("N", ">")], [["x", "1"], ["yy", "20"]])
    ['A    N', 'x    1', 'yy  20']
    """
    keep = list(range(len(columns)))
    everything = [[c.header for c in columns], *rows, *([footer] if footer else [])]

    def widths() -> list[int]:
        return [max(len(r[i]) for r in everything) for i in keep]

    def too_wide() -> bool:
        return sum(widths()) + gap * (len(keep) - 1) > width

    dropped: list[int] = []
    while too_wide() and (droppable := [i for i in keep if columns[i].drop]):
        dropped.append(max(droppable, key=lambda i: columns[i].drop))
        keep.remove(dropped[-1])
    for i in reversed(dropped):
        # A wide column that went last may leave room for a narrow one that went first.
        keep.append(i)
        keep.sort()
        if too_wide():
            keep.remove(i)
    sizes = _clip(widths(), [columns[i] for i in keep], width - gap * (len(keep) - 1))

    def line(cells: Sequence[str]) -> str:
        parts = []
        for size, i in zip(sizes, keep, strict=True):
            text = cells[i] if len(cells[i]) <= size else cells[i][: size - 1] + "~"
            parts.append(f"{text:{columns[i].align}{size}}")
        return (" " * gap).join(parts).rstrip()

    lines = [line([c.header for c in columns]), *(line(r) for r in rows)]
    if footer:
        lines += ["-" * min(width, sum(sizes) + gap * (len(sizes) - 1)), line(footer)]
    return lines


def _clip(sizes: list[int], columns: list[Column], room: int) -> list[int]:
    """Shrink the widest clippable columns, one character at a time, until all fit."""
    sizes = list(sizes)
    while sum(sizes) > room:
        wide = [i for i, c in enumerate(columns) if c.clip and sizes[i] > c.min_width]
        if not wide:
            break
        sizes[max(wide, key=lambda i: sizes[i])] -= 1
    return sizes


def bar(share: float, width: int = 8) -> str:
    """A bar of # and . characters.

    >>> bar(0.75)
    '######..'
    """
    full = max(0, min(width, round(share * width)))
    return "#" * full + "." * (width - full)


def wrap(text: str, *, first: str, rest: str, width: int) -> list[str]:
    """Wrap at spaces, with one prefix for the first line and one for the others."""
    import textwrap

    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False,
        break_long_words=False,
    ) or [first.rstrip()]  # fmt: skip
