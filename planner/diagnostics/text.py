"""Diagnostics as text: the message, the user's own line with carets, and the way out.

Colour only adds: without it every word is still there. Lines longer than the terminal are cut around the carets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from planner.diagnostics.records import Diagnostic, Fix, Label, Severity, Span

CAP: Final = 20
"""Diagnostics printed at most; the rest is counted."""
_TAB: Final = 4
_COLORS: Final = {
    Severity.ERROR: "1;31",
    Severity.WARNING: "1;33",
    Severity.NOTE: "1;36",
    "gutter": "1;34",
    "help": "1;36",
    "removed": "31",
    "added": "32",
    "bold": "1",
}


class Style(NamedTuple):
    """How to print: width in columns, and whether to colour."""

    width: int = 100
    color: bool = False

    def paint(self, text: str, name: str | Severity) -> str:
        """The text in the colour of that name, unchanged without colour."""
        return f"\x1b[{_COLORS[name]}m{text}\x1b[0m" if self.color and text else text


def render_text(
    diagnostics: Sequence[Diagnostic],
    sources: Mapping[str, str] | None = None,
    *,
    width: int = 100,
    color: bool = False,
    cap: int = CAP,
) -> str:
    """All diagnostics as text, in the order given, at most `cap` of them; ends in a newline unless empty.

    `sources` holds texts by file name; what is not in it is read from disk where it can be.
    """
    style = Style(max(width, 40), color)
    lines_of = _Lines(sources or {})
    blocks = ["\n".join(_block(d, lines_of, style)) for d in diagnostics[:cap]]
    if len(diagnostics) > cap:
        blocks.append(f"... and {len(diagnostics) - cap} more; fix these first")
    return "\n\n".join(blocks) + "\n" if blocks else ""


def summary(diagnostics: Sequence[Diagnostic], where: str = "", ending: str = "") -> str:
    """One line that counts problems by severity, with what follows from them.

    >>> summary([Diagnostic("P002", Severity.ERROR, "x")], "lab.yaml")
    'Found 1 error in lab.yaml.'
    """
    counts = []
    for severity in (Severity.ERROR, Severity.WARNING):
        count = sum(d.severity is severity for d in diagnostics)
        if count:
            counts.append(f"{count} {severity.value}{'s' if count > 1 else ''}")
    found = " and ".join(counts) or "no problems"
    place = f" in {where}" if where else ""
    return f"Found {found}{place}." + (f" {ending}" if ending else "")


class _Lines:
    """Lines of the files that diagnostics point at."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources
        self.cache: dict[str, list[str]] = {}

    def get(self, span: Span) -> str | None:
        """The line of a span, None where the text is not at hand."""
        if span.file not in self.cache:
            text = self.sources.get(span.file)
            if text is None:
                try:
                    text = Path(span.file).read_text("utf-8-sig")
                except (OSError, UnicodeDecodeError, ValueError):
                    text = ""
            self.cache[span.file] = text.splitlines()
        lines = self.cache[span.file]
        return lines[span.line - 1] if 0 < span.line <= len(lines) else None


# ------------------------------------------------------------------------------------------- blocks


def _block(d: Diagnostic, lines: _Lines, style: Style) -> Iterator[str]:
    head = f"{d.severity.value}[{d.code}]"
    wrapped = _wrap(d.message, style.width, len(head) + 2)
    yield f"{style.paint(head, d.severity)}: {style.paint(wrapped[0], 'bold')}"
    yield from (style.paint(line, "bold") for line in wrapped[1:])
    gutter = _gutter(d)
    if d.span is not None:
        yield from _snippet(d.span, d.label, "^", d.severity, gutter, lines, style)
    for label in d.labels:
        yield from _label(label, gutter, lines, style)
    for note in d.notes:
        bar = style.paint(" " * gutter + " =", "gutter")
        wrapped = _wrap(f"note: {note}", style.width, gutter + 3)
        yield f"{bar} {wrapped[0]}"
        yield from wrapped[1:]
    for line in d.help:
        wrapped = _wrap(line, style.width, 6)
        yield f"{style.paint('help', 'help')}: {wrapped[0]}"
        yield from wrapped[1:]
    if d.fix is not None:
        yield from _diff(d.fix, gutter, lines, style)


def _gutter(d: Diagnostic) -> int:
    spans = [s for s in (d.span, *(label.span for label in d.labels)) if s is not None]
    return max((len(str(s.line)) for s in spans), default=1)


def _wrap(text: str, width: int, indent: int) -> list[str]:
    """The text in lines that fit; lines after the first are indented."""
    wrapped = _fold(_clean(text), width - indent)
    first, *rest = wrapped or [""]
    return [first, *(" " * indent + line for line in rest)]


def _fold(text: str, width: int) -> list[str]:
    import textwrap  # here, as most files have no problems

    return textwrap.wrap(text, max(20, width), break_on_hyphens=False)


def _label(label: Label, gutter: int, lines: _Lines, style: Style) -> Iterator[str]:
    yield from _snippet(label.span, label.text, "-", Severity.NOTE, gutter, lines, style)


def _snippet(
    span: Span, label: str, mark: str, severity: Severity, gutter: int, lines: _Lines, style: Style
) -> Iterator[str]:
    arrow = style.paint(" " * gutter + "-->", "gutter")
    yield f"{arrow} {span.file}:{span.line}:{span.column}"
    line = lines.get(span)
    bar = style.paint(" " * gutter + " |", "gutter")
    if line is None:
        if label:
            yield f"{bar} {label}"
        return
    shown, start, length = _window(line, span, style.width - gutter - 3)
    yield bar
    yield f"{style.paint(f'{span.line:>{gutter}} |', 'gutter')} {shown}"
    carets = style.paint(mark * length, severity)
    room = style.width - gutter - 3 - start - length - 1
    label = _clean(label)
    if not label or _columns(label) <= room:
        yield f"{bar} {' ' * start}{carets}{' ' + style.paint(label, severity) if label else ''}"
        return
    yield f"{bar} {' ' * start}{carets}"
    for part in _fold(label, style.width - gutter - 3):
        yield f"{bar} {style.paint(part, severity)}"


def _diff(fix: Fix, gutter: int, lines: _Lines, style: Style) -> Iterator[str]:
    """The line before and after the fix."""
    line = lines.get(fix.span)
    if line is None:
        return
    after = line[: fix.span.column - 1] + fix.replacement + line[fix.span.end_column - 1 :]
    bar = style.paint(" " * gutter + " |", "gutter")
    yield bar
    for sign, text, name in (("-", line, "removed"), ("+", after, "added")):
        shown, _, _ = _window(text, fix.span, style.width - gutter - 3)
        number = style.paint(f"{fix.span.line:>{gutter}} ", "gutter")
        yield f"{number}{style.paint(f'{sign} {shown}', name)}"


# ---------------------------------------------------------------------------------------- one line


def _clean(text: str) -> str:
    """The text without control characters, which could drive the terminal."""
    return "".join(c if c.isprintable() or c == " " else "?" for c in text)


def _width(char: str) -> int:
    import unicodedata

    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _columns(text: str) -> int:
    return sum(map(_width, text))


def _window(line: str, span: Span, room: int) -> tuple[str, int, int]:
    """What to show of a line, and where in it the carets start and how many there are.

    A line that does not fit is cut on both sides of the span, with `...` where something is missing.
    """
    begin, end = span.column - 1, max(span.end_column - 1, span.column)
    before = _clean(line[:begin].replace("\t", " " * _TAB))
    inside = _clean(line[begin:end].replace("\t", " " * _TAB))
    after = _clean(line[end:].replace("\t", " " * _TAB).rstrip())
    length = max(1, _columns(inside))
    total = _columns(before) + length + _columns(after)
    if total <= room:
        return before + inside + after, _columns(before), length
    length = min(length, max(1, room - 6))
    inside = _head(inside, length)
    spare = max(0, room - length - 6)
    left = _tail(before, max(spare // 2, spare - _columns(after)))
    left = left if left == before else f"...{left}"
    right = _head(after, max(0, room - _columns(left) - length - 3))
    right = right if right == after else f"{right}..."
    return left + inside + right, _columns(left), length


def _head(text: str, columns: int) -> str:
    taken = 0
    for index, char in enumerate(text):
        taken += _width(char)
        if taken > columns:
            return text[:index]
    return text


def _tail(text: str, columns: int) -> str:
    taken = 0
    for index in range(len(text) - 1, -1, -1):
        taken += _width(text[index])
        if taken > columns:
            return text[index + 1 :]
    return text
