"""Figures the catalog commands derive from a record: parameters by part, cache per token, links in words."""

from __future__ import annotations

from dataclasses import dataclass

from planner.catalog.records import Gpu, Model, NodeType


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Derived figures of a model."""

    total: int
    active: int
    parts: dict[str, int]
    """Parameters by part: attention, experts, embedding, ..."""
    kv_bytes_per_token: int
    """16-bit cache of one token in all the layers that keep every token."""
    window_bytes_per_token: int
    """16-bit cache of one token in the layers that keep a window only."""
    state_bytes_per_sequence: int
    """State of one sequence in the linear-attention layers, whatever its length."""
    disk_bytes: int
    """All parameters at 16 bits."""


_PARTS = {
    "attention": "attention", "mlp": "feed-forward", "expert": "experts", "shared_expert": "shared experts",
    "router": "router", "embedding": "embedding", "position": "positions", "lm_head": "output head",
    "norm": "norms", "bias": "biases", "pooler": "pooler", "conv": "convolutions", "vision": "vision tower",
    "mtp": "MTP layers", "other": "other",
}  # fmt: skip


def model_facts(model: Model) -> ModelFacts:
    """Count a model and its cache."""
    import numpy as np

    from planner.catalog.parameters import active_params, tensors, total_params
    from planner.memory.kv_cache import KvRules, layer_token_bytes, stage_kinds

    parts: dict[str, int] = {}
    for tensor in tensors(model):
        name = _PARTS.get(tensor.kind, tensor.kind)
        parts[name] = parts.get(name, 0) + tensor.count
    total = total_params(model)
    full = windowed = 0
    if model.kind != "encoder":
        per_layer = int(layer_token_bytes(model, np.array([1]), KvRules())[0])
        kinds = stage_kinds(model, 1, "vllm", "window")
        full, windowed = int(kinds.full[0]) * per_layer, int(kinds.windowed[0]) * per_layer
    linear = model.linear_attention
    state = int(linear.state_bytes() * model.attention_kinds.count("L")) if linear else 0
    ordered = dict(sorted(parts.items(), key=lambda item: -item[1]))
    return ModelFacts(total, active_params(model), ordered, full, windowed, state, 2 * total)


def attention_words(model: Model) -> str:
    """The attention of a model in words.

    >>> from planner.catalog import model
    >>> attention_words(model("llama-3.1-8b"))
    'GQA, 32 query and 8 key-value heads of 128'
    """
    heads, groups = model.num_attention_heads, model.num_key_value_heads
    if model.mla is not None:
        latent = f"{model.mla.kv_lora_rank} + {model.mla.qk_rope_head_dim}"
        return f"MLA, {heads} heads, one latent of {latent} values per token and layer"
    if groups == heads:
        return f"MHA, {heads} heads of {model.head_dim}"
    kind = "MQA" if groups == 1 else "GQA"
    noun = "head" if groups == 1 else "heads"
    return f"{kind}, {heads} query and {groups} key-value {noun} of {model.head_dim}"


def pattern_words(model: Model) -> str:
    """Which layers see the whole context; empty where all of them do."""
    kinds = model.attention_kinds
    cross = len(model.cross_attention_layers)
    said = []
    for letter, name in (("S", "a sliding window"), ("C", "a chunk")):
        if letter in kinds:
            said.append(
                f"{kinds.count(letter)} layers see {name} of {model.sliding_window:,} tokens"
            )
    if "L" in kinds:
        said.append(f"{kinds.count('L')} layers keep a state of fixed size instead of a cache")
    if said and "F" in kinds:
        said.append(f"{kinds.count('F')} see all")
    if cross:
        said.append(f"{cross} layers attend to the image instead")
    return ", ".join(said)


def gpu_link(gpu: Gpu) -> str:
    """The NVLink or other fabric of a GPU in words; `none` where it has PCIe only."""
    if gpu.nvlink.total_gb_s:
        if gpu.nvlink.topology == "bridge-pairs":
            return f"{gpu.nvlink.total_gb_s:g} GB/s over a bridge between two cards, where one is fitted"
        how = f" by {gpu.nvlink.topology}" if gpu.nvlink.topology != "none" else ""
        return f"{gpu.nvlink.total_gb_s:g} GB/s both ways, {gpu.nvlink.domain} GPUs{how}"
    if gpu.fabric is not None:
        speed = (
            f"{gpu.fabric.total_gb_s:g} GB/s both ways"
            if gpu.fabric.total_gb_s
            else "speed not known"
        )
        domain = f", {gpu.fabric.domain} GPUs" if gpu.fabric.domain else ""
        return f"{gpu.fabric.kind}, {speed}{domain}"
    return "none"


def node_link(node: NodeType) -> str:
    """How the GPUs of a node reach one another, in a few words."""
    link = node.link
    if link.nvlink_gb_s:
        return f"NVLink {link.nvlink_gb_s:g} GB/s {link.topology}"
    if link.fabric is not None and link.fabric.total_gb_s:
        return f"{link.fabric.kind} {link.fabric.total_gb_s:g} GB/s"
    return "PCIe" if node.gpus > 1 else "-"


def sixteen_bit_tflops(gpu: Gpu) -> float | None:
    """Dense 16-bit tensor rate in the type the GPU would run in."""
    return gpu.tflops.bf16 if gpu.has("bf16") else gpu.tflops.fp16
