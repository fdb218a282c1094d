"""Decoders that mix full attention with linear attention: Qwen3-Next and Qwen3.5."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from planner.catalog.importers import hf_vision
from planner.catalog.importers.hf_dense import QWEN2, llama
from planner.catalog.importers.hf_moe import experts_of_qwen
from planner.catalog.importers.hf_multimodal import behind
from planner.catalog.importers.hf_reader import ConfigReader, Family, Fields, layer_pattern

_LINEAR: Final[dict[str, JsonValue]] = {
    "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128, "linear_value_head_dim": 128,
    "linear_num_key_heads": 16, "linear_num_value_heads": 32, "full_attention_interval": 4,
}  # fmt: skip
_NEXT: Final[dict[str, JsonValue]] = {
    **QWEN2, **_LINEAR, "hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 48,
    "num_attention_heads": 16, "num_key_value_heads": 2, "head_dim": 256, "decoder_sparse_step": 1,
    "moe_intermediate_size": 512, "shared_expert_intermediate_size": 512, "num_experts_per_tok": 10,
    "num_experts": 512, "mtp_num_hidden_layers": 1,
}  # fmt: skip
_QWEN35: Final[dict[str, JsonValue]] = {**_LINEAR, "decoder_sparse_step": 1}
"""Only what every published Qwen3.5 shares; the sizes must be in the config."""


def hybrid(c: ConfigReader) -> Fields:
    """Gated delta-rule layers with every fourth layer full, norms on query and key, a gate on attention."""
    period, layers = c.integer("full_attention_interval"), c.integer("num_hidden_layers")
    pattern = layer_pattern(c, linear=True) or "".join(
        "F" if (i + 1) % period == 0 else "L" for i in range(layers)
    )
    fields: Fields = {
        **llama(c),
        "qk_norm": "per_head",
        "attention_gate": True,
        "layer_pattern": pattern,
        "mtp_layers": c.optional("mtp_num_hidden_layers") or 0,
        "mtp_embeddings": c.flag("mtp_use_dedicated_embeddings"),
    }
    if "L" not in pattern:
        return fields
    linear = {
        "key_heads": c.integer("linear_num_key_heads"),
        "value_heads": c.integer("linear_num_value_heads"),
        "key_head_dim": c.integer("linear_key_head_dim"),
        "value_head_dim": c.integer("linear_value_head_dim"),
        "conv_kernel": c.integer("linear_conv_kernel_dim"),
    }
    return {**fields, "linear_attention": linear}


def hybrid_moe(c: ConfigReader) -> Fields:
    """The same with a mixture of experts and a gated shared expert in each layer."""
    return {**hybrid(c), "moe": experts_of_qwen(c)}


def qwen35_moe(c: ConfigReader) -> Fields:
    """Qwen3.5-MoE: no dense layer, so the feed-forward width is an expert's."""
    width = c.integer("moe_intermediate_size")
    defaults = {**c.defaults, "intermediate_size": width}
    return hybrid_moe(
        ConfigReader(c.values, c.document, defaults, c.names, c.problems, c.defaulted)
    )


HYBRID: Final[dict[str, Family]] = {
    "qwen3_next": Family(hybrid_moe, _NEXT),
    "qwen3_5": Family(behind(hybrid, _QWEN35, hf_vision.qwen3_vl, hf_vision.QWEN3_VL)),
    "qwen3_5_text": Family(hybrid, _QWEN35),
    "qwen3_5_moe": Family(behind(qwen35_moe, _QWEN35, hf_vision.qwen3_vl, hf_vision.QWEN3_VL)),
    "qwen3_5_moe_text": Family(qwen35_moe, _QWEN35),
}  # fmt: skip
"""`model_type` -> how to read it."""
