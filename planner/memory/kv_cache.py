"""Bytes of keys and values: per token, per sequence, per rank and pipeline stage.

Layers keep the whole context (full), the last `sliding_window` tokens (sliding), or the current chunk (chunked);
cross-attention layers keep the encoder's tokens once per sequence. Works on one layout or on arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from planner.catalog.records import Model
from planner.catalog.tensors import WHISPER_SOURCE_POSITIONS
from planner.memory.formats import kv_bits
from planner.memory.weights import Stages, stage_layers

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Sliding = Literal["full", "window", "hybrid"]


@dataclass(frozen=True, slots=True)
class KvRules:
    """How an engine stores the cache; the values of a profile in catalogs/engines/."""

    bits: float = 16.0
    block: int = 16
    sliding: Sliding = "full"
    latent_multiple: int = 1
    expand_latent: bool = False
    context_parallel: int = 1
    """Ranks over which the tokens of a sequence are spread in decoding (dcp)."""
    step_tokens: int = 0
    """Tokens of one prefill step, which a sliding layer holds beside its window."""
    factor: float = 1.0


def kv_rules(name: str, **rules: object) -> KvRules:
    """Rules for a KV format by name.

    >>> kv_rules("fp8").bits
    8.0
    """
    return KvRules(bits=kv_bits(name), **rules)  # type: ignore[arg-type]


def layer_token_bytes(model: Model, tp: Ints, rules: KvRules) -> Floats:
    """Bytes that one token adds to one layer on one rank.

    2 x max(kv heads / tp, 1) x head_dim x bytes; with latent attention (kv_lora_rank + rope) x bytes on EVERY tensor
    parallel rank.

    >>> import numpy as np
    >>> from planner.catalog import model
    >>> one_to_eight = np.array([1, 8])
    >>> [float(x) for x in layer_token_bytes(model("llama-3-70b"), one_to_eight, KvRules())]
    [4096.0, 512.0]
    >>> float(layer_token_bytes(model("kimi-k2"), np.array([8]), KvRules())[0]) * model("kimi-k2").num_layers
    70272.0
    """
    if model.mla is not None and not rules.expand_latent:
        width = model.mla.kv_lora_rank + model.mla.qk_rope_head_dim
        unit = rules.latent_multiple
        elements = np.full(tp.shape, float(-(-width // unit) * unit))
    elif model.mla is not None:
        head = model.mla.qk_nope_head_dim + model.mla.qk_rope_head_dim + model.mla.v_head_dim
        elements = np.ceil(model.num_attention_heads / tp) * head
    else:
        elements = 2.0 * np.ceil(model.num_key_value_heads / tp) * model.head_dim
    per_token = elements * rules.bits / 8 * rules.factor
    if model.mla is not None:
        # An indexer's keys are cached beside the latent vector as one byte each and a 4-byte scale per 128.
        per_token = per_token + model.mla.index_head_dim * (1.0 + 4.0 / 128.0)
    result: Floats = per_token / rules.context_parallel
    return result


@dataclass(frozen=True, slots=True)
class StageKinds:
    """Layers per pipeline stage: that keep all tokens, that keep `window` tokens, and cross-attention."""

    full: Ints
    windowed: Ints
    cross: Ints
    linear: Ints
    """Layers that keep a state of fixed size per sequence."""


@lru_cache(maxsize=1 << 12)
def stage_kinds(model: Model, stages: int, style: Stages, sliding: Sliding) -> StageKinds:
    """Layers of each kind on each pipeline stage.

    >>> from planner.catalog import model
    >>> k = stage_kinds(model("gemma-3-27b"), 1, "vllm", "window")
    >>> int(k.full[0]), int(k.windowed[0])
    (10, 52)
    """
    kinds = np.frombuffer(model.attention_kinds.encode(), dtype=np.uint8)
    crossed = np.zeros(model.num_layers, dtype=bool)
    crossed[list(model.cross_attention_layers)] = True
    linear = kinds == ord("L")
    windowed = (kinds != ord("F")) & ~crossed & ~linear & (sliding != "full")
    full = ~windowed & ~crossed & ~linear
    spans = stage_layers(model.num_layers, stages, style)
    columns = [
        np.array([int(mask[a:b].sum()) for a, b in spans])
        for mask in (full, windowed, crossed, linear)
    ]
    return StageKinds(*columns)


def window(model: Model) -> int:
    """Tokens that a sliding or chunked layer sees.

    >>> from planner.catalog import model
    >>> window(model("gemma-3-27b"))
    1024
    """
    return model.sliding_window or model.max_position_embeddings


def state_bytes(model: Model, tp: Ints) -> Floats:
    """Bytes of state that a sequence keeps in one linear-attention layer on one rank; its heads split by tp.

    >>> import numpy as np
    >>> from planner.catalog import model
    >>> float(state_bytes(model("qwen3-next-80b-a3b"), np.array([1]))[0]) / 2**20
    2.046875
    """
    linear = model.linear_attention
    whole = 0.0 if linear is None else linear.state_bytes()
    result: Floats = whole / tp.astype(float)
    return result


def encoder_tokens(model: Model) -> int:
    """Encoder tokens a sequence keeps in cross-attention layers: image tiles, or Whisper's 1,500 frames."""
    if model.kind == "whisper":
        return WHISPER_SOURCE_POSITIONS
    vision = model.vision
    if vision is None or not model.cross_attention_layers:
        return 0
    per_tile = vision.tokens_per_tile or vision.tokens_per_image or 0
    return per_tile * (vision.max_tiles or 1)


@dataclass(frozen=True, slots=True)
class StageKv:
    """Cache needs of each pipeline stage; arrays of shape (layouts, stages), 0 where a stage is absent."""

    token: Floats
    """Bytes per token if every layer keeps it: the slope of a long sequence in models without windows."""
    long_token: Floats
    """Bytes per further token of a sequence beyond the window."""
    sequence: Floats
    """Bytes of one sequence of the asked length, in whole blocks."""


def _sequence_tokens(tokens: Floats, rules: KvRules) -> Floats:
    block = rules.block * rules.context_parallel
    whole: Floats = -(-tokens // block) * block
    return whole


def _window_tokens(model: Model, tokens: Floats, rules: KvRules) -> Floats:
    """Tokens a windowed layer holds: vLLM keeps window - 1 + one step, in blocks, and one block more."""
    seen = window(model)
    if rules.sliding == "hybrid":
        held = np.minimum(seen - 1 + rules.step_tokens, tokens)
        padded = _sequence_tokens(held, rules) + rules.block
        return np.minimum(padded, _sequence_tokens(tokens, rules))
    return _sequence_tokens(np.minimum(seen + rules.step_tokens, tokens), rules)


def _grouped(full: int, windowed: int) -> tuple[int, int]:
    """Layers charged for by vLLM's hybrid pool, which pads each kind to whole groups of equal size.

    >>> _grouped(10, 52)
    (10, 60)
    """
    if not full or not windowed:
        return full, windowed
    low, high = min(full, windowed), max(full, windowed)
    size = high if high < low * 1.25 else low
    return -(-full // size) * size, -(-windowed // size) * size


def stage_kv(
    model: Model, tp: Ints, pp: Ints, tokens: float | Floats, rules: KvRules, style: Stages
) -> StageKv:
    """Cache bytes of every pipeline stage, for a sequence of `tokens` tokens, which may differ by layout.

    sequence = bytes per token and layer x (full layers x tokens + windowed layers x tokens in window + cross layers x
    encoder tokens) + linear layers x state, tokens rounded up to whole blocks.

    >>> import numpy as np
    >>> from planner.catalog import model
    >>> one = np.array([1])
    >>> kv = stage_kv(model("llama-65b"), np.array([4]), one, 2048, KvRules(), "vllm")
    >>> float(kv.sequence[0, 0]) / 2**30
    1.25
    """
    each = layer_token_bytes(model, tp, rules)[:, None]
    asked = np.broadcast_to(np.asarray(tokens, np.float64), tp.shape)[:, None]
    whole = _sequence_tokens(asked, rules)
    held = _window_tokens(model, asked, rules)
    full, windowed, cross, linear = _layer_counts(model, pp, rules, style)
    layers = full + windowed
    fixed = cross * encoder_tokens(model)
    if model.kind == "whisper":
        fixed = layers * encoder_tokens(model)
    kept = each * (full * whole + windowed * held + fixed)
    return StageKv(
        token=each * layers,
        long_token=each * np.where(asked > held, full, layers),
        sequence=kept + state_bytes(model, tp)[:, None] * linear,
    )


def _layer_counts(model: Model, pp: Ints, rules: KvRules, style: Stages) -> tuple[Ints, ...]:
    """Layers charged for by kind (full, windowed, cross, linear) on each stage: arrays of shape (layouts, stages)."""
    sizes, which = np.unique(pp, return_inverse=True)
    table = np.zeros((4, len(sizes), int(sizes[-1])), np.int64)
    for row, stages in enumerate(sizes.tolist()):
        kinds = stage_kinds(model, stages, style, rules.sliding)
        full, windowed = kinds.full, kinds.windowed
        if rules.sliding == "hybrid":
            pairs = [_grouped(int(f), int(w)) for f, w in zip(full, windowed, strict=True)]
            full, windowed = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
        table[:, row, :stages] = full, windowed, kinds.cross, kinds.linear
    return tuple(table[:, which])
