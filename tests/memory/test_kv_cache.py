"""Keys and values per token and sequence: published figures, windows, blocks, repeated heads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog import model
from planner.memory.kv_cache import KvRules, encoder_tokens, layer_token_bytes, stage_kv

GIB = 2**30
ONE = np.array([1])


def per_token(name: str, tp: int, **rules: object) -> float:
    kv = stage_kv(model(name), np.array([tp]), ONE, 2048, KvRules(**rules), "vllm")  # type: ignore[arg-type]
    return float(kv.token[0, 0])


def sequence(name: str, tokens: float, tp: int = 1, pp: int = 1, **rules: object) -> np.ndarray:
    kv = stage_kv(model(name), np.array([tp]), np.array([pp]), tokens, KvRules(**rules), "vllm")  # type: ignore[arg-type]
    return kv.sequence[0]


@pytest.mark.parametrize(
    ("name", "tp", "bits", "expected"),
    [
        ("llama-3.1-8b", 1, 16, 131_072), ("llama-3-70b", 4, 16, 81_920), ("llama-3-70b", 16, 16, 40_960),
        ("llama-65b", 4, 16, 655_360), ("qwen3-30b-a3b", 1, 8, 49_152), ("qwen3-235b-a22b", 4, 16, 48_128),
        ("kimi-k2", 8, 16, 70_272), ("kimi-k2", 1, 16, 70_272), ("deepseek-v3", 8, 16, 70_272),
        ("falcon-7b", 8, 16, 8_192), ("llama-2-13b", 1, 16, 819_200),
    ],
)  # fmt: skip
def test_bytes_per_token_and_gpu(name: str, tp: int, bits: int, expected: int) -> None:
    assert per_token(name, tp, bits=float(bits)) == expected


def test_kimi_k2_matches_the_log_within_rounding() -> None:
    # 70,275 bytes per token and GPU follow from a printed size and token count at tp 8.
    assert per_token("kimi-k2", 8) == pytest.approx(70_275, rel=1e-4)


def test_decode_context_parallelism_spreads_the_latent_cache() -> None:
    assert per_token("kimi-k2", 8, context_parallel=8) == 70_272 / 8


def test_early_mla_padded_its_entries() -> None:
    assert per_token("deepseek-v2-lite", 1, latent_multiple=128) == 27 * 640 * 2


def test_expanded_latent_cache_of_old_llama_cpp() -> None:
    # 4.9 MB per token of DeepSeek-R1.
    assert per_token("deepseek-r1", 1, expand_latent=True) == pytest.approx(4.9e6, rel=0.02)


def test_founding_sequence_on_four_v100() -> None:
    assert sequence("llama-65b", 2048, tp=4)[0] == 1.25 * GIB


def test_quantized_cache_of_235b() -> None:
    # 3,196 MiB printed for 32,768 tokens of q8_0.
    assert sequence("qwen3-235b-a22b", 32768, bits=8.5)[0] / 2**20 == pytest.approx(3196, abs=0.5)


def test_gemma_full_cache_of_old_versions() -> None:
    # 15,872 MiB printed for 32,768 tokens when sliding layers kept everything.
    assert sequence("gemma-3-27b", 32768, sliding="full")[0] / 2**20 == 15872


def test_windows_hold_their_window_only() -> None:
    full, window = (
        sequence("gemma-3-27b", 32768)[0],
        sequence("gemma-3-27b", 32768, sliding="window")[0],
    )
    assert window == pytest.approx(full * (10 * 32768 + 52 * 1024) / (62 * 32768))


def test_short_sequences_gain_nothing_from_windows() -> None:
    short = 512
    assert sequence("gemma-3-27b", short, sliding="window")[0] == sequence("gemma-3-27b", short)[0]


def test_cross_attention_keeps_image_tokens_only() -> None:
    m = model("llama-3.2-11b-vision")
    each = 2 * m.num_key_value_heads * m.head_dim * 2
    assert encoder_tokens(m) == 4 * 1601
    assert sequence(m.id, 1600)[0] == each * (32 * 1600 + 8 * 4 * 1601)


@given(st.integers(1, 100_000), st.sampled_from([1, 16, 32, 64]))
def test_sequences_take_whole_blocks(tokens: int, block: int) -> None:
    held = sequence("llama-3.1-8b", tokens, block=block)[0] / 131_072
    assert held % block == 0
    assert tokens <= held < tokens + block


@given(st.integers(1, 32), st.integers(64, 20_000))
def test_stages_together_hold_the_whole_sequence(pp: int, tokens: int) -> None:
    assert sequence("llama-3.1-8b", tokens, pp=pp).sum() == sequence("llama-3.1-8b", tokens)[0]


@given(st.sampled_from([1, 2, 4, 8, 16, 32]))
def test_ranks_together_hold_each_head_at_least_once(tp: int) -> None:
    m = model("llama-3-70b")
    assert float(layer_token_bytes(m, np.array([tp]), KvRules())[0]) * tp >= 2 * 8 * 128 * 2
