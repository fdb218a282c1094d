"""The tensors of an architecture, one description per tensor: name, size, and how it is split and quantized.

Layers that hold the same tensors form one group, so that a model of a hundred layers is described by two or three
lists. `planner.catalog.parameters` adds the counts up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from planner.catalog.records import LinearAttention, Mla, Model, Moe

Kind = Literal[
    "embedding", "position", "attention", "mlp", "expert", "shared_expert", "router",
    "norm", "bias", "lm_head", "pooler", "conv", "vision", "mtp", "other",
]  # fmt: skip
Split = Literal["column", "row", "vocab", "kv_column", "replicated", "expert"]

WHISPER_SOURCE_POSITIONS: Final = 1500
"""Positions of Whisper's audio encoder: 30 s of audio, one position per 20 ms."""
WHISPER_TARGET_POSITIONS: Final = 448
"""Positions of Whisper's text decoder."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor of a model, or all the experts' copies of it in one layer."""

    name: str
    kind: Kind
    count: int
    """Number of elements, over all copies."""
    layer: int | None = None
    """Index of the decoder layer (MTP layers follow the last one); None outside the layers."""
    rows: int = 0
    """Output features of a matrix; 0 for a vector."""
    cols: int = 0
    """Input features of a matrix; 0 for a vector."""
    copies: int = 1
    """Matrices of this shape behind the name: the number of experts, else 1."""
    linear: bool = False
    """Whether it is a matrix that weight quantizers quantize (not embeddings, head, router)."""
    split: Split = "replicated"
    """How tensor parallelism splits it; kv_column by key-value heads; expert: see expert_split."""
    expert_split: Literal["column", "row", "replicated"] = "replicated"
    """How one expert's matrix splits when experts are split by tensor parallelism."""


def matrix(
    name: str, kind: Kind, rows: int, cols: int, split: Split, *, linear: bool = True
) -> TensorSpec:
    """A matrix of `rows` outputs and `cols` inputs."""
    return TensorSpec(name, kind, rows * cols, None, rows, cols, 1, linear, split)


def vector(name: str, kind: Kind, count: int, split: Split = "replicated") -> TensorSpec:
    """A vector: a norm's weight, a bias."""
    return TensorSpec(name, kind, count, split=split)


def norm(model: Model, name: str, width: int) -> Iterator[TensorSpec]:
    """The weight of a norm, and its bias when it is a LayerNorm."""
    yield vector(f"{name}.weight", "norm", width)
    if model.norm == "layernorm":
        yield vector(f"{name}.bias", "norm", width)


def attention(model: Model, prefix: str = "self_attn") -> Iterator[TensorSpec]:
    """Projections of multi-head or grouped-query attention, their biases, QK norms and sinks."""
    hidden, head = model.hidden_size, model.head_dim
    q, kv = model.num_attention_heads * head, model.num_key_value_heads * head
    queries = 2 * q if model.attention_gate else q
    yield matrix(f"{prefix}.q_proj", "attention", queries, hidden, "column")
    yield matrix(f"{prefix}.k_proj", "attention", kv, hidden, "kv_column")
    yield matrix(f"{prefix}.v_proj", "attention", kv, hidden, "kv_column")
    yield matrix(f"{prefix}.o_proj", "attention", hidden, q, "row")
    if model.attention_bias != "none":
        yield vector(f"{prefix}.q_bias", "bias", q, "column")
        yield vector(f"{prefix}.k_bias", "bias", kv, "kv_column")
        yield vector(f"{prefix}.v_bias", "bias", kv, "kv_column")
    if model.attention_bias == "all":
        yield vector(f"{prefix}.o_bias", "bias", hidden)
    if model.qk_norm == "per_head":
        yield vector(f"{prefix}.q_norm", "norm", head)
        yield vector(f"{prefix}.k_norm", "norm", head)
    elif model.qk_norm == "full":
        yield vector(f"{prefix}.q_norm", "norm", q)
        yield vector(f"{prefix}.k_norm", "norm", kv)
    if model.attention_sinks:
        yield vector(f"{prefix}.sinks", "attention", model.num_attention_heads, "column")


def mla_attention(model: Model, mla: Mla) -> Iterator[TensorSpec]:
    """Projections of multi-head latent attention: down to the latent, up to all heads."""
    hidden, heads = model.hidden_size, model.num_attention_heads
    query = heads * (mla.qk_nope_head_dim + mla.qk_rope_head_dim)
    if mla.q_lora_rank is None:
        yield matrix("self_attn.q_proj", "attention", query, hidden, "column")
    else:
        rank = mla.q_lora_rank
        yield matrix("self_attn.q_a_proj", "attention", rank, hidden, "replicated")
        yield vector("self_attn.q_a_norm", "norm", rank)
        yield matrix("self_attn.q_b_proj", "attention", query, rank, "column")
    latent = mla.kv_lora_rank + mla.qk_rope_head_dim
    key_value = heads * (mla.qk_nope_head_dim + mla.v_head_dim)
    yield matrix("self_attn.kv_a_proj", "attention", latent, hidden, "replicated")
    yield vector("self_attn.kv_a_norm", "norm", mla.kv_lora_rank)
    yield matrix("self_attn.kv_b_proj", "attention", key_value, mla.kv_lora_rank, "column")
    yield matrix("self_attn.o_proj", "attention", hidden, heads * mla.v_head_dim, "row")
    if mla.index_heads:
        width = mla.index_heads * mla.index_head_dim
        source = mla.q_lora_rank or hidden
        yield matrix("indexer.q_proj", "attention", width, source, "replicated")
        yield matrix("indexer.k_proj", "attention", mla.index_head_dim, hidden, "replicated")
        yield vector("indexer.k_norm", "norm", 2 * mla.index_head_dim)
        yield matrix(
            "indexer.weights", "attention", mla.index_heads, hidden, "replicated", linear=False
        )


def linear_attention(model: Model, linear: LinearAttention) -> Iterator[TensorSpec]:
    """Projections, convolution and decay of a gated delta-rule layer."""
    hidden, key, value = model.hidden_size, linear.key_width, linear.value_width
    inputs = 2 * key + value
    yield matrix("linear_attn.in_proj_qkvz", "attention", inputs + value, hidden, "column")
    yield matrix(
        "linear_attn.in_proj_ba",
        "attention",
        2 * linear.value_heads,
        hidden,
        "column",
        linear=False,
    )
    yield vector("linear_attn.conv1d", "other", inputs * linear.conv_kernel, "column")
    yield vector("linear_attn.decay", "other", 2 * linear.value_heads, "column")
    yield vector("linear_attn.norm", "norm", linear.value_head_dim)
    yield matrix("linear_attn.out_proj", "attention", hidden, value, "row")


def cross_attention(model: Model) -> Iterator[TensorSpec]:
    """A cross-attention layer's attention (Llama 3.2 Vision): QK norms per head and two gates."""
    hidden, head = model.hidden_size, model.head_dim
    q, kv = model.num_attention_heads * head, model.num_key_value_heads * head
    yield matrix("cross_attn.q_proj", "attention", q, hidden, "column")
    yield matrix("cross_attn.k_proj", "attention", kv, hidden, "kv_column")
    yield matrix("cross_attn.v_proj", "attention", kv, hidden, "kv_column")
    yield matrix("cross_attn.o_proj", "attention", hidden, q, "row")
    yield vector("cross_attn.q_norm", "norm", head)
    yield vector("cross_attn.k_norm", "norm", head)
    yield vector("cross_attn.attn_gate", "other", 1)
    yield vector("cross_attn.mlp_gate", "other", 1)


def mlp(
    model: Model, width: int, prefix: str = "mlp", kind: Literal["mlp", "shared_expert"] = "mlp"
) -> Iterator[TensorSpec]:
    """A feed-forward block of `width`: gate (if gated), up and down, with biases if it has them."""
    hidden = model.hidden_size
    ups = ("gate_proj", "up_proj") if model.gated_mlp else ("up_proj",)
    for name in ups:
        yield matrix(f"{prefix}.{name}", kind, width, hidden, "column")
    yield matrix(f"{prefix}.down_proj", kind, hidden, width, "row")
    if model.mlp_bias:
        for name in ups:
            yield vector(f"{prefix}.{name}.bias", "bias", width, "column")
        yield vector(f"{prefix}.down_proj.bias", "bias", hidden)


def _experts(
    moe: Moe, name: str, rows: int, cols: int, split: Literal["column", "row"]
) -> Iterator[TensorSpec]:
    n = moe.num_experts
    yield TensorSpec(name, "expert", n * rows * cols, None, rows, cols, n, True, "expert", split)
    if moe.expert_bias:
        bias: Literal["column", "replicated"] = "column" if split == "column" else "replicated"
        yield TensorSpec(
            f"{name}.bias", "expert", n * rows, copies=n, split="expert", expert_split=bias
        )


def moe_block(model: Model, moe: Moe) -> Iterator[TensorSpec]:
    """Router, experts and shared experts of one mixture-of-experts layer."""
    hidden, width = model.hidden_size, moe.moe_intermediate_size
    yield matrix("mlp.router", "router", moe.num_experts, hidden, "replicated", linear=False)
    if moe.router_bias:
        yield vector("mlp.router.bias", "router", moe.num_experts)
    for name in ("gate_proj", "up_proj") if model.gated_mlp else ("up_proj",):
        yield from _experts(moe, f"mlp.experts.{name}", width, hidden, "column")
    yield from _experts(moe, "mlp.experts.down_proj", hidden, width, "row")
    if moe.shared_experts:
        shared = moe.shared_experts * width
        yield from mlp(model, shared, "mlp.shared_experts", "shared_expert")
    if moe.shared_expert_gate:
        yield vector("mlp.shared_expert_gate", "router", hidden)


def is_moe(model: Model, layer: int) -> bool:
    """Whether a layer holds experts: layer >= first_dense_layers and (layer + 1) % every == 0."""
    moe = model.moe
    if moe is None or layer < moe.first_dense_layers:
        return False
    return (layer + 1) % moe.every == 0


def decoder_layer(
    model: Model, *, experts: bool, cross: bool = False, linear: bool = False
) -> Iterator[TensorSpec]:
    """All tensors of one transformer layer."""
    if cross:
        yield from cross_attention(model)
    elif linear and model.linear_attention is not None:
        yield from linear_attention(model, model.linear_attention)
    elif model.mla is not None:
        yield from mla_attention(model, model.mla)
    else:
        yield from attention(model)
    if experts and model.moe is not None:
        yield from moe_block(model, model.moe)
    else:
        yield from mlp(model, model.intermediate_size)
    for index in range(model.norms_per_layer):
        yield from norm(model, f"norm_{index}", model.hidden_size)


def mtp_layer(model: Model) -> Iterator[TensorSpec]:
    """A multi-token-prediction layer as checkpoints store it.

    DeepSeek-V3 and GLM-4.5 store two input norms, the projection of both inputs to one, a whole layer, the head's
    norm, and copies of the embedding and the head; GLM-4.6 does without the copies.
    """
    hidden = model.hidden_size
    if model.mtp_embeddings:
        yield matrix("mtp.embed_tokens", "mtp", model.vocab_size, hidden, "vocab", linear=False)
        yield matrix("mtp.lm_head", "mtp", model.vocab_size, hidden, "vocab", linear=False)
    yield matrix("mtp.eh_proj", "mtp", hidden, 2 * hidden, "replicated", linear=False)
    for name in ("enorm", "hnorm", "head_norm"):
        yield vector(f"mtp.{name}", "mtp", hidden)
    yield from decoder_layer(model, experts=model.moe is not None)


def whisper_attention(model: Model, prefix: str) -> Iterator[TensorSpec]:
    """Whisper's attention: biases on query, value and output, none on key."""
    hidden = model.hidden_size
    for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
        split: Split = "row" if name == "o_proj" else "column"
        yield matrix(f"{prefix}.{name}", "attention", hidden, hidden, split)
        if name != "k_proj":
            yield vector(f"{prefix}.{name}.bias", "bias", hidden, "column")


def whisper_encoder(model: Model) -> Iterator[TensorSpec]:
    """Whisper's audio encoder: two convolutions of width 3, positions, layers, a last norm."""
    hidden = model.hidden_size
    yield vector("encoder.conv1", "conv", 3 * model.num_mel_bins * hidden + hidden)
    yield vector("encoder.conv2", "conv", 3 * hidden * hidden + hidden)
    yield vector("encoder.positions", "position", WHISPER_SOURCE_POSITIONS * hidden)
    for index in range(model.encoder_layers):
        yield from whisper_attention(model, f"encoder.{index}.self_attn")
        yield from mlp(model, model.intermediate_size, f"encoder.{index}.mlp")
        yield from norm(model, f"encoder.{index}.norm_0", hidden)
        yield from norm(model, f"encoder.{index}.norm_1", hidden)
    yield from norm(model, "encoder.norm", hidden)


def whisper_decoder_layer(model: Model) -> Iterator[TensorSpec]:
    """One layer of Whisper's text decoder: self-attention, cross-attention, feed-forward, 3 norms."""
    yield from whisper_attention(model, "self_attn")
    yield from whisper_attention(model, "cross_attn")
    yield from mlp(model, model.intermediate_size)
    for index in range(3):
        yield from norm(model, f"norm_{index}", model.hidden_size)
