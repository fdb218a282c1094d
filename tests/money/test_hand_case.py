"""Keep, buy or rent over four quarters, worked out by hand.

One service of one GPU. A quarter has 3 x 730 = 2,190 h.

- keep: an owned V100 until 2027-04-01, upkeep 300 a month: 900 a quarter. Then it is gone.
- buy: 24,000 for a node, life 4 years = 16 quarters, 20 % left: (24,000 - 4,800) / 16 = 1,200 a quarter, and
  support of 5 % a year: 300 a quarter. Eight weeks from order to use.
- rent: 1.00 an hour: 2,190 a quarter.

Accrual: 900 + 900, then buying at 1,500 beats renting at 2,190: 4,800 in all.
Cash: the purchase is paid within the horizon, 24,000 + 600 against 4,380 of rent: 900 + 900 + 4,380 = 6,180.
Crossover by cash: buying costs 24,000 + 100 a month, renting 730 a month; 24,000 / 630 = 38.1, so month 39.
"""

from decimal import Decimal
from pathlib import Path

import pytest

import planner
from planner.plan.schema import Plan
from planner.verify.plan import verify_plan

TEXT = """\
scenario: hand
horizon: {start: 2026-10-01, length: LENGTH, period: PERIOD, convention: CONVENTION}
inventory:
OWNED  - pool: new
    gpu: l40s
    buy: {price: 24000 USD/node, LEADlife: 4 years, residual: 20 %, support: 5 %}
  - pool: cloud
    gpu: l40s
    rent: {price: 1.00 USD/node-hour}
workloads:
  - name: chat
    kind: inference
    model: llama-3.1-8b
    context: 2048
    demand: {concurrent: 1, prompt: 200, output: 100}
    gpus: {max: 1}
"""
OWNED = """\
  - pool: old
    gpu: v100-sxm2-32gb
    owned: {nodes: 1, upkeep: 300 USD/node-month, retires: 2027-04-01}
"""


def solved(tmp_path: Path, convention: str, length: str = "1 year", period: str = "1 quarter",
           owned: str = OWNED, lead: str = "lead_time: 8 weeks, ") -> Plan:  # fmt: skip
    text = TEXT.replace("CONVENTION", convention).replace("LENGTH", length)
    text = text.replace("PERIOD", period).replace("OWNED", owned).replace("LEAD", lead)
    path = tmp_path / "hand.yaml"
    path.write_text(text)
    scenario = planner.load(path)
    plan = planner.solve(scenario)
    assert plan.status == "proven"
    assert not verify_plan(scenario, plan)
    return plan


def test_accrual_keeps_then_buys(tmp_path: Path) -> None:
    plan = solved(tmp_path, "accrual")
    assert plan.cost is not None
    assert plan.cost.total == Decimal("4800.00")
    assert [p.cost for p in plan.periods] == [900, 900, 1500, 1500]
    assert [p.parts.purchases for p in plan.periods] == [0, 0, 1200, 1200]
    assert [p.parts.support for p in plan.periods] == [0, 0, 300, 300]
    assert [p.parts.upkeep for p in plan.periods] == [900, 900, 0, 0]
    (order,) = plan.orders
    assert (order.action, order.pool, order.nodes) == ("buy", "new", 1)
    assert (order.order_by, order.arrives, order.until) == (
        "2027-02-04",
        "2027-04-01",
        "2031-04-01",
    )
    assert (order.price, order.cost, order.paid) == (24000, 3000, 24600)
    assert order.book_value == 24000 - 2400
    assert [(a.pool, a.start, a.end) for a in plan.workloads[0].assignment] == [
        ("old", "2026-10-01", "2027-04-01"),
        ("new", "2027-04-01", "2027-10-01"),
    ]


def test_cash_flow_is_that_of_the_payments_in_either_convention(tmp_path: Path) -> None:
    plan = solved(tmp_path, "accrual")
    assert [p.capex for p in plan.periods] == [0, 0, 24000, 0]
    assert [p.opex for p in plan.periods] == [900, 900, 300, 300]
    assert plan.money is not None
    assert (plan.money.capex, plan.money.opex) == (24000, 2400)


def test_cash_keeps_then_rents(tmp_path: Path) -> None:
    plan = solved(tmp_path, "cash")
    assert plan.cost is not None
    assert plan.cost.total == Decimal("6180.00")
    assert [p.cost for p in plan.periods] == [900, 900, 2190, 2190]
    assert plan.orders == ()


@pytest.mark.parametrize(("months", "total", "orders"), [(38, 27740, 0), (39, 27900, 1)])
def test_crossover_month_by_cash(tmp_path: Path, months: int, total: int, orders: int) -> None:
    plan = solved(tmp_path, "cash", f"{months} months", "1 month", owned="", lead="")
    assert plan.cost is not None

    assert (plan.cost.total, len(plan.orders)) == (total, orders)
