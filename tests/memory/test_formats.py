"""Bytes per format against the sizes of published checkpoints."""

import pytest

from planner.catalog import model
from planner.catalog.formats import UnknownFormat, kv_bits, weight_format
from planner.memory.weights import checkpoint_bytes

GB = 1e9

# Sizes of published GGUF files, GB as file listings show them.
GGUF_FILES = [
    ("llama-3-8b", "q8_0", 8.54), ("llama-3-8b", "q6_k", 6.60), ("llama-3-8b", "q5_k_m", 5.73),
    ("llama-3-8b", "q5_k_s", 5.60), ("llama-3-8b", "q4_k_m", 4.92), ("llama-3-8b", "q4_k_s", 4.69),
    ("llama-3-8b", "iq4_xs", 4.45), ("llama-3-8b", "q3_k_l", 4.32), ("llama-3-8b", "q3_k_m", 4.02),
    ("llama-3-8b", "iq3_m", 3.78), ("llama-3-8b", "q3_k_s", 3.66), ("llama-3-8b", "q2_k", 3.18),
    ("llama-3-70b", "q4_k_m", 42.52), ("llama-3-70b", "q5_k_m", 49.95),
    ("llama-3-70b", "q3_k_m", 34.27), ("llama-3-70b", "q2_k", 26.38),
    ("llama-2-7b", "q4_0", 3.83), ("llama-2-7b", "q4_k_m", 4.08), ("llama-2-7b", "q6_k", 5.53),
    ("mixtral-8x7b", "q8_0", 49.62), ("qwen2.5-32b", "q4_k_m", 19.85),
    ("gemma-3-27b", "q4_k_m", 16.55), ("qwen2.5-7b", "q8_0", 8.10),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "gb"), GGUF_FILES)
def test_gguf_mixes_match_published_file_sizes(name: str, kind: str, gb: float) -> None:
    assert checkpoint_bytes(model(name), weight_format(f"gguf-{kind}")) / GB == pytest.approx(
        gb, rel=0.012
    )


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("bf16", 16), ("fp8", 8), ("awq-int4", 4.15625), ("gptq-int4-g32", 4.625), ("gptq-int4-g64", 4.3125),
        ("gptq-int4-g-1", 4), ("gptq-int8", 8.1875), ("mxfp4", 4.25), ("nvfp4", 4.5), ("nf4-plain", 4.5),
        ("nf4", 4.126953125), ("gguf-q4_0", 4.5), ("gguf-q6_k", 6.5625), ("exl3-4.0bpw", 4.0),
    ],
)  # fmt: skip
def test_bits_per_weight_with_scales(name: str, bits: float) -> None:
    assert weight_format(name).bits_per_weight == bits


def test_group_scales_cost_more_in_smaller_groups() -> None:
    sizes = [
        checkpoint_bytes(model("llama-2-7b"), weight_format(f"gptq-int4-g{g}"))
        for g in (32, 64, 128)
    ]
    assert sizes == sorted(sizes, reverse=True)


def test_mxfp4_quantizes_experts_only() -> None:
    oss = model("gpt-oss-20b")
    assert checkpoint_bytes(oss, weight_format("mxfp4")) / 2**30 == pytest.approx(12.8, rel=0.01)


def test_fp8_keeps_embedding_and_head_wide() -> None:
    size = checkpoint_bytes(model("qwen3-8b"), weight_format("fp8")) / 2**30
    assert size == pytest.approx(8.80, rel=0.005)


def test_unknown_formats_name_their_neighbours() -> None:
    with pytest.raises(UnknownFormat) as caught:
        weight_format("awq-int5")
    assert "awq-int4" in caught.value.nearest
    with pytest.raises(UnknownFormat):
        kv_bits("q9_0")
    with pytest.raises(UnknownFormat) as caught:
        weight_format("gguf-q4_k_x")
    assert "gguf-q4_k_m" in caught.value.nearest or "gguf-q4_k" in caught.value.nearest


def test_cache_types_carry_their_block_scales() -> None:
    assert [kv_bits(k) / 8 for k in ("auto", "fp8", "q8_0", "q4_0")] == [2.0, 1.0, 1.0625, 0.5625]
