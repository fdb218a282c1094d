"""The GPUs of a question about one model: `4xv100-sxm2-32gb`, one GPU in its usual chassis, or a node type."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from planner.catalog import UnknownRecord, gpu, ids, model, node
from planner.catalog.lookup import AmbiguousRecord
from planner.catalog.records import Gpu, Model, NodeType
from planner.options.asks import PoolFacts
from planner.options.fit_wish import FitError
from planner.speed.links import link_of, link_of_node
from planner.units import GB, GIB, TIB, UnitError, parse

HOST_UNSTATED_BYTES = 8 * TIB
"""Host RAM where nothing is said: enough for anything; what is needed is printed."""
MOST_GPUS = 576
"""GPUs of the largest NVLink domain sold; more are a scenario's business."""
_COUNTED = re.compile(r"^(?:(\d+)\s*[xX]\s*)?(\S+)$")
_R = TypeVar("_R", Gpu, Model, NodeType)


def model_named(name: str) -> Model:
    """The model; an unknown name is told with the nearest."""
    return _record(name, "model", "models", model)


def pool_of(text: str, nvlink: str | None = None, host_ram: str | None = None) -> PoolFacts:
    """One node with the GPUs named: a node type, or n of one GPU in its usual chassis.

    >>> pool_of("4xv100-sxm2-32gb").node_gpus
    4
    """
    match = _COUNTED.match(text.strip())
    if match is None or re.fullmatch(r"\d+[xX]", match[2]):
        raise FitError("gpu", f"`{text}` is not like 4xv100-sxm2-32gb")
    if match[1] and not 1 <= int(match[1]) <= MOST_GPUS:
        raise FitError("gpu", f"`{text}`: a node has 1 to {MOST_GPUS} GPUs, not {match[1]}")
    host_bytes = int(_quantity(host_ram, "bytes", "host_ram")) if host_ram else None
    speed = float(_quantity(nvlink, "bandwidth", "nvlink")) / GB if nvlink else None
    if match[1] is None and match[2] in ids("nodes"):
        if speed is not None:
            raise FitError("nvlink", f"`{match[2]}` is a node type, which has its own links")
        return _pool_of_node(match[2], host_bytes)
    return _pool_of_gpus(match[2], int(match[1] or 1), speed, host_bytes)


def _pool_of_node(name: str, host_bytes: int | None) -> PoolFacts:
    found = node(name)
    card = gpu(found.gpu)
    usable = int((found.host_ram_gib or 0) * GIB * (1 if found.host_ram_is_total else 0.97))
    host_bytes = host_bytes or (usable - 16 * GIB if usable else None)
    nvme = int(found.nvme_tb * 10**12) if found.nvme_tb else None
    return PoolFacts(card.id, card, link_of_node(found, card), found.gpus, 1, host_bytes, nvme)


def _pool_of_gpus(
    name: str, gpus: int, nvlink_gb_s: float | None, host_bytes: int | None
) -> PoolFacts:
    card = _record(name, "GPU", "gpus", gpu)
    link = link_of(card, gpus_per_node=gpus)
    if link.topology == "bridge-pairs":
        link = replace(link, nvlink_gb_s=0.0, topology="none", domain=1)
    if nvlink_gb_s is not None:
        shape = link.topology if link.topology != "none" else "nvswitch"
        link = replace(link, nvlink_gb_s=nvlink_gb_s, domain=gpus, topology=shape)
    return PoolFacts(card.id, card, link, gpus, 1, host_bytes or HOST_UNSTATED_BYTES, None)


def _record(name: str, kind: str, folder: str, find: Callable[[str], _R]) -> _R:
    parameter = "model" if kind == "model" else "gpu"
    try:
        return find(name)
    except AmbiguousRecord as error:
        names = ", ".join(error.candidates)
        raise FitError(parameter, f"`{name}` is ambiguous: one of {names}") from None
    except UnknownRecord as error:
        near = f"; `planner catalog list {folder}` lists all"
        if error.nearest:
            near = f"; similar names exist: {', '.join(error.nearest)}"
        raise FitError(parameter, f"no {kind} is called `{name}`{near}") from None


def _quantity(text: str, dimension: str, parameter: str) -> float:
    try:
        return float(parse(text, dimension))
    except UnitError as error:
        example = "300 GB/s" if dimension == "bandwidth" else "256 GiB"
        raise FitError(parameter, f"{error}; write it like `{example}`") from None
