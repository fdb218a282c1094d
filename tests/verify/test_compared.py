"""What a plan says of other plans is found out where it does not agree with the plan."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path

import pytest

from planner.api import load, solve_fully, with_alternatives
from planner.plan.schema import Plan
from planner.verify.plan import verify_findings, verify_plan
from tests.verify.edit import Edit, Json, as_json, cents, get, put

TINY = Path(__file__).parents[1] / "money" / "tiny.yaml"


@cache
def plan() -> Plan:
    scenario = load(TINY)
    return with_alternatives(scenario, solve_fully(scenario), count=5, within=1.0).plan


def after(edit: Edit) -> list[tuple[str, str]]:
    changed: Json = copy.deepcopy(as_json(plan()))
    edit(changed)
    found = verify_plan(load(TINY), Plan.model_validate_json(json.dumps(changed)))
    return [(p.check, p.message) for p in found]


def test_the_plan_as_it_is_holds() -> None:
    assert after(lambda data: None) == []
    looked = next(f.looked for f in verify_findings(load(TINY), plan()) if f.check == "compared")
    assert "rows of what would be otherwise" in looked
    assert "the price of caution" in looked


def _with(data: Json) -> None:
    """An offer that the plan takes is said to be left."""
    data["instead"][0].update(way="with", nodes=0, period="")


def _contract(data: Json) -> None:
    """A way that there is not for a thing, and a thing that the plan does not use."""
    data["instead"][0].update(action="contract", offer=None)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (put("instead.0.more", cents(1)), "more printed, it is"),
        (put("instead.0.cost", cents(1)), "more printed, it is"),
        (put("instead.0.bound", cents(1)), "bound"),
        (put("instead.0.bound", None), "bound None"),
        (put("instead.0.proven", False), "proven False printed"),
        (put("instead.0.unserved", ["chat 2026-10"]), "a difference in cost to a plan that serves less"),
        (put("instead.0.unserved", ["nobody"]), "none of its workloads"),
        (put("instead.0.nodes", 5), "5 nodes printed"),
        (put("instead.0.period", "2027-01"), "nodes printed"),
        (put("instead.0.pool", "cloud"), "nodes printed"),
        (put("instead.0.offer", 2), "nodes printed"),
        (put("instead.0.cost", None), "figures printed of a plan that does not exist"),
        (_with, "the plan takes this offer"),
        (_contract, "nodes from 2026-10 printed"),
        (lambda d: d["instead"].append(d["instead"][0]), "printed twice"),
        (lambda d: get(d, "instead.3").update(way="earlier"), "is not a period earlier"),
        (put("alternatives.0.cost", cents(100)), "over the plan's cost printed"),
        (put("alternatives.0.over", 1.5), "over the plan's cost printed"),
        (put("alternatives_within", 0.0), "dearer than 0.0 allows"),
        (put("alternatives.0.workloads.0.pool", "nowhere"), "no pool `nowhere`"),
        (put("caution.price", cents(1)), "caution: price"),
        (put("caution.best_bound", cents(1)), "caution: bound"),
    ],
)  # fmt: skip
def test_one_thing_changed_is_found(edit: Edit, words: str) -> None:
    found = after(edit)
    assert {check for check, _ in found} == {"compared"}
    assert any(words in message for _, message in found), found


def test_costs_below_the_bound_of_the_plan_are_found() -> None:
    def lower(data: Json) -> None:
        row = data["instead"][0]
        row.update(cost="1.00", bound="1.00", more=str(1 - float(data["cost"]["total"])))

    assert any("no plan costs less than" in message for _, message in after(lower))
