"""Requests shared out by size: measured tables, histograms, what a size weighs on a replica."""

from decimal import Decimal
from pathlib import Path

import pytest

import planner
from planner.diagnostics import DiagnosticError
from planner.optimize import solve
from planner.options.problem import Block, Candidate, Problem, Supply
from planner.plan.schema import Plan, PlanWorkload
from planner.verify.brute_force import brute_force
from planner.verify.plan import verify_plan

HERE = Path(__file__).parent / "scenarios"
HOURS = 730


def solved(name: str, *overrides: str) -> Plan:
    scenario = planner.load(HERE / f"{name}.yaml", overrides)
    plan = planner.solve(scenario)
    assert plan.verified
    assert verify_plan(scenario, plan) == []
    return plan


def replicas(plan: Plan) -> dict[str, int]:
    return {a.pool: a.replicas for w in plan.workloads for a in w.assignment}


def per_hour(plan: Plan) -> Decimal:
    assert plan.cost is not None
    return plan.cost.total / HOURS


def test_published_example_with_whole_sizes() -> None:
    plan = solved("two-gpus", "workloads.chat.throughput.split=none")
    assert plan.status == "proven"
    assert replicas(plan) == {"a10g": 3, "a100": 1}
    assert per_hour(plan) == Decimal("6.70")


def test_published_example_split_continuously() -> None:
    plan = solved("two-gpus")
    assert plan.status == "proven"
    assert replicas(plan) == {"a10g": 1, "a100": 1}
    assert per_hour(plan) == Decimal("4.68")


def test_routing_tells_where_requests_go() -> None:
    plan = solved("two-gpus")
    (chat,) = plan.workloads
    split = {(r.prompt, r.output): r for r in chat.routing if r.parts < r.of}
    pools = {chat.assignment[r.assignments[0]].pool for r in chat.routing}
    assert set(split) == {(250, 25)}
    assert pools == {"a10g", "a100"}
    for size in {(r.prompt, r.output) for r in chat.routing}:
        assert sum(r.parts / r.of for r in chat.routing if (r.prompt, r.output) == size) == 1


def test_whole_sizes_go_to_one_gpu_type() -> None:
    (chat,) = solved("two-gpus", "workloads.chat.throughput.split=none").workloads
    assert all(r.parts == r.of for r in chat.routing)


def test_spare_replicas_come_on_top_of_each_kind() -> None:
    plan = solved("two-gpus", "workloads.chat.replicas={spare: 1}")
    (chat,) = plan.workloads
    for kind in {r.assignments for r in chat.routing}:
        load = sum(r.load * r.parts / r.of for r in chat.routing if r.assignments == kind) / 2000
        assert load <= sum(chat.assignment[at].replicas for at in kind) - 1


def test_size_that_one_gpu_cannot_serve_goes_to_the_other() -> None:
    rates = "workloads.chat.throughput.measured[0].rates=[2 /s, 1 /s, 5 /s, 0 /s]"
    (chat,) = solved("two-gpus", rates).workloads
    last = [r for r in chat.routing if (r.prompt, r.output) == (250, 250)]
    assert {chat.assignment[at].pool for r in last for at in r.assignments} == {"a100"}


def test_gpu_that_is_not_in_the_table_is_not_used() -> None:
    table = "workloads.chat.throughput.measured=[{gpu: a10g, rates: [2 /s, 1 /s, 5 /s, 2 /s]}]"
    plan = solved("two-gpus", table)
    assert replicas(plan) == {"a10g": 12}
    assert any(r.pool == "a100" and "no row" in r.message for r in plan.rejections)


def test_memory_still_rules_out_what_does_not_fit() -> None:
    plan = solved("two-gpus", "workloads.chat.model=llama-2-13b")
    assert replicas(plan) == {"a100": 2}
    assert any(r.pool == "a10g" and r.reason == "memory" for r in plan.rejections)


def test_one_rate_without_a_histogram() -> None:
    plan = solved(
        "two-gpus",
        "workloads.chat.demand={requests: 30 /s, prompt: 250, output: 25}",
        "workloads.chat.throughput.measured=[{gpu: a10g, rates: 5 /s}]",
    )
    assert replicas(plan) == {"a10g": 6}


def test_modelled_histogram_is_served_in_time() -> None:
    plan = solved(
        "two-gpus",
        "workloads.chat.throughput={split: continuous}",
        "workloads.chat.slo={ttft: 1 s, tpot: 60 ms}",
    )
    (chat,) = plan.workloads
    assert chat.served
    assert all((a.speed.tpot_s or 0) <= 0.060 for a in chat.assignment)


def changed(plan: Plan, **update: object) -> Plan:
    (chat,) = plan.workloads
    return plan.model_copy(update={"workloads": (chat.model_copy(update=update),)})


def _less_routing(chat: PlanWorkload) -> dict[str, object]:
    return {"routing": chat.routing[1:]}


def _all_to_the_first(chat: PlanWorkload) -> dict[str, object]:
    moved = tuple(r.model_copy(update={"assignments": (0,)}) for r in chat.routing)
    return {"routing": moved}


def _lighter(chat: PlanWorkload) -> dict[str, object]:
    return {"routing": tuple(r.model_copy(update={"load": r.load - 1}) for r in chat.routing)}


@pytest.mark.parametrize("tamper", [_less_routing, _all_to_the_first, _lighter])
def test_verify_finds_wrong_routing(tamper) -> None:
    scenario = planner.load(HERE / "two-gpus.yaml")
    plan = planner.solve(scenario)
    wrong = changed(plan, **tamper(plan.workloads[0]))
    assert any(p.check == "demand" for p in verify_plan(scenario, wrong))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("workloads.chat.demand.sizes[0].share=30 %", "110 %"),
        ("workloads.chat.throughput.measured[0].rates=[2 /s, 1 /s]", "2 rates for 4 request sizes"),
        ("workloads.chat.throughput.measured[0].gpu=a11g", "a11g"),
        ("workloads.chat.throughput.measured[0].gpu=a100-pcie-80gb", "measured twice"),
        ("workloads.chat.demand.prompt=100", "both `sizes` and `prompt`"),
        ("workloads.chat.demand.sizes[0].prompt=4000", "longer than `context`"),
        ("workloads.chat.demand.sizes[1].output=25", "listed twice"),
    ],
)
def test_mistakes_are_told(override: str, words: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        planner.load(HERE / "two-gpus.yaml", [override])
    assert any(words in d.message for d in error.value.diagnostics)


@pytest.mark.parametrize(("whole", "cents"), [(False, 400), (True, 600)])
def test_size_that_no_type_carries_alone_on_cheap_nodes(whole: bool, cents: int) -> None:
    """One cheap node and two dear ones of another type; the requests of the only size fill two."""
    candidates = tuple(
        Candidate(key, supply, 1, 0, 2000, 0, loads=(4000,))
        for supply, key in enumerate(("cheap", "dear"))
    )
    block = Block("service", candidates, False, size_parts=2, whole_sizes=whole)
    supplies = (
        Supply("cheap", "rented", 1, 1, 100, "a"),
        Supply("dear", "rented", 1, 2, 300, "b"),
    )
    problem = Problem((block,), supplies)
    assert solve(problem).cost_cents == cents
    assert brute_force(problem).cost_cents == cents


@pytest.mark.parametrize("bound", ["replicas={max: 6}", "gpus={max: 8}"])
def test_replicas_that_are_alike_serve_all_sizes(bound: str) -> None:
    """A bound on replicas or GPUs makes them all alike: each size goes in full to the one kind."""
    scenario = planner.load(HERE / "two-gpus.yaml", [f"workloads.chat.{bound}"])
    plan = planner.solve(scenario)
    (chat,) = plan.workloads
    assert len(chat.assignment) == 1
    assert [r.parts / r.of for r in chat.routing] == [1.0] * len(chat.routing)
    assert verify_plan(scenario, plan) == []
