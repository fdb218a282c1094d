"""The account of engines that use the whole GPU: what static engines and llama.cpp share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engines import ServingEngine
from planner.catalog.formats import WeightFormat
from planner.catalog.records import Gpu, Model
from planner.memory.grid import Grid
from planner.memory.kv_cache import KvRules, StageKv, stage_kv
from planner.memory.serving_account import (
    Account,
    Part,
    cache_rules,
    take,
    totals,
    weight_rules,
    weight_span,
)
from planner.memory.serving_parts import Span
from planner.memory.serving_setup import ServingSetup
from planner.memory.weights import Stages, stage_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Resident:
    """Weights and cache of every stage, and the fullest one."""

    weights: Floats
    whole: StageKv
    """Cache of one sequence of the context."""
    tight: NDArray[np.int64]
    held: Floats
    """Cache of the whole batch on the fullest stage."""
    cache: KvRules
    style: Stages

    def parts(self, fmt: WeightFormat) -> tuple[Part, Part]:
        """Weights and cache of the fullest stage."""
        span = weight_span(take(self.weights, self.tight), fmt)
        return (
            Part("weights", span, "stage_weights", "calibrated"),
            Part("kv_cache", Span(self.held, self.held), "stage_kv", "measured"),
        )


def resident(
    model: Model,
    gpu: Gpu,
    engine: ServingEngine,
    setup: ServingSetup,
    fmt: WeightFormat,
    g: Grid,
    step: int,
) -> Resident:
    """Weights and the cache of `batch` sequences of `context` tokens."""
    rules = weight_rules(engine, fmt, gpu)
    cache = cache_rules(engine, setup, fmt, step)
    weights = stage_weights(model, fmt, g.tp, g.pp, g.dp, rules).by_stage
    weights = np.maximum(weights - setup.offload_weights_bytes, 0.0)
    whole = stage_kv(model, g.tp, g.pp, setup.context, cache, rules.stages)
    tight = np.asarray(np.argmax(weights + setup.batch * whole.sequence, axis=1))
    held = setup.batch * take(whole.sequence, tight)
    return Resident(weights, whole, tight, held, cache, rules.stages)


def _sequences(
    model: Model, setup: ServingSetup, g: Grid, base: Resident, room: Floats, tokens: float | Floats
) -> Floats:
    """Sequences of so many tokens in the room for cache, at most as many as the engine takes at once."""
    kv = stage_kv(model, g.tp, g.pp, tokens, base.cache, base.style)
    one = take(kv.sequence, base.tight)
    with np.errstate(divide="ignore", invalid="ignore"):
        fits = np.where(one > 0, np.floor(room / one), 0.0)
    return np.clip(fits, 0, setup.max_num_seqs or setup.batch)


def device_account(
    model: Model,
    gpu: Gpu,
    engine: ServingEngine,
    setup: ServingSetup,
    g: Grid,
    base: Resident,
    parts: tuple[Part, ...],
    host_bytes: Floats,
) -> Account:
    """Account of an engine whose parts share the whole CUDA total; the cache may take what they leave."""
    total, low = totals(gpu, g)
    shape = base.held.shape
    used = sum((p.span.best for p in parts), np.zeros(shape))
    margins = sum(((p.span.upper - p.span.best) ** 2 for p in parts), np.zeros(shape))
    room = total - used + base.held
    room_low = low - used - np.sqrt(margins) + base.held
    long = setup.tokens_per_sequence_p95 or g.tokens
    context = next((p.span.best for p in parts if p.name == "context"), np.zeros(shape))
    return Account(
        parts=parts,
        usable=np.full(shape, total),
        usable_low=np.full(shape, low),
        usable_formula="CUDA total",
        pool=room,
        pool_low=room_low,
        tokens=np.full(shape, float(setup.batch * setup.context)),
        token_bytes=base.whole.token.max(axis=1),
        sequences=_sequences(model, setup, g, base, room, g.tokens),
        sequences_low=_sequences(model, setup, g, base, room_low, long),
        weights_total=base.weights.sum(axis=1) * g.tp * g.dp,
        reported=used if engine.memory.budget.total == "device" else used - context,
        host_bytes=host_bytes,
    )
