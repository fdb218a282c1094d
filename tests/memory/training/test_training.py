"""The training account: published peaks, what each choice changes, arrays against single layouts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.catalog import gpu, model
from planner.catalog.frameworks import framework_ids, training_framework
from planner.memory.chunks import CHUNK
from planner.memory.training import PHASES, TrainingSetup, training_memory
from planner.units import GIB
from tests.memory.training.conftest import Account


def gib(value: object) -> float:
    return float(value) / GIB


def test_published_peaks(account: Account) -> None:
    sharded = account(
        framework="fsdp",
        sharding="fsdp",
        recompute="full",
        optimizer="adamw-fused",
        sizes={"dp": 8},
    )
    assert gib(sharded.allocated.best) == pytest.approx(15.09, rel=0.003)
    plain = account(master="none", optimizer="adamw-foreach", recompute="full")
    assert gib(plain.allocated.best) == pytest.approx(62.76, rel=0.001)
    assert plain.phase == "optimizer step"
    fused = account(master="none", optimizer="adamw-fused")
    assert gib(fused.allocated.best) == pytest.approx(50.22, rel=0.001)


def test_65b_in_full_precision_needs_sixteen_bytes_per_parameter(account: Account) -> None:
    memory = account("llama-65b", optimizer="adamw-fused", recompute="full", sequence=128)
    states = sum(float(memory.between[k]) for k in ("parameters", "gradients", "optimizer"))
    assert states / 1e9 == pytest.approx(1044.6, abs=0.05)
    assert states / GIB == pytest.approx(972.8, abs=0.05)
    assert float(memory.state_bytes_per_param) == pytest.approx(16)


def test_65b_qlora_fits_four_v100_but_not_one(account: Account) -> None:
    setup = {
        "method": "qlora", "weights": "nf4", "optimizer": "paged-adamw-8bit", "recompute": "full",
        "sequence": 512, "attention": "sdpa",
    }  # fmt: skip
    one = account("llama-65b", on="v100-sxm2-32gb", **setup)
    four = account("llama-65b", on="v100-sxm2-32gb", sizes={"pp": 4}, sharding="layers", **setup)
    assert not one.ledger.fits()
    assert four.ledger.fits()
    assert four.ledger.extrapolated
    assert gib(one.between["parameters"]) > 32.1


def test_megatron_keeps_eighteen_bytes(account: Account) -> None:
    memory = account("llama-2-7b", framework="megatron")
    assert float(memory.state_bytes_per_param) == pytest.approx(18)
    halves = account(
        "llama-2-7b", framework="megatron", sharding="zero", sizes={"dp": 8, "zero": 1}
    )
    assert float(halves.state_bytes_per_param) == pytest.approx(6 + 12 / 8)


@pytest.mark.parametrize(("stage", "expected"), [(0, 16), (1, 4 + 12 / 8), (2, 2 + 14 / 8), (3, 2)])
def test_zero_stages_shard_states_then_gradients_then_parameters(
    account: Account, stage: int, expected: float
) -> None:
    memory = account(framework="deepspeed", sharding="zero", sizes={"dp": 8, "zero": stage})
    assert float(memory.state_bytes_per_param) == pytest.approx(expected)


def test_the_peak_is_the_largest_phase(account: Account) -> None:
    memory = account(micro_batch=4)
    assert set(memory.phases) == set(PHASES)
    largest = max(float(v) for v in memory.phases.values())
    assert float(memory.allocated.best) == pytest.approx(largest)
    assert float(memory.phases[memory.phase]) == largest


def test_each_saving_saves(account: Account) -> None:
    base = {"micro_batch": 4, "sequence": 4096, "optimizer": "adamw-fused"}
    plain = float(account(**base).allocated.best)
    for change in (
        {"recompute": "full"}, {"loss": "fused"}, {"loss": "chunked"}, {"compiled": True},
        {"fused_kernels": True}, {"optimizer": "adamw-8bit"}, {"optimizer": "sgd"}, {"master": "none"},
        {"offload_optimizer": "cpu"}, {"offload_activations": "cpu"},
        {"sharding": "fsdp", "sizes": {"dp": 8}}, {"sizes": {"tp": 2}},
        {"method": "lora"}, {"method": "qlora", "weights": "nf4"},
    ):  # fmt: skip
        assert float(account(**{**base, **change}).allocated.best) < plain, change


def test_optimizers_differ_by_their_states(account: Account) -> None:
    def states(name: str) -> float:
        return float(account(master="none", optimizer=name).between["optimizer"])

    n = 6_738_415_616
    assert states("adamw") == pytest.approx(4 * n)
    assert states("lion") == states("sgd-momentum") == pytest.approx(2 * n)
    assert states("adamw-8bit") == pytest.approx(2.03125 * n)
    assert states("sgd") == 0
    assert states("adafactor") < 0.01 * n
    assert 2 * n < states("muon") < 4 * n
    assert states("paged-adamw") == 0


def test_gradients_outlive_micro_batches_that_accumulate(account: Account) -> None:
    once = account(micro_batch=8, sequence=4096, master="none")
    often = account(micro_batch=8, sequence=4096, master="none", sizes={"accumulation": 4})
    assert often.phase == once.phase == "loss"
    added = float(often.allocated.best) - float(once.allocated.best)
    assert added == pytest.approx(float(once.between["gradients"]))


def test_step_in_backward_drops_the_gradients(account: Account) -> None:
    usual = account(master="none", recompute="full", optimizer="adamw-fused")
    merged = account(
        master="none", recompute="full", optimizer="adamw-fused", optimizer_in_backward=True
    )
    saved = float(usual.allocated.best) - float(merged.allocated.best)
    assert saved > 0.8 * float(usual.between["gradients"])


def test_pipelines_hold_activations_on_the_first_and_logits_on_the_last_stage(
    account: Account,
) -> None:
    sizes = {"pp": 4}
    plain = account(framework="megatron", micro_batch=1, sequence=4096, sizes=sizes)
    chunked = account(framework="megatron", micro_batch=1, sequence=4096, sizes=sizes, interleave=2)
    split = account(
        framework="megatron", micro_batch=1, sequence=4096, sizes=sizes, sharding="layers"
    )
    assert float(chunked.allocated.best) > float(plain.allocated.best)
    assert float(split.allocated.best) < float(plain.allocated.best)


def test_sequence_parallelism_divides_what_tensor_parallelism_leaves(account: Account) -> None:
    whole = account(framework="megatron", micro_batch=4, sizes={"tp": 4})
    split = account(framework="megatron", micro_batch=4, sizes={"tp": 4}, sequence_parallel=True)
    assert float(split.between["activations"]) < float(whole.between["activations"])


def test_old_gpus_double_the_margins(account: Account) -> None:
    new, old = (account("llama-3.2-1b", on=g) for g in ("a100-sxm4-80gb", "v100-sxm2-32gb"))
    margins = [float(m.allocated.upper) - float(m.allocated.best) for m in (new, old)]
    assert margins[1] == pytest.approx(2 * margins[0])
    assert old.ledger.extrapolated
    assert not new.ledger.extrapolated


def test_offloaded_states_are_in_host_ram_or_on_nvme(account: Account) -> None:
    common = {"framework": "deepspeed", "sharding": "zero", "sizes": {"dp": 8, "zero": 3}}
    n = 6_738_415_616
    cpu = account(offload_optimizer="cpu", offload_parameters="cpu", **common)
    host = 8 * (float(cpu.host_bytes.best) - 4 * GIB) / n
    assert 21 <= host <= 25
    nvme = account(offload_optimizer="nvme", offload_parameters="cpu", **common)
    assert float(nvme.nvme_bytes) * 8 == pytest.approx(12 * n)
    assert float(nvme.host_bytes.best) < float(cpu.host_bytes.best)
    assert float(cpu.between["parameters"]) == 0


def test_arrays_equal_single_layouts(account: Account) -> None:
    tp, pp, dp, zero, micro = (
        np.array(x) for x in ([1, 2, 4], [1, 1, 2], [8, 2, 1], [0, 1, 1], [1, 2, 3])
    )
    setup = {"framework": "megatron", "sharding": "zero"}
    many = account(micro_batch=micro, sizes={"tp": tp, "pp": pp, "dp": dp, "zero": zero}, **setup)
    for i in range(3):
        sizes = {"tp": int(tp[i]), "pp": int(pp[i]), "dp": int(dp[i]), "zero": int(zero[i])}
        one = account(micro_batch=int(micro[i]), sizes=sizes, **setup)
        assert float(many.allocated.best[i]) == pytest.approx(float(one.allocated.best))
        assert float(many.ledger.upper[i]) == pytest.approx(float(one.ledger.upper))
        assert PHASES[int(many.phase[i])] == one.phase


def test_pieces_of_a_large_array_are_joined(account: Account) -> None:
    micro = np.arange(1, CHUNK + 100).reshape(-1, 1) % 7 + 1
    large = account(micro_batch=micro)
    assert large.allocated.best.shape == micro.shape
    for row in (0, CHUNK - 1, CHUNK, CHUNK + 50):
        one = account(micro_batch=int(micro[row, 0]))
        assert float(large.device.upper[row, 0]) == pytest.approx(float(one.device.upper))


@settings(max_examples=60, deadline=None)
@given(
    framework=st.sampled_from(framework_ids()),
    name=st.sampled_from(
        ["llama-3.2-1b", "mixtral-8x7b", "deepseek-v2-lite", "gpt2-xl", "gemma-2-9b"]
    ),
    micro=st.integers(1, 8),
    dp=st.integers(1, 16),
    tp=st.sampled_from([1, 2, 4]),
    recompute=st.sampled_from(["none", "selective", "full"]),
    method=st.sampled_from(["full", "lora", "dora", "qlora"]),
    sharding=st.sampled_from(["none", "ddp", "fsdp", "zero"]),
)
def test_more_work_never_takes_less_and_more_ranks_never_more(
    framework: str, name: str, micro: int, dp: int, tp: int, recompute: str, method: str, sharding: str
) -> None:  # fmt: skip
    setup = TrainingSetup(
        method=method, weights="nf4" if method == "qlora" else "bf16", recompute=recompute,
        sharding=sharding, sequence=1024,
    )  # fmt: skip

    def run(micro_batch: int, ranks: int) -> np.ndarray:
        memory = training_memory(
            model(name), gpu("h100-sxm5-80gb"), training_framework(framework), setup,
            micro_batch=micro_batch, dp=ranks, tp=tp, zero=2,
        )  # fmt: skip
        parts = [float(c.best) for c in memory.ledger.components]
        assert all(p >= 0 for p in parts)
        assert float(memory.ledger.upper) >= float(memory.ledger.best)
        assert float(memory.host_bytes.best) >= 0
        return np.array([float(memory.allocated.best), float(memory.ledger.upper)])

    base = run(micro, dp)
    assert (run(micro + 1, dp) >= base - 1).all()
    if dp > 1 and sharding in ("fsdp", "zero"):
        assert (run(micro, 2 * dp) <= base + 1).all()


def test_hybrid_sharding_shards_within_a_group_only(account: Account) -> None:
    common = {"framework": "fsdp", "sharding": "fsdp", "sizes": {"dp": 16}}
    whole, hybrid = account(**common), account(shard_ranks=8, **common)
    eight = account(**{**common, "sizes": {"dp": 8}})
    assert float(hybrid.between["optimizer"]) == float(eight.between["optimizer"])
    assert float(hybrid.between["optimizer"]) == pytest.approx(
        2 * float(whole.between["optimizer"])
    )


def test_parameters_that_stay_gathered_cost_two_bytes_each(account: Account) -> None:
    common = {"framework": "fsdp", "sharding": "fsdp", "recompute": "full", "sizes": {"dp": 64}}
    usual, gathered = account(**common), account(reshard_after_forward=False, **common)
    layers = 32 * 202_383_360
    added = float(gathered.allocated.best) - float(usual.allocated.best)
    assert added == pytest.approx(2 * layers, rel=0.1)


def test_context_parallelism_divides_the_tokens(account: Account) -> None:
    one = account(framework="megatron", sequence=16384)
    four = account(framework="megatron", sequence=16384, sizes={"cp": 4})
    assert float(four.between["activations"]) == pytest.approx(
        float(one.between["activations"]) / 4, rel=0.01
    )
    assert four.ledger.extrapolated


def test_expert_parallelism_divides_the_experts(account: Account) -> None:
    common = {"framework": "megatron", "sharding": "zero"}
    one = account("mixtral-8x7b", sizes={"dp": 8, "zero": 1}, **common)
    eight = account("mixtral-8x7b", sizes={"dp": 8, "ep": 8, "zero": 1}, **common)
    experts = 32 * 8 * 3 * 4096 * 14336
    saved = float(one.between["parameters"]) - float(eight.between["parameters"])
    assert saved == pytest.approx(2 * experts * 7 / 8)
    # All eight ranks hold different experts, so that nothing is left to spread their states over.
    assert float(one.between["optimizer"]) == pytest.approx(float(eight.between["optimizer"]))


def test_blocks_of_several_layers_trade_inputs_for_one_larger_block(account: Account) -> None:
    base = {"recompute": "full", "micro_batch": 4, "loss": "fused", "master": "none"}
    single, four = account(**base), account(recompute_every=4, **base)
    assert float(four.between["activations"]) < float(single.between["activations"])
    assert float(four.phases["backward of the last layer"]) > float(
        single.phases["backward of the last layer"]
    )
