"""Orders under uncertainty, and what changes are worth, against second solves of changed scenarios."""

from decimal import Decimal
from functools import cache
from pathlib import Path

import planner
from planner.api import solve_fully, with_uncertainty
from planner.plan.schema import Plan

YEAR = Path(__file__).parent / "year.yaml"


@cache
def plan() -> Plan:
    scenario = planner.load(YEAR)
    found = solve_fully(scenario)
    return with_uncertainty(scenario, found, robust=True, sensitivity=True).plan


def changed(*overrides: str) -> Decimal:
    other = planner.solve(planner.load(YEAR, overrides))
    assert other.cost is not None
    return other.cost.total


def test_the_stated_case_is_the_plan() -> None:
    assert plan().robust is not None
    low, best, high = plan().robust.cases
    assert plan().cost is not None
    assert best.cost == plan().cost.total
    assert low.cost is not None
    assert high.cost is not None
    assert low.cost < best.cost < high.cost
    assert (high.demand, high.prices, high.late_days) == (1.2, 1.1, 28)


def test_low_case_is_the_scenario_with_low_figures() -> None:
    low = plan().robust.cases[0]  # type: ignore[union-attr]
    cost = changed(
        "workloads.chat.demand.concurrent=200", "energy.price=0.108 USD/kWh",
        "inventory.cloud.rent[0].price=2.691 USD/node-hour",
    )  # fmt: skip
    assert cost == low.cost


def test_regret_is_cost_less_the_best_of_the_case() -> None:
    robust = plan().robust
    assert robust is not None
    known = {c.name: c.cost for c in robust.cases}
    for order in robust.orders:
        for name in order.best_for:
            assert order.costs[name] == known[name]
        regrets = {name: order.costs[name] - known[name] for name in known}  # type: ignore[operator]
        assert order.regrets == regrets
        assert min(regrets.values()) >= 0
        assert order.worst_regret == max(regrets.values())
    (marked,) = [o for o in robust.orders if o.least_regret]
    assert marked.worst_regret == min(o.worst_regret for o in robust.orders if o.worst_regret)
    assert robust.regret_bound is not None
    assert marked.worst_regret is not None
    assert robust.regret_bound <= marked.worst_regret


def test_a_late_delivery_costs_something() -> None:
    assert plan().robust is not None
    (slip,) = plan().robust.slips
    assert (slip.pool, slip.days) == ("l40s", 28)
    assert slip.cost is not None
    assert slip.cost > 0
    assert "cloud rented: " in slip.bridge


def test_one_more_node_is_worth_what_a_second_solve_says() -> None:
    row = next(s for s in plan().sensitivity if s.change == "one more owned node of `l40s`")
    assert row.cost == changed("inventory.l40s.owned.nodes=2")
    assert plan().cost is not None
    assert row.saving == plan().cost.total - row.cost


def test_an_offer_loses_at_its_break_even_price() -> None:
    row = next(s for s in plan().sensitivity if s.change == "without the offer to buy `l40s`")
    assert row.saving < 0
    dear = changed("inventory.l40s.buy.price=100000 USD/node", "limits.capex=900000 USD")
    assert dear == row.cost


def test_strongest_first() -> None:
    sizes = [abs(s.saving) for s in plan().sensitivity if not s.note.startswith("not")]
    assert sizes == sorted(sizes, reverse=True)
    assert len(plan().sensitivity) <= 10
