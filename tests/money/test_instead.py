"""Why these orders and nodes: each amount is that of the changed scenario, and what is not certain says so."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from planner import api
from planner.optimize.answer_periods import answer_periods
from planner.optimize.instead import with_insteads
from planner.optimize.outcome import SolveLimits
from planner.plan.schema import Instead, Plan
from planner.report.instead import instead_section

HERE = Path(__file__).parent
TINY = HERE / "tiny.yaml"
QUOTES = HERE.parent / "golden" / "solve-quotes" / "quotes.yaml"
PREMISES = HERE.parent / "golden" / "solve-premises" / "premises.yaml"


@cache
def solved(file: Path, *overrides: str) -> Plan:
    return api.solve(api.load(file, overrides))


def row(plan: Plan, action: str, pool: str, way: str) -> Instead:
    return next(r for r in plan.instead if (r.action, r.pool, r.way) == (action, pool, way))


def total(plan: Plan) -> Decimal:
    assert plan.cost is not None
    return plan.cost.total


CHANGED = [
    (TINY, ("buy", "mine", "without"), ("inventory.mine.buy.valid_until=2026-09-30",)),
    (TINY, ("buy", "mine", "later"), ("inventory.mine.buy.lead_time=60 days",)),
    (TINY, ("own", "mine", "without"), ("inventory.mine.owned.nodes=0",)),
    (TINY, ("commit", "cloud", "without"), ("inventory.cloud.rent.1.max_nodes=0",)),
    (PREMISES, ("own", "old", "without"), ("inventory.old.owned.nodes=0",)),
    (QUOTES, ("buy", "servers", "later"), ("inventory.servers.buy.lead_time=120 days",)),
]


@pytest.mark.parametrize(("file", "which", "change"), CHANGED)
def test_the_amount_is_what_the_changed_scenario_costs_more(
    file: Path, which: tuple[str, str, str], change: tuple[str, ...]
) -> None:
    plan = solved(file)
    told = row(plan, *which)
    other = solved(file, *change)
    assert told.proven
    assert told.cost == total(other) == told.bound
    assert told.more == total(other) - total(plan)
    assert told.then


def test_rent_in_place_of_an_order_keeps_to_the_orders_of_the_plan() -> None:
    plan = solved(TINY)
    rented, without = row(plan, "buy", "mine", "rent"), row(plan, "buy", "mine", "without")
    assert rented.cost is not None
    assert without.cost is not None
    assert rented.cost >= without.cost
    # The commitment starts when it does in the plan; only rent on demand fills the gap before.
    assert "commit" not in rented.then
    assert "cloud rented" in rented.then


def test_no_plan_is_told_where_the_changed_scenario_has_none() -> None:
    plan = solved(QUOTES)
    told = row(plan, "rent", "cloud", "without")
    assert (told.cost, told.more, told.proven) == (None, None, True)
    assert solved(QUOTES, "inventory.cloud.rent.max_nodes=0").status.value == "infeasible"
    assert any("no plan  not rented" in line for line in instead_section(plan, 100))


def test_an_order_in_place_of_rent_comes_while_it_is_rented() -> None:
    # Rented in the first quarter only, when nothing that is bought can have arrived.
    assert [r.way for r in solved(QUOTES).instead if r.action == "rent"] == ["without"]
    told = row(solved(PREMISES), "rent", "cloud", "buy")
    assert told.change.startswith("buy 1 new for 2027-01")


def test_an_offer_that_is_left_is_dearer_at_any_time() -> None:
    plan = solved(PREMISES)
    told = row(plan, "buy", "new", "with")
    assert (told.nodes, told.period) == (0, "")
    assert told.more is not None
    assert told.more > 0
    assert "buy new" in told.then


def test_without_work_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    from planner.optimize import period_variants

    scenario = api.load(TINY)
    found = answer_periods(scenario, limits=SolveLimits(compare=False))
    assert found.plan.instead == ()
    assert found.plan.caution is None
    assert found.whole is not None
    assert found.outcome is not None
    monkeypatch.setattr(period_variants, "MOST_BUILT", 0)
    plan = with_insteads(scenario, found.whole, found.outcome, found.plan, SolveLimits())
    assert plan.instead == ()
    (note,) = plan.instead_notes
    assert int(note.split()[0]) >= len(solved(TINY).instead)
    assert note.endswith("more alternatives were not worked out in the work set aside for them")


@pytest.mark.parametrize(
    ("cost", "bound", "proven", "words"),
    [
        ("110.00", "110.00", True, "+10.00"),
        ("100.00", "100.00", True, "same cost"),
        ("110.00", "104.00", False, "+4.00 to +10.00"),
        ("110.00", "100.00", False, "at most +10.00"),
        ("99.00", "95.00", False, "-1.00 found"),
    ],
)
def test_what_is_not_proven_is_said_so(cost: str, bound: str, proven: bool, words: str) -> None:
    plan = solved(TINY)
    assert plan.cost is not None
    one = plan.instead[0].model_copy(
        update={"cost": Decimal(cost), "bound": Decimal(bound), "proven": proven,
                "more": Decimal(cost) - 100}
    )  # fmt: skip
    shown = plan.model_copy(
        update={"instead": (one,), "cost": plan.cost.model_copy(update={"total": Decimal(100)})}
    )
    assert instead_section(shown, 100)[2].startswith(f"    {words}  {one.change}")
