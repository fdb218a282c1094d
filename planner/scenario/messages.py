"""Turn validation errors into located diagnostics in the user's own words; union tags never leak."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from planner.diagnostics import Diagnostic, Fix, Span
from planner.diagnostics.similar import similar
from planner.scenario.fields import fields_at
from planner.scenario.key_messages import (
    example_line,
    kind_at,
    last_key,
    missing_key,
    no_value,
    problem,
    similar_key,
    unknown_key,
)
from planner.scenario.located import Located
from planner.scenario.paths import Step, nearest, span_of
from planner.scenario.refusals import shown
from planner.scenario.schema_base import KINDS

EXPECTED: Final = {
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "dict_type": "a mapping of keys",
    "tuple_type": "a list",
    "list_type": "a list",
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
}
"""What pydantic's type errors mean, in plain words."""


def to_diagnostics(error: ValidationError, root: Located) -> list[Diagnostic]:
    """One diagnostic for each thing wrong, at the user's own token."""
    found: dict[tuple[Span | None, str, str], Diagnostic] = {}
    listed = [(d, _own_steps(d["loc"])) for d in error.errors(include_url=False)]
    misspelt = _misspelt(listed, root)
    for details, steps in listed:
        if details["type"] == "missing" and tuple(steps) in misspelt:
            continue
        if details["type"] == "too_short" and nearest(root, steps)[0].items:
            continue  # not empty: its items are wrong, and each is reported
        diagnostic = _diagnostic(details, steps, root)
        found.setdefault((diagnostic.span, diagnostic.code, diagnostic.message), diagnostic)
    return list(found.values())


def _misspelt(
    listed: Sequence[tuple[ErrorDetails, list[Step]]], root: Located
) -> set[tuple[Step, ...]]:
    """Paths of keys that are there under a similar, unknown name: they are not missing."""
    found = set()
    for details, steps in listed:
        if details["type"] == "extra_forbidden" and (near := similar_key(steps, root)):
            found.add((*steps[:-1], near))
    return found


def _own_steps(loc: tuple[int | str, ...]) -> list[Step]:
    """The location without the tag that a discriminated union puts after the index of a workload."""
    steps = list(loc)
    if len(steps) > 2 and steps[0] == "workloads" and steps[2] in KINDS:
        del steps[2]
    return steps


def _diagnostic(details: ErrorDetails, steps: list[Step], root: Located) -> Diagnostic:
    kind = details["type"]
    if kind == "extra_forbidden":
        return unknown_key(steps, root)
    if kind == "missing":
        return missing_key(steps, root)
    if kind == "union_tag_not_found":
        return missing_key([*steps, "kind"], root)
    if kind == "union_tag_invalid":
        return _not_one_of([*steps, "kind"], root, KINDS)
    context = details.get("ctx", {})
    if kind in ("unit", "value"):
        return _refused(kind, context, steps, root)
    if kind == "literal_error":
        return _not_one_of(steps, root, _literals(steps, root))
    if kind in ("too_short", "tuple_too_short"):
        name = str(steps[-1])
        example = example_line(steps, root)
        return problem(
            "P102", f"`{name}` is empty", span_of(root, steps), f"list at least one: {example}"
        )
    return _wrong_type(kind, details, steps, root)


def _value(steps: Sequence[Step], root: Located) -> str:
    node, _ = nearest(root, steps)
    if node.mapping is not None:
        return "a mapping"
    if node.items is not None:
        return "a list"
    return f"`{_clipped(shown(node.scalar))}`"


def _clipped(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _literals(steps: Sequence[Step], root: Located) -> list[str]:
    fields = fields_at([s for s in steps if isinstance(s, str)], kind_at(root, steps))
    if not fields and len(steps) > 1:
        fields = fields_at([s for s in steps[:-1] if isinstance(s, str)], kind_at(root, steps))
    return list(dict.fromkeys(v for f in fields for v in literals_of(f.info.annotation)))


def literals_of(annotation: object) -> list[str]:
    """All values of the Literal types in an annotation.

    >>> literals_of(typing.Literal["a", "b"] | None)
    ['a', 'b']
    """
    if typing.get_origin(annotation) is typing.Literal:
        return [str(v) for v in typing.get_args(annotation)]
    return [v for inner in typing.get_args(annotation) for v in literals_of(inner)]


def _not_one_of(steps: Sequence[Step], root: Located, valid: Sequence[str]) -> Diagnostic:
    node, _ = nearest(root, steps)
    label = f"expected one of: {', '.join(valid)}"
    near = _near(str(node.scalar).lower(), valid)
    hint = f"a value with a similar name exists: `{near[0]}`" if near else ""
    if len(near) > 1:
        hint = f"values with similar names exist: {', '.join(f'`{n}`' for n in near)}"
    message = f"invalid value for `{last_key(steps)}`: {_value(steps, root)}"
    span = span_of(root, steps)
    found = problem("P102", message, span, hint or f"write one of: {', '.join(valid)}", label=label)
    return (
        replace(found, fix=Fix(span, near[0]))
        if len(near) == 1 and node.scalar is not None
        else found
    )


def _near(typed: str, valid: Sequence[str]) -> list[str]:
    """Values that have the typed one as a part, else the one spelt most like it.

    >>> _near("int4", ["int8", "gptq-int4", "awq-int4"]), _near("fp9", ["fp8", "bf16"])
    (['gptq-int4', 'awq-int4'], ['fp8'])
    """
    parts = [v for v in valid if typed in v.split("-")]
    return parts or similar(typed, valid, 1, 0.5)


def _refused(
    kind: str, context: dict[str, typing.Any], steps: list[Step], root: Located
) -> Diagnostic:
    span = span_of(root, steps)
    text, help_lines = str(context["text"]), [str(h) for h in context["help"]]
    name = last_key(steps)
    node, _ = nearest(root, steps)
    if node.scalar is None and node.mapping is None and node.items is None:
        return no_value(steps, root)
    if kind == "unit":
        value = _value(steps, root)
        message = f"unit missing or unknown in `{name}`: {value}"
        return problem("P110", message, span, *help_lines, label=text)
    return problem(
        "P102", f"invalid value for `{name}`: {_value(steps, root)}", span, *help_lines, label=text
    )


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _wrong_type(kind: str, details: ErrorDetails, steps: list[Step], root: Located) -> Diagnostic:
    node, taken = nearest(root, steps)
    if node.scalar is None and node.mapping is None and node.items is None:
        return no_value(steps, root)
    name = last_key(steps) or "the file"
    expected = f"expected {EXPECTED[kind]}" if kind in EXPECTED else _lower(details["msg"])
    message = (
        f"invalid value for `{name}`: {_value(steps, root)}"
        if taken
        else "the file is not a mapping"
    )
    example = example_line(steps, root) if taken else "scenario: lab"
    help_line = f"write it like `{example}`" if "..." not in example else ""
    return problem("P102", message, span_of(root, steps), help_line, label=expected)
