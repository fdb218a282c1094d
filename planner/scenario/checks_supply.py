"""Contradictions inside one pool."""

from __future__ import annotations

from collections.abc import Iterator

from planner import catalog
from planner.catalog.lookup import UnknownRecord
from planner.catalog.records import Gpu, NodeType
from planner.diagnostics import Diagnostic, DiagnosticError, Severity
from planner.scenario.checks_offers import check_offers, item_place
from planner.scenario.clash import clash
from planner.scenario.key_messages import missing_key
from planner.scenario.located import Located
from planner.scenario.paths import Step
from planner.scenario.schema_supply import Node, Pool


def check_pool(pool: Pool, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    """Contradictions inside one pool."""
    yield from _supply(pool, steps, root)
    yield from check_offers(pool, steps, root)
    node = pool.node or Node()
    if pool.gpu is None and node.type is None:
        yield missing_key([*steps, "gpu"], root)
        return
    try:
        record = catalog.node(node.type) if node.type else None
        gpu = catalog.gpu(pool.gpu or (record.gpu if record else ""))
    except UnknownRecord:
        return
    except DiagnosticError as error:
        yield from error.diagnostics
        return
    yield from _same_gpu(gpu, record, steps, root)
    yield from _link(node, gpu, steps, root)
    yield from _pcie(node, gpu, steps, root)


def _supply(pool: Pool, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    if (
        pool.owned is None
        and not pool.rent
        and not pool.buy
        and not pool.ordered
        and not pool.contracts
    ):
        yield missing_key([*steps, "owned"], root)
    held = sum(r.nodes for r in pool.reserved)
    if pool.owned is None:
        if held:
            yield missing_key([*steps, "owned"], root)
        return
    nodes, place = pool.owned.nodes, [*steps, "owned", "available"]
    listed = pool.owned.available or ()
    available = listed[0] if len(listed) == 1 else 0
    most = max(listed, default=0)
    if most > nodes:
        at = item_place(root, place, listed.index(most))
        yield clash(
            root, at, f"{most} nodes are available of {nodes} owned", [*steps, "owned", "nodes"],
            help=f"write `available: {nodes}` or less",
        )  # fmt: skip
    elif len(listed) > 1 and pool.reserved:
        yield clash(
            root, place, "a list of available nodes already counts what is reserved", [*steps, "reserved"],
            help="remove `reserved`, or give one number",
        )  # fmt: skip
    elif held + available > nodes:
        sum_text = f"{held} reserved" + (f" + {available} available" if available else "")
        yield clash(
            root, [*steps, "reserved"], f"{sum_text} nodes are more than the {nodes} owned",
            [*steps, "owned", "nodes"], help="reserved and available nodes together are at most the owned ones",
        )  # fmt: skip


def _same_gpu(
    gpu: Gpu, record: NodeType | None, steps: list[Step], root: Located
) -> Iterator[Diagnostic]:
    if record is not None and catalog.gpu(record.gpu).id != gpu.id:
        yield clash(
            root, [*steps, "gpu"], f"node type `{record.id}` has `{record.gpu}`, not `{gpu.id}`",
            [*steps, "node"], help="remove `gpu`, or choose another node type",
        )  # fmt: skip


def _link(node: Node, gpu: Gpu, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    place = [*steps, "node", "nvlink"]
    if node.nvlink and node.topology == "none":
        yield clash(
            root, place, "`topology: none` says that there is no NVLink", [*steps, "node", "topology"],
            help="remove `nvlink`, or write `topology: mesh`, `nvswitch` or `bridge-pairs`",
        )  # fmt: skip
    limit = gpu.nvlink.total_gb_s
    if node.nvlink and node.nvlink > limit * 1e9:
        has = f"has {limit:g} GB/s of NVLink" if limit else "has no NVLink"
        yield clash(
            root, place, f"`{gpu.id}` {has}, both directions summed over all links",
            label=f"{node.nvlink / 1e9:g} GB/s",
            help=f"write `nvlink: {limit:g} GB/s`" if limit else "remove `nvlink`, or write `topology: none`",
        )  # fmt: skip
    if node.topology not in (None, "none") and not limit:
        yield clash(
            root, [*steps, "node", "topology"], f"`{gpu.id}` has no NVLink", help="write `topology: none`"
        )  # fmt: skip
    if node.topology not in (None, "none") and node.nvlink == 0:
        yield clash(
            root, place, f"`topology: {node.topology}` needs NVLink", [*steps, "node", "topology"],
            help="write `topology: none`, or the bandwidth of NVLink",
        )  # fmt: skip


def _pcie(node: Node, gpu: Gpu, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    if node.pcie is None or gpu.pcie is None:
        return
    if node.pcie.generation > gpu.pcie.generation or node.pcie.lanes > gpu.pcie.lanes:
        best = f"gen{gpu.pcie.generation} x{gpu.pcie.lanes}"
        yield Diagnostic(
            "P210",
            Severity.ERROR,
            f"`{gpu.id}` has PCIe {best}",
            clash(root, [*steps, "node", "pcie"], "").span,
            label="faster than the GPU's own link",
            help=(f"write `pcie: {best}`, or what the slot gives where that is less",),
        )
