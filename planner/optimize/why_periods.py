"""What was considered for a workload in one period of a horizon, and what the plan uses of it then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from planner.layout import Layout
from planner.optimize.answer_periods import PeriodsAnswer
from planner.optimize.assemble import has_plan
from planner.options.deals import Deal, deals_of
from planner.options.horizon import Part
from planner.options.question import Question
from planner.options.terms import Term
from planner.scenario.resolved import Scenario
from planner.units import HOURS_PER_MONTH, from_cents


@dataclass(frozen=True, slots=True)
class InPeriod:
    """A workload in a period: the question then, and what the plan uses."""

    name: str
    """Of the period."""
    question: Question
    chosen: frozenset[tuple[str, Layout]]
    others: tuple[str, ...]
    """Names of the other periods in which the workload is asked for."""


def why_in_period(
    scenario: Scenario, found: PeriodsAnswer, workload: str, period: str | None
) -> InPeriod | None:
    """The workload in the period of that name, by default the first it runs in; None where it is not asked then."""
    parts = found.parts if found.whole is None else found.whole.parts
    asked = [p for p in parts if any(a.name == workload for a in p.question.asks)]
    used = {p.period.name: _chosen(found, p, workload) for p in asked}
    first = next((p for p in asked if used[p.period.name]), asked[0] if asked else None)
    part = first if period is None else next((p for p in asked if p.period.name == period), None)
    if part is None:
        return None
    name = part.period.name
    others = tuple(p.period.name for p in asked if p is not part)
    return InPeriod(name, priced(scenario, part), used[name], others)


def priced(scenario: Scenario, part: Part) -> Question:
    """The question of a period, with what the cheapest order counts then in the price of the nodes it gives."""
    horizon = scenario.spec.horizon
    assert horizon is not None
    deals = deals_of(scenario)
    suppliers = tuple(
        replace(
            s,
            terms=tuple(
                _with_order(t, s.facts.name, deals, part, horizon.convention) for t in s.terms
            ),
        )
        for s in part.question.suppliers
    )
    return replace(part.question, suppliers=suppliers)


def _with_order(
    term: Term, pool: str, deals: tuple[Deal, ...], part: Part, convention: str
) -> Term:
    if not term.acquired:
        return term
    at = part.period.index
    cents = [
        d.cost(convention)[at]
        for d in deals
        if (d.pool, d.term) == (pool, term.name) and d.first <= at < d.last
    ]
    a_month = from_cents(min(cents, default=0)) * HOURS_PER_MONTH / Decimal(part.period.hours)
    return replace(term, node_month=term.node_month + a_month)


def _chosen(found: PeriodsAnswer, part: Part, workload: str) -> frozenset[tuple[str, Layout]]:
    """(pool, layout) of what the plan uses for the workload in the period."""
    if found.outcome is None or not has_plan(found.outcome):
        return frozenset()
    at = next(n for n, a in enumerate(part.question.asks) if a.name == workload)
    candidates = part.built.problem.blocks[at].candidates
    options = [
        part.built.options[candidates[part.candidates[at][c.candidate]].option]
        for c in found.outcome.plans[part.blocks[at]].choices
        if c.candidate in part.candidates[at]
    ]
    return frozenset((o.pool, o.layout) for o in options)
