"""Messages about keys: unknown, missing, without a value; and the example lines they offer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from planner.diagnostics import Diagnostic, Fix, Severity, Span
from planner.diagnostics.similar import similar
from planner.scenario.fields import classes_at, fields_at, kind_of, walk_fields
from planner.scenario.located import Located
from planner.scenario.paths import Step, key_span, nearest
from planner.scenario.refusals import shown
from planner.scenario.schema_base import KINDS

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
    "from": "nodes",
    "min_nodes": "min_order",
    "volume": "tiers",
    "spot": "interruption",
    "preemptible": "interruption",
    "preemption": "interruption",
    "discounts": "tiers",
}
"""Names that other tools use for a key of ours."""


def problem(code: str, message: str, span: Span, *help_lines: str, label: str = "") -> Diagnostic:
    """An error at a place; empty help lines are left out."""
    return Diagnostic(
        code, Severity.ERROR, message, span, label=label, help=tuple(h for h in help_lines if h)
    )


def kind_at(root: Located, steps: Sequence[Step]) -> str | None:
    """Kind of the workload a path lies in."""
    if len(steps) < 2 or steps[0] != "workloads":
        return None
    workload, taken = nearest(root, steps[:2])
    kind = (workload.mapping or {}).get("kind") if len(taken) == 2 else None
    return str(kind.scalar) if kind is not None and kind.scalar in KINDS else None


def last_key(steps: Sequence[Step]) -> str:
    """The last step that is a key, empty if none is."""
    return str(next((s for s in reversed(steps) if isinstance(s, str)), ""))


def unknown_key(steps: list[Step], root: Located) -> Diagnostic:
    """P101, naming the nearest valid key, or where the key belongs."""
    name = str(steps[-1])
    owners = classes_at(steps[:-1], kind_at(root, steps))
    valid = list(dict.fromkeys(key for owner in owners for key in owner.model_fields))
    help_lines = []
    near = similar_key(steps, root)
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
    if len(steps) > 1 and (parent := last_key(steps[:-1])):
        message += f" in `{parent}`"
    free_key = near and not renamed and near not in _present(steps[:-1], root)
    fix = Fix(span, near) if free_key else None
    return replace(problem("P101", message, span, *help_lines), fix=fix)


def similar_key(steps: Sequence[Step], root: Located) -> str:
    """The valid key most like an unknown one, empty if none is."""
    owners = classes_at(steps[:-1], kind_at(root, steps))
    valid = list(dict.fromkeys(key for owner in owners for key in owner.model_fields))
    name = str(steps[-1]).lower()
    if (meant := SYNONYMS.get(name)) in valid:
        return str(meant)
    near = similar(name, valid, 1, 0.6)
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
    where = f" in `{last_key(taken)}`" if last_key(taken) else ""
    named = (
        next((parent.mapping[k].scalar for k in ("name", "pool") if k in parent.mapping), None)
        if parent.mapping
        else None
    )
    if isinstance(named, str):
        where = f" in `{named}`"
    span = parent.span if taken else _top(parent)
    return problem(
        "P103", f"missing key `{name}`{where}", span, f"add a line: `{example_line(steps, root)}`",
        label=f"`{name}` is required here",
    )  # fmt: skip


def _top(root: Located) -> Span:
    return next(iter(root.keys.values()), root.span)


def example_line(steps: Sequence[Step], root: Located) -> str:
    """A line with an example of the field, ready to paste."""
    fields = fields_at(list(steps), kind_at(root, steps))
    name = last_key(steps)
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
        import json

        return json.dumps(value) if not value or value[0] in "[{&*!|>%@`#" else value
    return shown(value)


def no_value(steps: Sequence[Step], root: Located) -> Diagnostic:
    """P102 for a key without a value."""
    name = last_key(steps)
    help_line = f"write a value, such as `{example_line(steps, root)}`, or remove the key"
    return problem("P102", f"`{name}` has no value", key_span(root, list(steps)), help_line)
