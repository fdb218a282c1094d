"""Activations kept for backward, per token and layer, by operator.

Symbols: h hidden size, a heads, d head size, kv key-value heads x d, f feed-forward width, r adapter rank, b bytes of
the compute type. Reference code: Hugging Face style, norms that are not fused, fused attention. Checked against
PyTorch's memory tracker (torch 2.13): the figures of full 16-bit training are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from planner.catalog.records import Model
from planner.memory.lora import target_modules

ATTENTION_SCORE_BYTES = 6
"""Eager attention keeps fp32 probabilities and their 16-bit copy for each pair of tokens and head."""


_WIDE_TENSORS: Final[dict[str, int]] = {"opt": 0, "gpt2": 4, "gpt-j": 4}
"""Tensors of the feed-forward width that the activation function keeps, by family: 1 for a fused GELU (its input), 0
for ReLU (its output serves), 4 where the tanh approximation is written out in Python."""


@dataclass(frozen=True, slots=True)
class KeepRules:
    """What decides which tensors an operator keeps."""

    compute_bytes: int = 2
    autocast: bool = False
    """fp32 residual stream; each linear layer keeps its own 16-bit copy of its input."""
    kernel: Literal["flash", "sdpa", "eager"] = "flash"
    targets: str = ""
    """Adapted modules; empty: every weight is trained."""
    rank: int = 0
    adapter_bytes: int = 0
    """Bytes of the copy that each fp32 adapter makes of its input: 2 under autocast, 4 without; 0: no copy."""
    dropout: bool = False
    fused: bool = False
    """Fused norms and gated activations."""
    repeats_kv: bool = False
    """Key and value heads are copied once per query head before attention."""
    merged_qkv: bool = False
    """One projection for q, k and v, whose output lives as long as the view of its values."""
    quantized_inputs: bool = False
    """Quantized linear layers keep their inputs although their weights are frozen."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes per token of one layer."""

    whole: float
    """On every tensor-parallel rank; divided by tp under sequence parallelism."""
    split: float
    """Divided by tp."""
    scores: float = 0.0
    """Per token of the sequence, divided by tp."""
    gathered: float = 0.0
    """Inputs of column-parallel layers: whole on every rank unless gathered again in backward."""

    def __add__(self, other: Kept) -> Kept:
        """Both layers' bytes."""
        return Kept(
            self.whole + other.whole,
            self.split + other.split,
            self.scores + other.scores,
            self.gathered + other.gathered,
        )

    def times(self, factor: float) -> Kept:
        """The same for a factor of layers or of measured overhead."""
        return Kept(
            self.whole * factor, self.split * factor, self.scores * factor, self.gathered * factor
        )

    @property
    def per_token(self) -> float:
        """Bytes per token without tensor parallelism and score matrices."""
        return self.whole + self.split + self.gathered


def _hit(rules: KeepRules, *names: str) -> int:
    """How many of these modules have a weight gradient."""
    if not rules.targets:
        return len(names)
    chosen = target_modules(rules.targets)
    return sum(name in chosen for name in names)


def _norm(model: Model, rules: KeepRules, hidden: float) -> float:
    """A norm's own tensors, without its output.

    RMS norm in eager code works on an fp32 copy (4h) and keeps the normalized input (b h) if its weight is trained;
    Gemma multiplies in fp32. LayerNorm keeps its input. Fused kernels keep the input only.
    """
    b, trained = rules.compute_bytes, not rules.targets
    wide = 4 if rules.autocast else b
    if model.norm == "layernorm":
        return wide * hidden + 8
    if rules.fused:
        return wide * hidden + 4
    if b == 4:
        return 4 * hidden + 4
    own = 4 * hidden + 4
    if trained:
        in_fp32 = rules.autocast or model.family.startswith("gemma")
        own += (4 if in_fp32 else b) * hidden
        own += 4 if model.family.startswith("gemma") else 0
    return own


def _input(rules: KeepRules, width: float, *modules: str) -> float:
    """What the linear layers that read one tensor keep of it.

    One shared tensor of b x width if any weight is trained. Autocast (and fp32 adapters) make one 16-bit copy per
    layer; adapter dropout makes a copy and a mask of one byte per layer.
    """
    b, hits = rules.compute_bytes, _hit(rules, *modules)
    if rules.targets and rules.dropout:
        shared = b * width if rules.quantized_inputs else 0.0
        return shared + hits * (max(b, rules.adapter_bytes) + 1) * width
    if rules.autocast or (rules.targets and rules.adapter_bytes):
        shared = b * width if rules.quantized_inputs else 0.0
        return shared + hits * (rules.adapter_bytes or 2) * width
    if rules.targets and rules.quantized_inputs:
        return b * width
    return b * width if hits else 0.0


def _ranks(rules: KeepRules, *modules: str) -> float:
    """Output of each adapter's first matrix."""
    return 2.0 * rules.rank * _hit(rules, *modules) if rules.targets else 0.0


def _attention(model: Model, rules: KeepRules) -> Kept:
    """q, k, v and output of fused attention: 2b ad + 2b kv + 4a; eager: repeated k, v and 6 S a of scores."""
    b, heads = rules.compute_bytes, model.num_attention_heads
    ad, kv = heads * model.head_dim, model.num_key_value_heads * model.head_dim
    if model.mla is not None:
        return _latent(model, rules)
    repeated = rules.kernel == "eager" or rules.repeats_kv
    keys = 2 * b * (ad if repeated else kv)
    split = 2.0 * b * ad + keys
    scores = 0.0
    if rules.kernel == "eager":
        scores = ATTENTION_SCORE_BYTES * heads * (b / 2)
    else:
        split += 4.0 * heads
    if rules.merged_qkv and not (repeated and ad != kv):
        split += b * (ad + kv)
    if model.qk_norm != "none":
        split += (4 + (b if not rules.targets else 0)) * (ad + kv)
        split += 4.0 * (heads + model.num_key_value_heads)
    split += _output_input(rules, ad) + _ranks(rules, "q_proj", "k_proj", "v_proj", "o_proj")
    return Kept(0.0, split, scores)


def _output_input(rules: KeepRules, ad: float) -> float:
    """What the output projection keeps beyond the attention output, which attention keeps anyway."""
    if not rules.targets or not _hit(rules, "o_proj"):
        return 0.0
    if rules.dropout:
        return (rules.compute_bytes + 1) * ad
    return float(rules.adapter_bytes * ad)


def _latent(model: Model, rules: KeepRules) -> Kept:
    """Multi-head latent attention: the compressed vectors with their norms, then all heads expanded."""
    mla, b = model.mla, rules.compute_bytes
    if mla is None:
        return Kept(0.0, 0.0)
    heads = model.num_attention_heads
    key = heads * (mla.qk_nope_head_dim + mla.qk_rope_head_dim)
    value = heads * mla.v_head_dim
    whole = _norm(model, rules, mla.kv_lora_rank) + _input(rules, mla.kv_lora_rank, "kv_b_proj")
    if mla.q_lora_rank is not None:
        whole += _norm(model, rules, mla.q_lora_rank) + _input(rules, mla.q_lora_rank, "q_b_proj")
    split = b * (2.0 * key + max(key, value) + value) + 4.0 * heads
    scores = ATTENTION_SCORE_BYTES * heads * (b / 2) if rules.kernel == "eager" else 0.0
    names = ("q_proj", "q_a_proj", "q_b_proj", "kv_a_proj", "kv_b_proj", "o_proj")
    return Kept(whole, split + _output_input(rules, value) + _ranks(rules, *names), scores)


def _mlp(model: Model, rules: KeepRules, width: float) -> float:
    """Feed-forward block: gate, its activation and up (3 b f), and the product that the down projection reads."""
    b = rules.compute_bytes
    if not model.gated_mlp:
        own = _WIDE_TENSORS.get(model.family, 1) * b * width
    else:
        own = (2 if rules.fused else 3) * b * width
    names = ("gate_proj", "up_proj", "down_proj") if model.gated_mlp else ("up_proj", "down_proj")
    return own + _input(rules, width, "down_proj") + _ranks(rules, *names)


def _experts(model: Model, rules: KeepRules) -> Kept:
    """Mixture of experts: router, and for each chosen expert a copy of its input, its block and its output."""
    moe, b = model.moe, rules.compute_bytes
    if moe is None:
        return Kept(0.0, 0.0)
    router = 8.0 * moe.num_experts + 16.0 * moe.experts_per_token
    used = moe.experts_per_token
    copies = used * 2.0 * b * model.hidden_size
    block = used * _mlp(model, rules, moe.moe_intermediate_size)
    shared = _mlp(model, rules, moe.shared_experts * moe.moe_intermediate_size)
    return Kept(router, copies + block + (shared if moe.shared_experts else 0.0))


def _readers(model: Model, rules: KeepRules) -> tuple[str, ...]:
    """Modules that read the attention's input; a merged projection reads it once."""
    if model.mla is not None:
        return ("q_proj" if model.mla.q_lora_rank is None else "q_a_proj", "kv_a_proj")
    names = ("q_proj", "k_proj", "v_proj")
    if rules.merged_qkv:
        return next(((n,) for n in names if _hit(rules, n)), names[:1])
    return names


@lru_cache(maxsize=1024)
def layer_kept(model: Model, rules: KeepRules, *, moe: bool = False) -> Kept:
    """Bytes per token that one layer keeps until its backward pass.

    Full 16-bit training of a gated model with RMS norms: 16h + 4ad + 4kv + 4a + 8f + 8.

    >>> from planner.catalog import model
    >>> [layer_kept(model(m), KeepRules()).per_token for m in ("llama-2-7b", "llama-3.1-8b", "qwen2.5-7b")]
    [186504.0, 200840.0, 225400.0]
    >>> layer_kept(model("gemma-2b"), KeepRules()).per_token
    181296.0
    """
    hidden = model.hidden_size
    width = model.intermediate_size
    ups = ("gate_proj", "up_proj") if model.gated_mlp else ("up_proj",)
    reads = _input(rules, hidden, *_readers(model, rules))
    ups_read = _input(rules, hidden, *ups)
    parallel = model.norms_per_layer == 1
    gathered = max(reads, ups_read) if parallel else reads + ups_read
    whole = model.norms_per_layer * _norm(model, rules, hidden)
    block = _experts(model, rules) if moe else Kept(0.0, _mlp(model, rules, width))
    return Kept(whole, 0.0, gathered=gathered) + _attention(model, rules) + block
