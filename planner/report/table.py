"""Plain-text tables: columns aligned, never wider than asked, nothing cut that can be folded."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Column:
    """One column: header, alignment, and whether it may be dropped or folded when room is short."""

    header: str
    align: Literal["<", ">"] = "<"
    drop: int = 0
    """0: never dropped; otherwise the column with the highest number goes first."""
    clip: bool = False
    """Whether its cells may be folded over several lines, and cut where a single word is too long."""
    min_width: int = 10
    last_resort: bool = False
    """Dropped where even folding does not make room."""


def render_table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    width: int = 100,
    footer: Sequence[str] | None = None,
    gap: int = 2,
) -> list[str]:
    """Lines of a table no wider than `width`: columns are dropped by rank, then folded, then set below one another.

    A cell that is followed by empty ones takes their room.

    >>> render_table([Column("A"), Column("N", ">")], [["x", "1"], ["yy", "20"]])
    ['A    N', 'x    1', 'yy  20']
    >>> render_table([Column("A", clip=True, min_width=3), Column("N", ">")], [["x of y", "1"]], width=8)
    ['A      N', 'x of   1', 'y']
    """
    table = _Table(columns, [list(r) for r in rows], list(footer) if footer else None, gap)
    keep = _kept(table, width)
    sizes = _fold(table, keep, width)
    while sizes is None and (spare := [i for i in keep if columns[i].last_resort]):
        keep.remove(spare[0])
        sizes = _fold(table, keep, width)
    if sizes is None:
        sizes = dict(zip(keep, table.widest(keep, len), strict=True))
    lines: list[str] = []
    for block in _balanced(sizes, keep, width, gap):
        lines += [*([""] if lines else []), *table.lines(block, [sizes[i] for i in block], width)]
    return lines


@dataclass(frozen=True, slots=True)
class _Table:
    columns: Sequence[Column]
    rows: list[list[str]]
    footer: list[str] | None
    gap: int

    @property
    def everything(self) -> list[list[str]]:
        return [
            [c.header for c in self.columns],
            *self.rows,
            *([self.footer] if self.footer else []),
        ]

    def widest(self, keep: Sequence[int], measure: Callable[[str], int]) -> list[int]:
        """Width of each kept column; a cell with empty ones behind it needs only what they do not give."""
        header, *others = self.everything
        widths = [measure(header[i]) for i in keep]
        wide: list[tuple[int, int, int]] = []
        for row in others:
            for at, i in enumerate(keep):
                behind = self._room_behind(row, keep, at)
                if behind:
                    wide.append((at, behind, measure(row[i])))
                else:
                    widths[at] = max(widths[at], measure(row[i]))
        for at, behind, needed in wide:
            found = sum(widths[at : at + behind + 1]) + self.gap * behind
            widths[at] += max(0, needed - found)
        return widths

    def _room_behind(self, row: Sequence[str], keep: Sequence[int], at: int) -> int:
        """How many empty cells a left-aligned cell may run over."""
        if self.columns[keep[at]].align == ">" or not row[keep[at]]:
            return 0
        behind = 0
        while at + behind + 1 < len(keep) and not row[keep[at + behind + 1]]:
            behind += 1
        return behind

    def lines(self, keep: Sequence[int], sizes: Sequence[int], width: int) -> list[str]:
        header, *others = self.everything
        lines = self._line(header, keep, sizes)
        for row in others[: len(self.rows)]:
            lines += self._line(row, keep, sizes)
        if self.footer:
            lines.append("-" * min(width, sum(sizes) + self.gap * (len(sizes) - 1)))
            lines += self._line(self.footer, keep, sizes)
        return lines

    def _line(self, row: Sequence[str], keep: Sequence[int], sizes: Sequence[int]) -> list[str]:
        """One row: a cell too long for its column and the empty ones behind it continues below itself."""
        cells: list[tuple[str, int, list[str]]] = []
        at = 0
        while at < len(keep):
            behind = self._room_behind(row, keep, at) if row is not self.everything[0] else 0
            size = sum(sizes[at : at + behind + 1]) + self.gap * behind
            cells.append((self.columns[keep[at]].align, size, _folded(row[keep[at]], size)))
            at += behind + 1
        height = max(len(lines) for _, _, lines in cells)
        parts = [
            [f"{lines[n] if n < len(lines) else '':{align}{size}}" for align, size, lines in cells]
            for n in range(height)
        ]
        return [(" " * self.gap).join(part).rstrip() for part in parts]


def _kept(table: _Table, width: int) -> list[int]:
    """Columns that stay: those of the highest rank go first while the table is too wide."""
    keep = list(range(len(table.columns)))

    def too_wide() -> bool:
        return sum(table.widest(keep, len)) + table.gap * (len(keep) - 1) > width

    dropped: list[int] = []
    while too_wide() and (droppable := [i for i in keep if table.columns[i].drop]):
        dropped.append(max(droppable, key=lambda i: table.columns[i].drop))
        keep.remove(dropped[-1])
    for i in reversed(dropped):
        # A wide column that went last may leave room for a narrow one that went first.
        keep.append(i)
        keep.sort()
        if too_wide():
            keep.remove(i)
    return keep


def _fold(table: _Table, keep: Sequence[int], width: int) -> dict[int, int] | None:
    """Widths by column: the widest that may be folded shrink until all fit; None if they cannot.

    First at spaces alone, then at hyphens too, at last by cutting words.
    """
    sizes = table.widest(keep, len)
    columns = [table.columns[i] for i in keep]
    room = width - table.gap * (len(keep) - 1)
    words = table.widest(keep, lambda text: max(map(len, _words(text)), default=0))
    parts = table.widest(keep, lambda text: max(map(len, _parts(text)), default=0))
    cut = [min(c.min_width, size) for c, size in zip(columns, parts, strict=True)]
    for floors in (words, parts, cut):
        while sum(sizes) > room:
            wide = [i for i, c in enumerate(columns) if c.clip and sizes[i] > floors[i]]
            if not wide:
                break
            sizes[max(wide, key=lambda i: sizes[i])] -= 1
    return dict(zip(keep, sizes, strict=True)) if sum(sizes) <= room else None


def _balanced(sizes: dict[int, int], keep: Sequence[int], width: int, gap: int) -> list[list[int]]:
    """Columns by block, as few blocks as will do and all about as wide."""
    blocks = _blocks(sizes, keep, width, gap)
    narrower = width
    while len(blocks) > 1 and narrower > 1:
        narrower -= 1
        trial = _blocks(sizes, keep, narrower, gap)
        if len(trial) > len(blocks):
            break
        blocks = trial
    return blocks


def _blocks(sizes: dict[int, int], keep: Sequence[int], width: int, gap: int) -> list[list[int]]:
    """What finds no room goes into a further block, behind the first column again."""
    blocks = [[keep[0]]]
    for i in keep[1:]:
        used = sum(sizes[j] + gap for j in blocks[-1])
        if used + sizes[i] > width and len(blocks[-1]) > 1:
            blocks.append([keep[0]])
        blocks[-1].append(i)
    return blocks


def _words(text: str) -> list[str]:
    """Words; the star of a default stays with the word before it."""
    return re.findall(r"\S+(?: \*(?= |$))?", text)


def _parts(text: str) -> list[str]:
    """What a text may be parted into: at spaces and behind hyphens.

    >>> _parts("8 x a100-sxm4-80gb")
    ['8', 'x', 'a100-', 'sxm4-', '80gb']
    """
    return [part for word in _words(text) for part in re.findall(r"[^-]+-*|-+", word)]


def _folded(text: str, size: int) -> list[str]:
    """Lines of at most `size` characters; words are parted at hyphens only where one is too long.

    >>> _folded("2 x tp2 gptq-int4", 10), _folded("a100-contract", 10), _folded("infrastructure", 10)
    (['2 x tp2', 'gptq-int4'], ['a100-', 'contract'], ['infrastru~'])
    """
    if len(text) <= size:
        return [text]
    lines: list[str] = []
    for word in _words(text):
        for n, part in enumerate([word] if len(word) <= size else _parts(word)):
            glue = "" if n else " "
            if lines and len(lines[-1] + glue + part) <= size:
                lines[-1] += glue + part
            else:
                lines.append(part)
    return [line if len(line) <= size else line[: size - 1] + "~" for line in lines]


def bar(share: float, width: int = 8) -> str:
    """A bar of # and . characters.

    >>> bar(0.75)
    '######..'
    """
    full = max(0, min(width, round(share * width)))
    return "#" * full + "." * (width - full)


def wrap(text: str, *, first: str, rest: str, width: int) -> list[str]:
    """Wrap at spaces, with one prefix for the first line and one for the others."""
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False,
        break_long_words=False,
    ) or [first.rstrip()]  # fmt: skip
