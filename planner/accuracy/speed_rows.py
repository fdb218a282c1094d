"""What the speed predictors share: reading a row's configuration, and an estimate with its interval."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from planner.accuracy.read import Skip
from planner.catalog.lookup import UnknownRecord
from planner.catalog.lookup import gpu as catalog_gpu
from planner.catalog.records import Gpu
from planner.speed.links import Link, link_of

Row = Mapping[str, object]

_NETWORK: Final = {
    "ampere": 1600.0,
    "hopper": 3200.0,
    "blackwell": 6400.0,
    "blackwell-ultra": 6400.0,
}
"""Usual fabric of an eight-GPU training node by generation, Gbit/s: 8 x 200, 8 x 400 and 8 x 800."""
_USUAL_NETWORK: Final = 200.0
_GBIT: Final = re.compile(r"(?:(\d+)\s*x\s*)?(\d+)\s*(?:Gb/s|Gbit/s|Gb|G)(?:bE)?\b")
_PER_NODE: Final = re.compile(r"(\d+) GPUs? per node")
_RACK_SCALE: Final = ("gb200", "gb300")
_RACK_NODE: Final = 4


@dataclass(frozen=True, slots=True)
class Estimate:
    """A predicted figure with its 80 % interval."""

    best: float
    low: float
    high: float
    extrapolated: bool
    tag: str

    def scaled(self, factor: float) -> Estimate:
        """The estimate of a figure proportional to this one."""
        return replace(
            self, best=self.best * factor, low=self.low * factor, high=self.high * factor
        )


def around(best: float, spread: float, *, extrapolated: bool, tag: str) -> Estimate:
    """Best x/÷ exp(spread)."""
    factor = math.exp(spread)
    return Estimate(best, best / factor, best * factor, extrapolated, tag)


def text(row: Row, key: str) -> str:
    """A field as text; empty where it is absent."""
    value = row.get(key)
    return "" if value is None else str(value).strip()


def number(row: Row, key: str, default: float | None = None) -> float | None:
    """A numeric field; the default where it is empty, absent or not a number."""
    try:
        value = float(text(row, key))
    except ValueError:
        return default
    return default if math.isnan(value) else value


def needed(row: Row, key: str) -> float:
    """A numeric field that a prediction can't do without."""
    value = number(row, key)
    if value is None:
        raise Skip(f"{key} is not stated")
    return value


def count(row: Row, key: str) -> int:
    """A parallel degree: 1 where it is not stated."""
    return max(int(number(row, key, 1.0) or 1.0), 1)


def gpu_of(row: Row) -> Gpu:
    """The catalog's GPU of a row."""
    name = text(row, "gpu")
    if not name:
        raise Skip("gpu is not stated")
    try:
        return catalog_gpu(name)
    except UnknownRecord as problem:
        raise Skip(f"no GPU is called {name}") from problem


def stated_gbit_s(words: str) -> float | None:
    """Network of a node as a note states it, Gbit/s.

    >>> stated_gbit_s("1600 Gb/s RoCE per node"), stated_gbit_s("8x200Gb IB"), stated_gbit_s("ring")
    (1600.0, 1600.0, None)
    """
    found = _GBIT.search(words)
    return None if found is None else float(found[1] or 1) * float(found[2])


def node_link(row: Row, gpu: Gpu, words: str) -> Link:
    """The link of a row's node: its usual chassis, changed by what its note says."""
    rack = gpu.id in _RACK_SCALE
    per_node = _PER_NODE.search(words)
    width = int(per_node[1]) if per_node else (_RACK_NODE if rack else 8)
    lower = words.lower()
    bridged = "bridge" in lower or "pair" in lower
    link = link_of(gpu, gpus_per_node=width, bridges=bridged)
    network = stated_gbit_s(words)
    if network is None:
        usual = _NETWORK.get(gpu.architecture, _USUAL_NETWORK)
        network = (usual if gpu.nvlink.domain > 2 else _USUAL_NETWORK) * width / 8.0
    if "no nvlink" in lower:
        link = replace(link, nvlink_gb_s=0.0, domain=1, topology="none")
    return replace(link, network_gbit_s=network)


def first_word(words: str) -> str:
    """Software without its version: `megatron-bridge 26.02` is megatron-bridge."""
    return words.strip().lower().split(" ")[0]
