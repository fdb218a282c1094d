"""What connects the GPUs of a replica, and the bandwidth between any two of them.

Everything is GB/s = 10^9 bytes/s. NVLink and `interconnect.min` are per GPU with both directions summed; network and
host figures are named by one direction, as vendors do, and are doubled before they are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from planner.catalog.records import Gpu, NodeType

Topology = Literal["nvswitch", "mesh", "bridge-pairs", "none"]
Between = Literal["tp", "replica", "nodes"]

PCIE_LANE_GB_S: Final = {1: 0.25, 2: 0.5, 3: 0.985, 4: 1.969, 5: 3.938, 6: 7.563}
"""One lane in one direction after line coding: 8, 16, 32 GT/s x 128/130 for generations 3 to 5."""
GBIT_PER_GB: Final = 8.0


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
