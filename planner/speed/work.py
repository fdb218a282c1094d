"""What one pass of a model through its layers asks for: weights by kind, attention, KV values.

Counts come from the catalog's tensors; nothing here knows a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.catalog.parameters import layer_groups, outer_tensors
from planner.catalog.records import Gpu, Model

Floats = NDArray[np.float64]

CAPPED: Final = 80.0
"""FLOPs per byte of memory bandwidth below which a data-centre GPU counts as capped; A100 has 153."""


@dataclass(frozen=True, slots=True)
class Work:
    """Parameters and shapes of a model that decide its time."""

    layers: int
    hidden: int
    vocab: int
    dense: float
    """Parameters in matrices that every token passes through, without embedding and head."""
    head: float
    """Parameters of the output projection, tied or not."""
    expert: float
    """Parameters of one expert of one layer; 0 without experts."""
    experts: int
    experts_per_token: int
    moe_layers: int
    attention_width: float
    """Sum over layers of heads x (key width + value width): FLOPs per query and key / 2."""
    decode_width: float
    """The same in decoding, where MLA attends in its latent space."""
    kv_values: float
    """Values cached per token over all layers."""
    kv_heads: int
    """Key-value heads that tensor parallelism can split; 0: replicated (MLA)."""
    window: float
    """Tokens that windowed layers see; 0 where there are none."""
    windowed: float
    """Share of layers with a window."""
    ffn: float
    """Width of the feed-forward block a token passes through, for activation traffic."""

    @property
    def active(self) -> float:
        """Matrix parameters a token passes through, head included."""
        return self.dense + self.head + self.expert * self.experts_per_token * self.moe_layers

    @property
    def total(self) -> float:
        """All matrix parameters, head included."""
        return self.dense + self.head + self.expert * self.experts * self.moe_layers

    def experts_hit(self, tokens: ArrayLike) -> Floats:
        """Expected number of different experts that `tokens` tokens choose in one layer.

        E (1 - (1 - k/E)^tokens) for independent, balanced choices.
        """
        if not self.experts:
            return np.zeros_like(np.asarray(tokens, np.float64))
        miss = 1.0 - self.experts_per_token / self.experts
        hit: Floats = self.experts * (1.0 - miss ** np.asarray(tokens, np.float64))
        return hit

    def attended(self, context: ArrayLike) -> Floats:
        """Mean over layers of the tokens a new token attends to, given `context` tokens before it."""
        tokens = np.asarray(context, np.float64)
        near = np.minimum(tokens, self.window) if self.window else tokens
        return self.windowed * near + (1.0 - self.windowed) * tokens

    def attended_causal(self, length: ArrayLike) -> Floats:
        """Mean over layers and positions of the tokens attended to in a causal pass of `length`."""
        n = np.asarray(length, np.float64)
        w = np.minimum(n, self.window) if self.window else n
        near = w - w * w / (2.0 * np.maximum(n, 1.0))
        return self.windowed * near + (1.0 - self.windowed) * n / 2.0


@lru_cache(maxsize=1024)
def work_of(model: Model) -> Work:
    """Count the work of a model.

    >>> from planner.catalog import model
    >>> round(work_of(model("llama-3.1-70b")).active / 1e9, 2)
    69.5
    """
    dense = expert = 0.0
    moe_layers = 0
    for group in layer_groups(model):
        n = len(group.layers)
        dense += n * sum(t.count for t in group.tensors if t.rows and t.kind != "expert")
        routed = sum(t.count for t in group.tensors if t.rows and t.kind == "expert")
        if routed and model.moe is not None:
            moe_layers += n
            expert = routed / model.moe.num_experts
    before, after = outer_tensors(model)
    has_head = model.kind != "encoder"
    dense += sum(t.count for t in before + after if t.kind in ("conv", "mlp", "attention"))
    heads, layers = model.num_attention_heads, model.num_layers
    attending = layers - model.attention_kinds.count("L")
    width, decode, values = _attention(model)
    windowed = 1.0 - model.attention_kinds.count("F") / layers if model.sliding_window else 0.0
    moe = model.moe
    ffn: float = model.intermediate_size
    if moe is not None:
        ffn = moe.moe_intermediate_size * (moe.experts_per_token + moe.shared_experts)
    return Work(
        layers=layers,
        hidden=model.hidden_size,
        vocab=model.vocab_size,
        dense=dense,
        head=float(model.vocab_size * model.hidden_size) if has_head else 0.0,
        expert=expert,
        experts=moe.num_experts if moe else 0,
        experts_per_token=moe.experts_per_token if moe else 0,
        moe_layers=moe_layers,
        attention_width=float(attending * heads * width),
        decode_width=float(attending * heads * decode),
        kv_values=float(attending * values),
        kv_heads=0 if model.mla else model.num_key_value_heads,
        window=float(model.sliding_window or 0) if windowed else 0.0,
        windowed=windowed,
        ffn=ffn,
    )


def _attention(model: Model) -> tuple[float, float, float]:
    """Per head: query-key plus value width in a pass and in decoding; per layer: cached values."""
    mla = model.mla
    if mla is None:
        return (
            2.0 * model.head_dim,
            2.0 * model.head_dim,
            2.0 * model.num_key_value_heads * model.head_dim,
        )
    width = mla.qk_nope_head_dim + mla.qk_rope_head_dim + mla.v_head_dim
    latent = mla.kv_lora_rank + mla.qk_rope_head_dim
    return float(width), float(latent + mla.kv_lora_rank), float(latent)


def speed_class(gpu: Gpu) -> str:
    """GPUs whose kernels reach the same shares of their peaks: architecture and kind of memory.

    >>> from planner.catalog import gpu
    >>> speed_class(gpu("h800-sxm5-80gb")), speed_class(gpu("rtx-4090"))
    ('hopper-hbm', 'ada-gddr')
    """
    memory = "hbm" if "hbm" in gpu.memory.type.lower() else "gddr"
    rates = gpu.tflops
    peak = max(rates.bf16 or 0.0, rates.fp16 or 0.0)
    intensity = peak * 1e3 / gpu.memory.bandwidth_gb_s
    # Export versions with a tenth of the arithmetic (H20) reach a larger share of what is left.
    capped = (
        "-capped" if memory == "hbm" and gpu.capability >= (8, 0) and intensity < CAPPED else ""
    )
    return f"{gpu.architecture}{capped}-{memory}"


def speed_classes(gpu: Gpu) -> tuple[str, ...]:
    """The GPU's speed class and those whose figures stand in where it has none of its own.

    >>> from planner.catalog import gpu
    >>> speed_classes(gpu("gb300"))
    ('blackwell-ultra-hbm', 'blackwell-hbm', 'any')
    """
    own = speed_class(gpu)
    general = own.replace("-ultra", "").replace("-capped", "")
    return (own, "any") if general == own else (own, general, "any")
