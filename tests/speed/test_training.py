"""Training speed: bounds of physics, what each kind of parallelism costs, offload."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.catalog import gpu, ids, model
from planner.speed.links import link_of
from planner.speed.training import TrainingSpeedSetup, training_speed

GPUS = (
    "h100-sxm5-80gb",
    "h800-sxm5-80gb",
    "a100-sxm4-80gb",
    "a800-sxm4-80gb",
    "rtx-4090",
    "v100-sxm2-32gb",
)
BASE = TrainingSpeedSetup(recompute="full")


def speed(name="qwen2.5-14b", card="a100-sxm4-80gb", setup=BASE, link=None, **layout):
    chip = gpu(card)
    return training_speed(model(name), chip, link or link_of(chip), setup, **layout)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(
        ["llama-3.1-8b", "qwen2.5-14b", "llama-3.1-70b", "mixtral-8x7b", "deepseek-v3"]
    ),
    card=st.sampled_from(GPUS),
    tp=st.sampled_from([1, 2, 4, 8]),
    pp=st.sampled_from([1, 2, 4]),
    dp=st.sampled_from([1, 8, 64]),
    zero=st.integers(0, 3),
    accumulation=st.integers(1, 32),
    sequence=st.sampled_from([512, 4096, 65536]),
)
def test_no_step_beats_the_peak(name, card, tp, pp, dp, zero, accumulation, sequence):
    setup = replace(BASE, sequence=sequence)
    run = speed(name, card, setup, tp=tp, pp=pp, dp=dp, zero=zero, accumulation=accumulation)
    assert 0 < run.mfu < 1
    assert run.mfu <= run.hfu < 1
    assert run.low < run.tokens_per_s < run.high
    assert float(sum(run.parts.values())) == pytest.approx(float(run.step_s))


@pytest.mark.parametrize(
    ("card", "other"), [("h800-sxm5-80gb", "h100-sxm5-80gb"), ("a800-sxm4-80gb", "a100-sxm4-80gb")]
)
def test_export_versions_lose_by_their_nvlink_only(card, other):
    one, base = speed(card=card), speed(card=other)
    assert one.tokens_per_s == base.tokens_per_s
    assert one.low == base.low
    assert bool(one.extrapolated) == bool(base.extrapolated)
    eight, fast = (
        speed(card=c, setup=replace(BASE, framework="megatron"), tp=8, accumulation=8)
        for c in (card, other)
    )
    assert eight.tokens_per_s < fast.tokens_per_s
    assert eight.extrapolated


def test_the_interconnect_has_a_price():
    nvlink, pcie = (
        speed(card=c, dp=8, zero=3, accumulation=4) for c in ("a800-sxm4-80gb", "rtx-4090")
    )
    assert str(pcie.limit) == "pcie"
    assert str(nvlink.limit) == "compute"
    ethernet = replace(link_of(gpu("a100-sxm4-80gb")), network_gbit_s=25.0)
    fabric = replace(ethernet, network_gbit_s=1600.0)
    slow, fast = (speed(link=x, dp=32, zero=3, accumulation=1) for x in (ethernet, fabric))
    assert slow.step_s > 3 * fast.step_s
    assert str(slow.limit) == "network"


def test_bubbles_shrink_with_micro_batches_and_interleaving():
    few, many = (speed(pp=8, accumulation=n).mfu for n in (8, 64))
    assert few < many
    assert speed(pp=8, accumulation=8, setup=replace(BASE, virtual_stages=4)).mfu > few


def test_recompute_costs_a_third_at_most():
    whole, none = speed(), speed(setup=replace(BASE, recompute="none"))
    assert 1.0 < float(whole.step_s / none.step_s) < 1.4
    assert whole.hfu > whole.mfu


def test_lora_trains_faster_than_all_parameters():
    full, lora = (speed(setup=replace(BASE, method=m)) for m in ("full", "lora"))
    assert 1.1 < float(full.step_s / lora.step_s) < 1.6
    assert speed(setup=replace(BASE, method="qlora")).step_s > lora.step_s


def test_longer_sequences_pay_for_attention():
    rates = [
        float(speed(setup=replace(BASE, sequence=s)).tokens_per_s) for s in (2048, 16384, 131072)
    ]
    assert rates[0] > rates[1] > 2 * rates[2]


def test_offload_takes_host_link_cpu_and_drives():
    plain = speed(dp=8, zero=3, accumulation=4)
    cpu = speed(dp=8, zero=3, accumulation=4, setup=replace(BASE, offload_optimizer="cpu"))
    link = replace(link_of(gpu("a100-sxm4-80gb")), nvme_gb_s=10.0)
    nvme = speed(
        link=link, dp=8, zero=3, accumulation=4, setup=replace(BASE, offload_optimizer="nvme")
    )
    assert plain.step_s < cpu.step_s < nvme.step_s
    assert cpu.parts["cpu optimizer"] > 0
    # 24 bytes per parameter of 14.8 billion over 10 GB/s.
    assert float(nvme.parts["nvme"]) == pytest.approx(24 * 14.0e9 / 10e9, rel=0.1)
    parameters = speed(dp=8, zero=3, accumulation=4, setup=replace(BASE, offload_parameters="cpu"))
    assert parameters.step_s > plain.step_s


def test_a_million_layouts_are_one_call():
    rng = np.random.default_rng(1)
    degrees = {k: 2 ** rng.integers(0, 4, 100_000) for k in ("tp", "pp", "dp", "accumulation")}
    run = speed(setup=replace(BASE, framework="megatron"), **degrees)
    assert run.tokens_per_s.shape == (100_000,)
    assert (run.tokens_per_s > 0).all()
    picked = {k: v[123] for k, v in degrees.items()}
    alone = speed(setup=replace(BASE, framework="megatron"), **picked)
    assert float(alone.step_s) == pytest.approx(float(run.step_s[123]))


def test_experts_cost_their_active_share():
    dense, sparse = speed("qwen3-32b", dp=8, zero=1), speed("qwen3-30b-a3b", dp=8, ep=8, zero=1)
    assert sparse.tokens_per_s > 2 * dense.tokens_per_s


def test_every_gpu_and_framework_trains():
    for card in ids("gpus"):
        assert speed("llama-3.1-8b", card).tokens_per_s > 0
    for name in (
        "fsdp",
        "deepspeed",
        "megatron",
        "transformers",
        "torchtune",
        "llm-foundry",
        "torchtitan",
    ):
        for precision in ("bf16", "fp16", "fp8", "fp4", "fp32"):
            setup = replace(BASE, framework=name, precision=precision)
            assert speed("llama-3.1-8b", "b200-sxm", setup).tokens_per_s > 0
