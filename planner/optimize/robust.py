"""The same orders in low, best and high cases: costs, regret, and what late deliveries cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from planner.optimize.outcome import Outcome, SolveLimits
from planner.optimize.solve import solve
from planner.options.horizon import Whole, join, parts_of
from planner.options.problem import Problem
from planner.plan.schema import Robust, RobustCase, RobustOrder, Slip
from planner.scenario.cases import CaseFactors, cases_of, in_case
from planner.scenario.resolved import Scenario
from planner.units import DAY_S, HOUR_S, from_cents

Counts = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    factors: CaseFactors
    whole: Whole
    problem: Problem
    """With late deliveries taken into account."""


def robust(scenario: Scenario, base: Outcome, limits: SolveLimits) -> Robust:
    """Orders that are best in each case, tested in all of them.

    Regret of an order in a case: its cost with the best use of rent, less the cost of the plan that knows the
    case beforehand. Of the orders tested the one whose worst regret is least is marked.
    """
    quick = replace(limits, tie_break=False, explain_conflict=False, confirm_infeasible=False)
    cases = [_case(scenario, factors) for factors in cases_of(scenario)]
    best: dict[str, Outcome | None] = {}
    for case in cases:
        found = base if case.factors.name == "best" else solve(case.problem, limits=quick)
        best[case.factors.name] = found if found.has_plan else None
    orders: dict[Counts, str] = {}
    for name in ("best", "low", "high"):
        outcome = best[name]
        if outcome is not None:
            orders.setdefault(outcome.acquired, name)
    rows = [_order(cases, best, counts, name, quick) for counts, name in orders.items()]
    return Robust(
        cases=tuple(_row(c, best[c.factors.name]) for c in cases),
        orders=_marked(rows),
        slips=tuple(_slips(cases[1], base, cases[2].factors, quick)),
    )


def _case(scenario: Scenario, factors: CaseFactors) -> _Case:
    here = in_case(scenario, factors)
    whole = join(here, parts_of(here))
    late = math.ceil(factors.late_s / (whole.parts[0].period.hours * HOUR_S))
    return _Case(factors, whole, _delayed(whole, range(len(whole.deals)), late))


def _delayed(whole: Whole, which: Sequence[int], periods: int) -> Problem:
    """The problem with the purchases among `which` giving no nodes in their first periods."""
    orders = list(whole.problem.acquisitions)
    for at in which:
        deal = whole.deals[at]
        if deal.action != "buy" or not periods:
            continue
        first = range(deal.first, deal.first + periods)
        missed = {
            part.first_supply + n
            for part in whole.parts
            if part.period.index in first
            for n in range(len(part.built.problem.supplies))
        }
        kept = tuple(s for s in orders[at].supplies if s not in missed)
        orders[at] = replace(orders[at], supplies=kept)
    return replace(whole.problem, acquisitions=tuple(orders))


def _fixed(problem: Problem, counts: Counts) -> Problem:
    orders = tuple(
        replace(o, least=n, most=n) for o, n in zip(problem.acquisitions, counts, strict=True)
    )
    return replace(problem, acquisitions=orders)


def _row(case: _Case, outcome: Outcome | None) -> RobustCase:
    cost = outcome.cost_cents if outcome else None
    factors = case.factors
    return RobustCase(
        name=factors.name, demand=float(factors.demand), prices=float(factors.prices),
        late_days=int(factors.late_s / DAY_S), cost=None if cost is None else from_cents(cost),
    )  # fmt: skip


def _order(
    cases: Sequence[_Case],
    best: dict[str, Outcome | None],
    counts: Counts,
    name: str,
    limits: SolveLimits,
) -> RobustOrder:
    costs: dict[str, int | None] = {}
    regrets = []
    for case in cases:
        known = best[case.factors.name]
        if known is not None and known.acquired == counts:
            costs[case.factors.name] = known.cost_cents
        else:
            outcome = solve(_fixed(case.problem, counts), limits=limits)
            costs[case.factors.name] = outcome.cost_cents if outcome.has_plan else None
        cost = costs[case.factors.name]
        if known is not None and known.cost_cents is not None:
            regrets.append(None if cost is None else max(0, cost - known.cost_cents))
    worst = None if None in regrets else max((r for r in regrets if r is not None), default=0)
    return RobustOrder(
        made_for=name,
        orders=tuple(_words(cases[0].whole, counts)),
        costs={k: None if c is None else from_cents(c) for k, c in costs.items()},
        worst_regret=None if worst is None else from_cents(worst),
    )


def _words(whole: Whole, counts: Counts) -> list[str]:
    return [
        f"{d.action} {n} {d.pool} from {d.arrives}"
        for d, n in zip(whole.deals, counts, strict=True)
        if n and d.action != "contract"
    ]


def _marked(rows: Sequence[RobustOrder]) -> tuple[RobustOrder, ...]:
    able = [r for r in rows if r.worst_regret is not None]
    least = min(able, key=lambda r: r.worst_regret or 0, default=None)
    return tuple(r.model_copy(update={"least_regret": r is least}) for r in rows)


def _slips(case: _Case, base: Outcome, late: CaseFactors, limits: SolveLimits) -> list[Slip]:
    """Each purchase of the plan without its first period, in proportion to the days it is late."""
    found = []
    assert base.cost_cents is not None
    for at, (deal, count) in enumerate(zip(case.whole.deals, base.acquired, strict=True)):
        if deal.action != "buy" or not count or deal.last - deal.first < 1:
            continue
        problem = _fixed(_delayed(case.whole, [at], 1), base.acquired)
        outcome = solve(problem, limits=limits)
        period_s = case.whole.parts[0].period.hours * HOUR_S
        share = min(late.late_s / period_s, Fraction(1))
        cost = None
        if outcome.has_plan and outcome.cost_cents is not None:
            cost = from_cents(math.ceil((outcome.cost_cents - base.cost_cents) * share))
        found.append(
            Slip(pool=deal.pool, nodes=count, arrives=deal.arrives.isoformat(),
                 days=int(late.late_s / DAY_S), cost=cost)
        )  # fmt: skip
    return found
