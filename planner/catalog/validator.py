"""Validators of pydantic models, made from their declared fields in a quarter of the time pydantic takes.

`cls.model_validate` first makes a serializer and what a JSON Schema needs as well, and loads `importlib.metadata` to
look for plugins: 14 ms for the scenario file, more than all its checks take. Here the fields are turned into
pydantic-core's validator and nothing else; values, errors and their places are the same.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Annotated, Final, Literal, TypeVar, Union, cast, get_args, get_origin

from annotated_types import Ge, Gt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, SchemaValidator, core_schema

M = TypeVar("M", bound=BaseModel)

_PLAIN: Final[dict[object, Callable[[], CoreSchema]]] = {
    str: core_schema.str_schema,
    int: core_schema.int_schema,
    float: core_schema.float_schema,
    bool: core_schema.bool_schema,
}
_LIMITS: Final = {Ge: "ge", Gt: "gt", MinLen: "min_length"}


def validate(cls: type[M], data: object) -> M:
    """What `cls.model_validate(data)` gives or raises.

    >>> from planner.catalog.records import Nvlink
    >>> validate(Nvlink, {"total_gb_s": 300})
    Nvlink(total_gb_s=300.0, domain=1, generation=None, topology='none')
    """
    found: M = _validator(cls).validate_python(data)
    return found


@cache
def _validator(cls: type[BaseModel]) -> SchemaValidator:
    return SchemaValidator(_model(cls))


def _model(cls: type[BaseModel]) -> CoreSchema:
    fields = {name: core_schema.model_field(_field(i)) for name, i in cls.model_fields.items()}
    return core_schema.model_schema(
        cls,
        core_schema.model_fields_schema(fields, model_name=cls.__name__),
        config={
            "title": cls.__name__,
            "extra_fields_behavior": cls.model_config.get("extra") or "ignore",
        },
    )


def _later(cls: type[BaseModel]) -> CoreSchema:
    """The validator of a part, made when the first such part is met."""
    return core_schema.no_info_plain_validator_function(partial(validate, cls))


def _field(info: FieldInfo) -> CoreSchema:
    schema = _marked(info.annotation, info.metadata, _tag(info))
    if info.is_required():
        return schema
    if info.default_factory is not None:
        return core_schema.with_default_schema(schema, default_factory=info.default_factory)
    return core_schema.with_default_schema(schema, default=info.default)


def _marked(annotation: object, marks: Sequence[object], tag: str = "") -> CoreSchema:
    """The schema of a type under the marks of its `Annotated`, of which the first is the innermost."""
    if not marks:
        return _type(annotation, tag)
    *inner, mark = marks
    if isinstance(mark, FieldInfo):
        return _marked(annotation, [*inner, *mark.metadata], _tag(mark))
    if limit := _LIMITS.get(type(mark)):
        limited = {**_marked(annotation, inner, tag), limit: getattr(mark, limit)}
        return cast("CoreSchema", limited)
    own = getattr(mark, "__get_pydantic_core_schema__", None)
    if own is None:
        return _left_to_pydantic(Annotated[annotation, *marks])
    return cast("CoreSchema", own(annotation, lambda _: _marked(annotation, inner, tag)))


def _tag(info: FieldInfo) -> str:
    """The key that tells the members of a union apart, empty where there is none."""
    return info.discriminator if isinstance(info.discriminator, str) else ""


@cache
def _type(annotation: object, tag: str = "") -> CoreSchema:
    if annotation in _PLAIN:
        return _PLAIN[annotation]()
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _later(annotation)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _marked(args[0], args[1:])
    if origin is Literal:
        return core_schema.literal_schema(list(args))
    if origin is tuple and args[1:] == (...,):
        return core_schema.tuple_schema([_type(args[0])], variadic_item_index=0)
    if origin is dict:
        return core_schema.dict_schema(_type(args[0]), _type(args[1]))
    if origin in (Union, types.UnionType):
        return _union(args, tag)
    return _left_to_pydantic(annotation)


def _union(members: Sequence[object], tag: str) -> CoreSchema:
    given = [m for m in members if m is not type(None)]
    if len(given) < len(members):
        return core_schema.nullable_schema(_union(given, tag))
    if len(given) == 1:
        return _type(given[0])
    if not tag:
        return core_schema.union_schema([_type(m) for m in given])
    models = [m for m in given if isinstance(m, type) and issubclass(m, BaseModel)]
    choices = {v: _later(m) for m in models for v in get_args(m.model_fields[tag].annotation)}
    return core_schema.tagged_union_schema(choices, tag, from_attributes=True)


def _left_to_pydantic(annotation: object) -> CoreSchema:
    from pydantic import TypeAdapter

    adapter: TypeAdapter[object] = TypeAdapter(cast("type[object]", annotation))
    return adapter.core_schema
