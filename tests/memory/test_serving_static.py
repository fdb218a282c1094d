"""Engines without a pool: peaks of Transformers, AutoAWQ, LitGPT and the buffers of llama.cpp."""

import pytest

from planner.catalog import gpu, model
from planner.catalog.engines import serving_engine
from planner.memory.serving import ServingMemory, ServingSetup, serving_memory
from planner.memory.serving_layers import compute_buffer
from planner.units import GIB, MIB


def peak(name: str, engine: str, version: str, prompt: int, output: int, **setup: object) -> float:
    wanted = ServingSetup(context=prompt + output, prompt=prompt, **setup)  # type: ignore[arg-type]
    memory = serving_memory(
        model(name), gpu("a100-sxm4-80gb"), serving_engine(engine, version), wanted
    )
    return float(memory.reported_total_bytes) / GIB  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "weights", "prompt", "gib"),
    [
        ("qwen2.5-0.5b", "bf16", 30720, 2.34), ("qwen2.5-1.5b", "gptq-int8", 14336, 3.03),
        ("qwen2.5-32b", "bf16", 30720, 74.47), ("qwen2.5-32b", "gptq-int4", 1, 18.94),
        ("qwen2.5-72b", "awq-int4", 14336, 46.38), ("qwen2.5-1.5b", "awq-int4", 1, 1.51),
    ],
)  # fmt: skip
def test_prefill_sets_the_peak_of_transformers_4_46(
    name: str, weights: str, prompt: int, gib: float
) -> None:
    assert peak(name, "transformers", "4.46.0", prompt, 2048, weights=weights) == pytest.approx(
        gib, rel=0.025
    )


@pytest.mark.parametrize(
    ("name", "weights", "prompt", "gib"),
    [
        ("qwen3-8b", "bf16", 30720, 19.792), ("qwen3-8b", "awq-int4", 30720, 10.743),
        ("qwen3-14b", "fp8", 6144, 16.574), ("qwen3-0.6b", "fp8", 14336, 2.772),
    ],
)  # fmt: skip
def test_cache_sets_the_peak_of_transformers_4_51(
    name: str, weights: str, prompt: int, gib: float
) -> None:
    assert peak(name, "transformers", "4.51.3", prompt, 2048, weights=weights) == pytest.approx(
        gib, rel=0.01
    )


def test_eager_scores_grow_with_the_square_of_the_prompt() -> None:
    sizes = [
        peak("mistral-7b-v0.1", "autoawq", "0.1.6", n, n, weights="awq-int4", batch=8)
        for n in (1024, 2048, 4096)
    ]
    assert sizes[1] == pytest.approx(16.82, rel=0.03)
    assert sizes[2] - sizes[1] > 3 * (sizes[1] - sizes[0])


@pytest.mark.parametrize(
    ("weights", "gib"),
    [
        ("fp32", 26.962),
        ("bf16", 13.504),
        ("nf4", 5.327),
        ("nf4-double-quant", 5.011),
        ("int8", 8.103),
    ],
)
def test_litgpt_quantizes_the_head_and_widens_it_to_run(weights: str, gib: float) -> None:
    assert peak("falcon-7b", "litgpt", "", 16, 256, weights=weights) == pytest.approx(gib, rel=0.01)


@pytest.mark.parametrize(
    ("version", "name", "context", "mib"),
    [
        ("May 2024", "llama-3-8b", 8192, 560), ("2023", "llama-2-13b", 512, 75),
        ("2026", "qwen2.5-32b", 32768, 308), ("2026", "qwen3-235b-a22b", 32768, 313),
        ("2026", "gemma-3-27b", 32768, 523),
    ],
)  # fmt: skip
def test_compute_buffers_of_llama_cpp(version: str, name: str, context: int, mib: float) -> None:
    engine = serving_engine("llama.cpp", version)
    size = compute_buffer(engine, model(name), gpu("rtx-3090"), (512, context), "auto")
    assert size / MIB == pytest.approx(mib, rel=0.1)


def layers(name: str, weights: str, card: str, gpus: int, context: int) -> ServingMemory:
    engine = serving_engine("llama.cpp", "May 2024")
    setup = ServingSetup(weights=weights, context=context)
    return serving_memory(model(name), gpu(card), engine, setup, pp=gpus)


@pytest.mark.parametrize(
    ("weights", "card", "gpus", "fits"),
    [
        ("gguf-q4_k_m", "rtx-4090", 1, False), ("gguf-q4_k_m", "rtx-4090", 2, True),
        ("gguf-q4_k_m", "rtx-a6000", 1, True), ("gguf-f16", "a100-sxm4-80gb", 1, False),
        ("gguf-f16", "rtx-3090", 4, False), ("gguf-f16", "rtx-3090", 6, True), ("gguf-f16", "l40s", 4, True),
    ],
)  # fmt: skip
def test_70b_over_several_cards(weights: str, card: str, gpus: int, fits: bool) -> None:
    assert layers("llama-3-70b", weights, card, gpus, 1024).runs == fits


def test_context_decides_8b_in_f16_on_16_gb() -> None:
    assert layers("llama-3-8b", "gguf-f16", "rtx-4080", 1, 4096).runs
    assert not layers("llama-3-8b", "gguf-f16", "rtx-4080", 1, 8192).runs


def test_embedding_stays_on_the_host() -> None:
    memory = layers("llama-3-8b", "gguf-q4_k_m", "rtx-3070", 1, 8192)
    assert float(memory.ledger.host_bytes) / MIB == pytest.approx(282, rel=0.01)  # type: ignore[arg-type]
    weights = next(c for c in memory.ledger.components if c.name == "weights")
    assert float(weights.best) / GIB == pytest.approx(4.3, rel=0.01)  # type: ignore[arg-type]
