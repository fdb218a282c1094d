"""The support table: what runs on which GPU, and what `16bit` and the default engine come to."""

import pytest

from planner.catalog import UnknownRecord, gpu, model
from planner.catalog.engine_support import default_engine, support
from planner.catalog.engines import serving_engine, serving_engine_ids


@pytest.mark.parametrize(
    ("weights", "card", "how"),
    [
        ("fp8", "a100-sxm4-80gb", "weight-only"), ("fp8", "h100-sxm5-80gb", "native"), ("fp8", "l4", "native"),
        ("fp8", "v100-sxm2-32gb", "no"), ("mxfp4", "a100-sxm4-80gb", "weight-only"), ("mxfp4", "t4", "no"),
        ("mxfp4", "b200-sxm", "native"), ("awq-int4", "t4", "weight-only"), ("awq-int4", "v100-sxm2-32gb", "no"),
        ("gptq-int4", "v100-sxm2-32gb", "weight-only"), ("nf4", "v100-sxm2-32gb", "weight-only"),
        ("bf16", "v100-sxm2-32gb", "no"), ("fp16", "v100-sxm2-32gb", "native"), ("16bit", "t4", "native"),
        ("nvfp4", "b200-sxm", "native"), ("nvfp4", "h100-sxm5-80gb", "weight-only"), ("bf16", "mi300x", "native"),
        ("fp16", "p40", "no"),
    ],
)  # fmt: skip
def test_vllm_weight_formats(weights: str, card: str, how: str) -> None:
    found = support(
        serving_engine("vllm"), weights, "auto", "auto", model("llama-3.1-8b"), gpu(card)
    )
    assert found.how == how
    assert found.runs == (how != "no")
    assert found.reason or how != "no"


def test_fp8_weights_compute_in_sixteen_bit_on_a100() -> None:
    found = support(
        serving_engine("vllm"), "fp8", "auto", "auto", model("llama-3.1-70b"), gpu("a100-sxm4-80gb")
    )
    assert (found.arithmetic, found.attention) == ("bf16", "flash")
    assert "8.9" in found.reason


@pytest.mark.parametrize("name", ["gemma-2-9b", "gemma-3-27b", "glm-4-9b-0414"])
def test_models_that_overflow_refuse_fp16(name: str) -> None:
    engine = serving_engine("vllm")
    for weights, card in (
        ("16bit", "v100-sxm2-32gb"),
        ("gptq-int4", "t4"),
        ("fp16", "h100-sxm5-80gb"),
    ):
        found = support(engine, weights, "auto", "auto", model(name), gpu(card))
        assert found.how == "no"
        assert "fp16" in found.reason
    assert support(engine, "bf16", "auto", "auto", model(name), gpu("l4")).runs


@pytest.mark.parametrize(
    ("attention", "card", "runs"),
    [
        ("flash", "v100-sxm2-32gb", False), ("flash", "t4", False), ("flash", "a10", True),
        ("sdpa", "v100-sxm2-32gb", True), ("auto", "t4", True),
    ],
)  # fmt: skip
def test_who_insists_on_flash_is_refused_before_ampere(
    attention: str, card: str, runs: bool
) -> None:
    found = support(
        serving_engine("vllm"), "16bit", "auto", attention, model("llama-3.1-8b"), gpu(card)
    )
    assert found.runs == runs
    assert runs or "attention" in found.reason


@pytest.mark.parametrize(
    ("kv", "card", "how"),
    [
        ("fp8", "h100-sxm5-80gb", True),
        ("fp8", "a100-sxm4-80gb", True),
        ("fp8", "v100-sxm2-32gb", False),
    ],
)
def test_cache_formats(kv: str, card: str, how: bool) -> None:
    engine, m = serving_engine("vllm"), model("llama-3.1-8b")
    assert support(engine, "16bit", kv, "auto", m, gpu(card)).runs == how


@pytest.mark.parametrize(
    ("weights", "card", "engine"),
    [
        ("16bit", "h100-sxm5-80gb", "vllm"), ("gguf-q4_k_m", "p40", "llama.cpp"),
        ("gptq-int4", "v100-sxm2-32gb", "vllm"), ("fp16", "p40", "transformers"),
    ],
)  # fmt: skip
def test_default_engine_is_the_first_that_runs(weights: str, card: str, engine: str) -> None:
    found = default_engine(model("llama-3.1-8b"), weights, gpu(card))
    assert found is not None
    assert found.id == engine


def test_no_engine_runs_bf16_on_a_v100() -> None:
    assert default_engine(model("llama-3.1-8b"), "bf16", gpu("v100-sxm2-32gb")) is None


def test_every_profile_reads_and_states_its_evidence() -> None:
    for name in serving_engine_ids():
        engine = serving_engine(name)
        assert engine.sources
        assert engine.memory.activations.evidence
        assert engine.memory.budget.context.evidence
        for revision in engine.revisions:
            assert revision.evidence
            serving_engine(name, revision.before if revision.since == "0" else revision.since)


def test_unknown_engines_name_their_neighbours() -> None:
    with pytest.raises(UnknownRecord) as caught:
        serving_engine("vlm")
    assert "vllm" in caught.value.nearest
