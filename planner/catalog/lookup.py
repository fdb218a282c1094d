"""Find a record by name: one small file is read, nothing else."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml

from planner.catalog.paths import data_dir
from planner.catalog.records import Gpu, Model, NodeType, Record

R = TypeVar("R", bound=Record)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnknownRecord(KeyError):  # noqa: N818 - reads as what it is at the call site
    """No record of that name; `nearest` holds names that look like it."""

    def __init__(self, kind: str, name: str, nearest: tuple[str, ...]) -> None:
        """Keep kind, name and the nearest names."""
        super().__init__(f"no {kind} is called {name}")
        self.kind, self.name, self.nearest = kind, name, nearest


def _load(path: Path, cls: type[R]) -> R:
    return cls.model_validate(yaml.load(path.read_text("utf-8"), _Loader))


def _find(folder: str, kind: str, name: str, cls: type[R]) -> R:
    import difflib

    path = data_dir("catalogs") / folder / f"{name}.yaml"
    if "/" in name or not path.is_file():
        names = ids(folder)
        raise UnknownRecord(kind, name, tuple(difflib.get_close_matches(name, names, 3)))
    return _load(path, cls)


@cache
def ids(folder: str) -> tuple[str, ...]:
    """Ids of all records of one folder (gpus, models, nodes, engines), sorted."""
    return tuple(sorted(p.stem for p in (data_dir("catalogs") / folder).glob("*.yaml")))


@cache
def gpu(name: str) -> Gpu:
    """The GPU of that id.

    >>> gpu("h800-sxm5-80gb").nvlink.total_gb_s
    400.0
    """
    return _find("gpus", "GPU", name, Gpu)


@cache
def model(name: str) -> Model:
    """The model of that id.

    >>> model("llama-65b").num_attention_heads
    64
    """
    return _find("models", "model", name, Model)


@cache
def node(name: str) -> NodeType:
    """The node type of that id."""
    return _find("nodes", "node type", name, NodeType)
