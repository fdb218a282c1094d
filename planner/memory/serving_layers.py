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
from planner.memory.serving_account import Account, Part
from planner.memory.serving_device import device_account, resident
from planner.memory.serving_parts import Span, constant_span, step_tokens
from planner.memory.serving_setup import ServingSetup

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
    step = step_tokens(engine, gpu, setup.context, setup.max_batched_tokens)
    base = resident(model, gpu, engine, setup, fmt, g, step)
    slots = setup.context * setup.batch
    buffer = compute_buffer(engine, model, gpu, (min(step, slots), slots), setup.attention)
    work = np.where(g.pp > 1, buffer * _COPIES, buffer)
    context = constant_span(engine.memory.budget.context, work.shape)
    span = Span(work, work * engine.memory.activations.upper)
    parts = (
        *base.parts(fmt),
        Part("activations", span, "compute_buffer", "calibrated"),
        Part("context", context, "cuda_context", "modelled"),
    )
    table = embedding_params(model) * fmt.bits / 8
    host = table + setup.offload_weights_bytes * g.pp.astype(np.float64)
    return device_account(model, gpu, engine, setup, g, base, parts, host)
