"""Whole replicas: engines' own log lines, founding facts, and properties every layout keeps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.catalog import gpu, model
from planner.catalog.engines import profile_for, serving_engine
from planner.memory.serving import ServingMemory, ServingSetup, serving_memory
from planner.units import GIB


def run(
    name: str, card: str, engine: str = "vllm", version: str = "", *, tp: int = 1, pp: int = 1, nvlink: bool = True,
    **setup: object,
) -> ServingMemory:  # fmt: skip
    wanted = ServingSetup(**{"context": 8192, **setup})  # type: ignore[arg-type]
    profile = serving_engine(engine, version)
    return serving_memory(model(name), gpu(card), profile, wanted, tp=tp, pp=pp, nvlink=nvlink)


def part(memory: ServingMemory, name: str) -> float:
    return next(float(c.best) for c in memory.ledger.components if c.name == name) / GIB


def test_llama_65b_does_not_run_on_four_v100() -> None:
    memory = run("llama-65b", "v100-sxm2-32gb", tp=4, context=2048)
    assert memory.ledger.usable / GIB == pytest.approx(28.56, abs=0.02)
    assert part(memory, "weights") == pytest.approx(30.4, abs=0.1)
    assert part(memory, "kv_cache") == 1.25
    assert not memory.runs
    assert not memory.runs_best


def test_llama_65b_in_four_bit_runs_on_four_v100() -> None:
    assert run("llama-65b", "v100-sxm2-32gb", tp=4, context=2048, weights="gptq-int4").runs


def test_pool_of_70b_awq_on_two_l40s() -> None:
    memory = run("llama-3-70b", "l40s", "vllm-v1", "0.16.0", tp=2, nvlink=False, weights="awq-int4")
    assert memory.kv_pool_bytes / GIB == pytest.approx(20.16, rel=0.02)
    assert memory.kv_pool_tokens == pytest.approx(132_128, rel=0.02)


def test_cache_shrinks_with_context_until_prefill_is_chunked() -> None:
    pools = [
        run("llama-3.1-8b", "rtx-3090", "vllm-v0", "0.6.4", context=c).kv_pool_bytes / GIB
        for c in (20_000, 29_000, 35_000)
    ]
    assert pools[0] == pytest.approx(3.81, rel=0.1)
    assert pools[1] == pytest.approx(2.89, rel=0.12)
    assert pools[2] > pools[0]


def test_sequences_default_decides_gpt_oss_on_one_h100() -> None:
    # 1,024 sequences of a vocabulary of 201,088 leave no cache: -2.14 GiB was printed.
    default = run(
        "gpt-oss-120b", "h100-sxm5-80gb", "vllm-v1", "0.10.1", weights="mxfp4", context=8192
    )
    fewer = run(
        "gpt-oss-120b",
        "h100-sxm5-80gb",
        "vllm-v1",
        "0.10.1",
        weights="mxfp4",
        context=8192,
        max_num_seqs=64,
    )
    assert not default.runs
    assert default.kv_pool_bytes < 0
    assert fewer.runs_best


def test_sglang_pool_of_235b() -> None:
    memory = run(
        "qwen3-235b-a22b", "h100-sxm5-80gb", "sglang", tp=4, weights="fp8", memory_fraction=0.93
    )
    assert memory.kv_pool_tokens == pytest.approx(367_404, rel=0.02)


def test_nvidia_smi_total_is_fraction_graphs_and_context() -> None:
    card = gpu("rtx-4090")
    mib = round(23.53 * 1024)
    sized = card.model_copy(
        update={
            "memory": card.memory.model_copy(
                update={"cuda_total_mib": mib, "cuda_total_low_mib": mib}
            )
        }
    )
    setup = ServingSetup(context=1024, weights="fp8", memory_fraction=0.8)
    memory = serving_memory(model("qwen3-8b"), sized, serving_engine("vllm-v1", "0.10.2"), setup)
    assert memory.reported_total_bytes / GIB == pytest.approx(20.03, rel=0.01)
    assert memory.kv_pool_bytes / GIB == pytest.approx(8.6, rel=0.02)


def test_graphs_count_inside_the_fraction_from_0_21() -> None:
    before = run("llama-3.1-8b", "l40s", "vllm-v1", "0.16.0")
    after = run("llama-3.1-8b", "l40s", "vllm")
    graphs = part(after, "cuda_graphs")
    assert (before.kv_pool_bytes - after.kv_pool_bytes) / GIB == pytest.approx(graphs, abs=1e-6)
    eager = run("llama-3.1-8b", "l40s", "vllm", eager=True)
    assert eager.kv_pool_bytes / GIB == pytest.approx(before.kv_pool_bytes / GIB, abs=1e-6)


def test_sequences_follow_from_the_pool() -> None:
    memory = run("llama-3.1-8b", "l40s", tokens_per_sequence=1800, tokens_per_sequence_p95=4000)
    assert memory.sequences == min(256, memory.kv_pool_bytes // (1808 * 131_072))
    assert 0 < memory.sequences_low < memory.sequences


def test_larger_windows_serve_more_sequences_than_full_caches() -> None:
    windows = run("gemma-3-27b", "h200-sxm", context=32768, max_num_seqs=64)
    full = run(
        "gemma-3-27b",
        "h200-sxm",
        "vllm-v0",
        context=32768,
        max_batched_tokens=2048,
        max_num_seqs=64,
    )
    assert windows.sequences > 2 * full.sequences


def test_weights_on_the_host_make_room() -> None:
    stuck = run("llama-3.1-8b", "rtx-3080-10gb", context=4096)
    moved = run("llama-3.1-8b", "rtx-3080-10gb", context=4096, offload_weights_bytes=10 * GIB)
    assert not stuck.runs_best
    assert moved.runs_best
    assert moved.ledger.host_bytes == 10 * GIB
    assert moved.ledger.extrapolated


def test_hardware_nobody_measured_doubles_the_interval() -> None:
    known = run("llama-3.1-8b", "h100-sxm5-80gb", max_num_seqs=256).ledger
    new = run("llama-3.1-8b", "mi300x", max_num_seqs=256).ledger
    width = [(c.upper - c.best) / GIB for c in (known.components[0], new.components[0])]
    assert width[1] == pytest.approx(2 * width[0], rel=0.01)
    assert new.extrapolated
    assert not known.extrapolated


def test_runs_is_the_ledger_verdict() -> None:
    for card in ("rtx-4090", "l4", "a10", "t4"):
        memory = run("llama-3.1-8b", card, context=8192)
        assert memory.runs == bool(memory.ledger.fits())
        assert memory.runs_best == bool(memory.ledger.fits("best"))


def test_arrays_agree_with_single_layouts() -> None:
    rng = np.random.default_rng(1)
    tp, pp, dp = rng.integers(1, 9, 200), rng.integers(1, 6, 200), rng.integers(1, 3, 200)
    m, g, e, s = (
        model("deepseek-v3"),
        gpu("h200-sxm"),
        serving_engine("vllm"),
        ServingSetup(context=4096),
    )
    many = serving_memory(m, g, e, replace(s, weights="fp8"), tp=tp, pp=pp, dp=dp)
    for i in range(0, 200, 17):
        one = serving_memory(
            m, g, e, replace(s, weights="fp8"), tp=int(tp[i]), pp=int(pp[i]), dp=int(dp[i])
        )
        assert one.runs == many.runs[i]  # type: ignore[index]
        assert one.kv_pool_tokens == many.kv_pool_tokens[i]  # type: ignore[index]
        assert float(one.ledger.best) == np.asarray(many.ledger.best)[i]
        assert float(one.ledger.upper) == np.asarray(many.ledger.upper)[i]


ENGINES = ("vllm", "vllm-v0", "vllm-v1", "sglang", "tensorrt-llm", "lmdeploy", "tgi")


@given(
    st.sampled_from(ENGINES), st.sampled_from(["llama-3.1-8b", "mixtral-8x7b", "gemma-3-27b", "deepseek-v3"]),
    st.integers(0, 3), st.integers(1, 4), st.integers(1024, 60_000), st.sampled_from(["16bit", "fp8", "gptq-int4"]),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_upper_values_bound_best_values(
    engine: str, name: str, power: int, pp: int, context: int, weights: str
) -> None:
    memory = run(
        name, "h100-sxm5-80gb", engine, tp=2**power, pp=pp, context=context, weights=weights
    )
    assert all(c.upper >= c.best >= 0 for c in memory.ledger.components)
    assert memory.ledger.usable_low <= memory.ledger.usable
    assert memory.kv_pool_bytes_low <= memory.kv_pool_bytes
    assert memory.sequences_low <= memory.sequences
    assert not memory.runs or memory.runs_best


@given(st.sampled_from(ENGINES), st.integers(1024, 100_000))
@settings(max_examples=40, deadline=None)
def test_a_longer_context_never_helps_in_chunked_engines(engine: str, context: int) -> None:
    if engine in ("vllm-v0", "tgi"):
        return
    longer = run("llama-3.1-8b", "a10", engine, context=context + 1000, weights="gptq-int4")
    shorter = run("llama-3.1-8b", "a10", engine, context=context, weights="gptq-int4")
    assert shorter.runs or not longer.runs


def test_profiles_cover_versions_and_hardware() -> None:
    t4 = gpu("t4")
    assert profile_for("vllm", "0.8.5", t4).id == "vllm-v0"  # type: ignore[union-attr]
    assert profile_for("vllm", "0.8.5", gpu("l4")).id == "vllm-v1"  # type: ignore[union-attr]
    assert profile_for("vllm", "0.8.3 (V0)", gpu("l4")).id == "vllm-v0"  # type: ignore[union-attr]
    assert profile_for("vllm", "Aug 2026", gpu("l4")).id == "vllm"  # type: ignore[union-attr]
    assert profile_for("no-such-engine", "", None) is None
