"""Decoders and encoders of the LayerNorm era: GPT-2 to StarCoder2, BERT, and Whisper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from planner.catalog.importers.hf_reader import ConfigReader, Family, Fields, dimensions

_GPT2_NAMES: Final[Mapping[str, str]] = {
    "hidden_size": "n_embd", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
    "max_position_embeddings": "n_positions", "intermediate_size": "n_inner",
}  # fmt: skip
_BERT: Final[dict[str, JsonValue]] = {
    "vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
    "intermediate_size": 3072, "max_position_embeddings": 512, "type_vocab_size": 2,
    "tie_word_embeddings": True,
}  # fmt: skip


def plain(c: ConfigReader, *, bias: bool = True) -> Fields:
    """LayerNorm, an ungated feed-forward block of four times the width unless told, biases."""
    if not c.has("intermediate_size") and c.defaults.get("intermediate_size") is None:
        width = 4 * c.integer("hidden_size")
        name = c.names.get("intermediate_size", "intermediate_size")
        c = ConfigReader(
            {**c.values, name: width}, c.document, c.defaults, c.names, c.problems, c.defaulted
        )
    return {
        **dimensions(c),
        "gated_mlp": False,
        "norm": "layernorm",
        "attention_bias": "all" if bias else "none",
        "mlp_bias": bias,
    }


def gpt2(c: ConfigReader) -> Fields:
    """GPT-2: learned positions."""
    fields = plain(c)
    return {**fields, "learned_positions": fields["max_position_embeddings"]}


def gpt_bigcode(c: ConfigReader) -> Fields:
    """StarCoder: GPT-2 with one key-value head."""
    fields = gpt2(c)
    return {**fields, "num_key_value_heads": 1} if c.flag("multi_query") else fields


def gptj(c: ConfigReader) -> Fields:
    """GPT-J: one norm a layer, attention without biases, a bias on the head."""
    return {**plain(c), "attention_bias": "none", "norms_per_layer": 1, "lm_head_bias": True}


def gpt_neox(c: ConfigReader) -> Fields:
    """GPT-NeoX and Pythia."""
    return {**plain(c), "attention_bias": "all" if c.flag("attention_bias") else "none"}


def bloom(c: ConfigReader) -> Fields:
    """BLOOM: ALiBi instead of positions, and a norm after the embedding."""
    return {**plain(c), "embedding_norm": True}


def opt(c: ConfigReader) -> Fields:
    """OPT: learned positions with an offset of two."""
    hidden = c.integer("hidden_size")
    projected = c.optional("word_embed_proj_dim") or hidden
    if projected != hidden:
        message = (
            f"embeddings of {projected} projected to {hidden} are not described by the catalog"
        )
        c.complain("P208", "word_embed_proj_dim", message)
    if not (c.flag("do_layer_norm_before") and not c.flag("_remove_final_layer_norm")):
        c.complain(
            "P208", "do_layer_norm_before", "OPT with norms after the blocks is not described"
        )
    fields = plain(c, bias=c.flag("enable_bias"))
    return {**fields, "learned_positions": c.integer("max_position_embeddings") + 2}


def mpt(c: ConfigReader) -> Fields:
    """MPT: ALiBi, LayerNorm without bias (counted as RMS norm), no biases unless told."""
    fields = dimensions(c)
    fields["intermediate_size"] = c.integer("hidden_size") * c.integer("expansion_ratio")
    attention = c.child("attn_config", {"kv_n_heads": None, "qk_ln": False, "alibi": True})
    groups = attention.optional("kv_n_heads")
    bias = not c.flag("no_bias")
    return {
        **fields,
        "num_key_value_heads": groups or fields["num_attention_heads"],
        "qk_norm": "full" if attention.flag("qk_ln") else "none",
        "gated_mlp": False,
        "norm": "layernorm" if bias else "rms",
        "attention_bias": "all" if bias else "none",
        "mlp_bias": bias,
        "learned_positions": 0 if attention.flag("alibi") else fields["max_position_embeddings"],
    }


def falcon(c: ConfigReader) -> Fields:
    """Falcon: multi-query (7B) or grouped (40B, 180B) attention parallel to the feed-forward block."""
    grouped = c.flag("new_decoder_architecture")
    heads = c.integer("num_attention_heads")
    parallel = c.flag("parallel_attn")
    if grouped:
        kv_heads = c.optional("num_kv_heads") or heads
        norms = c.optional("num_ln_in_parallel_attn") or 2
    else:
        kv_heads = 1 if c.flag("multi_query") else heads
        norms = 1 if parallel else 2
    fields = plain(c, bias=c.flag("bias"))
    return {**fields, "num_key_value_heads": kv_heads, "norms_per_layer": norms}


def phi(c: ConfigReader) -> Fields:
    """Phi-1 to Phi-2: one norm a layer, biases everywhere, also on the head."""
    if c.flag("qk_layernorm"):
        c.complain("P208", "qk_layernorm", "Phi with norms on query and key is not described")
    return {**plain(c), "norms_per_layer": 1, "lm_head_bias": True}


def starcoder2(c: ConfigReader) -> Fields:
    """StarCoder2: grouped attention, and one switch for all biases."""
    return {**plain(c, bias=c.flag("use_bias")), "sliding_window": c.optional("sliding_window")}


def nemotron(c: ConfigReader) -> Fields:
    """Nemotron-3 and -4: squared ReLU without a gate, LayerNorm."""
    fields = plain(c, bias=False)
    bias = "all" if c.flag("attention_bias") else "none"
    return {**fields, "attention_bias": bias, "mlp_bias": c.flag("mlp_bias")}


def stablelm(c: ConfigReader) -> Fields:
    """StableLM: gated, LayerNorm, biases on query, key and value if told."""
    if c.flag("qk_layernorm"):
        c.complain("P208", "qk_layernorm", "StableLM with norms on query and key is not described")
    return {
        **dimensions(c),
        "norm": "layernorm",
        "attention_bias": "qkv" if c.flag("use_qkv_bias") else "none",
        "norms_per_layer": 1 if c.flag("use_parallel_residual") else 2,
    }


def bert(c: ConfigReader) -> Fields:
    """BERT: an encoder with learned positions and segment types."""
    fields = plain(c)
    return {
        **fields,
        "kind": "encoder",
        "learned_positions": fields["max_position_embeddings"],
        "type_vocab_size": c.optional("type_vocab_size") or 0,
    }


def roberta(c: ConfigReader) -> Fields:
    """RoBERTa and XLM-R: BERT whose first two positions are reserved for padding."""
    fields = bert(c)
    return {**fields, "max_position_embeddings": c.integer("max_position_embeddings") - 2}


def whisper(c: ConfigReader) -> Fields:
    """Whisper: an audio encoder and a text decoder of the same width."""
    fields = plain(c)
    return {
        **fields,
        "attention_bias": "none",
        "kind": "whisper",
        "encoder_layers": c.integer("encoder_layers"),
        "num_mel_bins": c.integer("num_mel_bins"),
    }


CLASSIC: Final[dict[str, Family]] = {
    "gpt2": Family(
        gpt2,
        {
            "vocab_size": 50257, "hidden_size": 768, "num_hidden_layers": 12,
            "num_attention_heads": 12, "max_position_embeddings": 1024, "tie_word_embeddings": True,
        },
        _GPT2_NAMES,
    ),
    "gpt_bigcode": Family(
        gpt_bigcode,
        {
            "vocab_size": 50257, "hidden_size": 768, "num_hidden_layers": 12,
            "num_attention_heads": 12, "max_position_embeddings": 1024, "multi_query": True,
            "tie_word_embeddings": True,
        },
        _GPT2_NAMES,
    ),
    "gptj": Family(
        gptj,
        {
            "vocab_size": 50400, "hidden_size": 4096, "num_hidden_layers": 28,
            "num_attention_heads": 16, "max_position_embeddings": 2048, "tie_word_embeddings": False,
        },
        _GPT2_NAMES,
    ),
    "gpt_neox": Family(
        gpt_neox,
        {
            "vocab_size": 50432, "hidden_size": 6144, "num_hidden_layers": 44,
            "num_attention_heads": 64, "intermediate_size": 24576, "max_position_embeddings": 2048,
            "tie_word_embeddings": False, "attention_bias": True,
        },
    ),
    "bloom": Family(
        bloom,
        {
            "vocab_size": 250880, "hidden_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 8, "max_position_embeddings": 2048, "tie_word_embeddings": True,
        },
        {"num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
         "max_position_embeddings": "seq_length"},
    ),
    "opt": Family(
        opt,
        {
            "vocab_size": 50272, "hidden_size": 768, "num_hidden_layers": 12,
            "intermediate_size": 3072, "max_position_embeddings": 2048, "num_attention_heads": 12,
            "tie_word_embeddings": True, "do_layer_norm_before": True, "enable_bias": True,
        },
        {"intermediate_size": "ffn_dim"},
    ),
    "mpt": Family(
        mpt,
        {
            "hidden_size": 2048, "num_attention_heads": 16, "num_hidden_layers": 24,
            "expansion_ratio": 4, "max_position_embeddings": 2048, "vocab_size": 50368,
            "no_bias": True, "tie_word_embeddings": True, "intermediate_size": 8192,
        },
        {"hidden_size": "d_model", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers",
         "max_position_embeddings": "max_seq_len"},
    ),
    "falcon": Family(
        falcon,
        {
            "vocab_size": 65024, "hidden_size": 4544, "num_hidden_layers": 32,
            "num_attention_heads": 71, "multi_query": True, "parallel_attn": True, "bias": False,
            "max_position_embeddings": 2048, "tie_word_embeddings": True,
        },
        {"intermediate_size": "ffn_hidden_size"},
    ),
    "phi": Family(
        phi,
        {
            "vocab_size": 51200, "hidden_size": 2048, "intermediate_size": 8192,
            "num_hidden_layers": 24, "num_attention_heads": 32, "max_position_embeddings": 2048,
            "tie_word_embeddings": False,
        },
    ),
    "starcoder2": Family(
        starcoder2,
        {
            "vocab_size": 49152, "hidden_size": 3072, "intermediate_size": 12288,
            "num_hidden_layers": 30, "num_attention_heads": 24, "num_key_value_heads": 2,
            "max_position_embeddings": 4096, "use_bias": True, "tie_word_embeddings": True,
        },
    ),
    "nemotron": Family(
        nemotron,
        {
            "vocab_size": 256000, "hidden_size": 6144, "intermediate_size": 24576,
            "num_hidden_layers": 32, "num_attention_heads": 48, "max_position_embeddings": 4096,
            "tie_word_embeddings": False,
        },
    ),
    "stablelm": Family(
        stablelm,
        {
            "vocab_size": 50304, "hidden_size": 2560, "intermediate_size": 6912,
            "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
            "max_position_embeddings": 4096, "tie_word_embeddings": False,
        },
    ),
    "bert": Family(bert, _BERT),
    "roberta": Family(roberta, {**_BERT, "vocab_size": 50265}),
    "xlm-roberta": Family(roberta, _BERT),
    "whisper": Family(
        whisper,
        {
            "vocab_size": 51865, "num_mel_bins": 80, "encoder_layers": 4, "num_hidden_layers": 4,
            "num_attention_heads": 6, "intermediate_size": 1536, "hidden_size": 384,
            "max_position_embeddings": 448, "tie_word_embeddings": True,
        },
        {
            "hidden_size": "d_model", "num_hidden_layers": "decoder_layers",
            "num_attention_heads": "decoder_attention_heads", "intermediate_size": "decoder_ffn_dim",
            "max_position_embeddings": "max_target_positions",
        },
    ),
}  # fmt: skip
"""`model_type` -> how to read it."""
