"""Every money table of the text report adds up to the cent, read from what is printed."""

import re
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

import planner
from planner.plan.schema import Plan
from planner.report.text import render_text

AMOUNT = re.compile(r"(?<![\w.,])-?[\d,]+\.\d\d(?![\d.%]| %| GiB)")
"""Money as it is printed; memory stands beside a slash or with one decimal."""


def drawn(seed: int) -> list[str]:
    """Changes of the tiny scenario: prices, growth, convention, upkeep, power and racks."""
    random = Random(seed)
    changes = [
        f"horizon.convention={random.choice(['accrual', 'cash'])}",
        f"energy.price=0.{random.randint(5, 40):02} USD/kWh",
        f"energy.idle={random.randint(0, 40)} %",
        f"inventory.mine.owned.upkeep={random.randint(1, 300)}.{random.randint(0, 99):02} USD/node-month",
        f"inventory.mine.buy.price={random.randint(3000, 14000)} USD/node",
        f"inventory.mine.buy.support={random.randint(0, 9)} %",
        f"inventory.mine.buy.installation={random.randint(0, 19)} %",
        f"inventory.cloud.rent[0].price=0.{random.randint(31, 99)}7 USD/node-hour",
        f"inventory.cloud.rent[1].price=0.{random.randint(25, 60)}3 USD/node-hour",
        f"inventory.cloud.rent[1].upfront={random.randint(0, 100)} %",
        f"workloads.chat.demand.concurrent={random.randint(60, 300)}",
        f"workloads.chat.demand.growth=+{random.randint(0, 60)} %/quarter",
        "limits.capex=60000 USD",
    ]
    if random.random() < 0.5:
        changes += [f"inventory.mine.node.power={random.randint(400, 900)} W"]
    if random.random() < 0.5:
        changes += ["workloads.chat.team=product"]
    return changes


def plan_of(seed: int) -> Plan:
    plan = planner.solve(planner.load(Path(__file__).parent / "tiny.yaml", drawn(seed)))
    assert plan.verified
    return plan


def amounts(line: str) -> dict[int, Decimal]:
    """Amounts of a line by the column in which they end."""
    return {m.end(): Decimal(m[0].replace(",", "")) for m in AMOUNT.finditer(line)}


def tables(text: str) -> dict[str, list[str]]:
    """First word of each block of the report -> its lines."""
    return {b.split(maxsplit=1)[0]: b.splitlines() for b in text.split("\n\n") if b.strip()}


def totals_of(lines: list[str]) -> int:
    """Checks that each total below the rule is the sum of what stands above it; how many there were."""
    rule = next(n for n, line in enumerate(lines) if line and set(line) == {"-"})
    totals = amounts(lines[rule + 1])
    for end, total in totals.items():
        above = [row[end] for row in map(amounts, lines[:rule]) if end in row]
        assert sum(above) == total, lines[0]
    return len(totals)


@pytest.mark.parametrize("seed", range(10))
def test_every_printed_table_adds_up(seed: int) -> None:
    plan = plan_of(seed)
    assert plan.cost is not None
    total = plan.cost.total
    found = tables(render_text(plan, width=180))
    assert totals_of(found["WORKLOAD"]) == 1
    assert totals_of(found["CASH"]) == 3
    if plan.orders:
        assert totals_of(found["Orders"]) == 2
    if "TEAM" in found:
        assert totals_of(found["TEAM"]) == 1
    _by_kind(found["COST"], total)
    _pools(found["POOL"], total)
    _unit_costs(found["UNIT"], plan)
    _rules(found["RULE"], total)


def _by_kind(lines: list[str], total: Decimal) -> None:
    """Down each kind and along each period."""
    assert totals_of(lines) >= 2
    for line in lines[1:]:
        row = [amount for _, amount in sorted(amounts(line).items())]
        assert not row or sum(row[:-1]) == row[-1], line
    assert list(amounts(lines[-1]).values())[-1] == total


def _pools(lines: list[str], total: Decimal) -> None:
    rows = [row for row in map(amounts, lines[1:]) if row]
    assert sum(max(row.items())[1] for row in rows) == total


def _unit_costs(lines: list[str], plan: Plan) -> None:
    """Workloads and idle GPUs are the total; each unit cost times its units is the workload's cost."""
    assert plan.cost is not None
    costs = [max(amounts(line).items())[1] for line in lines[1:]]
    assert sum(costs) + sum(p.idle_cost for p in plan.pools) == plan.cost.total


def _rules(lines: list[str], total: Decimal) -> None:
    """What the plan saves is what the rule costs more."""
    own = amounts(lines[1])
    assert list(own.values()) == [total]
    for line in lines[2:]:
        row = [amount for _, amount in sorted(amounts(line).items())]
        assert not row or row[0] - row[1] == total, line


def test_the_drawn_scenarios_differ() -> None:
    plans = [plan_of(seed) for seed in range(10)]
    assert len({p.cost.total for p in plans if p.cost}) == 10
    assert {o.action for p in plans for o in p.orders} == {"buy", "commit"}
