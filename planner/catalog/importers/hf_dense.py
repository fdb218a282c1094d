"""Dense decoders with RMS norm and a gated feed-forward block: Llama and its relatives."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from planner.catalog.importers.hf_reader import (
    ConfigReader,
    Family,
    Fields,
    dimensions,
    layer_pattern,
)

LLAMA: Final[dict[str, JsonValue]] = {
    "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": None, "max_position_embeddings": 2048,
    "tie_word_embeddings": False, "attention_bias": False, "mlp_bias": False,
}  # fmt: skip
MISTRAL: Final[dict[str, JsonValue]] = {
    "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 131072,
    "tie_word_embeddings": False, "sliding_window": 4096,
}  # fmt: skip
QWEN2: Final[dict[str, JsonValue]] = {
    "vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 32, "max_position_embeddings": 32768,
    "tie_word_embeddings": False, "use_sliding_window": False, "sliding_window": 4096,
    "max_window_layers": 28,
}  # fmt: skip
GLM: Final[dict[str, JsonValue]] = {
    "vocab_size": 151552, "hidden_size": 4096, "intermediate_size": 13696, "num_hidden_layers": 40,
    "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 128,
    "max_position_embeddings": 131072, "tie_word_embeddings": False, "attention_bias": True,
}  # fmt: skip
GEMMA: Final[dict[str, JsonValue]] = {
    "vocab_size": 256000, "hidden_size": 3072, "intermediate_size": 24576, "num_hidden_layers": 28,
    "num_attention_heads": 16, "num_key_value_heads": 16, "head_dim": 256,
    "max_position_embeddings": 8192, "tie_word_embeddings": True, "attention_bias": False,
}  # fmt: skip
GEMMA2: Final[dict[str, JsonValue]] = {
    **GEMMA, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
    "num_attention_heads": 8, "num_key_value_heads": 4, "sliding_window": 4096,
}  # fmt: skip
COHERE: Final[dict[str, JsonValue]] = {
    "vocab_size": 256000, "hidden_size": 8192, "intermediate_size": 22528, "num_hidden_layers": 40,
    "num_attention_heads": 64, "num_key_value_heads": None, "max_position_embeddings": 8192,
    "tie_word_embeddings": True, "attention_bias": False, "use_qk_norm": False,
}  # fmt: skip
PHI3: Final[dict[str, JsonValue]] = {
    "vocab_size": 32064, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": None, "max_position_embeddings": 4096,
    "tie_word_embeddings": False, "sliding_window": None,
}  # fmt: skip


def llama(c: ConfigReader) -> Fields:
    """Llama: biases only where the config asks for them."""
    return {
        **dimensions(c),
        "attention_bias": "all" if c.flag("attention_bias") else "none",
        "mlp_bias": c.flag("mlp_bias"),
    }


def windowed(c: ConfigReader) -> Fields:
    """A Llama whose layers all attend to a sliding window, where the config sets one."""
    return {**llama(c), "sliding_window": c.optional("sliding_window")}


def upper_window(c: ConfigReader, fields: Fields) -> Fields:
    """Sliding windows of Qwen: only if switched on, and only from layer `max_window_layers` on."""
    pattern = layer_pattern(c)
    if not pattern and c.flag("use_sliding_window"):
        layers = c.integer("num_hidden_layers")
        full = min(c.optional("max_window_layers") or 0, layers)
        pattern = "F" * full + "S" * (layers - full)
    if "S" not in pattern:
        return fields
    return {**fields, "sliding_window": c.optional("sliding_window"), "layer_pattern": pattern}


def qwen2(c: ConfigReader) -> Fields:
    """Qwen2 and 2.5: biases on query, key and value."""
    return upper_window(c, {**dimensions(c), "attention_bias": "qkv"})


def qwen3(c: ConfigReader) -> Fields:
    """Qwen3: no biases, a norm on each query and key head."""
    return upper_window(c, {**llama(c), "qk_norm": "per_head"})


def qwen1(c: ConfigReader) -> Fields:
    """The first Qwen: `intermediate_size` counts gate and up projection together."""
    fields = dimensions(c)
    width = c.integer("intermediate_size") // 2
    return {**fields, "intermediate_size": width, "attention_bias": "qkv"}


def glm(c: ConfigReader) -> Fields:
    """GLM: biases on query, key and value, not on the output."""
    return {**dimensions(c), "attention_bias": "qkv" if c.flag("attention_bias") else "none"}


def glm4(c: ConfigReader) -> Fields:
    """GLM-4 0414: norms before and after attention and feed-forward; overflows in fp16."""
    return {**glm(c), "norms_per_layer": 4, "fp16_ok": False}


def chatglm(c: ConfigReader) -> Fields:
    """ChatGLM 2 and 3: multi-query groups behind a switch."""
    fields = dimensions(c)
    if c.flag("multi_query_attention"):
        fields["num_key_value_heads"] = c.integer("multi_query_group_num")
    everywhere = c.flag("add_bias_linear")
    fields["attention_bias"] = "all" if everywhere else "qkv" if c.flag("add_qkv_bias") else "none"
    return {**fields, "mlp_bias": everywhere}


def alternating(c: ConfigReader, period: int, *, default_layers: str = "") -> str:
    """A pattern of sliding layers with every `period`-th layer full."""
    pattern = layer_pattern(c) or default_layers
    if pattern:
        return pattern
    layers = c.integer("num_hidden_layers")
    return "".join("F" if (i + 1) % period == 0 else "S" for i in range(layers))


def gemma2(c: ConfigReader) -> Fields:
    """Gemma 2: four norms a layer, every second layer full; overflows in fp16."""
    return {
        **llama(c),
        "norms_per_layer": 4,
        "sliding_window": c.optional("sliding_window"),
        "layer_pattern": alternating(c, 2),
        "fp16_ok": False,
    }


def gemma3_text(c: ConfigReader) -> Fields:
    """Gemma 3: as Gemma 2, with norms on query and key, and every sixth layer full."""
    period = c.optional("sliding_window_pattern") or 6
    return {**gemma2(c), "qk_norm": "per_head", "layer_pattern": alternating(c, period)}


def olmo2(c: ConfigReader) -> Fields:
    """OLMo 2: norms over all query and key heads together."""
    return {**llama(c), "qk_norm": "full"}


def olmo3(c: ConfigReader) -> Fields:
    """OLMo 3: OLMo 2 with three sliding layers to one full."""
    window = c.optional("sliding_window")
    return {**olmo2(c), "sliding_window": window, "layer_pattern": alternating(c, 4)}


def cohere(c: ConfigReader) -> Fields:
    """Command R: attention and feed-forward share one norm (a LayerNorm without bias)."""
    qk_norm = "full" if c.flag("use_qk_norm") else "none"
    return {**llama(c), "norms_per_layer": 1, "qk_norm": qk_norm}


def cohere2(c: ConfigReader) -> Fields:
    """Command R7B and A: Command R with three sliding layers to one full."""
    period = c.optional("sliding_window_pattern") or 4
    window = c.optional("sliding_window")
    return {**cohere(c), "sliding_window": window, "layer_pattern": alternating(c, period)}


def internlm2(c: ConfigReader) -> Fields:
    """InternLM2: one switch for the biases of attention and feed-forward."""
    bias = c.flag("bias")
    return {**dimensions(c), "attention_bias": "all" if bias else "none", "mlp_bias": bias}


DENSE: Final[dict[str, Family]] = {
    "llama": Family(llama, LLAMA),
    "granite": Family(llama, LLAMA),
    "mistral": Family(windowed, MISTRAL),
    "phi3": Family(windowed, PHI3),
    "smollm3": Family(
        lambda c: upper_window(c, llama(c)),
        {
            "vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 11008,
            "num_hidden_layers": 36, "num_attention_heads": 16, "num_key_value_heads": 4,
            "max_position_embeddings": 32768, "tie_word_embeddings": True,
        },
    ),
    "qwen": Family(
        qwen1,
        {
            "vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016,
            "num_hidden_layers": 32, "num_attention_heads": 32, "head_dim": 128,
            "max_position_embeddings": 8192, "tie_word_embeddings": False,
        },
        {"head_dim": "kv_channels"},
    ),
    "qwen2": Family(qwen2, QWEN2),
    "qwen3": Family(qwen3, {**QWEN2, "head_dim": 128}),
    "glm": Family(glm, GLM),
    "glm4": Family(glm4, GLM),
    "chatglm": Family(
        chatglm,
        {
            "vocab_size": 65024, "hidden_size": 4096, "intermediate_size": 13696,
            "num_hidden_layers": 28, "num_attention_heads": 32, "head_dim": 128,
            "max_position_embeddings": 2048, "multi_query_group_num": 1,
        },
        {
            "vocab_size": "padded_vocab_size", "intermediate_size": "ffn_hidden_size",
            "num_hidden_layers": "num_layers", "head_dim": "kv_channels",
            "max_position_embeddings": "seq_length",
        },
    ),
    "gemma": Family(llama, GEMMA),
    "gemma2": Family(gemma2, GEMMA2),
    "gemma3_text": Family(
        gemma3_text, {**GEMMA2, "vocab_size": 262208, "max_position_embeddings": 131072}
    ),
    "olmo2": Family(olmo2, {**LLAMA, "vocab_size": 50304}),
    "olmo3": Family(olmo3, {**LLAMA, "vocab_size": 50304, "sliding_window": 4096}),
    "cohere": Family(cohere, COHERE),
    "cohere2": Family(cohere2, {**COHERE, "sliding_window": 4096}),
    "internlm2": Family(
        internlm2, {**LLAMA, "vocab_size": 103168, "bias": True}
    ),
    "baichuan": Family(
        llama, {**LLAMA, "vocab_size": 125696, "max_position_embeddings": 4096},
        {"max_position_embeddings": "model_max_length"},
    ),
}  # fmt: skip
"""`model_type` -> how to read it."""
