"""Turn validation errors into located diagnostics in the user's own words; union tags never leak."""

from __future__ import annotations

import difflib
import json
import typing
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from planner.diagnostics import Diagnostic, Fix, Severity, Span
from planner.scenario.fields import classes_at, fields_at, kind_of, walk_fields
from planner.scenario.located import Located
from planner.scenario.paths import Step, key_span, nearest, span_of
from planner.scenario.quantities import shown
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
SYNONYMS: Final = {
    "quantization": "precision",
    "dtype": "precision",
    "batch_size": "global_batch",
    "max_model_len": "context",
    "max_length": "context",
    "seq_len": "sequence",
    "max_num_seqs": "max_batch",
    "max_num_batched_tokens": "max_batch_tokens",
    "gpu_memory_utilization": "memory_fraction",
    "tensor_parallel_size": "parallel",
    "pipeline_parallel_size": "parallel",
    "tp": "parallel",
    "pp": "parallel",
    "qps": "requests",
    "rps": "requests",
    "rate": "requests",
    "input": "prompt",
    "count": "owned",
    "budget": "limits",
    "p2p_enabled": "p2p",
    "memory": "host_ram",
}
"""Names that other tools use for a key of ours."""


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
        if details["type"] == "extra_forbidden" and (near := _similar_key(steps, root)):
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
        return _error(
            "P102", f"`{name}` is empty", span_of(root, steps), f"list at least one: {example}"
        )
    return _wrong_type(kind, details, steps, root)


def _error(code: str, message: str, span: Span, *help_lines: str, label: str = "") -> Diagnostic:
    return Diagnostic(
        code, Severity.ERROR, message, span, label=label, help=tuple(h for h in help_lines if h)
    )


def _kind_at(root: Located, steps: Sequence[Step]) -> str | None:
    """Kind of the workload a path lies in."""
    if len(steps) < 2 or steps[0] != "workloads":
        return None
    workload, taken = nearest(root, steps[:2])
    kind = (workload.mapping or {}).get("kind") if len(taken) == 2 else None
    return str(kind.scalar) if kind is not None and kind.scalar in KINDS else None


def _name(steps: Sequence[Step]) -> str:
    return str(next((s for s in reversed(steps) if isinstance(s, str)), ""))


# -------------------------------------------------------------------------------------------- kinds


def unknown_key(steps: list[Step], root: Located) -> Diagnostic:
    """P101, naming the nearest valid key, or where the key belongs."""
    name = str(steps[-1])
    owners = classes_at(steps[:-1], _kind_at(root, steps))
    valid = list(dict.fromkeys(key for owner in owners for key in owner.model_fields))
    help_lines = []
    near = _similar_key(steps, root)
    span = key_span(root, steps)
    renamed = SYNONYMS.get(name.lower()) == near
    if near:
        what = "planner calls it" if renamed else "a key with a similar name exists:"
        help_lines.append(f"{what} `{near}`")
    elif elsewhere := _where(name, steps):
        help_lines.append(elsewhere)
    free = [key for key in valid if key not in _present(steps[:-1], root)]
    help_lines.append(f"valid keys here: {', '.join(free or valid)}")
    message = f"unknown key `{name}`"
    if len(steps) > 1 and (parent := _name(steps[:-1])):
        message += f" in `{parent}`"
    free_key = near and not renamed and near not in _present(steps[:-1], root)
    fix = Fix(span, near) if free_key else None
    return replace(_error("P101", message, span, *help_lines), fix=fix)


def _similar_key(steps: Sequence[Step], root: Located) -> str:
    """The valid key most like an unknown one, empty if none is."""
    owners = classes_at(steps[:-1], _kind_at(root, steps))
    valid = list(dict.fromkeys(key for owner in owners for key in owner.model_fields))
    name = str(steps[-1]).lower()
    if (meant := SYNONYMS.get(name)) in valid:
        return str(meant)
    near = difflib.get_close_matches(name, valid, 1, 0.6)
    holding = [key for key in valid if name in key.split("_")]
    return next(iter([*near, *holding]), "")


def _present(steps: Sequence[Step], root: Located) -> Iterable[str]:
    node, _ = nearest(root, steps)
    return (node.mapping or {}).keys()


def _where(name: str, steps: Sequence[Step]) -> str:
    """Where else a key is valid: for other kinds of workloads, or in another mapping."""
    if steps[0] == "workloads":
        fields = fields_at(["workloads", *[s for s in steps[1:] if isinstance(s, str)]])
        kinds = [k for k in (kind_of(f.owner) for f in fields) if k]
        if kinds:
            return f"`{name}` is a key of kind {', '.join(kinds)}"
    paths = (".".join(path[:-1]) for path, _ in walk_fields() if path[-1] == name)
    place = next(paths, None)
    if place is None:
        return ""
    return f"`{name}` is a key of `{place}`" if place else f"`{name}` is a key of the top level"


def missing_key(steps: list[Step], root: Located) -> Diagnostic:
    """P103 at the parent's first token, with a line to paste."""
    name = str(steps[-1])
    parent, taken = nearest(root, steps[:-1])
    where = f" in `{_name(taken)}`" if _name(taken) else ""
    named = (
        next((parent.mapping[k].scalar for k in ("name", "pool") if k in parent.mapping), None)
        if parent.mapping
        else None
    )
    if isinstance(named, str):
        where = f" in `{named}`"
    span = parent.span if taken else _top(parent)
    return _error(
        "P103", f"missing key `{name}`{where}", span, f"add a line: `{example_line(steps, root)}`",
        label=f"`{name}` is required here",
    )  # fmt: skip


def _top(root: Located) -> Span:
    return next(iter(root.keys.values()), root.span)


def example_line(steps: Sequence[Step], root: Located) -> str:
    """A line with an example of the field, ready to paste."""
    fields = fields_at(list(steps), _kind_at(root, steps))
    name = _name(steps)
    if name == "kind":
        return "kind: inference"
    if not fields or not fields[0].info.examples:
        return f"{name}: ..."
    return f"{name}: {flow(fields[0].info.examples[0])}"


def flow(value: object) -> str:
    """A value in YAML's flow style.

    >>> flow({"requests": "5 /s", "tp": [1, 2]})
    '{requests: 5 /s, tp: [1, 2]}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    if isinstance(value, str):
        return json.dumps(value) if not value or value[0] in "[{&*!|>%@`#" else value
    return shown(value)


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
    fields = fields_at([s for s in steps if isinstance(s, str)], _kind_at(root, steps))
    if not fields and len(steps) > 1:
        fields = fields_at([s for s in steps[:-1] if isinstance(s, str)], _kind_at(root, steps))
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
    near = difflib.get_close_matches(str(node.scalar).lower(), list(valid), 1, 0.5)
    hint = f"a value with a similar name exists: `{near[0]}`" if near else ""
    message = f"invalid value for `{_name(steps)}`: {_value(steps, root)}"
    span = span_of(root, steps)
    found = _error("P102", message, span, hint or f"write one of: {', '.join(valid)}", label=label)
    return replace(found, fix=Fix(span, near[0])) if near and node.scalar is not None else found


def _refused(
    kind: str, context: dict[str, typing.Any], steps: list[Step], root: Located
) -> Diagnostic:
    span = span_of(root, steps)
    text, help_lines = str(context["text"]), [str(h) for h in context["help"]]
    name = _name(steps)
    node, _ = nearest(root, steps)
    if node.scalar is None and node.mapping is None and node.items is None:
        return no_value(steps, root)
    if kind == "unit":
        value = _value(steps, root)
        message = f"unit missing or unknown in `{name}`: {value}"
        return _error("P110", message, span, *help_lines, label=text)
    return _error(
        "P102", f"invalid value for `{name}`: {_value(steps, root)}", span, *help_lines, label=text
    )


def no_value(steps: Sequence[Step], root: Located) -> Diagnostic:
    """P102 for a key without a value."""
    name = _name(steps)
    help_line = f"write a value, such as `{example_line(steps, root)}`, or remove the key"
    return _error("P102", f"`{name}` has no value", key_span(root, list(steps)), help_line)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _wrong_type(kind: str, details: ErrorDetails, steps: list[Step], root: Located) -> Diagnostic:
    node, taken = nearest(root, steps)
    if node.scalar is None and node.mapping is None and node.items is None:
        return no_value(steps, root)
    name = _name(steps) or "the file"
    expected = f"expected {EXPECTED[kind]}" if kind in EXPECTED else _lower(details["msg"])
    message = (
        f"invalid value for `{name}`: {_value(steps, root)}"
        if taken
        else "the file is not a mapping"
    )
    example = example_line(steps, root) if taken else "scenario: lab"
    help_line = f"write it like `{example}`" if "..." not in example else ""
    return _error("P102", message, span_of(root, steps), help_line, label=expected)
