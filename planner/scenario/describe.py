"""What a field of the scenario file takes, in words: for `planner explain` and the reference page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, cast

from planner.scenario.fields import Field, walk_fields
from planner.scenario.json_schema import Object, definition, scenario_schema
from planner.scenario.key_messages import flow

UNIT_WORDS: Final = {
    "bytes": "size",
    "bandwidth": "bandwidth",
    "duration": "time",
    "power": "power",
    "rate": "rate",
    "money": "price",
    "share": "share",
    "date": "day",
    "factor": "number",
    "growth": "growth per time",
    "tokens": "tokens",
    "count": "whole number",
}
"""What a dimension is called."""


@dataclass(frozen=True, slots=True)
class FieldDoc:
    """One field in words."""

    path: str
    type: str
    required: bool
    default: str
    """As a user would write it, empty where there is none."""
    example: str
    """A line to paste."""
    description: str
    kinds: tuple[str, ...] = ()
    """Kinds of workloads that have the field, empty outside workloads."""
    keys: tuple[str, ...] = ()
    """Keys of the mapping the field holds."""


def describe(field: Field, path: str) -> FieldDoc:
    """The words for one field."""
    entry = _entry(field)
    default = str(entry.get("x-default", ""))
    description = str(entry.get("description", "")).removesuffix(f" Default: {default}.")
    return FieldDoc(
        path=path,
        type=type_words(entry, field),
        required=field.info.is_required(),
        default=default,
        example=_example(field),
        description=description,
        kinds=(field.kind,) if field.kind else (),
        keys=tuple(dict.fromkeys(k for part in field.parts for k in part.model_fields)),
    )


def _entry(field: Field) -> Object:
    schema = scenario_schema()
    return cast("dict[str, Object]", definition(schema, field.owner)["properties"])[field.name]


def _example(field: Field) -> str:
    examples = [e for e in field.info.examples or [] if e not in (None, [])]
    return f"{field.name}: {flow(examples[0])}" if examples else ""


def type_words(entry: Object, field: Field | None = None) -> str:
    """A schema in words.

    >>> type_words({"anyOf": [{"const": "auto"}, {"type": "string"}, {"type": "array"}]})
    '`auto`, text or a list of them'
    """
    if field is not None and field.is_named:
        return "mapping of names to mappings"
    if field is not None and field.parts:
        return "list of mappings" if field.is_list else "mapping"
    options = entry.get("anyOf")
    if isinstance(options, list) and "x-unit" not in entry:
        parts = [cast("Object", o) for o in options]
        words = [type_words(p) for p in parts if p.get("type") != "array"]
        several = " or a list of them" if any(p.get("type") == "array" for p in parts) else ""
        return ", ".join(dict.fromkeys(words)) + several
    if "const" in entry:
        return f"`{entry['const']}`"
    if "enum" in entry:
        return "one of " + ", ".join(f"`{v}`" for v in cast("list[str]", entry["enum"]))
    if unit := entry.get("x-unit"):
        name = UNIT_WORDS.get(str(unit), str(unit))
        needs_unit = str(unit) in ("bytes", "bandwidth", "duration", "power", "rate")
        return f"{name} with a unit" if needs_unit else name
    if entry.get("type") == "array":
        return f"list of {type_words(cast('Object', entry.get('items', {})))}"
    return {"string": "text", "boolean": "`true` or `false`", "integer": "whole number"}.get(
        str(entry.get("type")), "value"
    )


def describe_path(steps: Sequence[str]) -> list[FieldDoc]:
    """Descriptions of the field at a path: several where kinds of workloads differ in it."""
    wanted, text = tuple(steps), ".".join(steps)
    return merged([describe(field, text) for path, field in walk_fields() if path == wanted])


def keys_of(steps: Sequence[str]) -> list[FieldDoc]:
    """Descriptions of the keys of the mapping at a path; the top level's for an empty path."""
    prefix = ".".join(steps)
    return [doc for doc in all_docs() if doc.path.rpartition(".")[0] == prefix]


def merged(docs: Sequence[FieldDoc]) -> list[FieldDoc]:
    """Docs that differ in nothing but their kinds become one."""
    found: dict[FieldDoc, tuple[str, ...]] = {}
    for doc in docs:
        key = replace(doc, kinds=())
        found[key] = tuple(dict.fromkeys((*found.get(key, ()), *doc.kinds)))
    return [replace(doc, kinds=kinds) for doc, kinds in found.items()]


@cache
def all_docs() -> list[FieldDoc]:
    """Every field of the scenario file, in the order of the schema, each once per path and meaning."""
    groups: dict[str, list[FieldDoc]] = {}
    for path, field in walk_fields():
        text = ".".join(path)
        groups.setdefault(text, []).append(describe(field, text))
    return [doc for docs in groups.values() for doc in merged(docs)]
