"""Attach catalog records and fill in defaults: from what the user wrote to what planner reckons with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Final

from pydantic import BaseModel

from planner import catalog
from planner.catalog.records import Gpu, NodeLink, NodeType, PcieLink
from planner.scenario.formats import BatchSize
from planner.scenario.refusals import shown
from planner.scenario.resolved import Default, NodeFacts, RentTerm, ResolvedPool
from planner.scenario.schema_file import ScenarioFile
from planner.scenario.schema_supply import Node, Pool, Rent
from planner.units import GIB, HOURS_PER_MONTH, TB, Price

LABEL_SHARE: Final = (97, 100)
"""MemTotal over the labelled host RAM, where it was not measured."""
SYSTEM_RESERVE_BYTES: Final = 16 * GIB
"""Host RAM left to the operating system and daemons."""


def resolve_pool(pool: Pool, path: str) -> tuple[ResolvedPool, list[Default]]:
    """The pool with its GPU and node facts, and which of them were not written in the scenario."""
    node = pool.node or Node.model_construct()
    record = catalog.node(node.type) if node.type else None
    gpu = catalog.gpu(pool.gpu or (record.gpu if record else ""))
    facts, defaults = _node_facts(node, record, gpu, f"{path}.node")
    owned = pool.owned.nodes if pool.owned else 0
    free = owned - sum(r.nodes for r in pool.reserved)
    available = free
    if pool.owned and pool.owned.available is not None:
        available = pool.owned.available[0]
    elif pool.owned and pool.reserved:
        defaults.append(Default(f"{path}.owned.available", str(free)))
    rent = tuple(_rent_term(r, facts.gpus, f"{path}.rent[{i}]") for i, r in enumerate(pool.rent))
    return ResolvedPool(pool, path, gpu, facts, owned, max(available, 0), rent), defaults


def _rent_term(rent: Rent, gpus: int, path: str) -> RentTerm:
    price = rent.price[0]
    per_node = price.amount * (gpus if price.per == "GPU-hour" else 1)
    day = rent.as_of.isoformat() if rent.as_of else ""
    most = None if rent.max_nodes is None else rent.max_nodes[0]
    return RentTerm(per_node, most, path, rent.source or "", day)


def _node_facts(
    node: Node, record: NodeType | None, gpu: Gpu, path: str
) -> tuple[NodeFacts, list[Default]]:
    gpus = node.gpus or (record.gpus if record else 1)
    link = resolve_link(node, record.link if record else None, gpu, gpus)
    network = node.network / 1e9 if node.network else ((record and record.network_gbit_s) or 0) / 8
    facts = NodeFacts(
        type=record.id if record else "",
        gpus=gpus,
        nvlink_gb_s=link.nvlink_gb_s,
        nvlink_domain=link.nvlink_domain,
        topology=link.topology,
        fabric=link.fabric,
        pcie=_pcie(node, record, gpu),
        host_ram_bytes=_host_ram(node, record),
        nvme_bytes=_nvme(node, record),
        network_gb_s=network,
        network_kind=node.network_kind or (record.network_kind if record else ""),
        power_w=_power(node, record),
        rack_units=node.rack_units,
    )
    return facts, list(_node_defaults(node, record, facts, path))


def resolve_link(node: Node, known: NodeLink | None, gpu: Gpu, gpus: int) -> NodeLink:
    """NVLink of a node: the scenario's words, else the node type's, else what the GPU's form factor implies.

    Cards that need a bridge have no NVLink unless the scenario or the node type says so.
    """
    built_in = gpu.nvlink.topology in ("nvswitch", "mesh") and gpus > 1
    fabric = known.fabric if known else (gpu.fabric if gpus > 1 else None)
    default = known or NodeLink.model_construct(
        nvlink_gb_s=gpu.nvlink.total_gb_s if built_in else 0.0,
        nvlink_domain=min(gpus, gpu.nvlink.domain) if built_in else 1,
        topology=gpu.nvlink.topology if built_in else "none",
    )
    topology = node.topology or default.topology
    speed = node.nvlink / 1e9 if node.nvlink is not None else default.nvlink_gb_s
    if node.topology not in (None, "none") and not speed:
        speed = gpu.nvlink.total_gb_s
    if topology == "none" and node.topology is None and speed:
        topology = gpu.nvlink.topology if gpu.nvlink.topology != "none" else "mesh"
    if topology == "none" or not speed:
        return NodeLink.model_construct(fabric=fabric)
    whole = 2 if topology == "bridge-pairs" else gpus
    written = node.topology is not None or node.nvlink is not None or node.gpus is not None
    domain = node.nvlink_domain or (whole if written or not known else known.nvlink_domain)
    return NodeLink.model_construct(
        nvlink_gb_s=speed, nvlink_domain=domain, topology=topology, fabric=fabric
    )


def _pcie(node: Node, record: NodeType | None, gpu: Gpu) -> PcieLink | None:
    known = (record.pcie if record else None) or gpu.pcie
    p2p = node.p2p if node.p2p is not None else (known.p2p if known else True)
    if node.pcie is not None:
        return PcieLink.model_construct(
            generation=node.pcie.generation, lanes=node.pcie.lanes, p2p=p2p
        )
    return (
        PcieLink.model_construct(generation=known.generation, lanes=known.lanes, p2p=p2p)
        if known
        else None
    )


def usable_host_ram(label_bytes: int, *, measured: bool = False) -> int:
    """Host RAM that workloads may use: 0.97 of a label (MemTotal as it is), less 16 GiB for the system.

    >>> round(usable_host_ram(256 * GIB) / GIB, 2)
    232.32
    """
    total = label_bytes if measured else label_bytes * LABEL_SHARE[0] // LABEL_SHARE[1]
    return max(0, total - SYSTEM_RESERVE_BYTES)


def _host_ram(node: Node, record: NodeType | None) -> int | None:
    if node.host_ram is not None:
        return usable_host_ram(node.host_ram)
    if record is None or record.host_ram_gib is None:
        return None
    label = math.floor(record.host_ram_gib * GIB)
    return usable_host_ram(label, measured=record.host_ram_is_total)


def _nvme(node: Node, record: NodeType | None) -> int | None:
    if node.nvme is not None:
        return node.nvme
    return math.floor(record.nvme_tb * TB) if record and record.nvme_tb is not None else None


def _power(node: Node, record: NodeType | None) -> Fraction | None:
    """The scenario's words, else the node type's; a node with another number of GPUs is another node."""
    if node.power is not None:
        return node.power
    if record is None or not record.system_power_kw or node.gpus not in (None, record.gpus):
        return None
    return Fraction(str(record.system_power_kw)) * 1000


def _node_defaults(
    node: Node, record: NodeType | None, facts: NodeFacts, path: str
) -> Iterator[Default]:
    """Facts of a node described in the scenario that come from the GPU, not from its words."""
    if record is not None:
        return
    if node.gpus is None:
        yield Default(f"{path}.gpus", "1")
    if facts.gpus > 1 and node.nvlink is None:
        yield Default(f"{path}.nvlink", f"{facts.nvlink_gb_s:g} GB/s")
    if facts.gpus > 1 and node.topology is None:
        yield Default(f"{path}.topology", facts.topology)
    if node.pcie is None and facts.pcie is not None:
        yield Default(f"{path}.pcie", f"gen{facts.pcie.generation} x{facts.pcie.lanes}")
    if node.p2p is None and facts.gpus > 1 and facts.pcie is not None:
        yield Default(f"{path}.p2p", shown(facts.pcie.p2p))
    if node.host_ram is not None:
        yield Default(f"{path}.host_ram.usable", f"{(facts.host_ram_bytes or 0) / GIB:.1f} GiB")


# ----------------------------------------------------------------------------------------- defaults


def find_defaults(spec: ScenarioFile) -> list[Default]:
    """Every value of the workloads that the user did not write."""
    found: list[Default] = []
    for index, workload in enumerate(spec.workloads):
        found += _defaults_of(workload, f"workloads[{index}]")
    if spec.energy is not None:
        found += _defaults_of(spec.energy, "energy")
    return found


def _defaults_of(part: BaseModel, path: str) -> Iterator[Default]:
    for name in type(part).model_fields:
        value = getattr(part, name)
        below = f"{path}.{name}"
        if isinstance(value, BaseModel):
            yield from _defaults_of(value, below)
        elif name not in part.model_fields_set and (text := default_text(part, name)):
            yield Default(below, text)


def default_text(part: BaseModel, name: str) -> str:
    """A default as the user would have written it; empty where it means that nothing was said."""
    value = getattr(part, name)
    if value is None:
        accepts_auto = any(
            getattr(m, "auto", False) for m in type(part).model_fields[name].metadata
        )
        return "auto" if accepts_auto else ""
    if isinstance(value, BaseModel | dict):
        return ""
    if isinstance(value, tuple):
        return ", ".join(shown(v) for v in value)
    if isinstance(value, BatchSize):
        return f"{value.count} {value.unit}"
    if isinstance(value, Price):
        return f"{value.amount} {value.currency}"
    return shown(value)


def upkeep_per_node_hour(pool: Pool) -> Decimal:
    """Upkeep of one owned node and hour, energy not counted."""
    upkeep = pool.owned.upkeep if pool.owned else None
    return upkeep.amount / HOURS_PER_MONTH if upkeep else Decimal(0)
