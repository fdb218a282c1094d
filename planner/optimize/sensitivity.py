"""What changes in supply and budget are worth: one more node, a tenth more of a limit, an offer less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from planner.optimize.outcome import Outcome, SolveLimits
from planner.optimize.solve import solve
from planner.options.horizon import Whole
from planner.options.problem import Limit, Problem
from planner.plan.schema import Sensitivity
from planner.units import from_cents, money

MOST = 10
"""Changes that are shown, the strongest first."""
TIGHT = 0.9
"""A budget used to this share is worth a second solve."""


@dataclass(frozen=True, slots=True)
class _Change:
    words: str
    problem: Problem
    line: int | None = None
    """Cents that the plan counts for the offer left out."""


def sensitivity(whole: Whole, base: Outcome, limits: SolveLimits) -> tuple[Sensitivity, ...]:
    """Second solves of every binding stock and budget, and of the plan without each order line's offer.

    An effect that is not larger than what the proof leaves open is not shown.
    """
    quick = replace(limits, tie_break=False, explain_conflict=False, confirm_infeasible=False)
    assert base.cost_cents is not None
    found = []
    for change in _changes(whole, base):
        outcome = solve(change.problem, limits=quick)
        if not outcome.has_plan or outcome.cost_cents is None:
            if change.line is not None:
                found.append((0, _needed(change, base)))
            continue
        saving = base.cost_cents - outcome.cost_cents
        open_cents = outcome.cost_cents - (outcome.bound_cents or 0)
        open_cents += base.cost_cents - (base.bound_cents or 0)
        if abs(saving) <= open_cents:
            continue
        found.append((abs(saving), _row(change, outcome.cost_cents, saving)))
    found.sort(key=lambda item: (-item[0], item[1].change))
    return tuple(row for _, row in found[:MOST])


def _row(change: _Change, cost: int, saving: int) -> Sensitivity:
    note = ""
    if change.line and saving < 0:
        share = 100 * -saving / change.line
        note = f"so the offer is dropped at the latest when it costs {share:.0f} % more"
    return Sensitivity(
        change=change.words, cost=from_cents(cost), saving=from_cents(saving), note=note
    )


def _needed(change: _Change, base: Outcome) -> Sensitivity:
    cost = from_cents(base.cost_cents or 0)
    note = (
        f"not everything can be served then; the offer counts {money(from_cents(change.line or 0))}"
    )
    return Sensitivity(change=change.words, cost=cost, saving=from_cents(0), note=note)


def _changes(whole: Whole, base: Outcome) -> Iterator[_Change]:
    yield from _more_nodes(whole, base)
    yield from _more_offers(whole, base)
    yield from _more_money(whole, base)
    yield from _without_offers(whole, base)


def _more_nodes(whole: Whole, base: Outcome) -> Iterator[_Change]:
    """One node more, in all periods, of what is owned or rentable and used up in one of them."""
    problem = whole.problem
    names = dict.fromkeys((s.pool, s.term) for s in problem.supplies if s.base_nodes is None)
    for pool, term in names:
        at = [n for n, s in enumerate(problem.supplies) if (s.pool, s.term) == (pool, term)]
        full = any(
            base.nodes[n] >= problem.supplies[n].max_nodes - problem.supplies[n].spare_nodes
            and base.nodes[n]
            for n in at
        )
        if full:
            supplies = tuple(
                replace(s, max_nodes=s.max_nodes + 1) if n in at else s
                for n, s in enumerate(problem.supplies)
            )
            words = f"one more {term} node of `{pool}`"
            yield _Change(words, replace(problem, supplies=supplies))


def _more_offers(whole: Whole, base: Outcome) -> Iterator[_Change]:
    """One node more of an offer that is taken to its end."""
    problem = whole.problem
    for n, limit in enumerate(problem.limits):
        if limit.kind != "acquired" or limit.name.startswith("limits."):
            continue
        used = sum(each * base.acquired[at] for at, each in limit.acquisitions)
        if used < limit.bound or not limit.acquisitions:
            continue
        deal = whole.deals[limit.acquisitions[0][0]]
        ends = {(deal.pool, deal.term)}
        supplies = tuple(
            replace(s, max_nodes=s.max_nodes + 1) if (s.pool, s.term) in ends else s
            for s in problem.supplies
        )
        orders = list(problem.acquisitions)
        for at, _ in limit.acquisitions:
            orders[at] = replace(orders[at], most=orders[at].most + 1)
        limits = _with(problem.limits, n, limit.bound + 1)
        words = f"one more node of `{deal.pool}` to {deal.action}"
        yield _Change(
            words, replace(problem, supplies=supplies, acquisitions=tuple(orders), limits=limits)
        )


def _more_money(whole: Whole, base: Outcome) -> Iterator[_Change]:
    """A tenth more of a budget for purchases that is nearly used; of all of its kind together."""
    problem = whole.problem
    tight: dict[str, list[int]] = {}
    for n, limit in enumerate(problem.limits):
        if not limit.name.startswith("limits."):
            continue
        used = sum(each * base.acquired[at] for at, each in limit.acquisitions)
        if limit.kind != "acquired" or used >= TIGHT * limit.bound:
            tight.setdefault(limit.name, []).append(n)
    for name, numbers in tight.items():
        limits = problem.limits
        for n in numbers:
            limits = _with(limits, n, limits[n].bound * 11 // 10)
        when = "" if len(numbers) == 1 else " in every period"
        yield _Change(f"a tenth more of `{name}`{when}", replace(problem, limits=limits))


def _with(limits: Sequence[Limit], at: int, bound: int) -> tuple[Limit, ...]:
    return tuple(replace(x, bound=bound) if n == at else x for n, x in enumerate(limits))


def _without_offers(whole: Whole, base: Outcome) -> Iterator[_Change]:
    """The plan without an offer it takes: what the offer saves, and so the price at which it loses."""
    problem = whole.problem
    taken: dict[tuple[str, str, int], list[int]] = {}
    for n, (deal, count) in enumerate(zip(whole.deals, base.acquired, strict=True)):
        if count and deal.action != "contract":
            taken.setdefault((deal.pool, deal.action, deal.offer), []).append(n)
    for (pool, action, offer), numbers in taken.items():
        cents = sum(problem.acquisitions[n].cost_cents * base.acquired[n] for n in numbers)
        orders = tuple(
            replace(o, most=o.least) if (d.pool, d.action, d.offer) == (pool, action, offer) else o
            for o, d in zip(problem.acquisitions, whole.deals, strict=True)
        )
        words = f"without the offer to {action} `{pool}`"
        yield _Change(words, replace(problem, acquisitions=orders), cents)
