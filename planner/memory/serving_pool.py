"""Engines that size a cache pool at start-up: vLLM, SGLang, TensorRT-LLM, LMDeploy, TGI."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engines import ServingEngine
from planner.catalog.formats import WeightFormat
from planner.catalog.records import Gpu, Model
from planner.memory.grid import Grid
from planner.memory.kv_cache import StageKv, stage_kv
from planner.memory.serving_account import (
    Account,
    Part,
    beside_weights,
    cache_rules,
    take,
    totals,
    weight_rules,
    weight_span,
)
from planner.memory.serving_parts import (
    Span,
    constant_span,
    cuda_graphs,
    non_torch,
    profile_activations,
    sequences_limit,
    step_tokens,
)
from planner.memory.serving_setup import ServingSetup
from planner.memory.weights import stage_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Overheads:
    """Parts beside weights and cache, per layout."""

    activations: Span
    libraries: Span
    graphs: Span
    context: Span


def _overheads(
    model: Model, gpu: Gpu, engine: ServingEngine, setup: ServingSetup, g: Grid, step: int
) -> _Overheads:
    sequences = sequences_limit(engine, gpu, setup.max_num_seqs)
    return _Overheads(
        profile_activations(
            engine, model, gpu, g, (step, sequences, setup.context), setup.attention
        ),
        non_torch(engine, g),
        cuda_graphs(engine, model, g, eager=setup.eager),
        constant_span(engine.memory.budget.context, g.tp.shape),
    )


def _usable(
    engine: ServingEngine, setup: ServingSetup, gpu: Gpu, g: Grid, over: _Overheads
) -> tuple[Floats, Floats, float]:
    """Bytes that weights, cache and the parts inside the fraction may take: best, low; and the fraction."""
    budget = engine.memory.budget
    fraction = setup.memory_fraction or budget.fraction
    total, low = totals(gpu, g)
    shape = over.context.best.shape
    if budget.fraction_of == "free":
        return np.full(shape, total), np.full(shape, low), fraction
    if budget.fraction_of == "available":
        outside = over.context + over.libraries
        return fraction * (total - outside.best), fraction * (low - outside.upper), fraction
    return np.full(shape, fraction * total), np.full(shape, fraction * low), fraction


def _parts(engine: ServingEngine, over: _Overheads) -> tuple[Part, ...]:
    """Parts that count against the usable memory."""
    budget = engine.memory.budget
    parts = [Part("activations", over.activations, "profile_activations", "calibrated")]
    if budget.fraction_of != "available":
        parts.append(Part("non_torch", over.libraries, "non_torch", "measured"))
        if budget.context_inside:
            parts.append(Part("context", over.context, "cuda_context", "measured"))
    if engine.memory.graphs is not None and engine.memory.graphs.inside:
        parts.append(Part("cuda_graphs", over.graphs, "cuda_graphs", "calibrated"))
    return tuple(parts)


def _graphs_fail(
    engine: ServingEngine, gpu: Gpu, g: Grid, over: _Overheads, usable: Floats
) -> NDArray[np.bool_]:
    """Layouts whose graphs, captured beside the fraction, exceed the GPU even at best values."""
    graphs = engine.memory.graphs
    if graphs is None or graphs.inside or engine.memory.budget.fraction_of != "total":
        return np.zeros(usable.shape, dtype=bool)
    return np.asarray(usable + over.graphs.best > totals(gpu, g)[0])


def _tokens(
    engine: ServingEngine, setup: ServingSetup, kv: StageKv, pool: Floats, block: int
) -> Floats:
    """Cache tokens as the log prints them: the least over the stages, in whole blocks."""
    with np.errstate(divide="ignore", invalid="ignore"):
        linear = np.where(kv.token > 0, pool / kv.token, np.inf).min(axis=1)
        held = np.where(kv.sequence > 0, pool / kv.sequence, np.inf).min(axis=1)
    windows = bool((kv.long_token < kv.token).any())
    if engine.memory.kv.printed_tokens == "concurrency" and windows:
        linear, block = held * setup.context, 1
    result: Floats = np.maximum(np.floor(linear / block) * block, 0.0)
    return result


def _held(pool: Floats, sequence: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        held = np.where(sequence > 0, pool / sequence, np.inf).min(axis=1)
    result: Floats = np.maximum(np.floor(held), 0.0)
    return result


@dataclass(frozen=True, slots=True)
class _Pools:
    """Cache pool of every stage: arrays of shape (layouts, stages)."""

    weights: Floats
    pools: Floats
    low: Floats
    usable: Floats
    usable_low: Floats
    fraction: float
    share: float
    """Part of what is free that the cache may take; 1 where the fraction applies to the total."""


def _pools(
    model: Model, gpu: Gpu, engine: ServingEngine, setup: ServingSetup, fmt: WeightFormat, g: Grid,
    over: _Overheads,
) -> _Pools:  # fmt: skip
    """Pool = share x (usable - weights - the parts inside the fraction), for every stage."""
    by_stage = stage_weights(model, fmt, g.tp, g.pp, g.dp, weight_rules(engine, fmt, gpu)).by_stage
    weights = by_stage + beside_weights(engine, model) * (by_stage > 0)
    weights = np.maximum(weights - setup.offload_weights_bytes, 0.0)
    usable, low, fraction = _usable(engine, setup, gpu, g, over)
    parts = _parts(engine, over)
    beside = sum((p.span.best for p in parts), np.zeros(usable.shape))
    beside_upper = sum((p.span.upper for p in parts), np.zeros(usable.shape))
    share = fraction if engine.memory.budget.fraction_of == "free" else 1.0
    return _Pools(
        weights=weights,
        pools=share * (usable[:, None] - weights - beside[:, None]),
        low=share * (low[:, None] - weight_span(weights, fmt).upper - beside_upper[:, None]),
        usable=usable,
        usable_low=low,
        fraction=fraction,
        share=share,
    )


def _reported(engine: ServingEngine, over: _Overheads, usable: Floats) -> Floats:
    """What nvidia-smi shows of a running engine: the fraction, with graphs and context if they are outside."""
    graphs = engine.memory.graphs
    total = usable
    if graphs is not None and not graphs.inside:
        total = total + over.graphs.best
    return total if engine.memory.budget.context_inside else total + over.context.best


def pool_account(
    model: Model, gpu: Gpu, engine: ServingEngine, setup: ServingSetup, fmt: WeightFormat, g: Grid
) -> Account:
    """Account of an engine with a cache pool, at its tightest pipeline stage."""
    step = step_tokens(engine, gpu, setup.context, setup.max_batched_tokens)
    cache, style = cache_rules(engine, setup, fmt, step), engine.memory.weights.stages
    over = _overheads(model, gpu, engine, setup, g, step)
    held = _pools(model, gpu, engine, setup, fmt, g, over)
    kv = stage_kv(model, g.tp, g.pp, setup.context, cache, style)
    mean = p95 = stage_kv(model, g.tp, g.pp, g.tokens, cache, style)
    if setup.tokens_per_sequence_p95 is not None:
        p95 = stage_kv(model, g.tp, g.pp, setup.tokens_per_sequence_p95, cache, style)
    tight = np.asarray(np.argmax(held.weights + kv.sequence / held.share, axis=1))
    sequence = take(kv.sequence, tight) / held.share
    weights = weight_span(take(held.weights, tight), fmt)
    limit = sequences_limit(engine, gpu, setup.max_num_seqs)
    return Account(
        parts=(
            Part("weights", weights, "stage_weights", "calibrated"),
            Part("kv_cache", Span(sequence, sequence), "stage_kv", "measured"),
            *_parts(engine, over),
        ),
        usable=held.usable,
        usable_low=held.usable_low,
        usable_formula=f"{held.fraction:g} x CUDA {engine.memory.budget.fraction_of}",
        pool=take(held.pools, tight),
        pool_low=take(held.low, tight),
        tokens=_tokens(engine, setup, kv, held.pools, cache.block * cache.context_parallel),
        token_bytes=kv.token.max(axis=1),
        sequences=np.minimum(_held(held.pools, mean.sequence), limit),
        sequences_low=np.minimum(_held(held.low, p95.sequence), limit),
        weights_total=held.weights.sum(axis=1) * g.tp * g.dp,
        reported=_reported(engine, over, held.usable),
        host_bytes=setup.offload_weights_bytes * (g.tp * g.pp * g.dp).astype(np.float64),
        forced=_graphs_fail(engine, gpu, g, over, held.usable),
    )
