"""Memory and speed of one serving replica, from the workload, the pool and the layout alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engine_support import support
from planner.catalog.engines import serving_engine
from planner.layout import Layout
from planner.memory.serving import ServingMemory, ServingSetup, serving_memory
from planner.options.asks import PoolFacts, ServingAsk
from planner.speed.serving import ServingSpeed, ServingSpeedSetup, serving_speed
from planner.units import GIB, HOUR_S
from planner.verify.figures import Figures, Memory, Speed, ledger_lines, one


def derive_serving(ask: ServingAsk, pool: PoolFacts, layout: Layout) -> Figures:
    """The figures of a serving replica."""
    memory = memory_of(ask, pool, layout)
    held = one(memory.sequences_low if ask.careful else memory.sequences)
    if ask.concurrent is not None:
        held = min(held, ask.concurrent)  # no replica sees more than all that is in flight
    held = max(1.0, held)
    speed = serving_speed(
        ask.model, pool.gpu, pool.link, layout.engine, _speed_setup(ask, pool, layout),
        sequences=np.array([held]), **_axes(layout),
    )  # fmt: skip
    flight = one(speed.concurrency) or 1.0
    return Figures(account_of(ask, layout, memory, flight), _speed(ask, speed))


def memory_of(ask: ServingAsk, pool: PoolFacts, layout: Layout) -> ServingMemory:
    """Memory of one replica."""
    return serving_memory(
        ask.model, pool.gpu, serving_engine(layout.engine), _memory_setup(ask, layout),
        nvlink=pool.link.scale_up, **_axes(layout),
    )  # fmt: skip


def _axes(layout: Layout) -> dict[str, NDArray[np.int64]]:
    return {n: np.array([getattr(layout, n)]) for n in ("tp", "pp", "ep", "dp")}


def _memory_setup(ask: ServingAsk, layout: Layout) -> ServingSetup:
    return ServingSetup(
        weights=layout.weights,
        kv=layout.kv or "auto",
        context=ask.context,
        tokens_per_sequence=ask.prompt + ask.output if ask.sizes_stated else None,
        max_num_seqs=ask.max_batch,
        max_batched_tokens=ask.max_batch_tokens,
        memory_fraction=ask.memory_fraction,
        eager=not ask.cuda_graphs,
        attention=ask.attention,
        offload_weights_bytes=ask.weight_offload_bytes,
    )


def _speed_setup(ask: ServingAsk, pool: PoolFacts, layout: Layout) -> ServingSpeedSetup:
    how = support(
        serving_engine(layout.engine), layout.weights, layout.kv or "auto", ask.attention,
        ask.model, pool.gpu,
    )  # fmt: skip
    return ServingSpeedSetup(
        weights=layout.weights,
        kv=layout.kv or pool.gpu.sixteen_bit,
        arithmetic="native" if how.how == "native" else "16bit",
        prompt=ask.prompt,
        output=ask.output,
        prefix_cached=ask.prefix_cached,
        ttft_s=ask.ttft_s,
        tpot_s=ask.tpot_s,
        percentile=ask.percentile,
        host_weights_gib=ask.weight_offload_bytes / GIB,
        batch_job=ask.kind != "inference",
        closed_loop=ask.concurrent is not None,
    )


def account_of(ask: ServingAsk, layout: Layout, memory: ServingMemory, flight: float) -> Memory:
    """The account with the cache of the sequences in flight, where that is more than start-up checks."""
    ledger = memory.ledger
    lines = ledger_lines(ledger)
    tokens = ask.prompt + ask.output if ask.sizes_stated else ask.context
    loaded = flight * tokens * one(memory.kv_bytes_per_token) / GIB
    more = 0.0
    if "kv_cache" in lines:
        best, upper = lines["kv_cache"]
        more = max(0.0, loaded - best)
        lines["kv_cache"] = (best + more, upper + more)
    usable, usable_low = one(ledger.usable) / GIB, one(ledger.usable_low) / GIB
    total = min(one(ledger.best) / GIB + more, usable)
    top = max(total, min(one(ledger.upper) / GIB + more, usable_low))
    start = one(ledger.upper if ask.careful else ledger.best) / GIB
    return Memory(
        components=lines,
        total_gib=total,
        upper_gib=top,
        usable_gib=usable,
        need_gib=start,
        have_gib=usable_low if ask.careful else usable,
        fits=bool(np.all(memory.runs if ask.careful else memory.runs_best)),
        host_gib=one(ledger.host_bytes) / GIB,
        nvme_gib=0.0,
        host_bytes=one(ledger.host_bytes),
        nvme_bytes=0.0,
        extrapolated=bool(ledger.extrapolated),
    )


def _speed(ask: ServingAsk, speed: ServingSpeed) -> Speed:
    served = str(speed.limit[0]) != "slo"
    flight = one(speed.concurrency)
    if ask.concurrent is not None:
        # Whole sequences are counted.
        whole = float(np.floor(flight + 1e-6))
        held = whole if served else 0.0
        rates, counted, demand = (held, held, held), held, float(ask.concurrent)
    else:
        rates = (one(speed.requests_per_s), one(speed.low), one(speed.high))
        counted, demand = rates[1] if ask.careful else rates[0], ask.rate or 0.0
    return Speed(
        rate=rates[0],
        rate_low=rates[1],
        rate_high=rates[2],
        counted=counted,
        demand=demand,
        hours=ask.deadline_s / HOUR_S if ask.deadline_s else None,
        ttft_s=one(speed.ttft_percentile_s),
        tpot_s=one(speed.tpot_percentile_s),
        concurrency=flight,
        extrapolated=bool(np.any(speed.extrapolated)),
    )
