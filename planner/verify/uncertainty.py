"""The figures of `--robust` and `--sensitivity` re-added, and their cases and prices taken from the scenario again."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from planner.plan.schema import BreakEven, Plan, Robust, RobustOrder, Sensitivity
from planner.scenario.cases import cases_of
from planner.scenario.changes import offers_of
from planner.scenario.resolved import Scenario
from planner.units import CENT, DAY_S
from planner.verify.problem import Finding, Problem

CHECK = "uncertainty"


def check_uncertainty(scenario: Scenario, plan: Plan) -> Finding:
    """Regret, savings and ranges agree with the costs beside them; the second solves themselves are not repeated."""
    texts = [
        *(_robust(scenario, plan, plan.robust) if plan.robust else ()),
        *(text for row in plan.sensitivity for text in _change(plan, row)),
        *(text for row in plan.break_evens for text in _price(scenario, row)),
    ]
    orders = len(plan.robust.orders) if plan.robust else 0
    looked = (
        f"{orders} sets of orders, {len(plan.sensitivity)} changes and {len(plan.break_evens)} prices "
        "agree with the plan's cost and with one another"
    )
    return Finding(CHECK, looked, tuple(Problem(CHECK, "", text) for text in texts))


def _robust(scenario: Scenario, plan: Plan, robust: Robust) -> Iterator[str]:
    assert plan.cost is not None
    stated = [
        (c.name, float(c.demand), float(c.prices), int(c.late_s / DAY_S))
        for c in cases_of(scenario)
    ]
    printed = [(c.name, c.demand, c.prices, c.late_days) for c in robust.cases]
    if printed != stated:
        yield f"cases {printed} printed, the scenario gives {stated}"
        return
    for case in robust.cases:
        if case.cost is not None and (case.bound is None or case.bound > case.cost):
            yield f"{case.name}: bound {case.bound} of a cost of {case.cost:,}"
        if case.name == "best" and case.cost is not None and case.cost > plan.cost.total:
            yield f"best: {case.cost:,} printed, the plan costs {plan.cost.total:,}"
    for one in robust.orders:
        yield from _order(robust, one)
    worst = [o.worst_regret for o in robust.orders if o.worst_regret is not None]
    marked = [o.worst_regret for o in robust.orders if o.least_regret]
    if marked != [min(worst)] if worst else marked:
        yield f"least regret {marked} marked, it is {min(worst, default=None)}"
    if robust.tested < len(robust.orders):
        yield f"{robust.tested} sets of orders tested, {len(robust.orders)} printed"
    if worst and robust.regret_bound is not None and robust.regret_bound > min(worst):
        yield f"no regret below {robust.regret_bound:,} possible, yet {min(worst):,} is reached"


def _order(robust: Robust, one: RobustOrder) -> Iterator[str]:
    able = [c for c in robust.cases if c.cost is not None]
    for case in able:
        cost, regret = one.costs.get(case.name), one.regrets.get(case.name)
        if cost is not None and regret is not None and regret != cost - (case.cost or Decimal(0)):
            yield f"{case.name}: regret {regret:,} printed of {cost:,} against {case.cost:,}"
        if case.name in one.best_for and not one.made_for:
            yield f"{case.name}: orders without a case they were made for"
    regrets = [one.regrets.get(c.name) for c in able]
    worst = None if None in regrets else max((r for r in regrets if r is not None), default=None)
    if one.worst_regret != worst:
        yield f"worst regret {one.worst_regret} printed, it is {worst}"


def _change(plan: Plan, row: Sensitivity) -> Iterator[str]:
    assert plan.cost is not None
    if row.cost is None or row.saving is None:
        return
    if row.saving != plan.cost.total - row.cost:
        yield f"{row.change}: saves {row.saving} printed, it is {plan.cost.total - row.cost:,}"
    if row.proven and row.gap:
        yield f"{row.change}: proven with a gap of {row.gap:,}"


def _price(scenario: Scenario, row: BreakEven) -> Iterator[str]:
    name = f"{row.action} {row.pool}, offer {row.offer}"
    offers = {(o.pool, o.action, o.number + 1): o for o in offers_of(scenario)}
    offer = offers.get((row.pool, row.action, row.offer))
    if offer is None:
        yield f"{name}: no such offer"
        return
    if (row.price, row.per) != (offer.price.amount, offer.price.per):
        yield f"{name}: price {row.price} per {row.per}, the scenario says {offer.price.amount}"
    # An end may lie within the last step of a price that is finer than the steps.
    if row.stays_from >= row.price + CENT or (row.stays_to or row.price) <= row.price - CENT:
        yield f"{name}: the price is outside {row.stays_from} to {row.stays_to}"
