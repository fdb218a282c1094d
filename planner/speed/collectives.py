"""Seconds of collectives between the GPUs of a replica: within a node or NVLink domain, and across."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.catalog.speed_records import Collective
from planner.speed.curves import curve_s, traffic_share
from planner.speed.link_rows import (
    AnyLink,
    LinkRows,
    either,
    network_curve,
    pcie_curve,
    rows_of,
    scale_up_curve,
)
from planner.speed.links import Link

Floats = NDArray[np.float64]


def link_kind(link: Link, ranks: int, nodes: int = 1) -> str:
    """Name of the curve that the slowest part of a group of `ranks` GPUs runs on.

    >>> link_kind(Link(nvlink_gb_s=400, topology="nvswitch", domain=8, generation=4), 8)
    'nvlink4'
    """
    if islands_of(link, nodes * link.gpus_per_node if nodes > 1 else ranks) > 1:
        return network_curve(link).kind
    inside = link.scale_up and ranks <= link.domain
    return (scale_up_curve(link) if inside else pcie_curve(link)).kind


def measured_link(link: AnyLink, ranks: ArrayLike) -> NDArray[np.bool_]:
    """Whether collectives of groups of `ranks` GPUs were measured on such a link; one rank needs none."""
    n = np.asarray(ranks, np.float64)
    return np.asarray((n <= 1) | rows_of(link).measured, np.bool_)


def _inside_s(
    kind: Collective, size: ArrayLike, ranks: ArrayLike, stride: ArrayLike, link: LinkRows
) -> Floats:
    """Seconds of a group that stays within one node or NVLink domain."""
    n = np.asarray(ranks, np.float64)
    near = link.scale_up & (n * np.asarray(stride) <= np.maximum(link.domain, 1.0))
    if not near.any():
        return curve_s(link.pcie, kind, size, n, link.pcie_gb_s)
    rate = link.nvlink_gb_s / 2.0
    if link.mesh.any():
        # A mesh's links go to one neighbour each: a smaller group uses only those between its members.
        peers = 1.0 if kind == "send_recv" else np.maximum(n - 1.0, 1.0)
        among = np.minimum(peers / np.maximum(link.domain - 1.0, 1.0), 1.0)
        rate = np.where(link.mesh, rate * among, rate)
    if near.all():
        return curve_s(link.up, kind, size, n, rate)
    curve = either(near, link.up, link.pcie, kind)
    return curve_s(curve, kind, size, n, np.where(near, rate, link.pcie_gb_s))


def _across_s(
    kind: Collective, size: ArrayLike, ranks: Floats, islands: Floats, link: LinkRows
) -> Floats:
    """Seconds over the NICs between nodes (or larger NVLink domains), `ranks` spread evenly."""
    local = np.maximum(ranks / islands, 1.0)
    nodes_per_island = link.width / link.gpus_per_node
    nics = link.nics * nodes_per_island
    reachable = np.minimum(local / nics, 1.0)
    rate = np.maximum(link.network_gb_s * nodes_per_island * reachable, 1e-3)
    curve = link.network
    if kind == "send_recv":
        return curve_s(curve, kind, size, 2, rate / local)
    if kind == "all_to_all":
        # Each rank sends what leaves its island through its part of the NICs.
        leaving = np.asarray(size, np.float64) * (ranks - local) / np.maximum(ranks - 1.0, 1.0)
        return curve_s(curve, kind, leaving, ranks, rate / local)
    # A ring, or the rails of a hierarchy, crosses each border with the traffic of one rank.
    scale = traffic_share(kind, ranks) / np.maximum(traffic_share(kind, islands), 1e-9)
    return curve_s(curve, kind, np.asarray(size, np.float64) * scale, islands, rate)


def islands_of(link: AnyLink, span: ArrayLike) -> Floats:
    """Nodes, or NVLink domains where these are larger, that `span` neighbouring GPUs cover."""
    covered: Floats = np.ceil(np.asarray(span, np.float64) / rows_of(link).width)
    return np.maximum(covered, 1.0)


def group_s(
    kind: Collective, message_bytes: ArrayLike, ranks: ArrayLike, stride: ArrayLike, link: AnyLink
) -> Floats:
    """Seconds of a collective over `ranks` GPUs that stand `stride` apart in the replica."""
    n, links = np.asarray(ranks, np.float64), rows_of(link)
    if not np.any(n > 1):
        return np.zeros(np.broadcast_shapes(np.shape(message_bytes), n.shape, links.domain.shape))
    span = n * np.asarray(stride, np.float64)
    islands = np.minimum(islands_of(links, span), n)
    if not np.any(islands > 1):
        return _inside_s(kind, message_bytes, n, stride, links)
    inner = np.where(islands > 1, np.maximum(n / islands, 1.0), n)
    inside = _inside_s(kind, message_bytes, inner, np.where(islands > 1, 1, stride), links)
    if kind == "send_recv":
        inside = np.where(islands > 1, 0.0, inside)
    across = _across_s(kind, message_bytes, n, islands, links)
    return np.where(islands > 1, np.maximum(inside, across), inside)


def collective_s(
    kind: Collective,
    message_bytes: ArrayLike,
    ranks: ArrayLike,
    link: Link,
    nodes: ArrayLike = 1,
) -> Floats:
    """Seconds of one collective; all arguments but the link may be arrays over layouts.

    `message_bytes` is the whole buffer as in nccl-tests: what each rank holds (all-reduce, all-to-all), the
    gathered output (all-gather) or the input (reduce-scatter). Over several nodes the slower of the part inside a
    node and the part between nodes decides.

    >>> a100 = Link(nvlink_gb_s=600, domain=8, topology="nvswitch", generation=3)
    >>> round(float(collective_s("all_reduce", 2**29, 8, a100)) * 1e3, 1)  # measured: 4.2 ms
    4.3
    """
    n, spread = np.asarray(ranks, np.float64), np.asarray(nodes, np.float64)
    stride = np.where(spread > 1, spread * link.gpus_per_node / np.maximum(n, 1.0), 1.0)
    return group_s(kind, message_bytes, n, np.maximum(stride, 1.0), link)
