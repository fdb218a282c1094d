"""What connects the GPUs of a replica, and the bandwidth between any two of them.

Everything is GB/s = 10^9 bytes/s. NVLink and `interconnect.min` are per GPU with both directions summed; network and
host figures are named by one direction, as vendors do, and are doubled before they are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.catalog.records import Gpu, NodeType
from planner.catalog.speed_records import Collective, LinkCurve, link_data
from planner.speed.curves import curve_s, traffic_share

Floats = NDArray[np.float64]
Topology = Literal["nvswitch", "mesh", "bridge-pairs", "none"]
Between = Literal["tp", "replica", "nodes"]

PCIE_LANE_GB_S: Final = {1: 0.25, 2: 0.5, 3: 0.985, 4: 1.969, 5: 3.938, 6: 7.563}
"""One lane in one direction after line coding: 8, 16, 32 GT/s x 128/130 for generations 3 to 5."""
GBIT_PER_GB: Final = 8.0
_NVLINK_BY_TOTAL: Final = ((160.0, 1), (300.0, 2), (600.0, 3), (900.0, 4))
_PLAIN_ETHERNET: Final = ("tcp", "eth", "ena", "gvnic")


@dataclass(frozen=True, slots=True)
class Link:
    """What connects GPUs with one another, with their host and with other nodes."""

    nvlink_gb_s: float = 0.0
    """NVLink or another scale-up fabric per GPU, both directions summed over its links."""
    topology: Topology = "none"
    domain: int = 1
    """GPUs that reach one another over it."""
    generation: int | None = None
    """NVLink generation, which decides latency and in-network reduction; None: by bandwidth."""
    fabric: str = ""
    """Kind of a fabric that is not NVLink: xGMI, RoCE (Gaudi), HCCS, ICI."""
    pcie_generation: int = 4
    pcie_lanes: int = 16
    pcie_p2p: bool = True
    """Whether GPUs reach each other over PCIe without a copy through host memory."""
    network_gbit_s: float = 0.0
    """All NICs of a node together, one direction."""
    nics: int = 0
    """NICs of a node; 0: one per GPU."""
    network_kind: str = ""
    """infiniband, roce, efa, tcp, ...: plain Ethernet over TCP wastes 40 % of the wire."""
    host_link_gb_s: float = 0.0
    """Coherent link of one GPU to its CPU, one direction (GH200: 450); 0: PCIe."""
    nvme_gb_s: float = 0.0
    """Sequential read of a node's drives together; 0: none known."""
    gpus_per_node: int = 8
    cpu_cores: int = 64

    @property
    def pcie_gb_s(self) -> float:
        """PCIe of one GPU, one direction.

        >>> round(Link(pcie_generation=4).pcie_gb_s, 1)
        31.5
        """
        return PCIE_LANE_GB_S[self.pcie_generation] * self.pcie_lanes

    @property
    def network_gb_s(self) -> float:
        """NICs of one node, one direction.

        >>> Link(network_gbit_s=100).network_gb_s
        12.5
        """
        return self.network_gbit_s / GBIT_PER_GB

    @property
    def scale_up(self) -> bool:
        """Whether GPUs have a link of their own, beside PCIe."""
        return self.nvlink_gb_s > 0 and self.domain > 1


def link_of(
    gpu: Gpu, *, gpus_per_node: int = 8, network_gbit_s: float = 0.0, bridges: bool = False
) -> Link:
    """The link of a GPU in its usual chassis, as the catalog has it.

    Cards that take NVLink bridges have none unless `bridges` says so.

    >>> from planner.catalog import gpu
    >>> link_of(gpu("h800-sxm5-80gb")).nvlink_gb_s
    400.0
    """
    nvlink, fabric, pcie = gpu.nvlink, gpu.fabric, gpu.pcie
    bare = nvlink.topology == "bridge-pairs" and not bridges
    link = Link(
        nvlink_gb_s=0.0 if bare else nvlink.total_gb_s,
        topology="none" if bare else nvlink.topology,
        domain=1 if bare else nvlink.domain,
        generation=nvlink.generation,
        pcie_generation=pcie.generation if pcie else 4,
        pcie_lanes=pcie.lanes if pcie else 16,
        pcie_p2p=pcie.p2p if pcie else True,
        network_gbit_s=network_gbit_s,
        host_link_gb_s=gpu.c2c_gb_s / 2 if gpu.c2c_gb_s else 0.0,
        gpus_per_node=gpus_per_node,
    )
    if fabric is not None and fabric.total_gb_s:
        domain = fabric.domain or gpus_per_node
        link = replace(
            link,
            nvlink_gb_s=fabric.total_gb_s,
            topology="mesh",
            domain=domain,
            generation=None,
            fabric=fabric.kind,
        )
    if link.domain > gpus_per_node and link.topology != "nvswitch":
        link = replace(link, domain=gpus_per_node)
    return link


def link_of_node(node: NodeType, gpu: Gpu) -> Link:
    """The link of a node type: the GPU's own, overridden by what the node says."""
    base = link_of(gpu, gpus_per_node=node.gpus, network_gbit_s=node.network_gbit_s or 0.0)
    pcie = node.pcie
    link = replace(
        base,
        nvlink_gb_s=node.link.nvlink_gb_s,
        topology=node.link.topology,
        domain=node.link.nvlink_domain,
        network_kind=node.network_kind,
        pcie_generation=pcie.generation if pcie else base.pcie_generation,
        pcie_lanes=pcie.lanes if pcie else base.pcie_lanes,
        pcie_p2p=pcie.p2p if pcie else base.pcie_p2p,
        cpu_cores=node.cpu_cores or (node.vcpus or 128) // 2,
    )
    fabric = node.link.fabric
    if fabric is not None and fabric.total_gb_s:
        link = replace(
            link,
            nvlink_gb_s=fabric.total_gb_s,
            topology="mesh",
            domain=fabric.domain or node.gpus,
            fabric=fabric.kind,
        )
    return link


def pairwise_gb_s(link: Link) -> float:
    """Bandwidth between two GPUs of one domain, both directions summed.

    A switch gives any pair the GPU's whole NVLink, a bridge the pair's; a mesh splits it over its
    neighbours, so that a pair gets total / (domain - 1). Without such a link it is PCIe in both directions.

    >>> pairwise_gb_s(Link(nvlink_gb_s=300, topology="mesh", domain=4))
    100.0
    >>> pairwise_gb_s(Link(nvlink_gb_s=900.0, topology="nvswitch", domain=8))
    900.0
    """
    if not link.scale_up:
        return 2.0 * link.pcie_gb_s
    if link.topology == "mesh":
        return link.nvlink_gb_s / (link.domain - 1)
    return link.nvlink_gb_s


def both_directions_gb_s(link: Link, between: Between, ranks: int) -> float:
    """What `interconnect.min` is compared with: per GPU, both directions summed, over `ranks` GPUs.

    tp and replica: NVLink (or its kin) while the group stays in one domain, else PCIe within the node and the
    node's NICs across nodes. nodes: the NICs. A 100 Gbit/s port counts 25 GB/s.

    >>> both_directions_gb_s(Link(network_gbit_s=100), "nodes", 16)
    25.0
    >>> both_directions_gb_s(Link(nvlink_gb_s=600.0, domain=8, topology="nvswitch"), "tp", 8)
    600.0
    >>> round(both_directions_gb_s(Link(nvlink_gb_s=112, domain=2, topology="bridge-pairs"), "tp", 4))
    63
    """
    if link.scale_up and ranks <= link.domain and between != "nodes":
        return link.nvlink_gb_s
    if between == "nodes" or ranks > link.gpus_per_node:
        return 2.0 * link.network_gb_s
    return 2.0 * link.pcie_gb_s


# -------------------------------------------------------------------------------------- collectives


def _scale_up_curve(link: Link) -> LinkCurve:
    if link.fabric:
        return link_data().curve("fabric")
    generation = link.generation
    if generation is None:
        generation = next((g for top, g in _NVLINK_BY_TOTAL if link.nvlink_gb_s <= top), 5)
    return link_data().curve(f"nvlink{generation}")


def _pcie_curve(link: Link) -> LinkCurve:
    return link_data().curve("pcie" if link.pcie_p2p else "pcie-host")


def _network_curve(link: Link) -> LinkCurve:
    kind = link.network_kind.lower()
    plain = kind.startswith(_PLAIN_ETHERNET) and "ib" not in kind
    return link_data().curve("tcp" if plain else "infiniband")


def link_kind(link: Link, ranks: int, nodes: int = 1) -> str:
    """Name of the curve that the slowest part of a group of `ranks` GPUs runs on.

    >>> link_kind(Link(nvlink_gb_s=400, topology="nvswitch", domain=8, generation=4), 8)
    'nvlink4'
    """
    if islands_of(link, nodes * link.gpus_per_node if nodes > 1 else ranks) > 1:
        return _network_curve(link).kind
    inside = link.scale_up and ranks <= link.domain
    return (_scale_up_curve(link) if inside else _pcie_curve(link)).kind


def measured_link(link: Link, ranks: ArrayLike) -> NDArray[np.bool_]:
    """Whether collectives of groups of `ranks` GPUs were measured on such a link; one rank needs none."""
    n = np.asarray(ranks, np.float64)
    if not link.scale_up:
        return np.asarray((n <= 1) | (_pcie_curve(link).tag == "fitted"), np.bool_)
    curve = _scale_up_curve(link)
    known = not curve.measured_gb_s or link.nvlink_gb_s in curve.measured_gb_s
    return np.asarray((n <= 1) | (known and curve.tag == "fitted"), np.bool_)


def _inside_s(
    kind: Collective, size: ArrayLike, ranks: ArrayLike, stride: ArrayLike, link: Link
) -> Floats:
    """Seconds of a group that stays within one node or NVLink domain."""
    n = np.asarray(ranks, np.float64)
    pcie = curve_s(_pcie_curve(link), kind, size, n, link.pcie_gb_s)
    if not link.scale_up:
        return pcie
    rate = np.asarray(link.nvlink_gb_s / 2.0)
    if link.topology == "mesh":
        # A mesh's links go to one neighbour each: a smaller group uses only those between its members.
        peers = 1.0 if kind == "send_recv" else np.maximum(n - 1.0, 1.0)
        rate = rate * np.minimum(peers / (link.domain - 1), 1.0)
    fast = curve_s(_scale_up_curve(link), kind, size, n, rate)
    return np.where(n * np.asarray(stride) <= max(link.domain, 1), fast, pcie)


def _across_s(
    kind: Collective, size: ArrayLike, ranks: Floats, islands: Floats, link: Link
) -> Floats:
    """Seconds over the NICs between nodes (or larger NVLink domains), `ranks` spread evenly."""
    local = np.maximum(ranks / islands, 1.0)
    width = max(link.gpus_per_node, link.domain)
    nodes_per_island = width / link.gpus_per_node
    nics = (link.nics or link.gpus_per_node) * nodes_per_island
    reachable = np.minimum(local / nics, 1.0)
    rate = np.maximum(link.network_gb_s * nodes_per_island * reachable, 1e-3)
    curve = _network_curve(link)
    if kind == "send_recv":
        return curve_s(curve, kind, size, 2, rate / local)
    if kind == "all_to_all":
        # Each rank sends what leaves its island through its part of the NICs.
        leaving = np.asarray(size, np.float64) * (ranks - local) / np.maximum(ranks - 1.0, 1.0)
        return curve_s(curve, kind, leaving, ranks, rate / local)
    # A ring, or the rails of a hierarchy, crosses each border with the traffic of one rank.
    scale = traffic_share(kind, ranks) / np.maximum(traffic_share(kind, islands), 1e-9)
    return curve_s(curve, kind, np.asarray(size, np.float64) * scale, islands, rate)


def islands_of(link: Link, span: ArrayLike) -> Floats:
    """Nodes, or NVLink domains where these are larger, that `span` neighbouring GPUs cover."""
    width = max(link.gpus_per_node, link.domain)
    covered: Floats = np.ceil(np.asarray(span, np.float64) / width)
    return np.maximum(covered, 1.0)


def group_s(
    kind: Collective, message_bytes: ArrayLike, ranks: ArrayLike, stride: ArrayLike, link: Link
) -> Floats:
    """Seconds of a collective over `ranks` GPUs that stand `stride` apart in the replica."""
    n = np.asarray(ranks, np.float64)
    span = n * np.asarray(stride, np.float64)
    islands = np.minimum(islands_of(link, span), n)
    inner = np.where(islands > 1, np.maximum(n / islands, 1.0), n)
    inside = _inside_s(kind, message_bytes, inner, np.where(islands > 1, 1, stride), link)
    if not np.any(islands > 1):
        return inside
    if kind == "send_recv":
        inside = np.where(islands > 1, 0.0, inside)
    across = _across_s(kind, message_bytes, n, islands, link)
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
