"""Why a horizon has no plan, period by period, and changes that give it one: each is tried again here."""

import re
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

import planner
from planner.options.explain.period_changes import Setting, time_words
from planner.options.explain.period_facts import pool_facts
from planner.options.explain.period_supply import supply_steps
from planner.plan.schema import Plan, Status
from planner.report.text import render_text
from planner.scenario.periods import periods_of
from planner.units import DAY_S, MONTH_S

PATH = Path(__file__).parents[2] / "scenarios" / "infeasible" / "horizon.yaml"


@cache
def solved(*overrides: str) -> Plan:
    return planner.solve(planner.load(PATH, overrides))


def total(*overrides: str) -> Decimal:
    plan = solved(*overrides)
    assert plan.cost is not None
    return plan.cost.total


def test_the_conflict_names_period_and_numbers() -> None:
    plan = solved()
    assert plan.status is Status.INFEASIBLE
    texts = {row.name: row.text for row in plan.conflict}
    assert set(texts) == {
        "chat 2027-04", "tune 2027-04", "l40s 2027-04", "cloud 2027-04", "limits.capex 2027-04",
    }  # fmt: skip
    assert texts["limits.capex 2027-04"] == "`limits.capex` allows 20,000.00 USD in 2027-04"
    assert "at least 1 GPU of `l40s` or `cloud`" in texts["chat 2027-04"]
    assert "minimal" in plan.explanations[0].checked
    shown = render_text(plan)
    assert "limits: {capex: [0 USD, 20000 USD" in shown


@pytest.mark.parametrize(
    ("kind", "override"),
    [
        ("capex", "limits.capex[2]=26000 USD"),
        ("rent", "inventory.cloud.rent.max_nodes=2"),
        ("retires", "inventory.l40s.owned.retires=2027-07-01"),
    ],
)
def test_a_repair_costs_what_the_changed_scenario_costs(kind: str, override: str) -> None:
    repairs = {r.kind: r for r in reversed(solved().repairs) if "aws" not in r.change}
    assert repairs[kind].cost == total(override)
    wanted = re.findall(r"[\d,]+|\d{4}-\d\d-\d\d", override.partition("=")[2])[0]
    assert wanted in repairs[kind].change.replace(",", "")


def test_repairs_are_the_cheapest_first_and_giving_up_comes_last() -> None:
    repairs = solved().repairs
    assert repairs
    assert [r.kind for r in repairs][-2:] == ["drop", "drop"]
    priced = [r.cost for r in repairs if r.kind not in ("drop", "retires", "nodes")]
    assert priced == sorted(priced)
    assert len({r.change for r in repairs}) == len(repairs)


def test_the_least_that_works() -> None:
    """26,000 USD buy the node; a dollar less does not."""
    assert solved("limits.capex[2]=25999 USD").status is Status.INFEASIBLE


def test_a_contract_over_the_budget_is_told_as_such() -> None:
    plan = solved(
        "inventory.cloud.contracts={nodes: 1, until: 2027-10-01, price: 2 USD/node-hour}",
        "limits.opex=100 USD/month",
    )
    text = re.sub(r"\s+", " ", render_text(plan))
    assert "what is signed or ordered already breaks a limit" in text
    assert "contracts take 4,380.00 USD of the period" in text


def test_a_later_deadline_is_a_repair() -> None:
    """One L40S takes two months for the run; the deadline leaves it one."""
    path = Path(__file__).parent / "long_run.yaml"
    plan = planner.solve(planner.load(path, ["workloads.tune.deadline=1 month"]))
    assert plan.status is Status.INFEASIBLE
    (repair,) = [r for r in plan.repairs if r.kind == "deadline"]
    assert repair.change == "`deadline: 2 months` for `tune`"
    longer = planner.solve(planner.load(path, ["workloads.tune.deadline=2 months"]))
    assert longer.cost is not None
    assert repair.cost == longer.cost.total


PAIR = """\
scenario: pair
horizon: {start: 2026-10-01, length: 1 year, period: 1 quarter}
currency: EUR
limits: {capex: 10000 EUR}
inventory:
  - pool: l40s
    gpu: l40s
    node: {gpus: 2}
    buy: {price: 26000 EUR/node, max_nodes: 2, lead_time: 5 months}
workloads:
  - name: chat
    kind: inference
    model: llama-3.1-8b
    context: 4096
    demand: {concurrent: 40, prompt: 900, output: 250, periods: [0 %, 100 %, 100 %, 100 %]}
"""


def test_pairs_of_changes_where_none_is_enough(tmp_path: Path) -> None:
    """The purchase needs more money and must come a quarter sooner; both together, and neither alone."""
    path = tmp_path / "pair.yaml"
    path.write_text(PAIR)
    plan = planner.solve(planner.load(path))
    assert plan.status is Status.INFEASIBLE
    (pair,) = [r for r in plan.repairs if r.combination]
    assert "`lead_time: 92 d` of `l40s`" in pair.change
    assert "`capex: 26,000 EUR`" in pair.change
    changes = ["inventory.l40s.buy.lead_time=92 d", "limits.capex=26000 EUR"]
    both = planner.solve(planner.load(path, changes))
    assert both.cost is not None
    assert pair.cost == both.cost.total
    for change in changes:
        assert planner.solve(planner.load(path, [change])).status is Status.INFEASIBLE


def test_facts_of_a_pool_say_why_there_are_no_more_nodes() -> None:
    scenario = planner.load(PATH)
    periods = periods_of(scenario)
    l40s = scenario.pool("l40s")
    assert pool_facts(scenario, l40s, periods[0]) == (
        "`l40s` in 2026-10: 1 node owned; none can be bought before 2027-04-01 (lead time 5 months)"
    )
    assert "0 nodes owned (`retires: 2027-04-01`)" in pool_facts(scenario, l40s, periods[2])
    assert pool_facts(scenario, scenario.pool("cloud"), periods[0]) == (
        "`cloud` in 2026-10: at most 1 node for rent"
    )


def test_each_step_of_supply_is_looser_than_the_scenario() -> None:
    scenario = planner.load(PATH)
    steps = {s.kind: s for s in supply_steps(scenario, periods_of(scenario))}
    assert set(steps) == {"buy", "lead-time", "nodes", "retires", "rent"}
    changed = steps["lead-time"].at(0).apply(Setting(scenario)).scenario
    assert changed.pool("l40s").spec.buy[0].lead_time == 92 * DAY_S
    changed = steps["nodes"].at(1).apply(Setting(scenario)).scenario
    assert changed.pool("l40s").available_nodes == 3


def test_times_in_words() -> None:
    assert time_words(MONTH_S * 2) == "2 months"
    assert time_words(DAY_S * 5) == "5 d"
