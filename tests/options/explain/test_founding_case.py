"""LLaMA-65B on four V100s: every figure of the account is derived again here, from the records and the ledger."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from planner.api import load, solve
from planner.catalog import gpu, model
from planner.catalog.parameters import total_params
from planner.memory.training import attention_kernel
from planner.options.consider import consider_one
from planner.options.explain.supply_changes import node_with, with_gpus
from planner.options.from_scenario import question_of
from planner.options.records import Reason
from planner.plan.schema import Explanation, Plan, Status
from planner.units import GB, GIB

FILE = str(Path(__file__).resolve().parents[3] / "scenarios" / "65b-on-4xv100.yaml")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return solve(load(FILE))


@pytest.fixture(scope="module")
def serving(plan: Plan) -> Explanation:
    return next(e for e in plan.explanations if e.workload == "serve-65b")


@pytest.fixture(scope="module")
def training(plan: Plan) -> Explanation:
    return next(e for e in plan.explanations if e.workload == "full-65b")


def numbers(text: str) -> list[float]:
    return [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*\.?\d*", text)]


def whole(explanation: Explanation) -> str:
    return " ".join((explanation.label, *explanation.because, *explanation.notes))


def weight_gib() -> float:
    return total_params(model("llama-65b")) * 2 / GIB


def device_gib() -> float:
    return gpu("v100-sxm2-32gb").memory.cuda_total_mib / 1024


def test_two_workloads_have_no_place_and_the_third_has_one(plan: Plan) -> None:
    assert plan.status is Status.INFEASIBLE
    assert [e.workload for e in plan.explanations] == ["serve-65b", "full-65b"]
    summaries = {w.name: w.summary for w in plan.workloads}
    assert "`v100-box`" in summaries["qlora-65b"]
    assert not summaries["serve-65b"]
    assert not summaries["full-65b"]
    alone = load(FILE, ["workloads.serve-65b.required=false", "workloads.full-65b.required=false"])
    second = solve(alone)
    served = [w for w in second.workloads if w.served]
    assert [w.name for w in served] == ["qlora-65b"]
    assert f"{served[0].assignment[0].gpus} GPU" in summaries["qlora-65b"]


def test_weights_in_fp16_in_all_and_on_each_gpu(serving: Explanation) -> None:
    assert f"{weight_gib():.1f} GiB in fp16" in serving.label
    assert f"{weight_gib() / 4:.1f} GiB on each of 4 GPUs" in serving.label


def test_what_the_memory_fraction_leaves(serving: Explanation) -> None:
    fact = next(f for f in serving.because if "memory fraction" in f)
    assert f"{0.9 * device_gib():.1f} GiB" in fact
    assert f"0.90 x {device_gib():.2f} GiB" in fact


def test_what_is_left_at_fraction_one_after_one_sequence(serving: Explanation) -> None:
    fact = next(f for f in serving.because if "fraction 1.0" in f)
    llama = model("llama-65b")
    keys_and_values = 2 * llama.num_layers * llama.num_key_value_heads * llama.head_dim
    cache = keys_and_values * 2 * 2048 / 4 / GIB
    left = device_gib() - weight_gib() / 4 - cache
    assert f"{cache:.2f} GiB per GPU" in fact
    assert left > 0
    assert f"{left:.2f} GiB" in fact


def test_every_layout_of_four_gpus_was_tried(serving: Explanation) -> None:
    shapes = {re.match(r"\((\d),(\d)\)", row.layout).groups() for row in serving.tried}  # type: ignore[union-attr]
    assert shapes == {("4", "1"), ("2", "2"), ("1", "4")}
    question = question_of(load(FILE))
    found = consider_one(question.asks[0], question.suppliers[0].facts, detail=True)
    short = {
        (str(r.layout.tp), str(r.layout.pp)): r
        for r in found.rejections
        if r.reason is Reason.MEMORY and r.layout.gpus == 4
    }
    for row in serving.tried:
        rejection = short[re.match(r"\((\d),(\d)\)", row.layout).groups()]  # type: ignore[union-attr]
        assert row.need_gib == pytest.approx(rejection.need)
        assert row.have_gib == pytest.approx(rejection.have)
        assert row.short_gib == pytest.approx(row.need_gib - row.have_gib)


def test_counts_that_cannot_be_tensor_parallel(serving: Explanation) -> None:
    heads = model("llama-65b").num_attention_heads
    note = next(n for n in serving.notes if "tensor-parallel" in n)
    counted = {int(n) for n in numbers(note.split("GPUs")[0])}
    assert {5, 6, 7} <= counted
    assert all(heads % n for n in counted)


def test_five_gpus_fit_as_pipeline_stages(plan: Plan) -> None:
    fixes = [r for r in plan.repairs if r.workload == "serve-65b" and r.kind == "larger-node"]
    assert fixes
    assert "5 GPUs" in fixes[0].gives
    assert "pp5" in fixes[0].gives
    question = question_of(load(FILE))
    five = node_with(question.suppliers[0].facts, 5)
    options = consider_one(with_gpus(question.asks[0], 5), five).options
    assert {(o.layout.tp, o.layout.pp) for o in options} == {(1, 5)}


def test_gptq_works_and_awq_does_not(plan: Plan, serving: Explanation) -> None:
    assert any(r.change == "`precision: gptq-int4`" for r in plan.repairs)
    awq = next(n for n in serving.notes if "awq-int4" in n)
    assert "7.5" in awq
    assert float(gpu("v100-sxm2-32gb").compute_capability or 0) < 7.5


def test_full_training_takes_sixteen_bytes_per_parameter(training: Explanation) -> None:
    size = 16 * total_params(model("llama-65b"))
    fact = next(f for f in training.because if "16 bytes" in f)
    assert f"{size / GB:,.1f} GB = {size / GIB:,.1f} GiB" in fact
    assert f"{4 * device_gib():,.1f} GiB" in fact


def test_the_card_has_neither_bf16_nor_flash_attention(training: Explanation) -> None:
    card = gpu("v100-sxm2-32gb")
    assert not card.has("bf16")
    assert attention_kernel(card, "flash").refused
    text = whole(training)
    assert "neither bf16 nor FlashAttention" in text
    assert f"compute capability {card.compute_capability}" in text


def test_conflict_names_the_format_and_its_line(serving: Explanation) -> None:
    names = [row.name for row in serving.conflict]
    assert names == ["serve-65b", "serve-65b.precision"]
    lines = Path(FILE).read_text("utf-8").splitlines()
    for row in serving.conflict:
        assert row.line is not None
        assert row.name.split(".")[-1] in lines[row.line - 1]
    assert serving.checked.startswith("minimal")


def test_repairs_cost_what_the_changed_file_costs(plan: Plan) -> None:
    fix = next(r for r in plan.repairs if r.change == "`precision: gptq-int4`")
    changed = load(
        FILE, ["workloads.serve-65b.precision=gptq-int4", "workloads.full-65b.required=false"]
    )
    second = solve(changed)
    assert second.cost is not None
    assert second.cost.total == fix.cost


def test_numbers_of_the_notes_hold(serving: Explanation) -> None:
    """A shorter context does not help: the least need at that context is above what is usable."""
    note = next(n for n in serving.notes if "context" in n)
    context, short = int(numbers(note)[0]), float(re.findall(r"([\d.]+) short", note)[0])
    question = question_of(load(FILE))
    ask = replace(question.asks[0], context=context)
    found = consider_one(ask, question.suppliers[0].facts)
    least = min(r.short for r in found.rejections if r.reason is Reason.MEMORY and r.short)
    assert not found.options
    assert least == pytest.approx(short, abs=0.051)
