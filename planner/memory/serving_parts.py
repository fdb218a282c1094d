"""What an engine allocates beside weights and cache: activations, graphs, libraries.

Each part is a best and an upper value in bytes, from the constants of the engine's profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engine_support import attention_kernel
from planner.catalog.engines import Activations, Constant, Rule, ServingEngine
from planner.catalog.records import Gpu, Model
from planner.memory.grid import Grid
from planner.memory.kv_cache import encoder_tokens
from planner.units import GIB

Floats = NDArray[np.float64]
_HALF: Final = 2
"""Bytes of a 16-bit element."""


@dataclass(frozen=True, slots=True)
class Span:
    """Best and upper value of one part, in bytes: arrays over layouts, or layouts x stages."""

    best: Floats
    upper: Floats

    def __add__(self, other: Span) -> Span:
        """Sum of two parts that come from one cause, so that their margins add up."""
        return Span(self.best + other.best, self.upper + other.upper)


def constant_span(constant: Constant, shape: tuple[int, ...]) -> Span:
    """A constant in GiB as bytes, for every layout."""
    return Span(np.full(shape, constant.best * GIB), np.full(shape, constant.upper * GIB))


def pick(rules: tuple[Rule, ...], gpu: Gpu) -> int:
    """Value of the first rule that matches the GPU."""
    memory_gib = gpu.memory.cuda_total_mib / 1024
    return next((r.value for r in rules if r.matches(memory_gib, gpu.id)), rules[-1].value)


def sequences_limit(engine: ServingEngine, gpu: Gpu, asked: int | None) -> int:
    """Most sequences the engine runs at once: as asked, else its default for the GPU.

    >>> from planner.catalog import gpu
    >>> from planner.catalog.engines import serving_engine
    >>> [sequences_limit(serving_engine("vllm"), gpu(g), None) for g in ("l40s", "h100-sxm5-80gb")]
    [256, 1024]
    """
    return asked or pick(engine.memory.max_num_seqs, gpu)


def step_tokens(engine: ServingEngine, gpu: Gpu, context: int, asked: int | None) -> int:
    """Tokens of one prefill step, which the profiling run allocates for.

    As asked; else the chunk once prefill is chunked; else the whole context. vLLM V0 does not chunk up to 32,768
    tokens, so that its cache may shrink with the context and jump back above it.

    >>> from planner.catalog import gpu
    >>> from planner.catalog.engines import serving_engine
    >>> v0, g = serving_engine("vllm-v0", "0.6.4"), gpu("rtx-3090")
    >>> [step_tokens(v0, g, c, None) for c in (20_000, 29_000, 35_000)]
    [20000, 29000, 512]
    """
    if asked:
        return asked
    chunking = engine.memory.chunking
    if chunking.above_context is not None and context >= chunking.above_context:
        return pick(chunking.tokens, gpu)
    whole = max(context, chunking.unchunked_least)
    return min(whole, chunking.most) if chunking.most else whole


def token_bytes(model: Model, constants: Activations, tp: Floats, *, flash: bool) -> Floats:
    """Activation bytes per token of a step at the fullest point of a layer.

    2 x (ffn x intermediate / tp + hidden_multiple x hidden). In a mixture of experts each token counts once per expert
    it is routed to: 2 x (top_k x (expert x width / tp + hidden) + hidden_multiple x hidden).

    >>> import numpy as np
    >>> from planner.catalog import model
    >>> from planner.catalog.engines import serving_engine
    >>> a = serving_engine("vllm-v0").memory.activations
    >>> float(token_bytes(model("llama-3.1-8b"), a, np.array([1.0]), flash=True)[0])
    110592.0
    """
    wide = constants.hidden + constants.hidden_tp * (tp > 1)
    if not flash:
        wide = wide + constants.hidden_no_flash
    hidden = model.hidden_size
    dense = constants.ffn * model.intermediate_size / tp
    result = dense + wide * hidden
    moe = model.moe
    if moe is not None:
        routed = moe.experts_per_token * (
            constants.expert * moe.moe_intermediate_size / tp + (hidden if constants.expert else 0)
        )
        sparse = routed + wide * hidden
        every = moe.first_dense_layers == 0 and moe.every == 1
        result = sparse if every else np.maximum(sparse, result)
    total: Floats = _HALF * result + constants.token_bytes
    return total


def is_flash(engine: ServingEngine, attention: str, gpu: Gpu) -> bool:
    """Whether a FlashAttention kernel runs."""
    return attention_kernel(engine, attention, gpu) == "flash"


def image_bytes(model: Model, engine: ServingEngine, sequences: int) -> float:
    """Bytes of profiling the vision tower with the largest image.

    patches x vision width x 2 bytes x multiple; a cross-attention model profiles one image per sequence.
    """
    vision, constants = model.vision, engine.memory.multimodal
    if vision is None or constants is None:
        return 0.0
    patches = constants.patches
    if vision.image_size and vision.patch_size:
        patches = (vision.image_size // vision.patch_size) ** 2 * (vision.max_tiles or 1)
    images = sequences if encoder_tokens(model) else 1
    return float(
        patches * (vision.hidden_size or constants.width) * _HALF * constants.hidden * images
    )


def profile_activations(
    engine: ServingEngine,
    model: Model,
    gpu: Gpu,
    g: Grid,
    sizes: tuple[int, int, int],
    attention: str,
) -> Span:
    """Allocator peak of the profiling run; `sizes` = tokens of a step, most sequences, context.

    max(step tokens x bytes per token, sequences x vocabulary x bytes per logit, largest image). The second term is the
    floor of chunked prefill and does not shrink with tp: every rank gathers the logits.

    >>> from planner.catalog import gpu, model
    >>> from planner.catalog.engines import serving_engine
    >>> from planner.memory.grid import grid
    >>> s = profile_activations(serving_engine("vllm-v1"), model("qwen3-8b"), gpu("rtx-3090"), grid(1, 1, 1, 1, 1),
    ...     (2048, 256, 8192), "auto")
    >>> round(float(s.best[0]) / 2**30, 1)
    1.4
    """
    constants = engine.memory.activations
    tokens, sequences, context = sizes
    flash = is_flash(engine, attention, gpu)
    step = tokens * token_bytes(model, constants, g.tp.astype(np.float64), flash=flash)
    logits = float(min(sequences, tokens)) * model.vocab_size
    floor = constants.sampler
    chunked = tokens < context
    if chunked and not constants.sampler_chunked:
        logits = 0.0
    image = image_bytes(model, engine, sequences)
    mm_upper = engine.memory.multimodal.upper if engine.memory.multimodal else 1.0
    if floor is not None:
        low, high = logits * floor.best, logits * floor.upper
    else:
        low = high = logits * constants.logits
    best = np.maximum(step, max(low, image))
    upper = np.maximum(step * constants.upper, max(high, image * mm_upper))
    if constants.fixed is not None:
        fixed = constant_span(constants.fixed, best.shape)
        return Span(best, upper) + fixed
    return Span(best, upper)


def non_torch(engine: ServingEngine, g: Grid) -> Span:
    """Libraries' memory outside the allocator, NCCL buffers above all: by group size and link.

    >>> from planner.catalog.engines import serving_engine
    >>> from planner.memory.grid import grid
    >>> s = non_torch(serving_engine("vllm"), grid(np.array([1, 8]), 1, 1, 1, True))
    >>> [round(float(v) / 2**30, 2) for v in s.best]
    [0.08, 2.0]
    """
    constants = engine.memory.non_torch
    group = np.maximum(g.tp * g.dp, np.minimum(g.pp, 2))
    result = constant_span(constants.single, g.tp.shape)
    for linked, table in ((False, constants.pcie), (True, constants.nvlink)):
        for least in sorted(table):
            where = (group >= least) & (g.nvlink == linked)
            result.best[where] = table[least].best * GIB
            result.upper[where] = table[least].upper * GIB
    return result


def cuda_graphs(engine: ServingEngine, model: Model, g: Grid, *, eager: bool) -> Span:
    """CUDA graphs: base + per layer x layers of a stage (+ a part for tensor parallelism); 0 in eager mode."""
    graphs = engine.memory.graphs
    if graphs is None or eager:
        zero = np.zeros(g.tp.shape)
        return Span(zero, zero)
    layers = np.ceil(model.num_layers / g.pp)
    extra = graphs.tensor_parallel * (g.tp > 1)
    best = graphs.base.best + graphs.per_layer.best * layers + extra
    upper = graphs.base.upper + graphs.per_layer.upper * layers + extra
    return Span(best * GIB, upper * GIB)
