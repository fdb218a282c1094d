"""JSON Schema of the scenario file, safe for draft-07 tools, so that editors complete and validate."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Final, TypeAlias, cast

from pydantic import BaseModel
from pydantic.json_schema import PydanticJsonSchemaWarning

from planner.scenario.docstrings import field_doc
from planner.scenario.fields import parts_of
from planner.scenario.resolve import default_text
from planner.scenario.schema_base import KINDS
from planner.scenario.schema_file import ScenarioFile

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Object: TypeAlias = dict[str, Json]
DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_DROPPED: Final = ("title", "discriminator", "default")


@cache
def scenario_schema() -> Object:
    """The schema of a scenario file, with descriptions, units, defaults and examples."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
        raw = cast("Object", ScenarioFile.model_json_schema())
    definitions = cast("dict[str, Object]", raw.pop("$defs"))
    schema: Object = {
        "$schema": DRAFT,
        "title": "planner scenario",
        **_plain(raw),
        "definitions": {name: _plain(part) for name, part in sorted(definitions.items())},
    }
    for part in _all_parts(ScenarioFile):
        _add_defaults(schema, part)
    properties = cast("dict[str, Object]", schema["properties"])
    properties["workloads"]["items"] = _by_kind(schema)
    return schema


def definition(schema: Object, part: type[BaseModel]) -> Object:
    """The schema of one mapping."""
    if part is ScenarioFile:
        return schema
    return cast("dict[str, Object]", schema["definitions"])[part.__name__]


def _all_parts(part: type[BaseModel]) -> list[type[BaseModel]]:
    found = [part]
    for part in found:
        for info in part.model_fields.values():
            found += [p for p in parts_of(info.annotation) if p not in found]
    return found


def _plain(value: Object) -> Object:
    return cast("Object", _walk(value, names=False))


def _walk(value: Json, *, names: bool) -> Json:
    """The schema without pydantic's titles, nulls and `$defs`; inside `properties` keys are names."""
    if isinstance(value, list):
        return [_walk(v, names=False) for v in value]
    if not isinstance(value, dict):
        return value.replace("#/$defs/", "#/definitions/") if isinstance(value, str) else value
    if names:
        return {key: _walk(v, names=False) for key, v in value.items()}
    found = {
        key: _walk(v, names=key in ("properties", "definitions"))
        for key, v in value.items()
        if key not in _DROPPED
    }
    options = found.get("anyOf")
    if isinstance(options, list):
        kept = [o for o in options if o != {"type": "null"}]
        found["anyOf"] = kept
        if len(kept) == 1 and isinstance(kept[0], dict):
            del found["anyOf"]
            found = {**kept[0], **found}
    examples = found.pop("examples", None)
    if isinstance(examples, list):
        stated: list[Json] = [e for e in examples if e is not None]
        found.update({"examples": stated} if stated else {})
    if "$ref" in found and len(found) > 1:
        # Draft-07 ignores what stands beside `$ref`.
        found = {"allOf": [{"$ref": found.pop("$ref")}], **found}
    return found


def _add_defaults(schema: Object, part: type[BaseModel]) -> None:
    """Write each default as a user would, and into the description, which editors show."""
    properties = cast("dict[str, Object]", definition(schema, part)["properties"])
    for name, info in part.model_fields.items():
        text = "" if info.is_required() else default_text(part.model_construct(), name)
        entry = properties[name]
        entry["description"] = field_doc(part, name)
        if text:
            entry["description"] = f"{entry.get('description', '')} Default: {text}."
            entry["x-default"] = text


def _by_kind(schema: Object) -> Object:
    """A workload: the keys that are allowed follow from its kind."""
    names = _kind_classes()
    branches: list[Json] = [
        {
            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
            "then": {"$ref": f"#/definitions/{names[kind].__name__}"},
        }
        for kind in KINDS
    ]
    return {
        "type": "object",
        "required": ["name", "kind", "model"],
        "properties": {
            "kind": {"enum": list(KINDS), "description": "What kind of workload it is."}
        },
        "allOf": branches,
    }


def _kind_classes() -> dict[str, type[BaseModel]]:
    from planner.scenario.fields import kind_of

    parts = parts_of(ScenarioFile.model_fields["workloads"].annotation)
    return {kind: part for part in parts if (kind := kind_of(part)) is not None}
