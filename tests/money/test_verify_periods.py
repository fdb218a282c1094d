"""The re-check of a plan over periods: every changed figure is found, and every table adds up."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

import planner
from planner.plan.schema import Plan
from planner.report.text import render_text
from planner.scenario import Scenario
from planner.verify.plan import verify_plan


@cache
def solved() -> tuple[Scenario, Plan]:
    path = Path(__file__).parent / "year.yaml"
    scenario = planner.load(path)
    plan = planner.solve(scenario)
    assert plan.status == "proven"
    return scenario, plan


def test_the_plan_verifies_and_uses_every_kind_of_supply() -> None:
    scenario, plan = solved()
    assert verify_plan(scenario, plan) == []
    assert {o.action for o in plan.orders} == {"buy", "commit", "contract"}
    assert plan.verified


def period(plan: Plan, at: int, **update: object) -> Plan:
    periods = list(plan.periods)
    periods[at] = periods[at].model_copy(update=update)
    return plan.model_copy(update={"periods": tuple(periods)})


def order(plan: Plan, action: str, **update: object) -> Plan:
    orders = tuple(o.model_copy(update=update) if o.action == action else o for o in plan.orders)
    return plan.model_copy(update={"orders": orders})


CENT = Decimal("0.01")
CHANGES: dict[str, Callable[[Plan], Plan]] = {
    "cost of a period": lambda p: period(p, 1, cost=p.periods[1].cost + CENT),
    "kind of cost": lambda p: period(
        p,
        1,
        parts=p.periods[1].parts.model_copy(update={"energy": p.periods[1].parts.energy + CENT}),
    ),
    "capex": lambda p: period(p, 2, capex=p.periods[2].capex + CENT),
    "opex": lambda p: period(p, 2, opex=p.periods[2].opex + CENT),
    "hours": lambda p: period(p, 0, hours=2191),
    "name of a period": lambda p: period(p, 0, name="2026-11"),
    "workloads of a period": lambda p: period(p, 0, workloads=()),
    "pools of a period": lambda p: period(p, 0, pools=p.periods[1].pools),
    "bought nodes": lambda p: order(p, "buy", nodes=2),
    "price of an order": lambda p: order(p, "buy", price=Decimal(1)),
    "unit price": lambda p: order(p, "commit", unit_price=Decimal(1)),
    "cost of an order": lambda p: order(p, "commit", cost=Decimal(1)),
    "paid": lambda p: order(p, "commit", paid=Decimal(1)),
    "due after": lambda p: order(p, "commit", due_after=Decimal(1)),
    "book value": lambda p: order(p, "buy", book_value=Decimal(1)),
    "order day": lambda p: order(p, "buy", order_by="2026-12-31"),
    "arrival": lambda p: order(p, "buy", arrives="2026-10-01"),
    "contract dropped": lambda p: p.model_copy(
        update={"orders": tuple(o for o in p.orders if o.action != "contract")}
    ),
    "nodes under contract": lambda p: order(p, "contract", nodes=2),
    "offer": lambda p: order(p, "buy", offer=2),
    "total": lambda p: p.model_copy(
        update={"cost": p.cost and p.cost.model_copy(update={"total": p.cost.total - CENT})}
    ),
    "bound": lambda p: p.model_copy(update={"bound": (p.bound or CENT) - CENT}),
    "obligation": lambda p: p.model_copy(
        update={"money": p.money and p.money.model_copy(update={"due_after": Decimal(0)})}
    ),
    "no totals": lambda p: p.model_copy(update={"money": None}),
    "merged workloads": lambda p: p.model_copy(update={"workloads": p.periods[0].workloads}),
    "merged pools": lambda p: p.model_copy(update={"pools": p.periods[0].pools}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_figure_is_found(name: str) -> None:
    scenario, plan = solved()
    assert verify_plan(scenario, CHANGES[name](plan))


def test_every_table_adds_up() -> None:
    _, plan = solved()
    text = render_text(plan, width=160)
    tables = 0
    for block in text.split("\n\n"):
        lines = block.splitlines()
        rule = next((n for n, line in enumerate(lines) if set(line) == {"-"}), None)
        if rule is None or "." not in lines[rule + 1]:
            continue
        tables += 1
        footer = re.findall(r"-?[\d,]+\.\d\d\b", lines[rule + 1])
        above = [re.findall(r"-?[\d,]+\.\d\d\b(?! GiB)", line) for line in lines[:rule]]
        last = [Decimal(row[-1].replace(",", "")) for row in above if row]
        if "paid so far" in lines[0]:
            last = [Decimal(row[-2].replace(",", "")) for row in above if row]
        if "share" in lines[0]:
            last = [Decimal(row[0].replace(",", "")) for row in above if row]
        assert sum(last) == Decimal(footer[-1].replace(",", "")), lines[0]
    assert tables == 5


def test_no_line_is_wider_than_the_terminal() -> None:
    _, plan = solved()
    assert max(map(len, render_text(plan, width=100).splitlines())) <= 100


def test_teams_and_unit_costs_add_up() -> None:
    _, plan = solved()
    assert plan.cost is not None
    assert sum(t.cost for t in plan.teams) == plan.cost.total
    idle = sum(p.idle_cost for p in plan.pools)
    assert sum(u.cost for u in plan.unit_costs) + idle == plan.cost.total


def test_no_rule_is_cheaper_than_the_plan() -> None:
    _, plan = solved()
    assert plan.cost is not None
    assert {"do nothing", "all rent", "all buy"} <= {b.name for b in plan.baselines}
    for one in plan.baselines:
        assert one.cost is None or one.cost >= plan.cost.total
        assert (one.cost is None) == bool(one.unserved)
