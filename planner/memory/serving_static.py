"""Engines without a cache pool: Transformers, AutoAWQ, LitGPT, ExLlama. The peak follows batch and prompt."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engine_support import attention_kernel
from planner.catalog.engines import ServingEngine
from planner.catalog.formats import WeightFormat
from planner.catalog.parameters import layer_groups, outer_tensors
from planner.catalog.records import Gpu, Model
from planner.memory.formats import tensor_bytes
from planner.memory.grid import Grid
from planner.memory.kv_cache import stage_kv
from planner.memory.serving_account import Account, Part, take
from planner.memory.serving_device import Resident, device_account, resident
from planner.memory.serving_parts import Span, constant_span, is_flash, non_torch, token_bytes
from planner.memory.serving_setup import ServingSetup

Floats = NDArray[np.float64]
_HALF: Final = 2
_BESIDE_SCORES: Final = 6
"""Hidden-wide tensors live beside the scores: residual, query, repeated keys and values, output, input."""


def largest_matrix(model: Model, *, head: bool) -> int:
    """Elements of the largest matrix a quantizer touches: what is widened to 16 bit at a time.

    >>> from planner.catalog import model
    >>> largest_matrix(model("qwen2.5-72b"), head=False) == 29568 * 8192
    True
    """
    sizes = [t.rows * t.cols for g in layer_groups(model) for t in g.tensors if t.linear]
    if head:
        sizes.append(model.vocab_size * model.hidden_size)
    return max(sizes)


def load_extra(engine: ServingEngine, model: Model, fmt: WeightFormat) -> float:
    """Bytes that exist twice while loading: a head before it is tied, or matrices before they are fused."""
    profile = engine.memory.weights
    if fmt.family not in profile.load_families:
        return 0.0
    if profile.load == "tied-head" and model.tie_word_embeddings:
        return sum(
            tensor_bytes(fmt, t, model) for t in outer_tensors(model)[0] if t.kind == "embedding"
        )
    if profile.load == "fused-qkv":
        names = ("q_proj", "k_proj", "v_proj")
        return sum(
            len(g.layers) * tensor_bytes(fmt, t, model)
            for g in layer_groups(model)
            for t in g.tensors
            if t.name.endswith(names)
        )
    return 0.0


def _prefill(
    model: Model, gpu: Gpu, engine: ServingEngine, setup: ServingSetup, g: Grid
) -> tuple[Floats, float]:
    """Activation bytes of prefill (best), and the upper factor."""
    constants = engine.memory.activations
    prompt = setup.prompt or setup.context
    chunk = setup.max_batched_tokens or prompt
    if engine.memory.chunking.above_context == 0:
        chunk = min(chunk, engine.memory.chunking.tokens[0].value)
    tokens = setup.batch * min(prompt, chunk)
    flash = is_flash(engine, setup.attention, gpu)
    step = tokens * token_bytes(model, constants, g.tp.astype(np.float64), flash=flash)
    if attention_kernel(engine, setup.attention, gpu) == "eager" and constants.score_bytes:
        heads = np.ceil(model.num_attention_heads / g.tp)
        scores = setup.batch * heads * float(min(prompt, chunk)) * prompt * constants.score_bytes
        step = np.maximum(step, scores + tokens * _HALF * _BESIDE_SCORES * model.hidden_size)
    logits = setup.batch * model.vocab_size * constants.logits
    return step + logits, constants.upper


def _dequantized(engine: ServingEngine, model: Model, fmt: WeightFormat) -> float:
    copies = engine.memory.weights.dequantized.get(fmt.family, 0.0)
    head = engine.memory.weights.quantize_head
    return copies * _HALF * largest_matrix(model, head=head) if copies else 0.0


def _work(
    model: Model,
    gpu: Gpu,
    engine: ServingEngine,
    setup: ServingSetup,
    fmt: WeightFormat,
    g: Grid,
    base: Resident,
) -> Span:
    """What load or prefill needs beyond weights and the whole cache."""
    rules = base.cache
    prompt = stage_kv(model, g.tp, g.pp, setup.prompt or setup.context, rules, base.style)
    prefill, factor = _prefill(model, gpu, engine, setup, g)
    before = setup.batch * take(prompt.sequence, base.tight)
    excess = np.maximum(before + prefill - base.held, 0.0)
    excess_upper = np.maximum(before + prefill * factor - base.held, 0.0)
    load = np.maximum(load_extra(engine, model, fmt) - base.held, 0.0)
    constants = engine.memory.activations
    work = Span(
        np.maximum(excess if constants.in_peak else 0.0 * excess, load),
        np.maximum(excess_upper, load),
    )
    if constants.fixed is None:
        return work
    return work + constant_span(constants.fixed, excess.shape)


def static_account(
    model: Model, gpu: Gpu, engine: ServingEngine, setup: ServingSetup, fmt: WeightFormat, g: Grid
) -> Account:
    """Account of an engine whose cache grows: max(load, prefill, decode) over resident weights.

    prefill = cache of the prompts + tokens x bytes per token (+ scores, eager); decode = cache of prompt and output.
    """
    base = resident(model, gpu, engine, setup, fmt, g, 0)
    shape = base.held.shape
    context = constant_span(engine.memory.budget.context, shape)
    work = _work(model, gpu, engine, setup, fmt, g, base)
    wide = np.full(shape, _dequantized(engine, model, fmt))
    parts = (
        *base.parts(fmt),
        Part("activations", work, "static_account", "calibrated"),
        *(
            (Part("dequantized", Span(wide, wide), "largest_matrix", "calibrated"),)
            if wide.any()
            else ()
        ),
        Part("non_torch", non_torch(engine, g), "non_torch", "modelled"),
        Part("context", context, "cuda_context", "modelled"),
    )
    host = setup.offload_weights_bytes * (g.tp * g.pp * g.dp).astype(np.float64)
    return device_account(model, gpu, engine, setup, g, base, parts, host)
