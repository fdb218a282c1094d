"""Orders under uncertainty on a scenario small enough to try every order, and late deliveries by hand."""

from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path

import planner
from planner.api import solve_fully, with_uncertainty
from planner.optimize import SolveLimits
from planner.optimize.cases import Case, case_of, fixed
from planner.optimize.joint import Scene, joint
from planner.optimize.solve import solve
from planner.plan.schema import Plan, Robust
from planner.report.text import render_text
from planner.scenario.cases import cases_of
from planner.verify.brute_force import brute_force

TINY = Path(__file__).parent / "tiny.yaml"
QUICK = SolveLimits(tie_break=False, explain_conflict=False, confirm_infeasible=False)


@cache
def plan() -> Plan:
    scenario = planner.load(TINY)
    return with_uncertainty(scenario, solve_fully(scenario), robust=True).plan


def robust() -> Robust:
    found = plan().robust
    assert found is not None
    return found


@cache
def cases() -> tuple[Case, ...]:
    scenario = planner.load(TINY)
    return tuple(case_of(scenario, factors, {}) for factors in cases_of(scenario))


@cache
def every_order() -> dict[tuple[int, ...], tuple[int | None, ...]]:
    """Cents of all orders there are, in all cases."""
    ranges = [range(o.least, o.most + 1) for o in cases()[0].there.acquisitions]
    return {c: tuple(case.cost(c, QUICK).cents for case in cases()) for c in product(*ranges)}


def test_no_order_has_less_regret_than_the_one_marked() -> None:
    table = every_order()
    best = [min(c[n] for c in table.values() if c[n] is not None) for n in range(3)]
    worst = [
        max(c - b for c, b in zip(costs, best, strict=True))
        for costs in table.values()
        if None not in costs
    ]
    (marked,) = [o for o in robust().orders if o.least_regret]
    assert [c.cost for c in robust().cases] == [Decimal(b) / 100 for b in best]
    assert marked.worst_regret == Decimal(min(worst)) / 100
    assert robust().regret_bound is not None
    assert robust().regret_bound <= marked.worst_regret
    assert 1 < robust().tested < len(table)


def test_the_same_orders_cost_what_brute_force_says() -> None:
    case = cases()[0]
    for counts in list(every_order())[::9]:
        truth = brute_force(fixed(case.there, counts)).cost_cents
        assert case.cost(counts, QUICK).cents == truth


def test_the_joint_problem_has_the_least_sum() -> None:
    low, best, _ = cases()
    problem = joint([Scene(0, low.there, 1), Scene(1, best.there, 2)])
    table = [c for c in every_order().values() if None not in c[:2]]
    least = min(c[0] + 2 * c[1] for c in table)  # type: ignore[operator]
    assert solve(problem, limits=QUICK).cost_cents == least


def test_a_ceiling_holds_for_its_case() -> None:
    """The least sum where the second case may cost no more than its best."""
    low, best, _ = cases()
    scenes = [Scene(0, low.there, 1), Scene(1, best.there, 1)]
    table = [c for c in every_order().values() if None not in c[:2]]
    lowest = min(c[1] for c in table if c[1] is not None)
    least = min(c[0] + c[1] for c in table if c[1] == lowest)  # type: ignore[operator]
    assert solve(joint(scenes, [None, lowest]), limits=QUICK).cost_cents == least


def test_four_weeks_without_a_node_cost_the_rent_less_energy_and_upkeep() -> None:
    """672 of 2,190 h: a rented node at 0.89, instead of 119.58 of energy and 270.00 of upkeep in the quarter."""
    slip = next(s for s in robust().slips if s.arrives == "2026-10-01")
    share = Decimal(672) / Decimal(2190)
    missed = Decimal("0.89") * 2190 - Decimal("119.58") - 270
    assert slip.proven
    assert slip.cost == (share * missed).quantize(Decimal("0.01"), "ROUND_CEILING")
    assert slip.bridge == "cloud rented: 0 -> 1"


def test_late_by_more_than_a_period_misses_it_whole() -> None:
    scenario = planner.load(TINY, ("uncertainty={late: 4 months}",))
    case = case_of(scenario, cases_of(scenario)[2], {})
    first = next(n for n, d in enumerate(case.whole.deals) if d.action == "buy" and d.first == 0)
    assert case.share * 3 == 1
    assert len(case.there.acquisitions[first].supplies) == 1
    assert case.missing.acquisitions[first].supplies == ()


def test_the_report_adds_up_and_says_what_is_proven() -> None:
    text = render_text(plan())
    assert "SAME ORDERS, USD" in text
    assert "REGRET: WHAT THEY COST MORE" in text
    assert f"Of {robust().tested} sets of orders tested" in text
    assert "ORDER LINE 28 DAYS LATE" in text
