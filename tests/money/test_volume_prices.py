"""Volume prices and least orders, worked out by hand.

A service of two replicas on one GPU each, over four quarters of 2,190 h. A node costs 24,000 and lives 4 years, 16
quarters: 1,500 a quarter. From three nodes on all of them cost less. Renting costs 1.00 an hour: 2,190 a quarter.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import planner
from planner.options.horizon import join, parts_of
from planner.plan.schema import Order, Plan
from planner.report.text import render_text
from planner.scenario import Scenario
from planner.verify.brute_force import brute_force
from planner.verify.plan import verify_plan

TEXT = """\
scenario: volume
horizon: {start: 2026-10-01, length: 1 year, period: 1 quarter}
inventory:
  - pool: new
    gpu: l40s
    buy: {price: 24000 USD/node, tiers: [{nodes: 3, price: 15200 USD/node}]}
  - pool: cloud
    gpu: l40s
    rent: {price: 1.00 USD/node-hour}
workloads:
  - name: chat
    kind: inference
    model: llama-3.1-8b
    context: 2048
    demand: {concurrent: 1, prompt: 200, output: 100}
    replicas: {min: 2}
"""
THREE = ["workloads.chat.replicas.min=3"]


def solved(tmp_path: Path, *changes: str) -> tuple[Scenario, Plan]:
    path = tmp_path / "volume.yaml"
    path.write_text(TEXT)
    scenario = planner.load(path, changes)
    plan = planner.solve(scenario)
    assert plan.status == "proven"
    assert not verify_plan(scenario, plan)
    return scenario, plan


def total(plan: Plan) -> Decimal:
    assert plan.cost is not None
    return plan.cost.total


def test_one_node_too_many_where_the_tier_makes_all_cheaper(tmp_path: Path) -> None:
    """3 x 15,200 / 16 = 2,850 a quarter is less than 2 x 24,000 / 16 = 3,000."""
    _, plan = solved(tmp_path)
    (order,) = plan.orders
    assert (order.nodes, order.tier, order.unit_price, order.single_price) == (3, 3, 15200, 24000)
    assert total(plan) == 4 * 2850
    text = " ".join(render_text(plan).split())
    assert "15,200.00 a node instead of 24,000.00: 26,400.00 less" in text


def test_the_own_price_below_the_tier(tmp_path: Path) -> None:
    """3 x 16,800 / 16 = 3,150 a quarter is more than 3,000 for the two that are needed."""
    _, plan = solved(tmp_path, "inventory.new.buy.tiers[0].price=16800 USD/node")
    (order,) = plan.orders
    assert (order.nodes, order.tier, order.single_price) == (2, None, None)
    assert total(plan) == 4 * 3000


def test_the_last_tier_that_is_reached(tmp_path: Path) -> None:
    tiers = "[{nodes: 2, price: 20000 USD/node}, {nodes: 3, price: 19000 USD/node}]"
    _, plan = solved(tmp_path, f"inventory.new.buy.tiers={tiers}", *THREE)
    (order,) = plan.orders
    assert (order.nodes, order.tier, order.price) == (3, 3, 57000)


def test_orders_for_two_periods_do_not_add_up_to_a_tier(tmp_path: Path) -> None:
    """A budget of one node a quarter: three are bought in the end, each for 24,000."""
    budget = "limits.capex=[30000 USD, 30000 USD, 30000 USD, 0 USD]"
    _, plan = solved(tmp_path, budget, *THREE)
    assert [(o.nodes, o.unit_price, o.tier) for o in plan.orders] == [(1, 24000, None)] * 3
    assert total(plan) == (1500 + 2 * 2190) + (2 * 1500 + 2190) + 2 * 3 * 1500


def test_a_budget_below_the_tier(tmp_path: Path) -> None:
    """Neither 45,600 for three nodes nor 48,000 for two are there: one is bought, one rented."""
    _, plan = solved(tmp_path, "limits.capex=45000 USD")
    assert [(o.nodes, o.tier) for o in plan.orders] == [(1, None)]
    assert total(plan) == 4 * (1500 + 2190)


def test_an_order_is_large_enough_or_none(tmp_path: Path) -> None:
    """Three nodes at 24,000 cost 4,500 a quarter: two rented ones 4,380, three rented ones 6,570."""
    least = "inventory.new.buy={price: 24000 USD/node, min_order: 3}"
    _, plan = solved(tmp_path, least)
    assert plan.orders == ()
    assert total(plan) == 4 * 4380
    _, plan = solved(tmp_path, least, *THREE)
    assert [(o.nodes, o.tier) for o in plan.orders] == [(3, None)]
    assert total(plan) == 4 * 4500


def test_a_least_order_that_cannot_be_paid_is_named(tmp_path: Path) -> None:
    path = tmp_path / "volume.yaml"
    path.write_text(TEXT)
    scenario = planner.load(
        path,
        ["inventory.new.buy={price: 24000 USD/node, min_order: 4}", "limits.capex=60000 USD",
         "workloads.chat.pools=new"],
    )  # fmt: skip
    plan = planner.solve(scenario)
    assert plan.status == "infeasible"
    text = " ".join(render_text(plan).split())
    assert "is ordered from 4 nodes on" in text
    assert "`limits.capex`" in text


def order(plan: Plan, **update: object) -> Plan:
    orders = tuple(o.model_copy(update=update) for o in plan.orders)
    return plan.model_copy(update={"orders": orders})


def at_price(o: Order, unit: int) -> dict[str, object]:
    return {"unit_price": Decimal(unit), "price": Decimal(unit) * o.nodes}


CHANGES: dict[str, Callable[[Plan], Plan]] = {
    "fewer nodes at the tier's price": lambda p: order(p, nodes=2, gpus=2, price=Decimal(30400)),
    "a tier not named": lambda p: order(p, tier=None),
    "another tier": lambda p: order(p, tier=2),
    "the own price": lambda p: order(p, **at_price(p.orders[0], 24000)),
    "what it would cost alone": lambda p: order(p, single_price=Decimal(25000)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_tier_that_is_not_reached_is_found(tmp_path: Path, name: str) -> None:
    scenario, plan = solved(tmp_path)
    assert any(p.check == "orders" for p in verify_plan(scenario, CHANGES[name](plan)))


def test_an_order_below_the_least_is_found(tmp_path: Path) -> None:
    _, plan = solved(tmp_path)
    path = tmp_path / "other.yaml"
    path.write_text(TEXT.replace("tiers:", "min_order: 5, tiers:"))
    found = verify_plan(planner.load(path), plan)
    assert any("`min_order` is 5" in p.message for p in found)


@pytest.mark.parametrize("convention", ["accrual", "cash"])
@pytest.mark.parametrize("tier", [9000, 15200, 16800])
@pytest.mark.parametrize("least", [1, 2])
def test_equals_trying_every_order(tmp_path: Path, convention: str, tier: int, least: int) -> None:
    """Half a year, up to three nodes: the cheapest of all orders, by the whole problem's brute force."""
    buy = (
        f"inventory.new.buy={{price: [24000 USD/node, 20000 USD/node], min_order: {least}, max_nodes: 3, "
        f"tiers: [{{nodes: 3, price: {tier} USD/node}}]}}"
    )
    changes = [buy, "horizon.length=2 quarters", f"horizon.convention={convention}"]
    changes.append(
        "inventory.cloud.rent={price: [1.00 USD/node-hour, 8.00 USD/node-hour], max_nodes: [2, 1]}"
    )
    scenario, plan = solved(tmp_path, *changes)
    assert (
        total(plan)
        == Decimal(brute_force(join(scenario, parts_of(scenario)).problem).cost_cents or 0) / 100
    )
