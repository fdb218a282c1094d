"""Weights on one rank: published per-GPU sizes, and sums that must come out whole."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.catalog import ids, model
from planner.catalog.formats import weight_format
from planner.catalog.parameters import total_params
from planner.memory.weights import WeightRules, checkpoint_bytes, stage_layers, stage_weights

GIB = 2**30


def fullest_gib(
    name: str, fmt: str, tp: int = 1, pp: int = 1, dp: int = 1, **rules: object
) -> float:
    one = [np.array([n]) for n in (tp, pp, dp)]
    return float(
        stage_weights(model(name), weight_format(fmt), *one, WeightRules(**rules)).fullest[0] / GIB  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("name", "fmt", "tp", "gib"),
    [
        ("llama-65b", "fp16", 1, 121.6), ("llama-65b", "fp16", 4, 30.4),
        ("llama-3-70b", "awq-int4", 2, 18.55), ("llama-3.1-8b", "bf16", 1, 14.96),
        ("qwen3-8b", "fp8", 1, 8.80), ("llama-3-8b", "bf16", 2, 7.48),
        ("gpt-oss-20b", "mxfp4", 1, 12.88), ("qwen3-30b-a3b", "bf16", 1, 56.88),
        ("qwen3-30b-a3b", "fp8", 1, 29.09), ("mixtral-8x7b", "fp16", 1, 87.0),
    ],
)  # fmt: skip
def test_weights_per_gpu_as_engines_print_them(name: str, fmt: str, tp: int, gib: float) -> None:
    assert fullest_gib(name, fmt, tp) == pytest.approx(gib, rel=0.01)


def test_experts_spread_over_tensor_and_data_parallel_ranks() -> None:
    whole = fullest_gib("qwen3-235b-a22b", "fp8", tp=4, dp=2)
    assert whole < fullest_gib("qwen3-235b-a22b", "fp8", tp=4) * 0.6


def test_merged_absorption_of_early_mla() -> None:
    merged = fullest_gib(
        "deepseek-v2-lite", "fp16", tp=8, absorb_latent="merged", granularity=2**21
    )
    assert merged == pytest.approx(3.97, rel=0.015)


def test_key_value_projections_repeat_beyond_their_heads() -> None:
    # 8 key-value heads: 16 ranks hold two copies of each.
    assert fullest_gib("llama-3-70b", "bf16", tp=16) > fullest_gib("llama-3-70b", "bf16", tp=8) / 2


def test_tied_embedding_is_held_again_on_the_last_stage() -> None:
    one = np.array([1])
    fmt = weight_format("bf16")
    alone = stage_weights(model("llama-3.2-1b"), fmt, one, one, one, WeightRules())
    split = stage_weights(model("llama-3.2-1b"), fmt, one, np.array([2]), one, WeightRules())
    table = 128256 * 2048 * 2
    assert split.by_stage.sum() - alone.by_stage.sum() == pytest.approx(table)


@given(st.sampled_from(ids("models")), st.sampled_from(["bf16", "fp8", "awq-int4", "gguf-q4_k_m"]))
@settings(max_examples=60, deadline=None)
def test_one_rank_without_padding_holds_the_checkpoint(name: str, fmt: str) -> None:
    m, f = model(name), weight_format(fmt)
    one = np.array([1])
    rules = WeightRules(vocab_multiple=1, vision=f.family != "gguf")
    held = float(stage_weights(m, f, one, one, one, rules).fullest[0])
    assert held == pytest.approx(checkpoint_bytes(m, f, with_mtp=False), rel=1e-9)


@given(st.sampled_from(ids("models")))
@settings(max_examples=40, deadline=None)
def test_sixteen_bit_checkpoint_is_two_bytes_a_parameter(name: str) -> None:
    m = model(name)
    assert checkpoint_bytes(m, weight_format("bf16")) == 2 * total_params(m)


@given(
    st.sampled_from(["llama-3-70b", "mixtral-8x7b", "deepseek-v3", "gemma-3-27b"]),
    st.integers(0, 3), st.integers(1, 9), st.sampled_from(["bf16", "fp8", "gptq-int4"]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_more_ranks_never_need_more(name: str, power: int, pp: int, fmt: str) -> None:
    tp = 2**power
    assert fullest_gib(name, fmt, tp * 2, pp) <= fullest_gib(name, fmt, tp, pp) + 1e-9


@given(st.integers(1, 130), st.integers(1, 20), st.sampled_from(["even", "vllm", "proportional"]))
def test_stages_hold_every_layer_once(layers: int, stages: int, style: str) -> None:
    spans = stage_layers(layers, min(stages, layers), style)  # type: ignore[arg-type]
    assert spans[0][0] == 0
    assert spans[-1][1] == layers
    assert all(b == c for (_, b), (c, _) in pairwise(spans))
    sizes = [b - a for a, b in spans]
    assert max(sizes) - min(sizes) <= 2


def test_arrays_agree_with_single_layouts() -> None:
    m, f = model("deepseek-v3"), weight_format("fp8")
    tp, pp, dp = (np.array(x) for x in ([1, 8, 4, 16], [1, 2, 5, 3], [1, 1, 2, 4]))
    rules = WeightRules(absorb_latent="split")
    many = stage_weights(m, f, tp, pp, dp, rules).fullest
    for i in range(4):
        one = stage_weights(m, f, tp[i : i + 1], pp[i : i + 1], dp[i : i + 1], rules).fullest[0]
        assert many[i] == one
