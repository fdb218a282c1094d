"""Plans in which training runs take turns on the same GPUs: what they share, and that every change of it is found."""

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

import planner
from planner.plan.schema import Assignment, Plan, PlanWorkload, Status
from planner.report.text import render_text
from planner.scenario import Scenario
from planner.verify.plan import verify_plan

PATH = Path(__file__).parent / "turns.yaml"
GUESTS = ("legal", "weekly")


@cache
def solved(*overrides: str) -> tuple[Scenario, Plan]:
    scenario = planner.load(PATH, overrides)
    return scenario, planner.solve(scenario)


def row(plan: Plan, name: str) -> PlanWorkload:
    return next(w for w in plan.workloads if w.name == name)


def part(plan: Plan, name: str) -> Assignment:
    return row(plan, name).assignment[0]


def test_three_runs_share_one_gpu() -> None:
    _, plan = solved()
    assert plan.status is Status.PROVEN
    assert [part(plan, n).turns_on for n in ("support", *GUESTS)] == [None, "support", "support"]
    assert (
        len({(p.node, p.gpus) for n in ("support", *GUESTS) for p in part(plan, n).placement}) == 1
    )
    assert sum(p.used_gpus for p in plan.pools) == 2


def test_the_price_is_shared_by_time_and_adds_up() -> None:
    """Upkeep 150 and the waiting power of one GPU are shared; energy of the work is each one's own."""
    _, plan = solved()
    assert plan.cost is not None
    assert sum((w.cost for w in plan.workloads), Decimal(0)) == plan.cost.total
    legal, weekly = (part(plan, n) for n in GUESTS)
    hours = {n: (part(plan, n).speed.hours or 0) * r for n, r in (("legal", 1), ("weekly", 5))}
    assert float(weekly.cost / legal.cost) == pytest.approx(hours["weekly"] / hours["legal"], 0.01)


def test_a_deadline_that_is_too_short_takes_another_gpu() -> None:
    """45.1 + 36.1 + 27.0 = 108.2 h; the weekly run's five days have 120 h, four days 96 h."""
    _, plan = solved("workloads.weekly.deadline=4 d")
    assert plan.status is Status.PROVEN
    together = [n for n in ("support", "legal", "weekly") if part(plan, n).turns_on]
    assert len(together) == 1


def test_the_report_says_who_shares() -> None:
    text = " ".join(render_text(solved()[1]).split())
    assert "in turn with `support` on its GPUs" in text
    assert "1 x l40s in turn" in text
    assert "2 GPUs, 1 type" in text


def test_over_a_horizon_every_period_shares() -> None:
    scenario, plan = solved("horizon={start: 2026-10-01, length: 2 months, period: 1 month}")
    assert plan.status is Status.PROVEN
    assert verify_plan(scenario, plan) == []
    for period in plan.periods:
        assert {w.assignment[0].turns_on for w in period.workloads} == {None, "support"}
        assert sum(p.used_gpus for p in period.pools) == 2
    units = {u.workload: u.gpu_hours for u in plan.unit_costs}
    runs = sum(r.hours for p in plan.periods for r in p.runs if r.workload == "legal")
    assert units["legal"] == pytest.approx(runs)


def changed(plan: Plan, name: str, **update: object) -> Plan:
    rows = tuple(
        w.model_copy(update={"assignment": (w.assignment[0].model_copy(update=update),)})
        if w.name == name
        else w
        for w in plan.workloads
    )
    return plan.model_copy(update={"workloads": rows})


def moved(plan: Plan, name: str, gpu: int) -> Plan:
    places = tuple(p.model_copy(update={"gpus": (gpu,)}) for p in part(plan, name).placement)
    return changed(plan, name, placement=places)


def other_gpu(plan: Plan) -> int:
    return 1 - part(plan, "support").placement[0].gpus[0]


CHANGES: dict[str, Callable[[Plan], Plan]] = {
    "no host": lambda p: changed(p, "legal", turns_on="nobody"),
    "host is a guest": lambda p: changed(p, "legal", turns_on="weekly"),
    "host is a service": lambda p: changed(p, "legal", turns_on="chat"),
    "not said": lambda p: changed(p, "legal", turns_on=None),
    "on another GPU": lambda p: moved(p, "legal", other_gpu(p)),
    "a service as a guest": lambda p: changed(p, "chat", turns_on="support"),
    "cost of a guest": lambda p: changed(p, "legal", cost=part(p, "legal").cost + Decimal("0.10")),
    "cost of the host": lambda p: changed(p, "support", cost=Decimal("85.00")),
    "another pool": lambda p: changed(p, "legal", pool="cloud", term="rented"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_turn_is_found(name: str) -> None:
    scenario, plan = solved()
    assert verify_plan(scenario, plan) == []
    assert verify_plan(scenario, CHANGES[name](plan))


def test_turns_that_take_too_long_are_found() -> None:
    """The same plan against a scenario whose weekly run is due after four days."""
    _, plan = solved()
    scenario = planner.load(PATH, ["workloads.weekly.deadline=4 d"])
    problems = verify_plan(scenario, plan)
    assert {p.check for p in problems} == {"turns"}
