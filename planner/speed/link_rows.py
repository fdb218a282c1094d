"""Links of many layouts as arrays, one row a layout: what collectives compute with, whatever the number of links."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.catalog.lookup import on_change
from planner.catalog.speed_records import Collective, LinkCurve, link_data
from planner.speed.links import Link

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

COLLECTIVES: Final[tuple[Collective, ...]] = (
    "all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv",
)  # fmt: skip
_NVLINK_BY_TOTAL: Final = ((160.0, 1), (300.0, 2), (600.0, 3), (900.0, 4))
_PLAIN_ETHERNET: Final = ("tcp", "eth", "ena", "gvnic")


def scale_up_curve(link: Link) -> LinkCurve:
    """The curve of NVLink or its kin."""
    if link.fabric:
        return link_data().curve("fabric")
    generation = link.generation
    if generation is None:
        generation = next((g for top, g in _NVLINK_BY_TOTAL if link.nvlink_gb_s <= top), 5)
    return link_data().curve(f"nvlink{generation}")


def pcie_curve(link: Link) -> LinkCurve:
    """The curve of PCIe, directly or through host memory."""
    return link_data().curve("pcie" if link.pcie_p2p else "pcie-host")


def network_curve(link: Link) -> LinkCurve:
    """The curve of the NICs."""
    kind = link.network_kind.lower()
    plain = kind.startswith(_PLAIN_ETHERNET) and "ib" not in kind
    return link_data().curve("tcp" if plain else "infiniband")


@dataclass(frozen=True, slots=True)
class CurveRows:
    """The numbers of a curve for each row."""

    latency_us: Floats
    latency_per_rank_us: Floats
    ramp_us: Floats
    ramp_bytes: Floats
    share: dict[Collective, Floats]
    small_group: dict[Collective, Floats]
    in_network: dict[Collective, Floats]
    in_network_ranks: dict[Collective, Floats]
    """Infinite where the switch does not reduce."""

    def at(self, rows: ArrayLike) -> CurveRows:
        """The curves of these rows."""
        where = np.asarray(rows)

        def each(table: dict[Collective, Floats]) -> dict[Collective, Floats]:
            return {kind: values[where] for kind, values in table.items()}

        return CurveRows(
            self.latency_us[where],
            self.latency_per_rank_us[where],
            self.ramp_us[where],
            self.ramp_bytes[where],
            each(self.share),
            each(self.small_group),
            each(self.in_network),
            each(self.in_network_ranks),
        )


def curve_rows(curves: Sequence[LinkCurve]) -> CurveRows:
    """Curves as arrays."""

    def numbers(values: Iterable[float]) -> Floats:
        return np.array(list(values), np.float64)

    return CurveRows(
        numbers(c.latency_us for c in curves),
        numbers(c.latency_per_rank_us for c in curves),
        numbers(c.ramp_us for c in curves),
        numbers(c.ramp_bytes for c in curves),
        {k: numbers(c.share.get(k, 1.0) for c in curves) for k in COLLECTIVES},
        {k: numbers(c.small_group.get(k, 0.0) for c in curves) for k in COLLECTIVES},
        {k: numbers(c.in_network.get(k, 1.0) for c in curves) for k in COLLECTIVES},
        {
            k: numbers(c.in_network_ranks if k in c.in_network else np.inf for c in curves)
            for k in COLLECTIVES
        },
    )


def either(first: Bools, one: CurveRows, other: CurveRows, kind: Collective) -> CurveRows:
    """The one curve where `first` holds, else the other, for one kind of collective."""

    def pick(a: Floats, b: Floats) -> Floats:
        return np.where(first, a, b)

    return CurveRows(
        pick(one.latency_us, other.latency_us),
        pick(one.latency_per_rank_us, other.latency_per_rank_us),
        pick(one.ramp_us, other.ramp_us),
        pick(one.ramp_bytes, other.ramp_bytes),
        {kind: pick(one.share[kind], other.share[kind])},
        {kind: pick(one.small_group[kind], other.small_group[kind])},
        {kind: pick(one.in_network[kind], other.in_network[kind])},
        {kind: pick(one.in_network_ranks[kind], other.in_network_ranks[kind])},
    )


@dataclass(frozen=True, slots=True)
class LinkRows:
    """What connects the GPUs of each row; the fields are those of `Link`."""

    scale_up: Bools
    mesh: Bools
    nvlink_gb_s: Floats
    domain: Floats
    pcie_gb_s: Floats
    network_gb_s: Floats
    gpus_per_node: Floats
    nics: Floats
    """NICs of a node."""
    up: CurveRows
    pcie: CurveRows
    network: CurveRows
    measured: Bools
    """Whether collectives inside a node or domain were measured on such a link."""
    host_gb_s: Floats
    """Pinned copies between one GPU and its host, one direction, as achieved."""
    drives_bytes_s: Floats
    cpu_cores: Floats

    @property
    def width(self) -> Floats:
        """GPUs of an island: a node, or an NVLink domain where that is larger."""
        return np.maximum(self.gpus_per_node, self.domain)

    def at(self, rows: ArrayLike) -> LinkRows:
        """The links of these rows."""
        where = np.asarray(rows)
        return LinkRows(
            self.scale_up[where],
            self.mesh[where],
            self.nvlink_gb_s[where],
            self.domain[where],
            self.pcie_gb_s[where],
            self.network_gb_s[where],
            self.gpus_per_node[where],
            self.nics[where],
            self.up.at(where),
            self.pcie.at(where),
            self.network.at(where),
            self.measured[where],
            self.host_gb_s[where],
            self.drives_bytes_s[where],
            self.cpu_cores[where],
        )


AnyLink: TypeAlias = Link | LinkRows
"""One link for all layouts, or one for each."""


def _measured(link: Link) -> bool:
    if not link.scale_up:
        return pcie_curve(link).tag == "fitted"
    curve = scale_up_curve(link)
    known = not curve.measured_gb_s or link.nvlink_gb_s in curve.measured_gb_s
    return known and curve.tag == "fitted"


def host_gb_s(link: Link) -> float:
    """Pinned copies between one GPU and its host, one direction, as achieved.

    >>> round(host_gb_s(Link(pcie_generation=4)), 1)  # measured: 26
    25.8
    """
    host = link_data().host
    if link.host_link_gb_s:
        return link.host_link_gb_s * host.c2c_share
    return link.pcie_gb_s * host.pcie_share


def _drives_bytes_s(link: Link) -> float:
    """Bytes per second of a node's drives; one drive of the node's PCIe generation where none is stated."""
    table = link_data().host.nvme_read_gb_s
    one = table[min(max(link.pcie_generation, min(table)), max(table))]
    return (link.nvme_gb_s or one) * 1e9


@lru_cache(maxsize=256)
def link_rows(links: tuple[Link, ...]) -> LinkRows:
    """Links as arrays, one row a link."""

    def numbers(value: Callable[[Link], float]) -> Floats:
        return np.array([value(link) for link in links], np.float64)

    def flags(value: Callable[[Link], bool]) -> Bools:
        return np.array([value(link) for link in links], np.bool_)

    return LinkRows(
        flags(lambda x: x.scale_up),
        flags(lambda x: x.topology == "mesh"),
        numbers(lambda x: x.nvlink_gb_s),
        numbers(lambda x: x.domain),
        numbers(lambda x: x.pcie_gb_s),
        numbers(lambda x: x.network_gb_s),
        numbers(lambda x: x.gpus_per_node),
        numbers(lambda x: x.nics or x.gpus_per_node),
        curve_rows([scale_up_curve(x) if x.scale_up else pcie_curve(x) for x in links]),
        curve_rows([pcie_curve(x) for x in links]),
        curve_rows([network_curve(x) for x in links]),
        flags(_measured),
        numbers(host_gb_s),
        numbers(_drives_bytes_s),
        numbers(lambda x: x.cpu_cores),
    )


@lru_cache(maxsize=256)
def _one(link: Link) -> LinkRows:
    return link_rows((link,)).at(0)


def rows_of(link: AnyLink) -> LinkRows:
    """A single link as rows without an axis, which broadcast against any layouts."""
    return link if isinstance(link, LinkRows) else _one(link)


@on_change
def _forget() -> None:
    link_rows.cache_clear()
    _one.cache_clear()
