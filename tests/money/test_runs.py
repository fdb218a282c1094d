"""Training runs longer than a period: held GPUs, hours and money of every period, and the re-check of it all."""

import math
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

import planner
from planner.optimize.check import problem_errors
from planner.options.horizon import join, parts_of
from planner.options.problem import Hold
from planner.options.spans import hours_in
from planner.plan.schema import Plan, PlanWorkload
from planner.report.text import render_text
from planner.scenario import Scenario
from planner.verify.brute_force import brute_force
from planner.verify.plan import verify_plan
from tests.optimize.problems import candidate, job, problem, service, supply

PATH = Path(__file__).parent / "long_run.yaml"


@cache
def solved() -> tuple[Scenario, Plan]:
    scenario = planner.load(PATH)
    plan = planner.solve(scenario)
    assert plan.status == "proven"
    return scenario, plan


def rows(plan: Plan, name: str) -> dict[str, PlanWorkload]:
    return {p.name: w for p in plan.periods for w in p.workloads if w.name == name}


def test_hours_of_a_run_by_hand() -> None:
    assert hours_in(1460.0, 730) == (730.0, 730.0)
    assert hours_in(1460.5, 730) == (730.0, 730.0, 0.5)
    assert hours_in(10.0, 730) == (10.0,)


def test_a_run_spans_periods_and_pays_for_its_hours() -> None:
    """Owned nodes retire in December: one run fits before, the other rents, cheapest in the last two months."""
    _, plan = solved()
    assert list(rows(plan, "tune")) == ["2026-10", "2026-11"]
    assert list(rows(plan, "second")) == ["2026-12", "2027-01"]
    hours = rows(plan, "second")["2026-12"].assignment[0].speed.hours
    assert hours is not None
    rent = [Decimal("1.10") * Decimal("0.95") ** month for month in (2, 3)]
    first, last = (w.cost for w in rows(plan, "second").values())
    assert first == (rent[0] * 730).quantize(Decimal("0.01"), "ROUND_UP")
    assert last == (rent[1] * math.ceil(hours - 730)).quantize(Decimal("0.01"), "ROUND_UP")
    assert rows(plan, "second")["2027-01"].assignment[0].term == "rented for the run"


def test_gpu_hours_of_the_periods_add_up_to_the_run() -> None:
    _, plan = solved()
    for name in ("tune", "second"):
        runs = [r for p in plan.periods for r in p.runs if r.workload == name]
        hours = next(iter(rows(plan, name).values())).assignment[0].speed.hours
        assert sum(r.gpu_hours for r in runs) == pytest.approx(hours)
        assert [r.before_hours for r in runs] == [0.0, 730.0]
        assert runs[-1].left_hours == 0.0


def test_a_run_keeps_its_gpus() -> None:
    _, plan = solved()
    one, two = (w.assignment[0].placement for w in rows(plan, "tune").values())
    assert one == two


def test_trying_everything_finds_nothing_cheaper() -> None:
    scenario, plan = solved()
    assert plan.cost is not None
    whole = join(scenario, parts_of(scenario))
    truth = brute_force(whole.problem)
    assert truth.cost_cents == int(plan.cost.total * 100)
    assert any(c.later for b in whole.problem.blocks for c in b.candidates)


def test_the_deadline_counts_from_the_start_of_the_horizon() -> None:
    scenario = planner.load(PATH, ["workloads.second.deadline=40 d"])
    plan = planner.solve(scenario)
    assert list(rows(plan, "second")) == ["2026-10", "2026-11"]


def test_an_optional_run_without_a_place_is_told_of() -> None:
    changes = ["workloads.tune.required=false", "workloads.tune.deadline=20d"]
    scenario = planner.load(PATH, changes)
    plan = planner.solve(scenario)
    assert plan.status == "proven"
    assert [(w.name, w.served) for w in plan.workloads] == [
        ("chat", True), ("tune", False), ("second", True),
    ]  # fmt: skip
    assert verify_plan(scenario, plan) == []
    told = next(x for x in render_text(plan).splitlines() if x.startswith("tune "))
    assert "not served" in told
    assert "2026" not in told


def workload(plan: Plan, at: int, name: str, **update: object) -> Plan:
    """The plan with a changed assignment of a workload in one period."""
    periods = list(plan.periods)
    row = tuple(
        w.model_copy(update={"assignment": (w.assignment[0].model_copy(update=update),)})
        if w.name == name
        else w
        for w in periods[at].workloads
    )
    periods[at] = periods[at].model_copy(update={"workloads": row})
    return plan.model_copy(update={"periods": tuple(periods)})


def without(plan: Plan, at: int, name: str) -> Plan:
    periods = list(plan.periods)
    kept = tuple(w for w in periods[at].workloads if w.name != name)
    periods[at] = periods[at].model_copy(update={"workloads": kept})
    return plan.model_copy(update={"periods": tuple(periods)})


def run(plan: Plan, at: int, **update: object) -> Plan:
    periods = list(plan.periods)
    runs = periods[at].runs
    changed = (runs[0].model_copy(update=update), *runs[1:])
    periods[at] = periods[at].model_copy(update={"runs": changed})
    return plan.model_copy(update={"periods": tuple(periods)})


CHANGES: dict[str, Callable[[Plan], Plan]] = {
    "ends too early": lambda p: without(p, 1, "tune"),
    "starts too late": lambda p: without(p, 0, "tune"),
    "goes on elsewhere": lambda p: workload(p, 1, "tune", pool="cloud"),
    "goes on under another term": lambda p: workload(p, 3, "second", term="rented"),
    "goes on in another layout": lambda p: workload(
        p, 3, "second", layout=rows(p, "second")["2027-01"].assignment[0].layout.model_copy(
            update={"micro_batch": 2}
        ),
    ),
    "hours of a period": lambda p: run(p, 0, hours=700.0),
    "GPU-hours of a period": lambda p: run(p, 1, gpu_hours=1.0),
    "hours before": lambda p: run(p, 1, before_hours=0.0),
    "hours left": lambda p: run(p, 0, left_hours=0.0),
    "GPUs of a run": lambda p: run(p, 0, gpus=2),
    "no runs": lambda p: p.model_copy(
        update={"periods": tuple(x.model_copy(update={"runs": ()}) for x in p.periods)}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_run_is_found(name: str) -> None:
    scenario, plan = solved()
    assert verify_plan(scenario, plan) == []
    assert verify_plan(scenario, CHANGES[name](plan))


@pytest.mark.parametrize(
    ("later", "kind", "text"),
    [
        ((Hold(0, 1),), job, "holds a supply twice"),
        ((Hold(1, 11),), job, "a negative share of its cost"),
        ((Hold(9, 1),), job, "unknown supply 9"),
        ((Hold(2, 1),), job, "another number of GPUs"),
        ((Hold(1, 1),), service, "is no job"),
    ],
)
def test_a_malformed_span_is_refused(later: tuple[Hold, ...], kind: Callable, text: str) -> None:
    supplies = [supply(), supply(), supply(gpus=4)]
    errors = problem_errors(problem([kind("a", candidate(later=later))], supplies))
    assert any(text in e for e in errors)
