"""Power and rack units of each period of a horizon: kept, printed, re-checked, and named where nothing fits."""

from pathlib import Path

import pytest

import planner
from planner.plan.schema import Plan
from planner.verify.plan import verify_plan

PATH = Path(__file__).parents[1] / "golden" / "solve-premises" / "premises.yaml"
NO_RENT = "workloads.chat.exclude_pools=cloud"


def solved(*overrides: str) -> Plan:
    scenario = planner.load(PATH, list(overrides))
    plan = planner.solve(scenario)
    assert plan.status == "proven"
    assert verify_plan(scenario, plan) == []
    return plan


def taken(plan: Plan, name: str) -> list[int]:
    return [sum(getattr(r, name) for r in p.pools) for p in plan.periods]


def rented(plan: Plan) -> list[int]:
    return [sum(r.rented for r in p.pools) for p in plan.periods]


def test_each_period_keeps_its_own_limits() -> None:
    plan = solved()
    assert [p.power_limit_w for p in plan.periods] == [2000, 2000, 6000]
    assert [p.rack_units_limit for p in plan.periods] == [8, 8, 16]
    # The second quarter needs two old nodes, or a new one of 2.1 kW: neither keeps to 2 kW.
    assert taken(plan, "power_w") == [1800, 0, 3600]
    assert taken(plan, "rack_units") == [4, 0, 8]
    assert [n > 0 for n in rented(plan)] == [False, True, False]


def test_rented_nodes_take_neither() -> None:
    plan = solved("limits.power=1 kW", "limits.rack_units=1", "inventory.cloud.rent.max_nodes=8")
    assert taken(plan, "power_w") == taken(plan, "rack_units") == [0, 0, 0]
    assert min(rented(plan)) > 0


def test_racks_alone_make_room_by_retiring_old_nodes() -> None:
    """Four units hold one old node or two new ones."""
    plan = solved("limits.power=20 kW", "limits.rack_units=4")
    assert max(taken(plan, "rack_units")) <= 4


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("limits.power=[1 kW, 1 kW, 1 kW]", "`limits.power` is 1,000 W"),
        ("limits.rack_units=[8, 8, 1]", "`limits.rack_units` is 1"),
        ("limits.power=[2 kW, 2 kW, 7 kW]", "limit of power 6000 W printed, it is 7000"),
    ],
)
def test_verify_holds_the_plan_against_each_period(changed: str, words: str) -> None:
    found = verify_plan(planner.load(PATH, [changed]), solved())
    assert any(words in p.message for p in found), [str(p) for p in found]


def test_power_printed_too_low_is_found() -> None:
    plan = solved()
    periods = list(plan.periods)
    pools = tuple(r.model_copy(update={"power_w": 0, "rack_units": 0}) for r in periods[0].pools)
    periods[0] = periods[0].model_copy(update={"pools": pools})
    changed = plan.model_copy(update={"periods": tuple(periods)})
    checks = {p.check for p in verify_plan(planner.load(PATH), changed)}
    assert "capacity" in checks


@pytest.mark.parametrize(
    ("limit", "name", "change"),
    [
        ("limits.power=[2 kW, 2 kW, 6 kW]", "limits.power", "`power: "),
        ("limits.rack_units=[8, 1, 16]", "limits.rack_units", "`rack_units: "),
    ],
)
def test_the_limit_is_named_with_the_least_that_works(limit: str, name: str, change: str) -> None:
    other = "limits.power=30 kW" if "rack" in limit else "limits.rack_units=64"
    plan = planner.solve(planner.load(PATH, [limit, other, NO_RENT]))
    assert plan.status == "infeasible"
    assert any(r.name.startswith(name) for r in plan.conflict)
    assert any(r.change.startswith(change) for r in plan.repairs)
