"""Serving speed: bounds of physics, and the directions users reason with."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.catalog import gpu, ids, model
from planner.catalog.speed_records import serving_data
from planner.speed.formats import speed_format
from planner.speed.links import link_of
from planner.speed.load import closed_loop, finite_run, open_loop_wait_s, saturated
from planner.speed.requests import split_of
from planner.speed.server import build_server
from planner.speed.serving import ServingSpeedSetup, serving_speed
from planner.speed.work import work_of

MODELS = (
    "llama-3.1-8b",
    "llama-3.1-70b",
    "gpt-oss-120b",
    "deepseek-v3",
    "gemma-2-9b",
    "mixtral-8x7b",
)
GPUS = (
    "h100-sxm5-80gb", "h800-sxm5-80gb", "a100-sxm4-80gb", "v100-sxm2-32gb", "rtx-4090", "l40s", "b200-sxm", "h20",
    "rtx-2080-ti-22gb", "mi300x",
)  # fmt: skip


def server(
    name="llama-3.1-70b", card="h100-sxm5-80gb", engine="vllm", tp=4, pp=1, dp=1, ep=1, **kw
):
    chip = gpu(card)
    return build_server(model(name), chip, link_of(chip), engine, split_of(tp, pp, dp, ep), **kw)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(MODELS),
    card=st.sampled_from(GPUS),
    engine=st.sampled_from([e.engine for e in serving_data().engines]),
    weights=st.sampled_from(["bf16", "fp8", "gptq-int4", "nvfp4", "int8"]),
    batch=st.integers(1, 512),
    context=st.integers(1, 32768),
    tp=st.sampled_from([1, 2, 4, 8]),
)
def test_no_token_is_faster_than_its_bytes_over_the_bandwidth(
    name, card, engine, weights, batch, context, tp
):
    served = server(name, card, engine, tp, weights=weights)
    work, fmt = work_of(model(name)), speed_format(weights)
    touched = work.dense * fmt.linear_bytes + work.head * fmt.head_bytes
    touched += float(work.experts_hit(batch)) * work.expert * work.moe_layers * fmt.expert_bytes
    heads = min(tp, work.kv_heads) if work.kv_heads else 1
    cached = batch * float(work.attended(context)) * work.kv_values * 2 / heads
    floor = (touched / tp + cached) / (gpu(card).memory.bandwidth_gb_s * 1e9)
    assert served.step_s(batch, context) >= floor * (1 - 1e-9)


@settings(max_examples=40, deadline=None)
@given(tp=st.sampled_from([2, 4, 8]), batch=st.integers(1, 512), prompt=st.integers(64, 16384))
def test_h800_is_h100_with_less_nvlink(tp, batch, prompt):
    slow, fast = server(card="h800-sxm5-80gb", tp=tp), server(tp=tp)
    assert slow.step_s(batch, prompt) >= fast.step_s(batch, prompt)
    assert slow.prefill_s(prompt) >= fast.prefill_s(prompt)


@pytest.mark.parametrize(
    "pair", [("h800-sxm5-80gb", "h100-sxm5-80gb"), ("a800-sxm4-80gb", "a100-sxm4-80gb")]
)
def test_one_export_gpu_predicts_as_the_original(pair):
    mine, other = (server("llama-3.1-8b", card, tp=1) for card in pair)
    assert mine.step_s(32, 2000) == other.step_s(32, 2000)
    assert mine.half_width == other.half_width
    assert not mine.extrapolated


def test_outside_the_measured_envelope_the_interval_doubles():
    known, scaled = server(tp=8), server(card="h800-sxm5-80gb", tp=8)
    assert scaled.extrapolated
    assert scaled.half_width == 2 * known.half_width
    assert server("llama-3.1-8b", "v100-sxm2-32gb", tp=1).extrapolated


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(MODELS),
    batch=st.integers(1, 256),
    prompt=st.integers(16, 8192),
    output=st.integers(1, 2048),
)
def test_more_load_never_makes_a_request_faster(name, batch, prompt, output):
    served = server(name, tp=8, weights="fp8")
    one, two = (closed_loop(served, b, prompt, output) for b in (batch, 2 * batch))
    assert two.tpot_s >= one.tpot_s
    assert two.ttft_s >= one.ttft_s
    assert closed_loop(served, batch, 2 * prompt, output).ttft_s >= one.ttft_s


def test_weight_only_fp8_computes_in_sixteen_bit():
    native = server(card="h100-sxm5-80gb", weights="fp8", tp=2)
    told = server(card="h100-sxm5-80gb", weights="fp8", tp=2, arithmetic="16bit")
    assert told.prefill_s(4096) > 1.4 * native.prefill_s(4096)
    assert told.step_s(1, 100) == pytest.approx(float(native.step_s(1, 100)), rel=0.05)


def test_tensor_parallel_over_pcie_pays():
    def gain(card):
        one, four = (server("llama-3.1-8b", card, tp=tp).prefill_s(4096) for tp in (1, 4))
        return float(one / four)

    assert gain("rtx-4090") < 1.5 < gain("a100-sxm4-80gb")


def test_weights_in_host_memory_come_over_the_host_link():
    chip = gpu("rtx-4090")
    setup = {"weights": "bf16", "kv": "bf16"}
    kept = build_server(
        model("llama-3.1-8b"), chip, link_of(chip), "llama.cpp", split_of(1, 1, 1, 1), **setup
    )
    away = build_server(
        model("llama-3.1-8b"), chip, link_of(chip), "llama.cpp", split_of(1, 1, 1, 1),
        host_weights_gib=8.0, **setup,
    )  # fmt: skip
    # 8 GiB over PCIe 4 x16 at about 26 GB/s.
    assert away.step_s(1, 100) - kept.step_s(1, 100) > 0.2


def test_mla_and_windows_read_less_cache():
    full, window = server("llama-3.1-8b", tp=1), server("gemma-2-9b", tp=1)
    assert window.step_parts(64, 32000)["attention"] < full.step_parts(64, 32000)["attention"] * (
        work_of(model("gemma-2-9b")).kv_values / work_of(model("llama-3.1-8b")).kv_values
    )


def test_targets_bound_the_load():
    chip = gpu("h100-sxm5-80gb")
    free = ServingSpeedSetup(prompt=1500, output=300)

    def run(setup):
        return serving_speed(
            model("llama-3.1-70b"), chip, link_of(chip), "vllm", setup, tp=np.array([2, 4, 8]),
            sequences=np.array([20, 128, 512]),
        )  # fmt: skip

    loose, tight = run(free), run(replace(free, ttft_s=2.0, tpot_s=0.05))
    assert (tight.requests_per_s <= loose.requests_per_s).all()
    assert (tight.tpot_percentile_s <= 0.05).all()
    assert (tight.ttft_percentile_s <= 2.0).all()
    assert (tight.concurrency <= [20, 128, 512]).all()
    none = run(replace(free, tpot_s=0.001))
    assert (none.requests_per_s == 0).all()
    assert (none.limit == "slo").all()
    assert (loose.low < loose.requests_per_s).all()
    assert (loose.requests_per_s < loose.high).all()


def test_a_cached_prefix_and_speculation_help():
    chip = gpu("h100-sxm5-80gb")
    base = ServingSpeedSetup(prompt=4000, output=200)

    def rate(setup):
        return float(
            serving_speed(model("llama-3.1-8b"), chip, link_of(chip), "vllm", setup).requests_per_s
        )

    assert rate(replace(base, prefix_cached=0.8)) > 1.5 * rate(base)
    assert rate(replace(base, speculative=2.0)) > rate(base)


def test_a_histogram_of_equal_sizes_is_its_mean_and_a_wide_one_is_slower():
    chip = gpu("h100-sxm5-80gb")

    def speed(**kw):
        setup = ServingSpeedSetup(ttft_s=1.0, **kw)
        return serving_speed(model("llama-3.1-8b"), chip, link_of(chip), "vllm", setup)

    plain, same = speed(prompt=2000, output=200), speed(sizes=((2000, 200, 1.0),))
    assert same.requests_per_s == plain.requests_per_s
    wide = speed(sizes=((500, 200, 0.8), (8000, 200, 0.2)))
    assert wide.ttft_percentile_s >= plain.ttft_percentile_s
    assert wide.requests_per_s <= plain.requests_per_s


def test_batch_jobs_run_saturated():
    chip = gpu("h100-sxm5-80gb")
    setup = ServingSpeedSetup(prompt=900, output=200, batch_job=True)
    job = serving_speed(model("qwen3-32b"), chip, link_of(chip), "vllm", setup, tp=2, sequences=200)
    assert job.requests_per_s == job.saturated_per_s


def test_an_overloaded_run_queues():
    served = server("llama-3.1-8b", tp=1)
    capacity = float(saturated(served, 256, 500, 200))
    calm, late = (finite_run(served, x * capacity, 500, 500, 200) for x in (0.3, 3.0))
    assert calm.ttft_s < 0.5 < late.ttft_s
    assert late.requests_per_s <= capacity
    assert np.isinf(open_loop_wait_s(11.0, 0.1))


def test_every_gpu_engine_and_format_has_a_speed():
    for card in ids("gpus"):
        assert server("llama-3.1-8b", card, tp=1).step_s(1, 100) > 0
    for engine in ids("engines"):
        for weights in ("bf16", "fp8", "awq-int4", "nf4", "mxfp4", "gguf-q4_k_m", "int8-w8a8"):
            assert server("llama-3.1-8b", engine=engine, weights=weights, tp=1).step_s(1, 100) > 0
