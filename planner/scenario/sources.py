"""Read the texts a scenario is made of: the file itself, what it extends, and overrides from the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from planner.diagnostics import Diagnostic, DiagnosticError, Severity, Span
from planner.diagnostics.places import STDIN as STDIN
from planner.diagnostics.places import printable as printable
from planner.diagnostics.similar import similar
from planner.scenario.located import Located, parse_located
from planner.scenario.paths import NAME_KEYS, Step, child, item_index, parse_path, path_text

MAX_BYTES = 20_000_000


class Sources:
    """Texts by the name they are shown under."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.texts: dict[str, str] = {}
        self.repeated: list[Diagnostic] = []
        """Keys that appear twice: errors that do not keep the rest from being checked."""

    def read(self, path: str, stdin: TextIO | None) -> Located:
        """The located value of one file, `-` for standard input, with what it extends merged in."""
        return self._read(path, stdin, ())

    def _read(self, path: str, stdin: TextIO | None, above: tuple[str, ...]) -> Located:
        name = STDIN if path == "-" else printable(path)
        text = read_text(Path(path)) if path != "-" else read_stdin(stdin)
        self.texts[name] = text
        root = parse_located(text, name, repeated=self.repeated)
        return self._extend(root, path, (*above, _identity(path)))

    def _extend(self, root: Located, path: str, above: tuple[str, ...]) -> Located:
        wanted = (root.mapping or {}).get("extends")
        if wanted is None:
            return root
        folder = Path() if path == "-" else Path(path).parent
        base: Located | None = None
        for item in wanted.items if wanted.items is not None else [wanted]:
            if not isinstance(item.scalar, str):
                raise DiagnosticError(
                    [_error("P102", "`extends` takes a file name or a list of them", item.span)]
                )
            target = str(folder / item.scalar)
            if _identity(target) in above:
                raise DiagnosticError(
                    [_error("P004", f"`{item.scalar}` extends itself in a circle", item.span)]
                )
            try:
                found = self._read(target, None, above)
            except DiagnosticError as error:
                raise DiagnosticError([_at(d, item.span) for d in error.diagnostics]) from None
            base = found if base is None else merge(base, found)
        return root if base is None else merge(base, root)

    def override(self, root: Located, text: str) -> None:
        """Apply `path=value` to the tree; the value is read as YAML."""
        text, readable = printable(text), printable(text) == text
        path, equals, value = text.partition("=")
        name = f"--set {path}"
        self.texts[name] = text
        whole = Span(name, 1, 1, len(text) + 1)
        if not readable:
            raise DiagnosticError([_error("P105", f"`{text}` is not UTF-8 text", whole)])
        if not equals or not path.strip():
            hint = "write `path=value`, such as `limits.power=40 kW`"
            raise DiagnosticError([_error("P105", f"`{text}` is not an override", whole, hint)])
        try:
            steps = parse_path(path.strip())
        except ValueError as error:
            raise DiagnosticError([_error("P105", str(error), whole)]) from None
        located = Located(Span(name, 1, len(path) + 2, len(text) + 2))
        if value.strip():
            located = parse_located(" " * (len(path) + 1) + value, name)
        _assign(root, steps, located, Span(name, 1, 1, len(path) + 1))


def read_stdin(stream: TextIO | None = None) -> str:
    """All of standard input, which must be UTF-8 text whatever the locale says; else a P001."""
    stream = stream or sys.stdin
    if stream is None:
        raise DiagnosticError([_error("P001", "standard input is closed", None)])
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        return stream.read()
    content: bytes = buffer.read()
    if len(content) > MAX_BYTES:
        raise DiagnosticError([_error("P001", "standard input is larger than 20 MB", None)])
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DiagnosticError([_not_utf8("standard input", error)]) from None


def _not_utf8(what: str, error: UnicodeDecodeError) -> Diagnostic:
    line = error.object[: error.start].count(b"\n") + 1
    message = f"{what} is not UTF-8 text (line {line})"
    return _error("P001", message, None, "save the file as UTF-8")


def read_text(path: Path) -> str:
    """Text of a file; whatever prevents reading is a P001."""
    shown = printable(str(path))
    try:
        if path.is_dir():
            raise DiagnosticError([_error("P001", f"`{shown}` is a folder, not a file", None)])
        if path.stat().st_size > MAX_BYTES:
            raise DiagnosticError([_error("P001", f"`{shown}` is larger than 20 MB", None)])
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        near = _similar_files(path)
        hint = (f"a file with a similar name exists: `{near}`",) if near else ()
        raise DiagnosticError([_error("P001", f"`{shown}` does not exist", None, *hint)]) from None
    except UnicodeDecodeError as error:
        raise DiagnosticError([_not_utf8(f"`{shown}`", error)]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"`{shown}` cannot be read: {reason.lower()}"
        raise DiagnosticError([_error("P001", message, None)]) from None


def _similar_files(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir() if p.is_file()]
    except OSError:
        return ""
    near = similar(path.name, names, 1, 0.6)
    return str(path.parent / near[0]) if near else ""


def _identity(path: str) -> str:
    return path if path == "-" else str(Path(path).resolve())


def _at(diagnostic: Diagnostic, span: Span) -> Diagnostic:
    """The same problem, placed at the line that named the file, where it has no place of its own."""
    if diagnostic.span is not None:
        return diagnostic
    return Diagnostic(
        diagnostic.code, diagnostic.severity, diagnostic.message, span, help=diagnostic.help
    )


def _error(code: str, message: str, span: Span | None, *help_lines: str) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, span, help=help_lines)


# -------------------------------------------------------------------------------------------- merge


def merge(base: Located, top: Located) -> Located:
    """`top` over `base`: mappings merge, lists of named items merge by name, a null removes a key."""
    if base.mapping is not None and top.mapping is not None:
        merged, keys = dict(base.mapping), dict(base.keys)
        for key, value in top.mapping.items():
            if is_null(value):
                merged.pop(key, None)
                keys.pop(key, None)
                continue
            below = merged.get(key)
            merged[key] = merge(below, value) if below is not None else value
            keys[key] = top.keys[key]
        return Located(top.span, mapping=merged, keys=keys)
    if base.items is not None and top.items is not None and _named(base) and _named(top):
        items = list(base.items)
        for item in top.items:
            index = item_index(base, _item_name(item))
            if index is None:
                items.append(item)
            else:
                items[index] = merge(items[index], item)
        return Located(top.span, items=items)
    return top


def is_null(value: Located) -> bool:
    """Whether a key has no value."""
    return value.scalar is None and value.mapping is None and value.items is None


def _item_name(item: Located) -> str:
    for key in NAME_KEYS:
        named = (item.mapping or {}).get(key)
        if named is not None and isinstance(named.scalar, str):
            return named.scalar
    return ""


def _named(node: Located) -> bool:
    return bool(node.items) and all(_item_name(item) for item in node.items or [])


def _assign(root: Located, steps: Sequence[Step], value: Located, span: Span) -> None:
    node = root
    for at, step in enumerate(steps[:-1]):
        below = child(node, step)
        if below is None and node.mapping is not None:
            below = Located(span, mapping={})
            node.mapping[str(step)] = below
            node.keys[str(step)] = span
        if below is None:
            raise DiagnosticError([_no_such_item(node, steps[: at + 1], span)])
        node = below
    last = steps[-1]
    if node.mapping is not None:
        node.mapping[str(last)] = value
        node.keys[str(last)] = span
        return
    index = item_index(node, last) if node.items is not None else None
    if index is None or node.items is None:
        raise DiagnosticError([_no_such_item(node, steps, span)])
    node.items[index] = value


def _no_such_item(node: Located, steps: Sequence[Step], span: Span) -> Diagnostic:
    names = [_item_name(item) for item in node.items or [] if _item_name(item)]
    message = f"`{path_text(steps)}` leads nowhere"
    hints = (f"items here: {', '.join(names)}",) if names else ()
    return _error("P105", message, span, *hints)
