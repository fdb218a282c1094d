"""A resolved scenario becomes a question: asks, suppliers, prices and limits in base units."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

from planner.catalog.records import Gpu
from planner.layout import Offload
from planner.options.asks import (
    Ask,
    Degrees,
    LinkFloor,
    PoolFacts,
    ServingAsk,
    TrainingAsk,
)
from planner.options.build import Supplier, Wish
from planner.options.drives import NVME_GB_S
from planner.options.energy import energy_of, power_words
from planner.options.power import draw_of
from planner.options.problem import Limit
from planner.options.question import Question
from planner.options.serving_load import load_of
from planner.options.spot import least_interruption, spot_assumptions, with_spot
from planner.options.terms import HORIZON_H, Energy, Term
from planner.options.tiers import most_rented
from planner.scenario.resolved import NodeFacts, ResolvedPool, ResolvedWorkload, Scenario
from planner.scenario.schema_base import Target
from planner.scenario.schema_file import WorkloadSpec
from planner.scenario.schema_training import (
    AdapterTraining,
    FullWorkload,
    LoraWorkload,
    QloraWorkload,
    Training,
)
from planner.scenario.schema_workloads import (
    Generating,
    Serving,
)
from planner.speed.links import Link, link_of
from planner.units import GB, HOUR_S, to_cents

OFFLOAD_TARGETS: tuple[Offload, ...] = ("none", "cpu", "nvme")
TELLING_DEFAULTS = frozenset(
    {
        "precision", "master", "optimizer", "loss", "base", "sequence", "global_batch", "context",
        "lora.rank", "lora.targets", "slo.percentile", "dataset.packing", "memory_fraction",
    }
)  # fmt: skip
"""Defaults whose value a reader should see beside the figures that rest on it."""


def question_of(scenario: Scenario) -> Question:
    """The question a scenario asks."""
    energy = energy_of(scenario)
    hours = hours_of(scenario)
    return Question(
        name=scenario.name,
        currency=scenario.spec.currency,
        asks=tuple(with_spot(scenario, ask_of(w)) for w in scenario.workloads),
        wishes=tuple(_wish(w.spec, hours) for w in scenario.workloads),
        suppliers=tuple(supplier_of(p, hours) for p in scenario.pools),
        energy=energy,
        limits=_limits(scenario),
        defaults=_defaults(scenario),
        teams={w.name: w.spec.team for w in scenario.workloads if w.spec.team},
        assumptions=_assumptions(scenario, energy),
        warnings=tuple(f"[{d.code}] {d.message}" for d in scenario.warnings),
    )


# ------------------------------------------------------------------------------------------ supply


def hours_of(scenario: Scenario) -> int:
    """Billed hours of the horizon; 730, a month, in a steady state."""
    return int(scenario.horizon_s / HOUR_S)


def supplier_of(pool: ResolvedPool, hours: int = HORIZON_H) -> Supplier:
    """The pool with its price terms: owned nodes and every way to rent on demand."""
    terms = []
    if pool.available_nodes:
        upkeep = pool.spec.owned.upkeep if pool.spec.owned else None
        terms.append(
            Term(
                "owned",
                pool.available_nodes,
                node_month=upkeep.amount if upkeep else Decimal(0),
                pays_energy=True,
                hours=hours,
            )
        )
    for number, rent in enumerate(pool.spec.rent):
        price, most = rent.price[0], most_rented(rent)
        if not most:
            continue
        by_gpu = price.per == "GPU-hour"
        name = "rented" if rent.interruption is None else "spot"
        name += f" {number + 1}" if len(pool.spec.rent) > 1 else ""
        terms.append(
            Term(
                name,
                most,
                node_hour=Decimal(0) if by_gpu else price.amount,
                gpu_hour=price.amount if by_gpu else Decimal(0),
                hours=hours,
                interruption=rent.interruption,
            )
        )
    facts = PoolFacts(
        name=pool.name,
        gpu=pool.gpu,
        link=_link(pool.gpu, pool.node),
        node_gpus=pool.node.gpus,
        max_nodes=sum(t.max_nodes for t in terms),
        host_bytes=pool.node.host_ram_bytes,
        nvme_bytes=pool.node.nvme_bytes,
        interruption=least_interruption(terms),
    )
    return Supplier(
        facts, tuple(terms), spare_nodes=pool.spec.spare_nodes, draw=draw_of(pool),
        rack_units=pool.node.rack_units or 0,
    )  # fmt: skip


def _link(gpu: Gpu, node: NodeFacts) -> Link:
    """The link of a pool: the GPU's own facts, overridden by what the scenario says of the node."""
    link = replace(
        link_of(gpu, gpus_per_node=node.gpus, network_gbit_s=node.network_gb_s * 8),
        nvlink_gb_s=node.nvlink_gb_s,
        topology=node.topology,
        domain=node.nvlink_domain,
        network_kind=node.network_kind,
    )
    if node.nvme_bytes:
        link = replace(link, nvme_gb_s=NVME_GB_S)
    if node.pcie is not None:
        link = replace(
            link,
            pcie_generation=node.pcie.generation,
            pcie_lanes=node.pcie.lanes,
            pcie_p2p=node.pcie.p2p,
        )
    if node.fabric is not None and node.fabric.total_gb_s:
        link = replace(
            link,
            nvlink_gb_s=node.fabric.total_gb_s,
            topology="mesh",
            domain=node.fabric.domain or node.gpus,
            generation=None,
            fabric=node.fabric.kind,
        )
    return link


def _limits(scenario: Scenario) -> tuple[Limit, ...]:
    spec = scenario.spec.limits
    rows = []
    if spec.opex is not None:
        rows.append(Limit("limits.opex", "cost", to_cents(spec.opex[0].amount, up=False)))
    if spec.power is not None:
        rows.append(Limit("limits.power", "power", math.floor(spec.power[0])))
    if spec.rack_units is not None:
        rows.append(Limit("limits.rack_units", "racks", spec.rack_units[0]))
    return tuple(rows)


def _assumptions(scenario: Scenario, energy: Energy) -> tuple[str, ...]:
    texts = [
        f"services run a month of {HORIZON_H} hours; each job runs within it, once or as often as "
        "`every` says, is billed by started hours on rented nodes of its own, and keeps its GPUs for "
        "the whole month; training runs may take turns on the same GPUs, together no longer than the "
        "shortest of their deadlines and intervals"
    ]
    texts += power_words(scenario, energy)
    texts += spot_assumptions(scenario)
    unpriced = [p.name for p in scenario.pools if p.available_nodes and not energy.usd_per_kwh]
    if unpriced:
        texts.append(
            f"no energy price is given, so owned nodes cost nothing: {', '.join(unpriced)}"
        )
    return tuple(texts)


def _wish(spec: WorkloadSpec, hours: int) -> Wish:
    every = getattr(spec, "every", None)
    runs = math.ceil(hours * HOUR_S / every) if every else 1
    every_h = float(every / HOUR_S) if every else None
    return Wish(spec.required, spec.priority, max(1, runs), every_h)


def _defaults(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Per workload, defaults that move figures, in the schema's order; those that stand for "none" stay unsaid."""
    found: dict[str, list[str]] = {w.path: [] for w in scenario.workloads}
    for path, value in scenario.defaults:
        workload, _, name = path.partition(".")
        if name in TELLING_DEFAULTS and workload in found:
            found[workload].append(f"{name} = {value}")
    return {w.name: tuple(found[w.path]) for w in scenario.workloads}


# ------------------------------------------------------------------------------------------ demand


def ask_of(workload: ResolvedWorkload) -> Ask:
    """What a workload asks, in base units."""
    spec = workload.spec
    if isinstance(spec, Training):
        return _training(workload, spec)
    assert isinstance(spec, Serving)
    return _serving(workload, spec)


def _common(workload: ResolvedWorkload) -> dict[str, object]:
    spec = workload.spec
    parallel, floor = spec.parallel, spec.interconnect
    return {
        "name": spec.name,
        "model": workload.model,
        "kind": spec.kind,
        "degrees": Degrees(
            parallel.tp,
            parallel.pp,
            parallel.dp,
            parallel.ep,
            parallel.cp,
            parallel.tp_across_nodes,
        ),
        "gpus_min": spec.gpus.min or 1,
        "gpus_max": spec.gpus.max,
        "attention": spec.attention,
        "floor": LinkFloor(floor.min / GB, floor.between) if floor else None,
        "risk": spec.risk,
        "pools": spec.pools,
        "exclude_pools": spec.exclude_pools,
        "spot": spec.kind != "inference" if spec.spot is None else spec.spot,
        "deadline_s": float(d) if (d := getattr(spec, "deadline", None)) else None,
    }


def _serving(workload: ResolvedWorkload, spec: Serving) -> ServingAsk:
    engine: dict[str, object] = {
        "engine": spec.engine,
        "precision": spec.precision,
        "memory_fraction": float(spec.memory_fraction) if spec.memory_fraction else None,
        "weight_offload_bytes": spec.weight_offload,
        "max_batch": spec.max_batch,
        "max_batch_tokens": spec.max_batch_tokens,
        "cuda_graphs": spec.cuda_graphs,
    }
    if isinstance(spec, Generating):
        engine["kv"] = spec.kv or ("auto",)
        engine["prefix_cached"] = float(spec.prefix_cache)
    return ServingAsk(**_common(workload), **engine, **load_of(spec))  # type: ignore[arg-type]


def _training(workload: ResolvedWorkload, spec: Training) -> TrainingAsk:
    shape: dict[str, object] = {}
    if isinstance(spec, FullWorkload):
        offload = spec.offload
        shape = {
            "zero": spec.zero,
            "offload_optimizer": _targets(offload.optimizer),
            "offload_parameters": _targets(offload.parameters),
            "offload_activations": _targets(offload.activations),
        }
    elif isinstance(spec, AdapterTraining):
        shape = {
            "sharding": spec.sharding,
            "lora_rank": spec.lora.rank,
            "lora_targets": spec.lora.targets,
            "dora": spec.lora.dora,
            "base": spec.base if isinstance(spec, QloraWorkload) else None,
        }
    assert isinstance(spec, FullWorkload | LoraWorkload | QloraWorkload)
    batch = spec.global_batch
    sequences = batch.count if batch.unit == "sequences" else max(1, batch.count // spec.sequence)
    return TrainingAsk(
        **_common(workload),  # type: ignore[arg-type]
        **shape,  # type: ignore[arg-type]
        framework=spec.framework,
        precision=spec.precision,
        master=spec.master,
        optimizer=spec.optimizer,
        recompute=spec.recompute,
        loss=spec.loss,
        sequence=spec.sequence,
        global_batch=sequences,
        micro_batch=spec.micro_batch,
        tokens=_padded_tokens(spec, spec.sequence),
    )


def _targets(values: tuple[Target, ...]) -> tuple[Offload, ...]:
    """Targets in the order planner prefers them, whatever the order in the file."""
    return tuple(t for t in OFFLOAD_TARGETS if t in values)


def _padded_tokens(spec: Training, sequence: int) -> float:
    """Tokens the GPUs really process: without packing each sample is padded to the sequence length."""
    data = spec.dataset
    if data is not None and not data.packing:
        return float(data.samples * data.epochs * sequence)
    return float(spec.total_tokens)
