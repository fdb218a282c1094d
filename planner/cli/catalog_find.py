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

_FOLDERS: Final = {"gpu": "gpus", "model": "models", "node": "nodes", "engine": "engines"}
_CODES: Final = {"model": "P201", "GPU": "P202", "node type": "P203", "engine": "P204"}


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
        near = tuple(f"a {error.kind} with a similar name exists: `{n}`" for n in error.nearest[:3])
        found = Diagnostic(
            code, Severity.ERROR, f"no {error.kind} is called `{error.name}`", help=near
        )
        raise DiagnosticError([found]) from None


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
    every = [id_ for each in ([kind] if kind else _FOLDERS) for id_ in _ids(each)]
    noun = {"gpu": "GPU", "node": "node type", None: "record"}.get(kind, kind or "record")
    raise UnknownRecord(noun, name, nearest(name, every))


def _ids(kind: str) -> tuple[str, ...]:
    if kind != "engine":
        return ids(_FOLDERS[kind])
    from planner.catalog.engines import serving_engine_ids
    from planner.catalog.frameworks import framework_ids

    return (*serving_engine_ids(), *framework_ids())


def _of_kind(name: str, kind: str) -> Found | None:
    if kind == "engine":
        return Found("engine", name) if name in _ids("engine") else None
    match = resolve(_FOLDERS[kind], name)
    remark = ""
    if match.others:
        remark = (
            f"note[P408]: `{name}` is taken to mean {match.id}; also: {', '.join(match.others)}"
        )
    return Found(kind, match.id, remark)


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
    return _engine(found.id, width)


def _data(kind: str, record: dict[str, object], **more: object) -> dict[str, object]:
    return {"kind": kind, "record": record, **more}


def _model(name: str, width: int) -> tuple[Page, dict[str, object]]:
    from dataclasses import asdict

    from planner.cli.catalog_facts import model_facts
    from planner.cli.catalog_model import show_model

    record = model(name)
    facts = asdict(model_facts(record))
    return show_model(record, width), _data("model", record.model_dump(mode="json"), derived=facts)


def _engine(name: str, width: int) -> tuple[Page, dict[str, object]]:
    from planner.catalog.engines import serving_engine, serving_engine_ids
    from planner.catalog.frameworks import training_framework
    from planner.cli.catalog_engine import show_engine, show_framework

    if name in serving_engine_ids():
        return show_engine(name, width), _data(
            "engine", serving_engine(name).model_dump(mode="json")
        )
    record = training_framework(name)
    return show_framework(name, width), _data("framework", record.model_dump(mode="json"))


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
    for id_ in _ids("engine"):
        yield Hit("engine", id_, ""), [id_], ""
