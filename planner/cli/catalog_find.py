"""Find a record of any kind by the name someone typed, and search names and notes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from planner.catalog.lookup import AmbiguousRecord, UnknownRecord, gpu, ids, model, node, resolve
from planner.catalog.names import nearest
from planner.catalog.records import Gpu
from planner.cli.catalog_page import Page
from planner.diagnostics import Diagnostic, DiagnosticError, Severity

_FOLDERS: Final = {
    "gpu": "gpus", "model": "models", "node": "nodes", "engine": "engines", "framework": "frameworks",
}  # fmt: skip
_CODES: Final = {
    "model": "P201",
    "GPU": "P202",
    "node type": "P203",
    "engine": "P204",
    "framework": "P204",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A record's kind and id, and a remark where the name was not exact."""

    kind: str
    id: str
    remark: str = ""

    def as_gpu(self) -> Gpu:
        """The GPU's record."""
        return gpu(self.id)


@contextmanager
def lookup_errors() -> Iterator[None]:
    """Unknown and ambiguous names become coded diagnostics."""
    try:
        yield
    except AmbiguousRecord as error:
        names = ", ".join(error.candidates)
        found = Diagnostic(
            "P206", Severity.ERROR, f"`{error.name}` is ambiguous",
            help=(f"name one of them: {names}",),
        )  # fmt: skip
        raise DiagnosticError([found]) from None
    except UnknownRecord as error:
        code = _CODES.get(error.kind, "P202")
        names = ", ".join(f"`{n}`" for n in error.nearest)
        similar = (
            f"similar names exist: {names}"
            if len(error.nearest) > 1
            else f"a similar name exists: {names}"
        )
        hints = (similar,) if error.nearest else ("look around with `planner catalog search TEXT`",)
        message = f"no {error.kind} is called `{error.name}`"
        raise DiagnosticError([Diagnostic(code, Severity.ERROR, message, help=hints)]) from None


def find(name: str, kind: str | None = None) -> Found:
    """The one record a name means, over all kinds unless one is given.

    Raises:
        AmbiguousRecord: Several records of one kind fit.
        UnknownRecord: None fits; the nearest names of all kinds are given.
    """
    ambiguous: AmbiguousRecord | None = None
    for each in [kind] if kind else list(_FOLDERS):
        try:
            found = _of_kind(name, each)
        except AmbiguousRecord as error:
            ambiguous = ambiguous or error
            continue
        except UnknownRecord:
            continue
        if found is not None:
            return found
    if ambiguous is not None:
        raise ambiguous
    kinds = [kind] if kind else list(_FOLDERS)
    holder = {id_: each for each in reversed(kinds) for id_ in _ids(each)}
    near = nearest(name, holder)
    like = kind or (holder[near[0]] if near else "")
    raise UnknownRecord(_NOUNS.get(like, "record"), name, near)


_NOUNS: Final = {
    "gpu": "GPU", "model": "model", "node": "node type", "engine": "engine", "framework": "framework",
}  # fmt: skip


def _ids(kind: str) -> tuple[str, ...]:
    from planner.catalog.engines import serving_engine_ids
    from planner.catalog.frameworks import framework_ids

    if kind == "engine":
        return serving_engine_ids()
    return framework_ids() if kind == "framework" else ids(_FOLDERS[kind])


def _of_kind(name: str, kind: str) -> Found | None:
    if kind in ("engine", "framework"):
        if name not in _ids(kind):
            return _alias(name, kind)
        both = kind == "engine" and name in _ids("framework")
        remark = f"note: `{name}` is a training framework as well: --kind framework" if both else ""
        return Found(kind, name, remark)
    match = resolve(_FOLDERS[kind], name)
    remark = ""
    if match.others:
        remark = (
            f"note[P408]: `{name}` is taken to mean {match.id}; also: {', '.join(match.others)}"
        )
    return Found(kind, match.id, remark)


def _alias(name: str, kind: str) -> Found | None:
    """An engine or framework by another name."""
    from planner.catalog.engines import serving_engine
    from planner.catalog.frameworks import training_framework

    load = serving_engine if kind == "engine" else training_framework
    for id_ in _ids(kind):
        if name in load(id_).aliases:
            return Found(kind, id_)
    return None


def page_and_data(found: Found, width: int) -> tuple[Page, dict[str, object]]:
    """The page of a record and the same for programs."""
    if found.kind == "gpu":
        from planner.cli.catalog_gpu import show_gpu

        record = gpu(found.id)
        return show_gpu(record, width), _data("gpu", record.model_dump(mode="json"))
    if found.kind == "model":
        return _model(found.id, width)
    if found.kind == "node":
        from planner.cli.catalog_node import show_node

        host = node(found.id)
        return show_node(host, width), _data("node", host.model_dump(mode="json"))
    return _engine(found, width)


def _data(kind: str, record: dict[str, object], **more: object) -> dict[str, object]:
    return {"kind": kind, "record": record, **more}


def _model(name: str, width: int) -> tuple[Page, dict[str, object]]:
    from dataclasses import asdict

    from planner.cli.catalog_facts import model_facts
    from planner.cli.catalog_model import show_model

    record = model(name)
    facts = asdict(model_facts(record))
    return show_model(record, width), _data("model", record.model_dump(mode="json"), derived=facts)


def _engine(found: Found, width: int) -> tuple[Page, dict[str, object]]:
    from planner.catalog.engines import serving_engine
    from planner.catalog.frameworks import training_framework
    from planner.cli.catalog_engine import show_engine, show_framework

    if found.kind == "engine":
        data = serving_engine(found.id).model_dump(mode="json")
        return show_engine(found.id, width), _data("engine", data)
    data = training_framework(found.id).model_dump(mode="json")
    return show_framework(found.id, width), _data("framework", data)


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that a search found."""

    kind: str
    id: str
    what: str


def search_records(text: str) -> list[Hit]:
    """Records whose id, name, alias, family, provider or notes hold all words, names before notes."""
    words = text.lower().replace("-", " ").split()
    ranked: list[tuple[int, Hit]] = []
    for hit, names, notes in _searchable():
        label = " ".join(names).lower().replace("-", " ")
        if all(word in label for word in words):
            ranked.append((0, hit))
        elif all(word in f"{label} {notes.lower()}" for word in words):
            ranked.append((1, hit))
    return [hit for _, hit in sorted(ranked, key=lambda item: item[0])]


def _searchable() -> Iterator[tuple[Hit, list[str], str]]:
    for id_ in ids("gpus"):
        card = gpu(id_)
        what = f"{card.name}, {card.memory.marketed_gb:g} GB"
        yield Hit("gpu", id_, what), [id_, card.name, card.architecture, *card.aliases], card.notes
    for id_ in ids("models"):
        record = model(id_)
        what = record.hf_id or record.family
        yield Hit("model", id_, what), [id_, what, record.family, *record.aliases], record.notes
    for id_ in ids("nodes"):
        host = node(id_)
        names = [id_, host.provider, host.instance, host.gpu, *host.aliases]
        yield Hit("node", id_, f"{host.gpus} x {host.gpu}"), names, host.notes
    from planner.catalog.engines import serving_engine
    from planner.catalog.frameworks import training_framework

    for id_ in _ids("engine"):
        name = serving_engine(id_).name
        yield Hit("engine", id_, name), [id_, name], ""
    for id_ in _ids("framework"):
        name = training_framework(id_).name
        yield Hit("framework", id_, name), [id_, name], ""
