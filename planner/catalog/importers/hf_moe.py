"""Decoders with a mixture of experts, with or without multi-head latent attention."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from planner.catalog.importers.hf_dense import GLM, LLAMA, MISTRAL, QWEN2, llama, qwen2, qwen3
from planner.catalog.importers.hf_reader import (
    ConfigReader,
    Family,
    Fields,
    dimensions,
    layer_pattern,
)

_DEEPSEEK_V2: Final[dict[str, JsonValue]] = {
    **LLAMA, "first_k_dense_replace": 0, "kv_lora_rank": 512, "q_lora_rank": 1536,
    "n_routed_experts": 64, "n_shared_experts": 2, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
    "v_head_dim": 128, "moe_intermediate_size": 1407, "moe_layer_freq": 1,
}  # fmt: skip
_DEEPSEEK_V3: Final[dict[str, JsonValue]] = {
    "vocab_size": 129280, "hidden_size": 7168, "intermediate_size": 18432,
    "moe_intermediate_size": 2048, "num_hidden_layers": 61, "num_attention_heads": 128,
    "num_key_value_heads": 128, "n_shared_experts": 1, "n_routed_experts": 256,
    "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_rope_head_dim": 64, "v_head_dim": 128,
    "qk_nope_head_dim": 128, "num_experts_per_tok": 8, "first_k_dense_replace": 3,
    "max_position_embeddings": 4096, "tie_word_embeddings": False, "attention_bias": False,
    "moe_layer_freq": 1,
}  # fmt: skip


def experts(c: ConfigReader, count: str, width: str) -> Fields:
    """Number of experts, experts per token and an expert's width, under the keys a family uses."""
    return {
        "num_experts": c.integer(count),
        "experts_per_token": c.integer("num_experts_per_tok"),
        "moe_intermediate_size": c.integer(width),
    }


def mixtral(c: ConfigReader) -> Fields:
    """Mixtral: every layer routes; the feed-forward width is the expert's."""
    moe = experts(c, "num_local_experts", "intermediate_size")
    return {**dimensions(c), "sliding_window": c.optional("sliding_window"), "moe": moe}


def phimoe(c: ConfigReader) -> Fields:
    """Phi-3.5-MoE: Mixtral with LayerNorm and biases."""
    fields = mixtral(c)
    bias = "all" if c.flag("attention_bias") else "none"
    head = c.flag("lm_head_bias")
    return {**fields, "norm": "layernorm", "attention_bias": bias, "lm_head_bias": head}


def granitemoe(c: ConfigReader) -> Fields:
    """Granite MoE: Llama attention, every layer routes."""
    return {**llama(c), "moe": experts(c, "num_local_experts", "intermediate_size")}


def _first_dense(c: ConfigReader) -> int:
    """`mlp_only_layers` as a count of first dense layers, the only form the record has."""
    dense = c.integers("mlp_only_layers")
    if sorted(dense) != list(range(len(dense))):
        c.complain(
            "P208", "mlp_only_layers", "dense layers between layers of experts are not described"
        )
    return len(dense)


def qwen_moe(c: ConfigReader) -> Fields:
    """What the Qwen mixtures share: how often a layer routes."""
    moe = experts(c, "num_experts", "moe_intermediate_size")
    return {
        **moe,
        "every": c.integer("decoder_sparse_step"),
        "first_dense_layers": _first_dense(c),
    }


def experts_of_qwen(c: ConfigReader) -> Fields:
    """Routed experts, and a shared one behind a gate of one output, counted in multiples of an expert."""
    width = c.integer("moe_intermediate_size")
    shared = c.optional("shared_expert_intermediate_size") or 0
    if shared % width:
        c.complain(
            "P208",
            "shared_expert_intermediate_size",
            f"a shared expert of {shared} is no multiple of an expert's {width}",
        )
    gate = {"shared_experts": shared // width, "shared_expert_gate": bool(shared)}
    return {**qwen_moe(c), **gate}


def qwen2_moe(c: ConfigReader) -> Fields:
    """Qwen1.5-MoE and Qwen2-MoE."""
    return {**qwen2(c), "moe": experts_of_qwen(c)}


def qwen3_moe(c: ConfigReader) -> Fields:
    """Qwen3-MoE: no shared experts."""
    return {**qwen3(c), "moe": qwen_moe(c)}


def deepseek(c: ConfigReader, *, router_bias: bool) -> Fields:
    """DeepSeek V2 and V3, Kimi K2: latent attention, first layers dense, shared experts, MTP layers."""
    fields = llama(c)
    nope, rope = c.integer("qk_nope_head_dim"), c.integer("qk_rope_head_dim")
    mla = {
        "kv_lora_rank": c.integer("kv_lora_rank"),
        "q_lora_rank": c.optional("q_lora_rank"),
        "qk_nope_head_dim": nope,
        "qk_rope_head_dim": rope,
        "v_head_dim": c.integer("v_head_dim"),
    }
    moe = {
        **experts(c, "n_routed_experts", "moe_intermediate_size"),
        "shared_experts": c.optional("n_shared_experts") or 0,
        "first_dense_layers": c.optional("first_k_dense_replace") or 0,
        "every": c.integer("moe_layer_freq"),
        "router_bias": router_bias,
    }
    return {
        **fields,
        "head_dim": nope + rope,
        "mla": mla,
        "moe": moe,
        "mtp_layers": c.optional("num_nextn_predict_layers") or 0,
    }


def deepseek_v2(c: ConfigReader) -> Fields:
    """DeepSeek V2: no correction bias on the router."""
    return deepseek(c, router_bias=c.string("topk_method") == "noaux_tc")


def deepseek_v3(c: ConfigReader) -> Fields:
    """DeepSeek V3, R1 and Kimi K2: a correction bias on the router."""
    return deepseek(c, router_bias=True)


def sparse_attention(c: ConfigReader) -> Fields:
    """DeepSeek V3.2 and GLM-5: an indexer picks the tokens to attend to."""
    fields = deepseek_v3(c)
    mla = fields["mla"]
    assert isinstance(mla, dict)
    indexer = {
        "index_heads": c.integer("index_n_heads"),
        "index_head_dim": c.integer("index_head_dim"),
    }
    return {**fields, "mla": {**mla, **indexer}}


def glm_moe_dsa(c: ConfigReader) -> Fields:
    """GLM-5: the MTP layer shares embedding and head."""
    return {**sparse_attention(c), "mtp_embeddings": False}


def dots1(c: ConfigReader) -> Fields:
    """dots.llm1: multi-head attention with norms on query and key, a DeepSeek-like mixture."""
    moe = {
        **experts(c, "n_routed_experts", "moe_intermediate_size"),
        "shared_experts": c.optional("n_shared_experts") or 0,
        "first_dense_layers": c.optional("first_k_dense_replace") or 0,
        "router_bias": True,
    }
    return {**llama(c), "qk_norm": "per_head", "moe": moe}


def glm4_moe(c: ConfigReader) -> Fields:
    """GLM-4.5: grouped attention with a DeepSeek-like mixture; overflows in fp16."""
    moe = {
        **experts(c, "n_routed_experts", "moe_intermediate_size"),
        "shared_experts": c.optional("n_shared_experts") or 0,
        "first_dense_layers": c.optional("first_k_dense_replace") or 0,
        "router_bias": True,
    }
    return {
        **dimensions(c),
        "attention_bias": "qkv" if c.flag("attention_bias") else "none",
        "qk_norm": "per_head" if c.flag("use_qk_norm") else "none",
        "moe": moe,
        "mtp_layers": c.optional("num_nextn_predict_layers") or 0,
        "fp16_ok": False,
    }


def minimax_m2(c: ConfigReader) -> Fields:
    """MiniMax M2: norms over all query and key heads; its MTP modules are not in the checkpoint."""
    moe = experts(c, "num_local_experts", "intermediate_size")
    if c.optional("shared_intermediate_size"):
        c.complain(
            "P208", "shared_intermediate_size", "MiniMax with a shared expert is not described"
        )
    return {
        **dimensions(c),
        "qk_norm": "full" if c.flag("use_qk_norm") else "none",
        "moe": {**moe, "router_bias": c.flag("use_routing_bias")},
    }


def gpt_oss(c: ConfigReader) -> Fields:
    """gpt-oss: biases everywhere, attention sinks, every second layer a sliding window."""
    layers = c.integer("num_hidden_layers")
    pattern = layer_pattern(c) or "".join("SF"[i % 2] for i in range(layers))
    moe = experts(c, "num_local_experts", "intermediate_size")
    return {
        **dimensions(c),
        "attention_bias": "all" if c.flag("attention_bias") else "none",
        "attention_sinks": True,
        "sliding_window": c.optional("sliding_window"),
        "layer_pattern": pattern,
        "moe": {**moe, "router_bias": True, "expert_bias": True},
    }


_MIXTRAL: Final[dict[str, JsonValue]] = {
    **MISTRAL, "sliding_window": None, "num_experts_per_tok": 2, "num_local_experts": 8,
}  # fmt: skip

MIXTURES: Final[dict[str, Family]] = {
    "mixtral": Family(mixtral, _MIXTRAL),
    "phimoe": Family(
        phimoe,
        {**_MIXTRAL, "vocab_size": 32064, "intermediate_size": 6400, "num_local_experts": 16},
    ),
    "granitemoe": Family(
        granitemoe, {**LLAMA, "num_local_experts": 8, "num_experts_per_tok": 2}
    ),
    "qwen2_moe": Family(
        qwen2_moe,
        {
            **QWEN2, "hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 24,
            "num_attention_heads": 16, "num_key_value_heads": 16, "decoder_sparse_step": 1,
            "moe_intermediate_size": 1408, "shared_expert_intermediate_size": 5632,
            "num_experts_per_tok": 4, "num_experts": 60,
        },
    ),
    "qwen3_moe": Family(
        qwen3_moe,
        {
            **QWEN2, "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 24,
            "num_key_value_heads": 4, "decoder_sparse_step": 1, "moe_intermediate_size": 768,
            "num_experts_per_tok": 8, "num_experts": 128,
        },
    ),
    "deepseek_v2": Family(deepseek_v2, _DEEPSEEK_V2),
    "deepseek_v3": Family(deepseek_v3, _DEEPSEEK_V3),
    "kimi_k2": Family(deepseek_v3, _DEEPSEEK_V3),
    "deepseek_v32": Family(
        sparse_attention, {**_DEEPSEEK_V3, "index_n_heads": 64, "index_head_dim": 128}
    ),
    # No configuration class of these two is at hand: their sizes must be in the config.
    "glm_moe_dsa": Family(glm_moe_dsa, {"moe_layer_freq": 1}),
    "glm4_moe_lite": Family(deepseek_v3, {"moe_layer_freq": 1}),
    "dots1": Family(
        dots1,
        {
            **LLAMA, "vocab_size": 152064, "hidden_size": 4608, "intermediate_size": 10944,
            "moe_intermediate_size": 1408, "num_hidden_layers": 62, "num_key_value_heads": 32,
            "first_k_dense_replace": 0,
        },
    ),
    "glm4_moe": Family(
        glm4_moe,
        {
            **GLM, "head_dim": None, "intermediate_size": 10944, "num_hidden_layers": 46,
            "num_attention_heads": 96, "num_key_value_heads": 8, "attention_bias": False,
            "moe_intermediate_size": 1408, "num_experts_per_tok": 8, "n_shared_experts": 1,
            "n_routed_experts": 128, "first_k_dense_replace": 1,
        },
    ),
    "minimax_m2": Family(
        minimax_m2,
        {
            "vocab_size": 200064, "hidden_size": 3072, "intermediate_size": 1536,
            "num_hidden_layers": 62, "num_attention_heads": 48, "num_key_value_heads": 8,
            "head_dim": 128, "max_position_embeddings": 196608, "num_local_experts": 256,
            "num_experts_per_tok": 8, "use_qk_norm": True, "use_routing_bias": True,
        },
    ),
    "gpt_oss": Family(
        gpt_oss,
        {
            "vocab_size": 201088, "hidden_size": 2880, "intermediate_size": 2880,
            "num_hidden_layers": 36, "num_attention_heads": 64, "num_key_value_heads": 8,
            "head_dim": 64, "sliding_window": 128, "max_position_embeddings": 131072,
            "tie_word_embeddings": False, "num_local_experts": 128, "num_experts_per_tok": 4,
            "attention_bias": True,
        },
    ),
}  # fmt: skip
"""`model_type` -> how to read it."""
