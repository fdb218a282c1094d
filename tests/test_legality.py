"""Legal layouts: each rule with both numbers; an illegal layout is data, never an exception."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog import ids, model
from planner.catalog.engines import serving_engine, serving_engine_ids
from planner.legality import serving_illegal, training_illegal


def codes(
    name: str, weights: str, tp: int, pp: int = 1, ep: int = 1, engine: str = "vllm", dp: int = 1
) -> set[str]:
    found = serving_illegal(serving_engine(engine), model(name), weights, tp, pp, ep, dp)
    assert all(i.message and i.need and i.have for i in found)
    return {i.code for i in found}


@pytest.mark.parametrize(
    ("name", "weights", "tp", "pp", "ep", "expected"),
    [
        ("llama-65b", "fp16", 4, 1, 1, set()), ("llama-65b", "fp16", 5, 1, 1, {"heads", "kv_heads", "ffn"}),
        ("llama-65b", "fp16", 1, 5, 1, set()), ("llama-65b", "fp16", 1, 81, 1, {"layers"}),
        ("llama-3-70b", "bf16", 16, 1, 1, set()), ("qwen2.5-7b", "bf16", 4, 1, 1, set()),
        ("qwen2.5-7b", "bf16", 8, 1, 1, {"heads"}), ("qwen2.5-14b", "bf16", 5, 1, 1, {"kv_heads", "ffn"}),
        ("qwen2.5-32b", "gptq-int4", 8, 1, 1, set()), ("qwen2.5-72b", "gptq-int4", 8, 1, 1, {"group"}),
        ("qwen2.5-72b", "gptq-int4-g32", 4, 1, 1, set()), ("deepseek-v3", "fp8", 8, 1, 1, set()),
        ("deepseek-v3", "fp8", 16, 1, 16, set()), ("deepseek-v3", "fp8", 32, 1, 1, {"block"}),
        ("qwen3-30b-a3b", "bf16", 4, 1, 3, {"experts", "parallelism"}), ("llama-3.1-8b", "bf16", 2, 1, 2, {"experts"}),
    ],
)  # fmt: skip
def test_vllm_layouts(
    name: str, weights: str, tp: int, pp: int, ep: int, expected: set[str]
) -> None:
    assert codes(name, weights, tp, pp, ep) == expected


def test_vocabulary_is_padded_never_a_reason() -> None:
    # 50,257 tokens divide by nothing.
    assert "vocab" not in codes("falcon-40b", "bf16", 8)


def test_llama_cpp_splits_layers_over_any_count() -> None:
    assert codes("llama-3-70b", "gguf-q4_k_m", 1, 7, engine="llama.cpp") == set()
    assert "parallelism" in codes("llama-3-70b", "gguf-q4_k_m", 2, 1, engine="llama.cpp")


@given(
    st.sampled_from(ids("models")), st.sampled_from(serving_engine_ids()), st.integers(1, 70), st.integers(1, 100),
    st.integers(1, 70), st.integers(1, 9), st.sampled_from(["16bit", "fp8", "awq-int4", "mxfp4", "gguf-q4_k_m"]),
)  # fmt: skip
def test_any_degrees_give_an_answer(
    name: str, engine: str, tp: int, pp: int, ep: int, dp: int, weights: str
) -> None:
    found = serving_illegal(serving_engine(engine), model(name), weights, tp, pp, ep, dp)
    assert all(i.message for i in found)
    if tp == pp == ep == dp == 1:
        assert found == []


@pytest.mark.parametrize(
    ("framework", "name", "degrees", "expected"),
    [
        ("megatron", "llama-3.1-8b", {"tp": 8, "pp": 4}, []),
        ("megatron", "llama-3.1-8b", {"tp": 16, "pp": 3}, ["kv_heads", "layers"]),
        ("megatron", "llama-3.1-8b", {"pp": 4, "interleave": 3}, ["layers"]),
        ("megatron", "llama-3.1-8b", {"interleave": 2}, ["interleave"]),
        ("deepspeed", "llama-3.1-8b", {"pp": 2, "zero": 2}, ["zero_pipeline"]),
        ("deepspeed", "llama-3.1-8b", {"pp": 2, "zero": 1}, []),
        ("fsdp", "llama-3.1-8b", {"dp": 6, "micro_batch": 2, "global_batch": 128}, ["batch"]),
        ("fsdp", "llama-3.1-8b", {"dp": 8, "micro_batch": 2, "global_batch": 128}, []),
        ("megatron", "mixtral-8x7b", {"ep": 3, "dp": 3}, ["experts"]),
        ("megatron", "llama-3.1-8b", {"cp": 3, "sequence": 8192}, ["batch"]),
    ],
)
def test_training_layouts(
    framework: str, name: str, degrees: dict[str, int], expected: list[str]
) -> None:
    found = training_illegal(framework, model(name), **degrees)
    assert [i.code for i in found] == expected
    assert all(i.message and i.need for i in found)
