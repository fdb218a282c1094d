"""Bytes per token and layer against what PyTorch's saved tensors hold (torch 2.13, transformers 5.23)."""

import pytest

from planner.catalog import model
from planner.catalog.records import Model
from planner.memory.activations import KeepRules, layer_kept


def shape(**fields: object) -> Model:
    base = {
        "id": "shape", "sources": ("test",), "num_layers": 2, "vocab_size": 1000,
        "max_position_embeddings": 2048, "hidden_size": 4096, "intermediate_size": 11008,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
    }  # fmt: skip
    return Model.model_validate({**base, **fields})


def test_published_bytes_per_token() -> None:
    figures = {"llama-2-7b": 186_504, "llama-3.1-8b": 200_840, "qwen2.5-7b": 225_400}
    for name, expected in figures.items():
        assert layer_kept(model(name), KeepRules()).per_token == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 186_504),
        ({"intermediate_size": 12288, "qk_norm": "per_head"}, 227_624),
        (
            {"hidden_size": 2048, "intermediate_size": 8192, "num_key_value_heads": 32, "head_dim": 64,
             "gated_mlp": False, "norm": "layernorm", "family": "opt"},
            49_288,
        ),
    ],
)  # fmt: skip
def test_repeated_heads_match_the_tensors_pytorch_saves(fields: dict, expected: int) -> None:
    kept = layer_kept(shape(**fields), KeepRules(repeats_kv=True)).per_token
    assert kept == pytest.approx(expected, rel=2e-3)


def test_mixtures_of_experts_match_the_tensors_pytorch_saves() -> None:
    rules = KeepRules(repeats_kv=True)
    # 361,212 and 209,450 bytes per token were saved, of which 512 are the mask.
    assert layer_kept(model("mixtral-8x7b"), rules, moe=True).per_token == pytest.approx(
        360_700, rel=1e-3
    )
    assert layer_kept(model("qwen3-30b-a3b"), rules, moe=True).per_token == pytest.approx(
        208_938, rel=3e-3
    )


def test_adapters_keep_less_than_full_training_and_dropout_more() -> None:
    llama = model("llama-2-7b")
    full = layer_kept(llama, KeepRules()).per_token
    some = layer_kept(llama, KeepRules(targets="q,v", rank=8)).per_token
    every = layer_kept(llama, KeepRules(targets="all-linear", rank=8)).per_token
    dropped = layer_kept(llama, KeepRules(targets="all-linear", rank=8, dropout=True)).per_token
    assert some < every < full
    assert dropped > every
    h, ad, kv, a, f, r = 4096, 4096, 4096, 32, 11008, 8
    assert some == 10 * h + 4 * ad + 4 * kv + 4 * a + 6 * f + 4 * r + 8
    assert every == 12 * h + 4 * ad + 4 * kv + 4 * a + 8 * f + 14 * r + 8


def test_score_matrices_only_in_eager_attention() -> None:
    llama = model("llama-2-7b")
    assert layer_kept(llama, KeepRules(kernel="sdpa")).scores == 0
    assert layer_kept(llama, KeepRules(kernel="eager")).scores == 6 * 32
