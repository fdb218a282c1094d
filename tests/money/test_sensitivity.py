"""What changes are worth and where the plan changes with a price, against trying everything."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import planner
from planner.api import solve_fully, with_uncertainty
from planner.optimize import SolveLimits, Status
from planner.optimize.sensitivity import sensitivity
from planner.options.horizon import join, parts_of
from planner.plan.schema import BreakEven, Plan
from planner.report.text import render_text
from planner.scenario.changes import Offer, offers_of, priced
from planner.scenario.resolved import Scenario
from planner.verify.brute_force import brute_force

TINY = Path(__file__).parent / "tiny.yaml"


@cache
def scenario() -> Scenario:
    return planner.load(TINY)


@cache
def plan() -> Plan:
    return with_uncertainty(scenario(), solve_fully(scenario()), sensitivity=True).plan


def least(changed: Scenario) -> Decimal | None:
    """Least cost of a scenario, by trying every plan."""
    cents = brute_force(join(changed, parts_of(changed)).problem).cost_cents
    return None if cents is None else Decimal(cents) / 100


def loaded(*overrides: str) -> Decimal | None:
    return least(planner.load(TINY, overrides))


def test_a_node_is_worth_the_difference_of_two_brute_forces() -> None:
    row = next(s for s in plan().sensitivity if s.change == "one more owned node of `mine`")
    with_it, without = loaded("inventory.mine.owned.nodes=2"), loaded()
    assert with_it is not None
    assert without is not None
    assert row.proven
    assert (row.cost, row.saving, row.gap) == (with_it, without - with_it, 0)
    assert row.saving > 0


def test_a_limit_is_worth_the_difference_and_says_so_per_dollar() -> None:
    """25,000 buy one node, 27,500 two."""
    tight = planner.load(TINY, ("limits.capex=25000 USD",))
    found = with_uncertainty(tight, solve_fully(tight), sensitivity=True).plan
    row = next(s for s in found.sensitivity if "`limits.capex`" in s.change)
    more, now = loaded("limits.capex=27500 USD"), loaded("limits.capex=25000 USD")
    assert row.change == "2,500 USD more of `limits.capex`"
    assert more is not None
    assert now is not None
    assert row.saving == now - more
    assert row.per_unit == ((now - more) / 2500).quantize(Decimal("0.01"))
    assert row.unit == "USD"


def ranges() -> Iterator[tuple[BreakEven, Offer]]:
    offers = {(o.pool, o.action, o.number + 1): o for o in offers_of(scenario())}
    for row in plan().break_evens:
        yield row, offers[row.pool, row.action, row.offer]


def cost_of_the_plan(row: BreakEven, offer: Offer, price: Decimal) -> Decimal:
    """Cost of the plan's own orders and rents at another price: by fixing what it orders and uses."""
    changed = priced(scenario(), offer, price)
    whole = join(changed, parts_of(changed))
    kept = tuple(
        replace(
            order,
            least=(n := ordered(deal.pool, deal.action, deal.offer, deal.arrives.isoformat())),
            most=n,
        )
        for order, deal in zip(whole.problem.acquisitions, whole.deals, strict=True)
    )
    cents = brute_force(replace(whole.problem, acquisitions=kept, limits=())).cost_cents
    assert cents is not None
    return Decimal(cents) / 100


def ordered(pool: str, action: str, offer: int, arrives: str) -> int:
    return sum(
        o.nodes
        for o in plan().orders
        if (o.pool, o.action, o.offer, o.arrives) == (pool, action, offer + 1, arrives)
    )


def test_the_plan_is_the_cheapest_in_its_range_and_not_a_step_beyond() -> None:
    checked = 0
    for row, offer in ranges():
        assert row.proven
        ends = [(row.stays_from, row.from_exact, -offer.step)]
        if row.stays_to is not None:
            ends.append((row.stays_to, row.to_exact, offer.step))
        for price, exact, step in ends:
            assert least(priced(scenario(), offer, price)) == cost_of_the_plan(row, offer, price)
            if exact:
                beyond = least(priced(scenario(), offer, price + step))
                broken = "budgets" in (row.below if step < 0 else row.above)
                own = cost_of_the_plan(row, offer, price + step)
                assert beyond is None or beyond < own or (broken and beyond > own)
                checked += 1
    assert checked >= 4


def test_a_price_that_breaks_the_budget_ends_the_range() -> None:
    row = next(b for b in plan().break_evens if b.action == "buy")
    assert row.above
    assert row.stays_to is not None
    assert row.stays_from < row.price < row.stays_to


def test_effects_within_the_gap_are_not_shown() -> None:
    found = solve_fully(scenario()).over_periods
    assert found is not None
    assert found.outcome is not None
    loose = replace(found.outcome, status=Status.FEASIBLE, bound_cents=0)
    values = sensitivity(scenario(), loose, SolveLimits())
    assert values.changes == ()
    assert any("what the proofs leave open" in note for note in values.notes)
    assert not any(b.proven for b in values.break_evens)


def test_the_report_says_what_the_numbers_mean() -> None:
    text = render_text(plan())
    assert "one more owned node of `mine`" in text
    assert "BREAK-EVEN PRICE" in text
    assert "0, proven" in text


def test_without_a_horizon() -> None:
    """Steady state: a rented node less where one more is owned."""
    overrides = ("workloads.chat.demand={concurrent: 230, prompt: 900, output: 250}",)
    steady = planner.load(Path(__file__).parent / "steady.yaml", overrides)
    found = with_uncertainty(steady, solve_fully(steady), sensitivity=True).plan
    row = next(s for s in found.sensitivity if "owned node of `mine`" in s.change)
    more = planner.load(
        Path(__file__).parent / "steady.yaml", (*overrides, "inventory.mine.owned.nodes=2")
    )
    other = planner.solve(more)
    assert found.cost is not None
    assert other.cost is not None
    assert row.saving == found.cost.total - other.cost.total
    assert [b.action for b in found.break_evens] == ["rent"]


def test_a_node_that_lets_more_be_served_says_so() -> None:
    """Five nodes are needed for both services, and four can be had."""
    path = Path(__file__).parent / "steady.yaml"
    second = (
        "{name: batch, kind: inference, model: llama-3.1-8b, precision: [16bit], context: 4096, "
        "required: false, demand: {concurrent: 400, prompt: 900, output: 250}}"
    )
    first = second.replace("batch", "chat").replace("400", "300")
    steady = planner.load(path, (f"workloads=[{first}, {second}]",))
    found = with_uncertainty(steady, solve_fully(steady), sensitivity=True).plan
    left = [w.name for w in found.workloads if not w.served]
    assert len(left) == 1
    row = next(s for s in found.sensitivity if s.change == "one more node of `cloud` to rent")
    assert row.note == f"{left[0]} can be served as well"
    assert row.saving is not None
    assert row.saving < 0
