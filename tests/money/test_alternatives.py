"""Alternatives over a horizon cost little more and order or use something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.api import Answer, load, solve_fully, with_alternatives
from planner.report.text import render_text

TINY = Path(__file__).parent / "tiny.yaml"


@pytest.fixture(scope="module")
def found() -> Answer:
    scenario = load(TINY)
    return with_alternatives(scenario, solve_fully(scenario), count=9, within=1.0)


def test_they_are_dearer_sorted_and_within_the_margin(found: Answer) -> None:
    best = found.plan.cost
    assert best is not None
    costs = [o.cost for o in found.plan.alternatives]
    assert costs
    assert costs == sorted(costs)
    assert all(best.total <= c <= 2 * best.total for c in costs)


def test_each_differs_in_what_it_orders_and_uses(found: Answer) -> None:
    told = [(o.cost, o.then) for o in found.plan.alternatives]
    assert len(set(told)) == len(told)
    assert all(then and not then.startswith("other layouts") for _, then in told)


def test_without_an_order_it_costs_what_is_told_of_that_order(found: Answer) -> None:
    row = next(r for r in found.plan.instead if (r.action, r.way) == ("commit", "without"))
    other = next(o for o in found.plan.alternatives if "commitment to `cloud`" in o.change)
    assert other.proven
    assert other.cost == row.cost


def test_they_are_printed_and_none_is_said_to_be_none(found: Answer) -> None:
    text = render_text(found.plan)
    assert "Plans within 100 % that use other GPUs or order otherwise" in text
    none = with_alternatives(load(TINY), found, count=9, within=0.0)
    assert "No plan within 0 % of this one uses other GPUs or orders otherwise" in render_text(
        none.plan
    )
    assert all(len(line) <= 100 for line in text.splitlines())
