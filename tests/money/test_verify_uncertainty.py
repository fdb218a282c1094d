"""The re-check of what `--robust` and `--sensitivity` add: every changed figure is found."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.api import solve_fully, with_uncertainty
from planner.plan.schema import Plan
from planner.scenario import Scenario
from planner.verify.plan import verify_findings, verify_plan


@cache
def solved() -> tuple[Scenario, Plan]:
    scenario = planner.load(Path(__file__).parent / "tiny.yaml")
    found = with_uncertainty(scenario, solve_fully(scenario), robust=True, sensitivity=True)
    return scenario, found.plan


def test_the_plan_verifies() -> None:
    assert verify_plan(*solved()) == []
    assert any(f.check == "uncertainty" for f in verify_findings(*solved()))


EDITS: dict[str, Callable[[Any], object]] = {
    "saving": lambda p: p["sensitivity"][0].update(saving="1.00"),
    "cost of a change": lambda p: p["sensitivity"][0].update(cost="1.00"),
    "gap of a proof": lambda p: p["sensitivity"][0].update(gap="1.00"),
    "price": lambda p: p["break_evens"][0].update(price="0.56"),
    "offer": lambda p: p["break_evens"][0].update(offer=7),
    "range from": lambda p: p["break_evens"][0].update(stays_from="0.70"),
    "range to": lambda p: p["break_evens"][0].update(stays_to="0.40"),
    "demand of a case": lambda p: p["robust"]["cases"][0].update(demand=0.7),
    "days late": lambda p: p["robust"]["cases"][2].update(late_days=27),
    "bound of a case": lambda p: p["robust"]["cases"][0].update(bound="9999.00"),
    "cost in a case": lambda p: p["robust"]["orders"][0]["costs"].update(high="9999.00"),
    "regret": lambda p: p["robust"]["orders"][0]["regrets"].update(high="1.00"),
    "worst regret": lambda p: p["robust"]["orders"][1].update(worst_regret="0.00"),
    "mark": lambda p: p["robust"]["orders"][0].update(least_regret=True),
    "tested": lambda p: p["robust"].update(tested=1),
    "bound of regret": lambda p: p["robust"].update(regret_bound="5000.00"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=list(EDITS))
def test_a_changed_figure_is_found(edit: Callable[[Any], object]) -> None:
    scenario, plan = solved()
    data = json.loads(plan.to_json())
    edit(data)
    problems = verify_plan(scenario, Plan.model_validate(data))
    assert [p for p in problems if p.check == "uncertainty"]
