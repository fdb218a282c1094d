"""Prices and stocks given as a list with one value per period, by hand.

A service on one GPU, over four quarters of 2,190 h. A node lives 4 years, 16 quarters.
"""

from decimal import Decimal
from pathlib import Path

import pytest

import planner
from planner.options.deals import deals_of
from planner.plan.schema import Plan
from planner.report.text import render_text
from planner.scenario import Scenario
from planner.scenario.changes import offers_of, priced
from planner.verify.plan import verify_plan

TEXT = """\
scenario: lists
horizon: {start: 2026-10-01, length: 1 year, period: 1 quarter}
inventory:
POOLSworkloads:
  - name: chat
    kind: inference
    model: llama-3.1-8b
    context: 2048
    demand: {concurrent: 1, prompt: 200, output: 100}
"""
RENT = "  - {pool: cloud, gpu: l40s, rent: {price: LIST}}\n"


def scenario_of(tmp_path: Path, pools: str, *changes: str) -> Scenario:
    path = tmp_path / "lists.yaml"
    path.write_text(TEXT.replace("POOLS", pools))
    return planner.load(path, changes)


def solved(tmp_path: Path, pools: str, *changes: str) -> tuple[Scenario, Plan]:
    scenario = scenario_of(tmp_path, pools, *changes)
    plan = planner.solve(scenario)
    assert plan.status == "proven"
    assert not verify_plan(scenario, plan)
    return scenario, plan


def costs(plan: Plan) -> list[Decimal]:
    return [p.cost for p in plan.periods]


def rent(*prices: str) -> str:
    each = ", ".join(f"{p} USD/node-hour" for p in prices)
    return RENT.replace("LIST", f"[{each}]" if len(prices) > 1 else each)


def test_rent_of_each_period(tmp_path: Path) -> None:
    _, plan = solved(tmp_path, rent("1.00", "1.20", "0.80", "1.00"))
    assert costs(plan) == [2190, 2628, 1752, 2190]


def test_a_node_is_bought_at_the_price_of_its_arrival(tmp_path: Path) -> None:
    """In January it costs 16,000, 1,000 a quarter; at the price of October it would be as dear as rent at 2,190."""
    buy = (
        "  - {pool: new, gpu: l40s, buy: {price: "
        "[35040 USD/node, 16000 USD/node, 30000 USD/node, 1 USD/node], max_per_period: [1, 1, 1, 0]}}\n"
    )
    _, plan = solved(tmp_path, buy + rent("1.00"))
    assert [(o.arrives, o.unit_price) for o in plan.orders] == [("2027-01-01", 16000)]
    assert costs(plan) == [2190, 1000, 1000, 1000]


def test_a_tier_of_each_period(tmp_path: Path) -> None:
    buy = (
        "  - {pool: new, gpu: l40s, buy: {price: 32000 USD/node, tiers: {nodes: 2, price: "
        "[31000 USD/node, 12000 USD/node, 11000 USD/node, 10000 USD/node]}}}\n"
    )
    deals = deals_of(scenario_of(tmp_path, buy))
    assert [(d.tier, d.price_cents) for d in deals[1::2]] == [
        (2, 3_100_000), (2, 1_200_000), (2, 1_100_000), (2, 1_000_000)
    ]  # fmt: skip
    _, plan = solved(tmp_path, buy + rent("1.00"))
    assert [(o.nodes, o.arrives, o.unit_price) for o in plan.orders] == [(2, "2027-01-01", 12000)]
    assert costs(plan) == [2190, 1500, 1500, 1500]


def test_energy_of_each_period_and_growing(tmp_path: Path) -> None:
    """350 W x 2,190 h = 766.5 kWh, at a PUE of 1."""
    owned = "  - {pool: box, gpu: l40s, owned: {nodes: 1}}\n"
    listed = "energy={price: [0.10 USD/kWh, 0.20 USD/kWh, 0.10 USD/kWh, 300 USD/MWh], pue: 1.0}"
    _, plan = solved(tmp_path, owned, listed)
    assert costs(plan) == [Decimal(x) for x in ("76.65", "153.30", "76.65", "229.95")]
    assert "0.10, 0.20, 0.10, 0.3 USD/kWh by period" in " ".join(render_text(plan).split())
    grows = "energy={price: 0.10 USD/kWh, pue: 1.0, growth: +100 %/quarter}"
    _, plan = solved(tmp_path, owned, grows)
    assert costs(plan) == [Decimal(x) for x in ("76.65", "153.30", "306.60", "613.20")]


def test_stock_of_each_period(tmp_path: Path) -> None:
    """The owned node is there in the first and third quarter, the cheap rent in the second."""
    pools = (
        "  - {pool: box, gpu: l40s, owned: {nodes: 1, available: [1, 0, 1, 0], upkeep: 100 USD/node-month}}\n"
        "  - pool: cloud\n    gpu: l40s\n    rent:\n"
        "      - {price: 0.50 USD/node-hour, max_nodes: [0, 1, 0, 0]}\n"
        "      - {price: 1.00 USD/node-hour}\n"
    )
    _, plan = solved(tmp_path, pools)
    assert costs(plan) == [300, 1095, 300, 2190]


def test_a_commitment_within_the_nodes_of_every_period_it_holds(tmp_path: Path) -> None:
    pools = (
        "  - pool: cloud\n    gpu: l40s\n    rent:\n"
        "      - {price: [0.90 USD/node-hour, 0.60 USD/node-hour, 0.10 USD/node-hour, 0.40 USD/node-hour],"
        " commit: 2 quarters, max_nodes: [1, 1, 1, 0]}\n"
        "      - {price: 1.00 USD/node-hour}\n"
    )
    _, plan = solved(tmp_path, pools)
    (order,) = plan.orders
    assert (order.arrives, order.unit_price) == ("2027-01-01", Decimal("0.60") * 4380)
    assert costs(plan) == [2190, 1314, 1314, 2190]


def test_a_contract_at_the_price_of_each_period(tmp_path: Path) -> None:
    """It runs two months beyond the horizon, at the last price."""
    pools = (
        "  - {pool: hired, gpu: l40s, contracts: {nodes: 1, until: 2027-12-01, price: "
        "[1.00 USD/node-hour, 1.10 USD/node-hour, 1.20 USD/GPU-hour, 1.30 USD/node-hour]}}\n"
    )
    _, plan = solved(tmp_path, pools)
    assert costs(plan) == [2190, 2409, 2628, 2847]
    assert plan.orders[0].due_after == 61 * 24 * Decimal("1.30")


def test_other_prices_move_all_values_of_a_list(tmp_path: Path) -> None:
    """What the break-even prices are looked for by: the first one named, the rest in proportion."""
    scenario = scenario_of(tmp_path, rent("1.00", "1.20", "0.80", "1.00"))
    (offer,) = offers_of(scenario)
    assert (offer.listed, offer.price.amount) == (True, 1)
    other = priced(scenario, offer, Decimal("1.50"))
    assert [float(p.amount) for p in other.pools[0].spec.rent[0].price] == [1.5, 1.8, 1.2, 1.5]


CHANGED = {
    "rent": (rent("1.00", "1.20", "0.80", "1.00"), "inventory.cloud.rent.price[1]=1.10 USD/node-hour"),
    "stock": (
        "  - {pool: box, gpu: l40s, owned: {nodes: 1, available: [1, 1, 1, 1]}}\n" + rent("9.00"),
        "inventory.box.owned.available[2]=0",
    ),
    "limit of a rent": (
        "  - pool: cloud\n    gpu: l40s\n    rent: [{price: 1.00 USD/node-hour, max_nodes: [1, 1, 1, 1]},"
        " {price: 9.00 USD/node-hour}]\n",
        "inventory.cloud.rent[0].max_nodes[3]=0",
    ),
    "price of arrival": (
        "  - {pool: new, gpu: l40s, buy: {price: [1600 USD/node, 1500 USD/node, 1600 USD/node, 1600 USD/node]}}\n",
        "inventory.new.buy.price[0]=1601 USD/node",
    ),
    "arrivals": (
        "  - {pool: new, gpu: l40s, buy: {price: 1600 USD/node, max_per_period: [1, 1, 1, 1]}}\n",
        "inventory.new.buy.max_per_period[0]=0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_another_value_in_one_period_is_found(tmp_path: Path, name: str) -> None:
    pools, change = CHANGED[name]
    _, plan = solved(tmp_path, pools)
    assert verify_plan(scenario_of(tmp_path, pools, change), plan)
