"""Why these orders and nodes: for each, the cheapest plan without it, by other means, or at another time."""

from __future__ import annotations

from planner.optimize.instead_asked import Variant, name_of, rents_already, things_of, variants_of
from planner.optimize.outcome import Outcome, SolveLimits, Status
from planner.optimize.period_variants import Variants
from planner.optimize.whatif import rank
from planner.options.horizon import Whole
from planner.plan import schema as plan
from planner.plan.instead_schema import Instead
from planner.scenario.resolved import Scenario
from planner.units import from_cents

SHARE = 0.25
"""Of the work and time of the plan, for all alternatives together."""
MOST = 16
"""Alternatives that are worked out."""


def with_insteads(
    scenario: Scenario, whole: Whole, base: Outcome, draft: plan.Plan, limits: SolveLimits
) -> plan.Plan:
    """The plan with what each order, and each pool in use, would have cost otherwise.

    Every order, what is rented, under contract and owned, each otherwise; then offers to buy that are left.

    The solves are limited in work; what they leave open is said, as `at most` or as left out.
    """
    bench = Variants(scenario, whole, base, limits, SHARE)
    things = things_of(whole, base)
    variants = list(variants_of(scenario, whole, base, things))
    rows: dict[tuple[int, int], Instead] = {}
    missing = 0
    for number, variant in enumerate(variants):
        if len(rows) >= MOST or bench.ended:
            missing += len(variants) - number
            break
        if variant.way == "rent" and rents_already(variants, variant, base):
            continue
        row = _solved(bench, variant)
        if row is None:
            missing += 1
        else:
            rows[things.index(variant.thing), number] = row
    notes = []
    if missing:
        why = "after an interruption" if bench.interrupted else "in the work set aside for them"
        notes.append(f"{missing} more alternatives were not worked out {why}")
    update = {"instead": tuple(rows[key] for key in sorted(rows)), "instead_notes": tuple(notes)}
    return draft.model_copy(update=update)


def _solved(bench: Variants, variant: Variant) -> Instead | None:
    """The row of a variant; None where nothing certain was found."""
    bounds: list[int] = []
    for words, problem in variant.problems:
        outcome = bench.solve(problem, confirm=len(variant.problems) == 1)
        if outcome is None:
            return None
        variant.tried.append((words, outcome))
        if outcome.status is not Status.INFEASIBLE:
            least = outcome.bound_cents if outcome.has_plan else bench.base.bound_cents
            bounds.append(least or 0)
    if not bounds:
        sure = len(variant.problems) == 1 or all(
            getattr(bench.solve(p), "status", None) is Status.INFEASIBLE
            for _, p in variant.problems
        )
        return _row(bench, variant, variant.problems[0][0], None, None) if sure else None
    plans = [
        (w, o) for w, o in variant.tried if o.has_plan and all(r.closed for r in o.rounds[:-1])
    ]
    words, best = min(plans, key=lambda one: rank(one[1]), default=("", None))
    if best is None or bench.vague(best) or bench.verified(best) is None:
        return None
    return _row(bench, variant, words, best, min(bounds))


def _row(
    bench: Variants, variant: Variant, words: str, best: Outcome | None, bound: int | None
) -> Instead:
    thing, base = variant.thing, bench.base
    assert base.cost_cents is not None
    cost = None if best is None else best.cost_cents
    lost = () if best is None else bench.lost(best)
    return Instead.model_validate(
        {
            "action": thing.action,
            "pool": thing.pool,
            "offer": thing.deal.offer + 1 if thing.deal else None,
            "nodes": thing.nodes,
            "period": "" if thing.first < 0 else name_of(bench.whole, thing.first),
            "way": variant.way,
            "change": words,
            "cost": None if cost is None else from_cents(cost),
            "bound": None if cost is None or bound is None else from_cents(min(bound, cost)),
            "more": None if cost is None or lost else from_cents(cost - base.cost_cents),
            "proven": cost is None or (bound is not None and bound >= cost),
            "unserved": lost,
            "then": "" if best is None else bench.then(best),
        }
    )
