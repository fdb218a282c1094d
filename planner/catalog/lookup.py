"""Find a record by name: one small file is read, nothing else.

The shipped records come first; `use_catalog` puts a user's folder before them and `add_record` a record written
inline in a scenario before both. What replaces a shipped record is remembered, so that reports can say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeVar

from planner.catalog.located import load_record, read_aliases
from planner.catalog.names import Match, match, nearest
from planner.catalog.paths import data_dir
from planner.catalog.records import Gpu, Model, NodeType, Sourced

R = TypeVar("R", bound=Sourced)
Folder = Literal["gpus", "models", "nodes", "engines"]

KINDS: Final[dict[str, str]] = {
    "gpus": "GPU", "models": "model", "nodes": "node type", "engines": "engine",
}  # fmt: skip
"""Folder of a catalog and what one of its records is called."""
INDEX: Final = "aliases.json"
"""Names of the shipped records beyond their ids; written by `python -m planner.catalog.aliases`."""


class UnknownRecord(KeyError):  # noqa: N818 - reads as what it is at the call site
    """No record of that name; `nearest` holds names that look like it."""

    def __init__(self, kind: str, name: str, nearest: tuple[str, ...]) -> None:
        """Keep kind, name and the nearest names."""
        super().__init__(f"no {kind} is called {name}")
        self.kind, self.name, self.nearest = kind, name, nearest

    def __str__(self) -> str:
        """The message without the quotes of a KeyError."""
        return str(self.args[0])


class AmbiguousRecord(UnknownRecord):
    """A name that fits several records which differ in memory or fabric: `candidates` lists them."""

    def __init__(self, kind: str, name: str, candidates: tuple[str, ...]) -> None:
        """Keep the candidates, which are the nearest names too."""
        super().__init__(kind, name, candidates)
        self.args = (f"{name} may be any of {len(candidates)} {kind}s: {', '.join(candidates)}",)
        self.candidates = candidates


class Override(NamedTuple):
    """A record that is not the shipped one: added by a user, or put in place of a shipped one."""

    kind: str
    id: str
    origin: str
    """The file it comes from, or where it was written inline."""
    replaces: bool
    """Whether a shipped record of that id exists."""


class _Sources:
    """Where records are looked for, last added first."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.inline: dict[tuple[str, str], tuple[Sourced, str]] = {}


_sources = _Sources()
_listeners: list[Callable[[], None]] = []


def on_change(forget: Callable[[], None]) -> Callable[[], None]:
    """Have a function called whenever a user catalog or inline record comes or goes, to drop what it remembers."""
    _listeners.append(forget)
    return forget


def search_folders() -> tuple[Path, ...]:
    """Catalog folders in the order they are searched: the user's, last added first, then the shipped one."""
    return (*_sources.folders, data_dir("catalogs"))


def _forget() -> None:
    for cached in (ids, gpu, model, node, _aliases):
        cached.cache_clear()
    for forget in _listeners:
        forget()


def use_catalog(folder: str | Path) -> tuple[Override, ...]:
    """Look in `folder` (with gpus/, models/, nodes/ as in the shipped catalog) before the shipped records.

    Returns what the folder adds or replaces. Raises NotADirectoryError if there is no such folder.
    """
    path = Path(folder)
    if not path.is_dir():
        raise NotADirectoryError(str(folder))
    _sources.folders.insert(0, path)
    _forget()
    return tuple(o for o in overrides() if Path(o.origin).is_relative_to(path))


def add_record(record: Sourced, origin: str = "inline") -> None:
    """Make a record found by its id, before any file; `origin` says where it was written."""
    _sources.inline[(_folder_of(record), record.id)] = (record, origin)
    _forget()


def _folder_of(record: Sourced) -> str:
    folders: dict[type[Sourced], str] = {Gpu: "gpus", Model: "models", NodeType: "nodes"}
    return folders[type(record)]


@contextmanager
def only_shipped() -> Iterator[None]:
    """Set user catalogs and inline records aside for a while; what is added inside goes away after."""
    kept = (_sources.folders, _sources.inline)
    _sources.folders, _sources.inline = [], {}
    _forget()
    try:
        yield
    finally:
        _sources.folders, _sources.inline = kept
        _forget()


def overrides() -> tuple[Override, ...]:
    """All records in use that are not shipped ones."""
    found: dict[tuple[str, str], str] = {key: at for key, (_, at) in _sources.inline.items()}
    for folder in _sources.folders:
        for kind in KINDS:
            for path in sorted((folder / kind).glob("*.yaml")):
                found.setdefault((kind, path.stem), str(path))
    shipped = data_dir("catalogs")
    return tuple(
        Override(KINDS[kind], id_, at, (shipped / kind / f"{id_}.yaml").is_file())
        for (kind, id_), at in found.items()
    )


def record_path(folder: str, id_: str) -> Path | None:
    """The file of a record, the user's before the shipped one; None if there is none."""
    if "/" in id_ or "\\" in id_:
        return None
    for root in search_folders():
        path = root / folder / f"{id_}.yaml"
        if path.is_file():
            return path
    return None


@cache
def ids(folder: str) -> tuple[str, ...]:
    """Ids of all records of one folder (gpus, models, nodes, engines), sorted."""
    found = {id_ for kind, id_ in _sources.inline if kind == folder}
    for root in search_folders():
        found.update(path.stem for path in (root / folder).glob("*.yaml"))
    return tuple(sorted(found))


@cache
def _aliases(folder: str) -> dict[str, tuple[str, ...]]:
    import json  # here, as most names are ids

    index = json.loads((data_dir("catalogs") / INDEX).read_text("utf-8"))
    names = {id_: tuple(aliases) for id_, aliases in index.get(folder, {}).items()}
    for root in reversed(_sources.folders):
        for path in (root / folder).glob("*.yaml"):
            names[path.stem] = read_aliases(path)
    for (kind, id_), (record, _) in _sources.inline.items():
        if kind == folder:
            names[id_] = record.aliases
    return names


def resolve(folder: str, name: str) -> Match:
    """The record a name means, and how sure that is: by its id, by an alias, or assumed among several.

    >>> resolve("gpus", "4090").id
    'rtx-4090'
    >>> resolve("models", "meta-llama/Llama-3.1-8B-Instruct").id
    'llama-3.1-8b'
    >>> resolve("gpus", "V100-32GB")
    Traceback (most recent call last):
    planner.catalog.lookup.AmbiguousRecord: V100-32GB may be any of 2 GPUs: v100-pcie-32gb, v100-sxm2-32gb
    """
    if (folder, name) in _sources.inline or record_path(folder, name) is not None:
        return Match(name, "id")
    known = ids(folder)
    found = match(name, known, _aliases(folder))
    if len(found) == 1:
        return found[0]
    if found:
        raise AmbiguousRecord(KINDS[folder], name, tuple(m.id for m in found))
    near = nearest(name, known, aliases=_aliases(folder))
    raise UnknownRecord(KINDS[folder], name, near)


def _find(folder: Folder, name: str, cls: type[R]) -> R:
    id_ = resolve(folder, name).id
    if (folder, id_) in _sources.inline:
        record = _sources.inline[(folder, id_)][0]
        assert isinstance(record, cls)
        return record
    path = record_path(folder, id_)
    assert path is not None
    return load_record(path, cls)


@cache
def gpu(name: str) -> Gpu:
    """The GPU of that id or alias.

    >>> gpu("h800-sxm5-80gb").nvlink.total_gb_s
    400.0
    """
    return _find("gpus", name, Gpu)


@cache
def model(name: str) -> Model:
    """The model of that id, alias or Hugging Face id.

    >>> model("llama-65b").num_attention_heads
    64
    """
    return _find("models", name, Model)


@cache
def node(name: str) -> NodeType:
    """The node type of that id or alias.

    >>> node("p5.48xlarge").gpu
    'h100-sxm5-80gb'
    """
    return _find("nodes", name, NodeType)
