"""Dense decoders that differ from Llama in one or two points: Arcee, Apertus, EXAONE, Hunyuan, Seed-OSS, MiMo."""

from __future__ import annotations

from typing import Final

from planner.catalog.importers.hf_dense import LLAMA, QWEN2, alternating, llama, qwen2
from planner.catalog.importers.hf_reader import ConfigReader, Family, Fields, dimensions


def arcee(c: ConfigReader) -> Fields:
    """AFM: squared ReLU without a gate."""
    return {**llama(c), "gated_mlp": False}


def apertus(c: ConfigReader) -> Fields:
    """Apertus: no gate, norms on query and key, and two learned constants of the activation per layer."""
    constants = 2 * c.integer("num_hidden_layers")
    return {**llama(c), "gated_mlp": False, "qk_norm": "per_head", "extra_params": constants}


def exaone(c: ConfigReader) -> Fields:
    """EXAONE 3: Llama under other names."""
    return dimensions(c)


def exaone4(c: ConfigReader) -> Fields:
    """EXAONE 4: norms on query and key; three sliding layers to one full where a window is set."""
    fields = {**dimensions(c), "qk_norm": "per_head"}
    window = c.optional("sliding_window")
    if window is None:
        return fields
    pattern = c.raw("sliding_window_pattern")
    period = len(pattern) if isinstance(pattern, str) else c.optional("sliding_window_pattern")
    return {**fields, "sliding_window": window, "layer_pattern": alternating(c, period or 4)}


def hunyuan(c: ConfigReader) -> Fields:
    """Hunyuan dense: norms on query and key."""
    return {**llama(c), "qk_norm": "per_head"}


def seed_oss(c: ConfigReader) -> Fields:
    """Seed-OSS: biases on query, key and value, and on the output by a switch of its own."""
    everywhere = c.flag("attention_bias") and c.flag("attention_out_bias")
    bias = "all" if everywhere else "qkv" if c.flag("attention_bias") else "none"
    return {**llama(c), "attention_bias": bias}


def mimo(c: ConfigReader) -> Fields:
    """MiMo: Qwen2 with a multi-token-prediction layer that shares embedding and head."""
    layers = c.optional("num_nextn_predict_layers") or 0
    return {**qwen2(c), "mtp_layers": layers, "mtp_embeddings": False}


RECENT: Final[dict[str, Family]] = {
    "arcee": Family(
        arcee,
        {**LLAMA, "hidden_size": 2560, "intermediate_size": 18432, "max_position_embeddings": 4096},
    ),
    "apertus": Family(
        apertus,
        {**LLAMA, "vocab_size": 131072, "intermediate_size": 14336, "max_position_embeddings": 65536},
    ),
    "exaone": Family(
        exaone,
        {
            "vocab_size": 102400, "hidden_size": 2048, "num_hidden_layers": 32,
            "num_attention_heads": 32, "max_position_embeddings": 2048, "tie_word_embeddings": True,
        },
        {"num_hidden_layers": "num_layers"},
    ),
    "exaone4": Family(
        exaone4,
        {
            **LLAMA, "vocab_size": 102400, "intermediate_size": 16384, "num_key_value_heads": 32,
            "sliding_window": 4096, "sliding_window_pattern": 4,
        },
    ),
    "hunyuan_v1_dense": Family(hunyuan, {**LLAMA, "vocab_size": 290943}),
    "seed_oss": Family(
        seed_oss,
        {
            **LLAMA, "vocab_size": 155136, "intermediate_size": 27648, "num_hidden_layers": 64,
            "num_attention_heads": 80, "num_key_value_heads": 8, "head_dim": 128,
            "max_position_embeddings": 524288, "attention_bias": True, "attention_out_bias": False,
        },
    ),
    "mimo": Family(mimo, QWEN2),
}  # fmt: skip
"""`model_type` -> how to read it."""
