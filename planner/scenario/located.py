"""YAML with places: every value knows its file, line and column; scalars follow YAML 1.2's core schema.

PyYAML composes the node graph (with libyaml where it is there) and the values are resolved here, so that `no` stays a
text, `1:30` is no number of seconds, `1e3` is a number, and a key that appears twice is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeAlias

import yaml

from planner.catalog.yaml_loader import Loader, implied_tag
from planner.diagnostics import Diagnostic, DiagnosticError, Label, Severity, Span

Scalar: TypeAlias = str | int | float | bool | date | None
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"

_MAX_VALUES: Final = 1_000_000
_TAG: Final = "tag:yaml.org,2002:"
_TAGS: Final = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
"""Types of scalars that YAML itself defines."""
_INT = re.compile(r"[-+]?[0-9]+")
_OCT_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INF = re.compile(r"([-+])?\.(inf|Inf|INF)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(slots=True)
class Located:
    """A value and its place; `mapping` or `items` is set for collections, else `scalar` holds the value."""

    span: Span
    scalar: Scalar = None
    mapping: dict[str, Located] | None = None
    items: list[Located] | None = None
    keys: dict[str, Span] = field(default_factory=dict)
    """Where each key of the mapping stands."""

    def plain(self) -> Plain:
        """The value without its places."""
        if self.mapping is not None:
            return {key: value.plain() for key, value in self.mapping.items()}
        if self.items is not None:
            return [item.plain() for item in self.items]
        return self.scalar


def resolve_scalar(text: str) -> Scalar:
    """Value of a plain (unquoted) scalar under YAML 1.2's core schema, dates included.

    >>> resolve_scalar("no"), resolve_scalar("1:30"), resolve_scalar("2e9"), resolve_scalar("0x10")
    ('no', '1:30', 2000000000.0, 16)
    """
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INT.fullmatch(text) and len(text) < 400:
        return int(text)
    if _OCT_HEX.fullmatch(text) and len(text) < 400:
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if match := _INF.fullmatch(text):
        return float("-inf") if match[1] == "-" else float("inf")
    if text in (".nan", ".NaN", ".NAN"):
        return float("nan")
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    return text


def parse_located(text: str, file: str, *, repeated: list[Diagnostic] | None = None) -> Located:
    """The value of a YAML text with places; raises DiagnosticError with all problems found.

    Keys that appear twice go to `repeated` where it is given: the first one counts, so that the rest of the file can
    still be checked.
    """
    builder = _Builder(text, file)
    try:
        root = yaml.compose(text, Loader)
    except yaml.MarkedYAMLError as error:
        raise DiagnosticError([_syntax(error, text, file)]) from None
    except yaml.YAMLError as error:
        raise DiagnosticError([_reader(error, text, file)]) from None
    except RecursionError:
        raise DiagnosticError(
            [_problem("the file is nested too deeply", Span(file, 1, 1, 2))]
        ) from None
    if root is None:
        diagnostic = _problem(
            "the file is empty", Span(file, 1, 1, 2), "`planner init FILE` writes one to start from"
        )
        raise DiagnosticError([diagnostic])
    try:
        located = builder.build(root)
    except RecursionError:
        raise DiagnosticError(
            [_problem("the file is nested too deeply", Span(file, 1, 1, 2))]
        ) from None
    if builder.problems or (builder.repeated and repeated is None):
        raise DiagnosticError([*builder.problems, *builder.repeated])
    if repeated is not None:
        repeated += builder.repeated
    return located


def _problem(message: str, span: Span, *help_lines: str, label: str = "") -> Diagnostic:
    return Diagnostic("P002", Severity.ERROR, message, span, label=label, help=help_lines)


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines() or [""]
    if line >= len(lines):
        line = len(lines) - 1
        column = len(lines[line])
    span = Span(file, line + 1, column + 1, column + 2)
    problem = (error.problem or "it cannot be parsed").strip()
    labels: tuple[Label, ...] = ()
    if error.context_mark and error.context and error.context_mark.line != line:
        start = error.context_mark
        place = Span(file, start.line + 1, start.column + 1, start.column + 2)
        labels = (Label(place, error.context.strip()),)
    help_lines: tuple[str, ...] = ()
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    if "\t" in indent or ("\\t" in problem):
        problem = "a tab is used for indentation"
        help_lines = ("indent with spaces",)
    elif "mapping values are not allowed" in problem:
        problem = "a `key: value` is not allowed here"
        help_lines = ("check the indentation, or put a text that contains `: ` in quotes",)
    elif "expected a single document" in problem or "document" in (error.context or ""):
        help_lines = ("one file holds one scenario: remove the `---` line",)
    else:
        help_lines = ("check brackets, commas, quotes and indentation up to here",)
    return Diagnostic(
        "P002", Severity.ERROR, f"invalid YAML: {problem}", span, labels=labels, help=help_lines
    )


def _reader(error: yaml.YAMLError, text: str, file: str) -> Diagnostic:
    position = getattr(error, "position", 0) or 0
    before = text[:position]
    line, column = before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
    return _problem(
        "the file holds a character that YAML does not allow", Span(file, line, column, column + 1)
    )


class _Builder:
    """Turns composed nodes into located values and collects the problems."""

    def __init__(self, text: str, file: str) -> None:
        self.lines = text.splitlines()
        self.file = file
        self.problems: list[Diagnostic] = []
        self.repeated: list[Diagnostic] = []
        self.open: set[int] = set()
        self.count = 0

    def span(self, node: yaml.Node) -> Span:
        start, end = node.start_mark, node.end_mark
        if end.line == start.line and end.column > start.column:
            last = end.column
        else:
            line = self.lines[start.line] if start.line < len(self.lines) else ""
            last = max(len(line.rstrip()), start.column + 1)
        return Span(self.file, start.line + 1, start.column + 1, last + 1)

    def build(self, node: yaml.Node) -> Located:
        self.count += 1
        if self.count > _MAX_VALUES:
            self.problems = [_problem("the file holds too many values", Span(self.file, 1, 1, 2))]
            raise DiagnosticError(self.problems)
        if id(node) in self.open:
            self.problems.append(
                _problem(
                    "an alias refers to a value that contains it",
                    self.span(node),
                    "remove the alias, or write the value out",
                )
            )
            return Located(self.span(node))
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self.build_mapping(node)
            if isinstance(node, yaml.SequenceNode):
                return self.build_sequence(node)
            assert isinstance(node, yaml.ScalarNode)
            return Located(self.span(node), scalar=self.scalar(node))
        finally:
            self.open.discard(id(node))

    def scalar(self, node: yaml.ScalarNode) -> Scalar:
        text = str(node.value)
        if node.tag.removeprefix(_TAG) not in _TAGS:
            self.problems.append(
                _problem(
                    f"the tag `{node.tag}` is not supported", self.span(node), "remove the tag"
                )
            )
        if node.style in ("'", '"', "|", ">"):
            return text
        implied = implied_tag(yaml.ScalarNode, text, (True, False))
        if node.tag == _TAG + "str" and implied != node.tag:
            return text
        return resolve_scalar(text)

    def build_sequence(self, node: yaml.SequenceNode) -> Located:
        items = [self.build(item) for item in node.value]
        return Located(self.first_token(node, items[0].span if items else None), items=items)

    def first_token(self, node: yaml.Node, inner: Span | None) -> Span:
        """The place that stands for a collection: its first token."""
        if inner is not None and inner.line == node.start_mark.line + 1:
            return inner
        return self.span(node)

    def build_mapping(self, node: yaml.MappingNode) -> Located:
        found: dict[str, Located] = {}
        keys: dict[str, Span] = {}
        merged: list[Located] = []
        for key_node, value_node in node.value:
            span = self.span(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(_problem("a key must be a text", span, "write a single word"))
                continue
            key = str(key_node.value)
            if key == "<<" and key_node.style not in ("'", '"'):
                merged += self.merge_sources(value_node)
                continue
            if key in found:
                self.duplicate(key, span, keys[key])
                continue
            keys[key] = span
            found[key] = self.build(value_node)
            if (
                found[key].scalar is None
                and found[key].mapping is None
                and found[key].items is None
            ):
                found[key].span = span
        for source in merged:
            for key, value in (source.mapping or {}).items():
                if key not in found:
                    found[key], keys[key] = value, source.keys[key]
        first = next(iter(keys.values()), None)
        return Located(self.first_token(node, first), mapping=found, keys=keys)

    def merge_sources(self, node: yaml.Node) -> list[Located]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        built = [self.build(source) for source in sources]
        for source in built:
            if source.mapping is None:
                help_line = "name a mapping by its anchor: `<<: *name`"
                self.problems.append(_problem("`<<` merges mappings only", source.span, help_line))
        return [source for source in built if source.mapping is not None]

    def duplicate(self, key: str, span: Span, first: Span) -> None:
        self.repeated.append(
            Diagnostic(
                "P003",
                Severity.ERROR,
                f"the key `{key}` appears twice",
                span,
                label="again here",
                labels=(Label(first, "first here"),),
                help=("keep one of the two; in a list each item starts with `- `",),
            )
        )
