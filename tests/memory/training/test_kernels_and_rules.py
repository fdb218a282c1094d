"""Attention kernels by GPU, adapters, and the rules of thumb."""

import pytest

from planner.catalog import gpu, model
from planner.catalog.parameters import total_params
from planner.memory.kernels import attention_kernel
from planner.memory.lora import UnknownTarget, adapter_params, target_modules
from planner.memory.optimizer_states import UnknownOptimizer, optimizer
from planner.memory.rules import RULES, rules_for, seed_parameters


@pytest.mark.parametrize(
    ("card", "wanted", "kernel", "refused"),
    [
        ("v100-sxm2-32gb", "auto", "sdpa", False),
        ("v100-sxm2-32gb", "flash", "sdpa", True),
        ("rtx-2080-ti-22gb", "auto", "sdpa", False),
        ("a100-sxm4-80gb", "auto", "flash", False),
        ("a100-sxm4-80gb", "eager", "eager", False),
        ("h100-sxm5-80gb", "flash", "flash", False),
    ],
)
def test_kernel_of_a_gpu(card: str, wanted: str, kernel: str, refused: bool) -> None:
    choice = attention_kernel(gpu(card), wanted)
    assert choice.kernel == kernel
    assert bool(choice.refused) is refused
    assert choice.linear is (kernel != "eager")


def test_adapters_count_what_peft_prints() -> None:
    mistral = model("mistral-7b-v0.1")
    assert adapter_params(mistral, 8, "all-linear") == 20_971_520
    assert adapter_params(mistral, 8, "all-linear") + total_params(mistral) == 7_262_703_616
    assert adapter_params(model("llama-3.2-3b"), 32, "q,v") == 9_175_040
    assert adapter_params(model("llama-3.2-3b"), 10, "gate,up,down") == 9_461_760
    dora = adapter_params(mistral, 8, "all-linear", dora=True)
    assert dora - adapter_params(mistral, 8, "all-linear") == 32 * (4096 * 3 + 2 * 1024 + 2 * 14336)


def test_names_nobody_knows_are_refused() -> None:
    with pytest.raises(UnknownTarget, match="`embed` is not a target module"):
        target_modules("q,embed")
    with pytest.raises(UnknownOptimizer, match="`adanw` is not an optimizer"):
        optimizer("adanw", "fused")


def test_rules_of_thumb_for_seven_billion() -> None:
    n = 7_000_000_000
    figures = {r.formula: round(r.bytes(n) / 1e9, 1) for r in RULES}
    assert figures["2n"] == 14.0
    assert figures["1.2 x 2n"] == 16.8
    assert [figures[k] for k in ("8n", "10n", "16n", "20n")] == [56.0, 70.0, 112.0, 140.0]
    assert figures["n/2"] == 3.5
    assert all(r.leaves_out and r.holds for r in RULES)
    assert len(rules_for("full")) == 4


def test_seed_rule_and_the_real_count() -> None:
    llama = model("llama-3.1-8b")
    assert seed_parameters(llama.num_layers, llama.hidden_size) == 8_589_934_592
    assert total_params(llama) == 8_030_261_248
