"""Multimodal decoders: a text model, nested or not, behind a vision tower."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import JsonValue

from planner.catalog.importers import hf_vision
from planner.catalog.importers.hf_dense import (
    DENSE,
    LLAMA,
    MISTRAL,
    QWEN2,
    llama,
    qwen2,
    qwen3,
    windowed,
)
from planner.catalog.importers.hf_moe import MIXTURES, experts, qwen3_moe
from planner.catalog.importers.hf_reader import (
    ConfigReader,
    Family,
    Fields,
    dimensions,
    layer_pattern,
)

_LLAMA4_TEXT: Final[dict[str, JsonValue]] = {
    "vocab_size": 202048, "hidden_size": 5120, "intermediate_size": 8192,
    "intermediate_size_mlp": 16384, "num_hidden_layers": 48, "num_attention_heads": 40,
    "num_key_value_heads": 8, "head_dim": 128, "max_position_embeddings": 131072,
    "tie_word_embeddings": False, "num_experts_per_tok": 1, "num_local_experts": 16,
    "interleave_moe_layer_step": 1, "no_rope_layer_interval": 4, "attention_chunk_size": 8192,
}  # fmt: skip
_MLLAMA_TEXT: Final[dict[str, JsonValue]] = {
    **LLAMA, "vocab_size": 128256, "num_hidden_layers": 40, "num_key_value_heads": 8,
    "intermediate_size": 14336, "max_position_embeddings": 131072,
    "cross_attention_layers": [3, 8, 13, 18, 23, 28, 33, 38],
}  # fmt: skip
_QWEN_VL_TEXT: Final[dict[str, JsonValue]] = {
    **QWEN2, "vocab_size": 152064, "hidden_size": 8192, "intermediate_size": 29568,
    "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8,
    "max_window_layers": 80,
}  # fmt: skip

_QWEN3_VL_TEXT: Final[dict[str, JsonValue]] = {
    **QWEN2, "head_dim": 128, "max_position_embeddings": 128000,
}  # fmt: skip
_QWEN3_VL_MOE_TEXT: Final[dict[str, JsonValue]] = {
    **QWEN2, "hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 24,
    "num_attention_heads": 16, "num_key_value_heads": 16, "max_position_embeddings": 128000,
    "decoder_sparse_step": 1, "moe_intermediate_size": 1408, "num_experts_per_tok": 4,
    "num_experts": 60,
}  # fmt: skip

MLLAMA_EXTRA_ROWS: Final = 8
"""Embedding rows of Llama 3.2 Vision beyond the vocabulary, for the image token."""

Tower = Callable[[ConfigReader, int], Fields]


def behind(
    text: Callable[[ConfigReader], Fields],
    text_defaults: Mapping[str, JsonValue],
    tower: Tower,
    tower_defaults: Mapping[str, JsonValue],
) -> Callable[[ConfigReader], Fields]:
    """A builder for a text model behind a tower; the text keys may be nested or at the top."""

    def build(c: ConfigReader) -> Fields:
        nested = "text_config" in c.values
        inner = c.child("text_config", text_defaults) if nested else _flat(c, text_defaults)
        if c.has("tie_word_embeddings") and not inner.has("tie_word_embeddings"):
            tied = c.values["tie_word_embeddings"]
            inner.values = {**inner.values, "tie_word_embeddings": tied}
        fields = text(inner)
        width = fields["hidden_size"]
        assert isinstance(width, int)
        return {**fields, "vision": tower(c.child("vision_config", tower_defaults), width)}

    return build


def _flat(c: ConfigReader, defaults: Mapping[str, JsonValue]) -> ConfigReader:
    return ConfigReader(c.values, c.document, defaults, {}, c.problems, c.defaulted)


def llama4_text(c: ConfigReader) -> Fields:
    """Llama 4: one shared expert, chunked attention but for every fourth layer, dense layers between."""
    layers, period = c.integer("num_hidden_layers"), c.integer("no_rope_layer_interval")
    pattern = layer_pattern(c) or "".join(
        "F" if (i + 1) % period == 0 else "C" for i in range(layers)
    )
    moe = {
        **experts(c, "num_local_experts", "intermediate_size"),
        "shared_experts": 1,
        "every": c.integer("interleave_moe_layer_step"),
    }
    return {
        **dimensions(c),
        "intermediate_size": c.integer("intermediate_size_mlp"),
        "sliding_window": c.optional("attention_chunk_size"),
        "layer_pattern": pattern,
        "moe": moe,
    }


def mllama_text(c: ConfigReader) -> Fields:
    """Llama 3.2 Vision: some layers attend to the image instead of the text."""
    extra = MLLAMA_EXTRA_ROWS * c.integer("hidden_size")
    crossed = c.integers("cross_attention_layers")
    return {**llama(c), "cross_attention_layers": crossed, "extra_params": extra}


def mistral3(c: ConfigReader) -> Fields:
    """Mistral Small 3.1 and later: Mistral behind Pixtral."""
    merge, bias = c.integer("spatial_merge_size"), c.flag("multimodal_projector_bias")

    def tower(vision: ConfigReader, width: int) -> Fields:
        return hf_vision.pixtral(vision, width, merge, bias=bias)

    return behind(windowed, MISTRAL, tower, hf_vision.PIXTRAL)(c)


def kimi_tower(c: ConfigReader, width: int) -> Fields:
    """MoonViT under the keys of Kimi K2.5, which begin with `vt_`."""
    renamed = {
        key.removeprefix("vt_")
        .replace("num_hidden_layers", "depth")
        .replace("num_attention_heads", "num_heads"): value
        for key, value in c.values.items()
    }
    return hf_vision.moonvit(
        ConfigReader(renamed, c.document, c.defaults, {}, c.problems, c.defaulted), width
    )


_KIMI = MIXTURES["kimi_k2"]
_GEMMA3 = DENSE["gemma3_text"]

MULTIMODAL: Final[dict[str, Family]] = {
    "gemma3": Family(
        behind(_GEMMA3.build, _GEMMA3.defaults, hf_vision.siglip, hf_vision.SIGLIP)
    ),
    "llama4": Family(behind(llama4_text, _LLAMA4_TEXT, hf_vision.llama4, hf_vision.LLAMA4)),
    "llama4_text": Family(llama4_text, _LLAMA4_TEXT),
    "mllama": Family(behind(mllama_text, _MLLAMA_TEXT, hf_vision.mllama, hf_vision.MLLAMA)),
    "mistral3": Family(mistral3, {"spatial_merge_size": 2, "multimodal_projector_bias": False}),
    "qwen2_vl": Family(behind(qwen2, _QWEN_VL_TEXT, hf_vision.qwen2_vl, hf_vision.QWEN2_VL)),
    "qwen3_vl": Family(behind(qwen3, _QWEN3_VL_TEXT, hf_vision.qwen3_vl, hf_vision.QWEN3_VL)),
    "qwen3_vl_moe": Family(
        behind(qwen3_moe, _QWEN3_VL_MOE_TEXT, hf_vision.qwen3_vl, hf_vision.QWEN3_VL)
    ),
    "kimi_k25": Family(behind(_KIMI.build, _KIMI.defaults, kimi_tower, hf_vision.MOONVIT)),
    "qwen2_5_vl": Family(behind(qwen2, _QWEN_VL_TEXT, hf_vision.qwen25_vl, hf_vision.QWEN25_VL)),
}  # fmt: skip
"""`model_type` -> how to read it."""
