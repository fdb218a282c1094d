"""Doubtful input: valid, but worth a warning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from planner.diagnostics import Diagnostic, Severity
from planner.scenario.lints_records import price_doubts, record_doubts
from planner.scenario.located import Located
from planner.scenario.own_models import UNLIMITED
from planner.scenario.paths import Step, span_of
from planner.scenario.resolved import ResolvedPool, ResolvedWorkload
from planner.scenario.schema_file import ScenarioFile
from planner.scenario.schema_training import FullWorkload, Training
from planner.scenario.schema_workloads import Serving

HIGH_FRACTION: Final = 0.95
"""A memory fraction above this leaves too little to what the engine does not count."""


def find_doubts(
    spec: ScenarioFile,
    pools: Sequence[ResolvedPool],
    workloads: Sequence[ResolvedWorkload],
    root: Located,
    today: date,
) -> list[Diagnostic]:
    """All warnings about a valid scenario; `today` decides how old a price is."""
    found = [*price_doubts(pools, root, today), *record_doubts(pools, workloads, root)]
    for index, pool in enumerate(pools):
        found += _no_nodes(pool, ["inventory", index], root)
    for index, workload in enumerate(workloads):
        steps: list[Step] = ["workloads", index]
        usable = [p for p in pools if _may_use(workload, p)]
        found += _context(workload, steps, root)
        found += _fraction(workload, steps, root)
        found += _tp_over_pcie(workload, usable, steps, root)
        found += _offload_room(workload, usable, steps, root)
        found += _long_samples(workload, steps, root)
        found += _spot(workload, usable, steps, root)
    return found


def _may_use(workload: ResolvedWorkload, pool: ResolvedPool) -> bool:
    allowed = workload.spec.pools
    return (
        allowed is None or pool.name in allowed
    ) and pool.name not in workload.spec.exclude_pools


def _warn(
    code: str, message: str, root: Located, steps: Sequence[Step], label: str, *help_lines: str
) -> Diagnostic:
    return Diagnostic(
        code, Severity.WARNING, message, span_of(root, steps), label=label, help=help_lines
    )


def _spot(
    workload: ResolvedWorkload, usable: Sequence[ResolvedPool], steps: list[Step], root: Located
) -> Iterator[Diagnostic]:
    rents = [rent for pool in usable for rent in pool.spec.rent]
    if workload.spec.spot is not None and all(r.interruption is None for r in rents):
        yield _warn(
            "P413", f"no pool that `{workload.name}` may use has spot nodes", root, [*steps, "spot"],
            "changes nothing", "give a rent an `interruption`, such as `10 %`, or remove `spot`",
        )  # fmt: skip


def _no_nodes(pool: ResolvedPool, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    spec = pool.spec
    later = spec.buy or spec.ordered or spec.contracts or any(r.until for r in spec.reserved)
    listed = spec.owned is not None and any((spec.owned.available or ())[1:])
    if (later or listed) and "horizon" in (root.mapping or {}):
        return
    if (
        all(r.max_nodes == 0 for r in pool.rent)
        and pool.available_nodes - pool.spec.spare_nodes <= 0
    ):
        yield _warn(
            "P410", f"no workload can use `{pool.name}`", root, [*steps, "owned"],
            f"{pool.owned_nodes} owned, {pool.available_nodes} available, {pool.spec.spare_nodes} kept free",
            "raise `available`, shorten `reserved`, or remove the pool",
        )  # fmt: skip


def _context(workload: ResolvedWorkload, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    longest = workload.model.max_position_embeddings
    key = "sequence" if isinstance(workload.spec, Training) else "context"
    asked = getattr(workload.spec, key)
    if asked is not None and 0 < longest < UNLIMITED and asked > longest:
        yield _warn(
            "P404", f"`{workload.model.id}` was made for at most {longest} tokens", root, [*steps, key],
            f"asks for {asked}", f"write `{key}: {longest}` unless the model was extended",
        )  # fmt: skip


def _fraction(workload: ResolvedWorkload, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    spec = workload.spec
    if isinstance(spec, Serving) and spec.memory_fraction and spec.memory_fraction > HIGH_FRACTION:
        yield _warn(
            "P406", f"`memory_fraction` of `{workload.name}` is above {HIGH_FRACTION}", root,
            [*steps, "memory_fraction"], "little is left for what the engine does not count",
            "engines take 0.90 or less by default; out-of-memory errors start above 0.95",
        )  # fmt: skip


def _tp_over_pcie(
    workload: ResolvedWorkload, pools: Sequence[ResolvedPool], steps: list[Step], root: Located
) -> Iterator[Diagnostic]:
    tp = workload.spec.parallel.tp
    if not tp or 1 in tp or not pools:
        return
    linked = [
        p for p in pools if p.node.nvlink_gb_s or (p.node.fabric and p.node.fabric.total_gb_s)
    ]
    if not linked:
        yield _warn(
            "P403", f"`{workload.name}` splits tensors over PCIe", root, [*steps, "parallel", "tp"],
            "no pool it may use has NVLink",
            "each layer waits for PCIe; `pp` or replicas on single GPUs are often faster",
        )  # fmt: skip


def _offload_room(
    workload: ResolvedWorkload, pools: Sequence[ResolvedPool], steps: list[Step], root: Located
) -> Iterator[Diagnostic]:
    spec = workload.spec
    targets: set[str] = set()
    if isinstance(spec, FullWorkload):
        offload = spec.offload
        targets = {str(t) for t in (*offload.optimizer, *offload.parameters, *offload.activations)}
    elif isinstance(spec, Serving) and spec.weight_offload:
        targets = {"cpu"}
    key = "offload" if isinstance(spec, FullWorkload) else "weight_offload"
    facts = {"cpu": ("host_ram", "host_ram_bytes"), "nvme": ("nvme", "nvme_bytes")}
    for target in sorted(targets - {"none"}):
        name, attribute = facts[target]
        unknown = [p.name for p in pools if getattr(p.node, attribute) is None]
        if unknown:
            yield _warn(
                "P409", f"`{name}` of {', '.join(f'`{n}`' for n in unknown)} is unknown", root,
                [*steps, key], f"`{workload.name}` may not offload there",
                f"add it to the node: `{name}: {'1 TiB' if name == 'host_ram' else '4 TB'}`",
            )  # fmt: skip


def _long_samples(
    workload: ResolvedWorkload, steps: list[Step], root: Located
) -> Iterator[Diagnostic]:
    spec = workload.spec
    if not isinstance(spec, Training) or spec.dataset is None:
        return
    sequence = getattr(spec, "sequence")  # noqa: B009
    if spec.dataset.mean_tokens > sequence:
        yield _warn(
            "P411", f"samples of `{workload.name}` are longer than a sequence", root,
            [*steps, "dataset", "mean_tokens"], f"a sequence holds {sequence} tokens",
            f"write `sequence: {-(-spec.dataset.mean_tokens // 1024) * 1024}` or samples will be cut",
        )  # fmt: skip
