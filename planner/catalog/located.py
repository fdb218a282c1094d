"""Read a catalog file, and say where in it a mistake is."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from planner.catalog.validator import validate
from planner.catalog.yaml_loader import Loader
from planner.diagnostics import Diagnostic, DiagnosticError, Severity, Span

T = TypeVar("T", bound=BaseModel)


def load_record(path: Path, cls: type[T]) -> T:
    """The record in a file; a file that holds something else raises located diagnostics."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DiagnosticError([_error("P001", str(error), None)]) from error
    try:
        return validate(cls, yaml.load(text, Loader))
    except (yaml.YAMLError, ValidationError) as error:
        raise DiagnosticError(locate(str(path), text, error)) from error


def read_aliases(path: Path) -> tuple[str, ...]:
    """Other names of the record in a file: its aliases and its Hugging Face id; () if unreadable."""
    try:
        data = yaml.load(path.read_text("utf-8"), Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return ()
    if not isinstance(data, dict):
        return ()
    names = data.get("aliases") or []
    hf_id = [data["hf_id"]] if data.get("hf_id") else []
    return tuple(str(name) for name in [*(names if isinstance(names, list) else []), *hf_id])


def locate(file: str, text: str, error: yaml.YAMLError | ValidationError) -> list[Diagnostic]:
    """The diagnostics of a failed load, each with its line and column."""
    if isinstance(error, ValidationError):
        root = yaml.compose(text, Loader)
        return [
            _of_field(file, root, item["type"], item["loc"], item["msg"]) for item in error.errors()
        ]
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    span = Span(file, mark.line + 1, mark.column + 1, mark.column + 2) if mark else None
    problem = getattr(error, "problem", None) or str(error)
    return [_error("P002", f"the file is not valid YAML: {problem}", span)]


def duplicate_keys(file: str, text: str) -> list[Diagnostic]:
    """A diagnostic for each key that a mapping holds twice."""
    found: list[Diagnostic] = []
    stack = [yaml.compose(text, Loader)]
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.SequenceNode):
            stack.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    found.append(
                        _error("P003", f"key `{key.value}` appears twice", _span(file, key))
                    )
                seen.add(key.value)
                stack.append(value)
    return found


def _of_field(
    file: str, root: yaml.Node | None, kind: str, loc: tuple[int | str, ...], message: str
) -> Diagnostic:
    code = {"extra_forbidden": "P101", "missing": "P103"}.get(kind, "P102")
    name = ".".join(map(str, loc))
    texts = {"P101": f"unknown key `{name}`", "P103": f"missing key `{name}`"}
    node = find(root, loc, key=code == "P101")
    span = _span(file, node) if node is not None else Span(file, 1, 1, 2)
    return _error(code, texts.get(code, f"`{name}`: {message}"), span)


def find(
    root: yaml.Node | None, loc: tuple[int | str, ...], *, key: bool = False
) -> yaml.Node | None:
    """The node at a path of keys and indices, or the deepest one on the way; `key`: its key instead."""
    node = root
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if p[0].value == str(step)), None)
            if pair is None:
                return node
            node = pair[0] if key and step == loc[-1] else pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step] if step < len(node.value) else node
    return node


def at(path: Path, field: str) -> Span:
    """Where a field of a record's file is written; the file's first character if it is not."""
    root = yaml.compose(path.read_text("utf-8"), Loader)
    node = find(root, tuple(field.split(".")))
    return Span(str(path), 1, 1, 2) if node is None or node is root else _span(str(path), node)


def _span(file: str, node: yaml.Node) -> Span:
    start, end = node.start_mark, node.end_mark
    same_line = start.line == end.line
    last = end.column + 1 if same_line else start.column + 2
    return Span(file, start.line + 1, start.column + 1, max(last, start.column + 2))


def _error(code: str, message: str, span: Span | None) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, span)
