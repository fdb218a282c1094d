"""llama.cpp: layers split over GPUs, a cache sized by the context, one compute buffer per GPU."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engine_support import attention_kernel
from planner.catalog.engines import ServingEngine
from planner.catalog.formats import WeightFormat
from planner.catalog.parameters import embedding_params
from planner.catalog.records import Gpu, Model
from planner.memory.grid import Grid
from planner.memory.kv_cache import stage_kv
from planner.memory.serving_account import (
    Account,
    Part,
    cache_rules,
    take,
    totals,
    weight_rules,
    weight_span,
)
from planner.memory.serving_parts import Span, constant_span, step_tokens
from planner.memory.serving_setup import ServingSetup
from planner.memory.weights import stage_weights

Floats = NDArray[np.float64]
_FLOAT: Final = 4
"""Bytes of an fp32 element: llama.cpp's graphs compute in fp32."""
_COPIES: Final = 1.15
"""Several GPUs hold input copies for pipelining: 640 MiB each against 560 on one (8B, 8,192 context)."""


def compute_buffer(
    engine: ServingEngine, model: Model, gpu: Gpu, sizes: tuple[int, int], attention: str
) -> float:
    """Bytes of the graph of one ubatch; `sizes` = tokens of the ubatch, context.

    max(4 x tokens x (vocabulary + hidden), 4 x tokens x (heads x context + context + 4 x hidden)); the scores of all
    heads are formed only without flash attention.

    >>> from planner.catalog import gpu, model
    >>> from planner.catalog.engines import serving_engine
    >>> old = serving_engine("llama.cpp", "May 2024")
    >>> round(compute_buffer(old, model("llama-3-8b"), gpu("rtx-3070"), (512, 8192), "auto") / 2**20)
    560
    """
    constants = engine.memory.activations
    tokens, context = sizes
    logits = tokens * (model.vocab_size * constants.logits + model.hidden_size * _FLOAT)
    wide = constants.hidden * model.hidden_size * _FLOAT
    scores = 0.0
    if attention_kernel(engine, attention, gpu) == "eager":
        scores = model.num_attention_heads * context * constants.score_bytes
    mask = context * (_FLOAT if scores else _FLOAT / 2)
    return max(logits, tokens * (scores + mask + wide))


def layers_account(
    model: Model, gpu: Gpu, engine: ServingEngine, setup: ServingSetup, fmt: WeightFormat, g: Grid
) -> Account:
    """Account of llama.cpp; `pp` is the number of GPUs, `batch` the parallel slots of `context` tokens each."""
    rules = weight_rules(engine, fmt, gpu)
    step = step_tokens(engine, gpu, setup.context, setup.max_batched_tokens)
    cache = cache_rules(engine, setup, fmt, step)
    weights = stage_weights(model, fmt, g.tp, g.pp, g.dp, rules).by_stage
    weights = np.maximum(weights - setup.offload_weights_bytes, 0.0)
    one = stage_kv(model, g.tp, g.pp, setup.context, cache, rules.stages)
    tight = np.asarray(np.argmax(weights + setup.batch * one.sequence, axis=1))
    held = setup.batch * take(one.sequence, tight)
    slots = setup.context * setup.batch
    buffer = compute_buffer(engine, model, gpu, (min(step, slots), slots), setup.attention)
    work = np.where(g.pp > 1, buffer * _COPIES, buffer)
    span = Span(work, work * engine.memory.activations.upper)
    total, low = totals(gpu)
    shape = work.shape
    context = constant_span(engine.memory.budget.context, shape)
    fullest = take(weights, tight)
    parts = (
        Part("weights", weight_span(fullest, fmt), "stage_weights", "calibrated"),
        Part("kv_cache", Span(held, held), "stage_kv", "measured"),
        Part("activations", span, "compute_buffer", "calibrated"),
        Part("context", context, "cuda_context", "modelled"),
    )
    used = sum((p.span.best for p in parts), np.zeros(shape))
    table = embedding_params(model) * fmt.bits / 8
    rest = total - used + held
    single = take(one.sequence, tight)
    with np.errstate(divide="ignore", invalid="ignore"):
        fits = np.where(single > 0, np.floor(rest / single), 0.0)
    return Account(
        parts=parts,
        usable=np.full(shape, total),
        usable_low=np.full(shape, low),
        usable_formula="CUDA total",
        pool=rest,
        pool_low=rest - total + low,
        tokens=np.full(shape, float(slots)),
        token_bytes=one.token.max(axis=1),
        sequences=np.clip(fits, 0, setup.batch),
        sequences_low=np.clip(fits, 0, setup.batch),
        weights_total=weights.sum(axis=1) * g.tp * g.dp,
        reported=used - context.best,
        host_bytes=table + setup.offload_weights_bytes * (g.pp).astype(np.float64),
    )
