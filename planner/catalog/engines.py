"""Find the profile of a serving engine, and revise it for a version."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import yaml

from planner.catalog.engine_records import (
    Activations,
    Constant,
    Memory,
    Raw,
    Rule,
    ServingEngine,
    SupportRow,
)
from planner.catalog.lookup import UnknownRecord
from planner.catalog.paths import data_dir
from planner.catalog.records import Gpu
from planner.catalog.validator import validate
from planner.catalog.yaml_loader import Loader
from planner.diagnostics.similar import similar

__all__ = [
    "Activations", "Constant", "Rule", "ServingEngine", "SupportRow", "parse_month", "parse_version",
    "profile_for", "profile_version", "serving_engine", "serving_engine_ids",
]  # fmt: skip

Version: TypeAlias = tuple[int, ...]


def parse_version(text: str) -> Version | None:
    """Leading numbers of the first thing that looks like a version, or None.

    >>> parse_version("0.10.2/0.11 (Sep 2025)"), parse_version("0.8.x (May 2025)")
    ((0, 10, 2), (0, 8))
    >>> parse_version("nightly May 2026") is None
    True
    """
    match = re.search(r"(?<![\d.])(\d{1,2}(?:\.\d+)+)", text)
    return tuple(int(p) for p in match[1].split(".")) if match else None


_MONTHS: Final = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]


def parse_month(text: str) -> str | None:
    """Year and month a text names, or None.

    >>> parse_month("main Dec-2024 (PR 10511)"), parse_month("main 2025-04-16"), parse_month("late 2023")
    ('2024-12', '2025-04', '2023-12')
    """
    if match := re.search(r"(20\d\d)-(\d\d)", text):
        return f"{match[1]}-{match[2]}"
    match = re.search(r"\b([a-z]{3})[a-z]*[-. ]+(20\d\d)", text.lower())
    if match and match[1] in _MONTHS:
        return f"{match[2]}-{_MONTHS.index(match[1]) + 1:02d}"
    match = re.search(r"\b(20\d\d)\b", text)
    return f"{match[1]}-12" if match else None


def _merge(base: Raw, over: Raw) -> Raw:
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict) and "best" not in value
        result[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return result


@cache
def _raw() -> dict[str, Raw]:
    """Serving profiles as written, by id; other kinds of engine records are left out."""
    found: dict[str, Raw] = {}
    for path in sorted(Path(data_dir("catalogs") / "engines").glob("*.yaml")):
        raw = yaml.load(path.read_text("utf-8"), Loader)
        if raw.get("kind") == "serving":
            found[raw["id"]] = raw
    return found


def serving_engine_ids() -> tuple[str, ...]:
    """Ids of all serving profiles, the preferred ones first."""
    return tuple(sorted(_raw(), key=lambda i: (serving_engine(i).preference, i)))


@cache
def serving_engine(name: str, version: str = "") -> ServingEngine:
    """The profile of that id, revised for an engine version where one is given.

    >>> serving_engine("vllm").memory.budget.fraction
    0.9
    """
    raw = _raw().get(name)
    if raw is None:
        nearest = tuple(similar(name, _raw(), 3, 0.6))
        raise UnknownRecord("serving engine", name, nearest)
    base = validate(ServingEngine, raw)
    number = profile_version(base, version)
    if number is None:
        return base
    memory = raw["memory"]
    assert isinstance(memory, dict)
    for revision in base.revisions:
        if _version(revision.since) <= number < _version(revision.before):
            memory = _merge(memory, revision.memory)
    return base.model_copy(update={"memory": validate(Memory, memory)})


def _version(text: str) -> Version:
    return tuple(int(p) for p in text.split("."))


def profile_version(engine: ServingEngine, text: str) -> Version | None:
    """Version number a text names, directly or by a month through the profile's releases."""
    number = parse_version(text)
    if number is not None:
        return number
    month = parse_month(text)
    if month is None or not engine.releases:
        return None
    known = [m for m in engine.releases if m <= month]
    return _version(engine.releases[max(known)]) if known else (0,)


def profile_for(name: str, version: str, gpu: Gpu | None) -> ServingEngine | None:
    """The profile that stands for a reported engine, version and GPU; None if there is none.

    >>> profile_for("vllm", "0.6.4", None).id, profile_for("vllm", "0.10.2", None).id
    ('vllm-v0', 'vllm-v1')
    >>> profile_for("vllm", "", None).id
    'vllm'
    """
    candidates = [serving_engine(i) for i in serving_engine_ids()]
    named = [e for e in candidates if name == e.id or name in e.reported_as]
    fitting = []
    for engine in named:
        number = profile_version(engine, version)
        if number is not None and not _version(engine.since) <= number < _version(engine.before):
            continue
        if gpu is not None and gpu.vendor == "nvidia" and gpu.capability < engine.min_capability:
            continue
        fitting.append(engine)
    tagged = [e for e in fitting if e.tag and re.search(rf"\b{e.tag}\b", version)]
    if not fitting:
        return None
    best = max(tagged or fitting, key=lambda e: _version(e.since))
    return serving_engine(best.id, version)
