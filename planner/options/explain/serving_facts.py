"""The memory account of an inference workload that does not fit, in sentences with both numbers."""

from __future__ import annotations

from collections.abc import Sequence

from planner.catalog.engines import ServingEngine, serving_engine
from planner.memory.serving import ServingMemory, serving_memory
from planner.options.asks import PoolFacts, ServingAsk
from planner.options.records import Reason, Rejection
from planner.options.serving_pass import memory_setup
from planner.units import GIB


def serving_facts(
    ask: ServingAsk, pools: Sequence[PoolFacts], rejections: Sequence[Rejection]
) -> list[str]:
    """Facts in the order a person would tell them: memory, then speed, then capability."""
    memory = [r for r in rejections if r.reason is Reason.MEMORY]
    facts: list[str] = []
    if memory:
        most = max(r.layout.gpus for r in memory)
        near = next(r for r in memory if r.layout.gpus == most)
        pool = next(p for p in pools if p.name == near.pool)
        facts += _memory_facts(ask, pool, near)
    for reason in (Reason.LATENCY, Reason.COUNT, Reason.HOST_RAM, Reason.INTERCONNECT):
        best = next((r for r in rejections if r.reason is reason), None)
        if best is not None:
            facts.append(f"on `{best.pool}`: {best.message}")
    capability = {r.message: r.pool for r in rejections if r.reason is Reason.CAPABILITY}
    facts += [f"on `{pool}`: {text}" for text, pool in list(capability.items())[:3]]
    if not facts:
        facts = list(dict.fromkeys(f"`{r.pool}`: {r.message}" for r in rejections))[:3]
    return facts


def _memory_facts(ask: ServingAsk, pool: PoolFacts, near: Rejection) -> list[str]:
    """Weights against what the engine's fraction leaves, and what is left at fraction 1.0."""
    layout = near.layout
    engine = serving_engine(layout.engine)
    memory = _memory(ask, pool, engine, near, fraction=None)
    total = float(memory.weight_bytes_total)
    weights = _component(memory, "weights")
    usable = float(memory.ledger.usable)
    device = pool.gpu.memory.cuda_total_mib * 2**20
    each = (
        f", {weights / GIB:.1f} GiB on each of {layout.gpus} GPUs (tp{layout.tp} pp{layout.pp})"
        if layout.gpus > 1
        else ""
    )
    facts = [
        f"weights are {total / GIB:.1f} GiB in {layout.weights}{each}",
        f"{engine.name} may use {usable / GIB:.1f} GiB of a {pool.gpu.name}: memory fraction "
        f"{usable / device:.2f} x {device / GIB:.2f} GiB",
    ]
    if ask.memory_fraction != 1.0:
        facts.append(_at_full_fraction(ask, pool, engine, near, device))
    return facts


def _at_full_fraction(
    ask: ServingAsk, pool: PoolFacts, engine: ServingEngine, near: Rejection, device: float
) -> str:
    memory = _memory(ask, pool, engine, near, fraction=1.0)
    weights, cache = _component(memory, "weights"), _component(memory, "kv_cache")
    left = device - weights - cache
    others = float(memory.ledger.best) - weights - cache
    verb = "leaves" if left >= 0 else "lacks"
    return (
        f"at fraction 1.0, one sequence of {ask.context:,} tokens ({cache / GIB:.2f} GiB per GPU) "
        f"{verb} {abs(left) / GIB:.2f} GiB for CUDA context, communication and activations, which "
        f"need {others / GIB:.2f} GiB"
    )


def _memory(
    ask: ServingAsk, pool: PoolFacts, engine: ServingEngine, near: Rejection, fraction: float | None
) -> ServingMemory:
    from dataclasses import replace

    layout = near.layout
    setup = memory_setup(ask, layout.weights, layout.kv or "auto")
    if fraction is not None:
        setup = replace(setup, memory_fraction=fraction)
    return serving_memory(
        ask.model, pool.gpu, engine, setup, tp=layout.tp, pp=layout.pp, ep=layout.ep, dp=layout.dp,
        nvlink=pool.link.scale_up,
    )  # fmt: skip


def _component(memory: ServingMemory, name: str) -> float:
    return float(sum(float(c.best) for c in memory.ledger.components if c.name == name))
