"""Look up the schema of a field by its dotted path: the class it belongs to, its type and its description."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Sequence

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from planner.scenario.schema_base import KINDS
from planner.scenario.schema_file import ScenarioFile


class Field(typing.NamedTuple):
    """A field of the scenario file and the class that declares it."""

    name: str
    owner: type[BaseModel]
    info: FieldInfo
    kind: str | None = None
    """Kind of workload it lies in, None outside workloads."""

    @property
    def parts(self) -> tuple[type[BaseModel], ...]:
        """Classes of the mappings the field may hold; empty for a plain value."""
        return parts_of(self.info.annotation)

    @property
    def is_list(self) -> bool:
        """Whether the field holds a list of mappings."""
        return "tuple" in str(typing.get_origin(_unwrapped(self.info.annotation)))

    @property
    def is_named(self) -> bool:
        """Whether the field holds mappings by names the user chooses."""
        return typing.get_origin(_unwrapped(self.info.annotation)) is dict


def _unwrapped(annotation: object) -> object:
    """The annotation without Annotated and None."""
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif origin in (typing.Union, types.UnionType):
            rest = [a for a in typing.get_args(annotation) if a is not type(None)]
            if len(rest) != 1:
                return annotation
            annotation = rest[0]
        else:
            return annotation


def parts_of(annotation: object) -> tuple[type[BaseModel], ...]:
    """Model classes anywhere in an annotation, in order."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    found: list[type[BaseModel]] = []
    for inner in typing.get_args(annotation):
        found += [part for part in parts_of(inner) if part not in found]
    return tuple(found)


def kind_of(part: type[BaseModel]) -> str | None:
    """The workload kind a class describes, None for other classes."""
    info = part.model_fields.get("kind")
    kinds = typing.get_args(info.annotation) if info else ()
    return str(kinds[0]) if len(kinds) == 1 and kinds[0] in KINDS else None


def classes_at(steps: Sequence[str | int], kind: str | None = None) -> tuple[type[BaseModel], ...]:
    """Classes of the mapping at a path; indices and names of list items are passed over.

    >>> [c.__name__ for c in classes_at(["workloads", 0, "demand"], "batch")]
    ['BatchDemand']
    """
    classes: tuple[type[BaseModel], ...] = (ScenarioFile,)
    skip_name = False
    for step in steps:
        if isinstance(step, int) or step.isdigit() or skip_name:
            skip_name = False
            continue
        found = [f for f in (field_of(c, step) for c in classes) if f is not None]
        if not found:
            return ()
        skip_name = found[0].is_named
        classes = tuple(dict.fromkeys(p for f in found for p in f.parts))
        if kind is not None and any(kind_of(c) for c in classes):
            classes = tuple(c for c in classes if kind_of(c) == kind) or classes
    return classes


def field_of(owner: type[BaseModel], name: str) -> Field | None:
    """A field of a class by name."""
    info = owner.model_fields.get(name)
    return Field(name, owner, info) if info is not None else None


def fields_at(steps: Sequence[str | int], kind: str | None = None) -> tuple[Field, ...]:
    """Fields a path may mean: several where the kinds of workloads differ.

    >>> fields_at(["workloads", "context"], "inference")[0].info.examples
    [8192]
    """
    owners = classes_at(steps[:-1], kind)
    found = (field_of(owner, str(steps[-1])) for owner in owners)
    return tuple(f for f in found if f is not None)


def walk_fields(
    owner: type[BaseModel] = ScenarioFile, prefix: tuple[str, ...] = (), kind: str | None = None
) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Every field with its path, parents before children; kinds of workloads one after another."""
    kind = kind_of(owner) or kind
    for name, info in owner.model_fields.items():
        found = Field(name, owner, info, kind)
        path = (*prefix, name)
        yield path, found
        for part in found.parts:
            yield from walk_fields(part, path, kind)
