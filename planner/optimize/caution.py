"""What careful figures cost: the same question with best estimates in place of upper memory and lower speed."""

from __future__ import annotations

from dataclasses import replace

from planner.optimize.outcome import Outcome, SolveLimits
from planner.optimize.solve import solve
from planner.options.build import build
from planner.options.consider import consider
from planner.options.question import Question
from planner.plan import schema as plan
from planner.units import from_cents

MOST_CANDIDATES = 6000
"""Largest problem for which the second answer is worked out unasked."""
SHARE = 0.25
"""Of the work and time of the plan itself."""


def with_caution(
    question: Question,
    outcome: Outcome,
    draft: plan.Plan,
    candidates: int,
    limits: SolveLimits | None,
) -> plan.Plan:
    """The plan with the least cost of the same question at `risk: best`, where any workload is careful.

    It is a price, not advice: best estimates are wrong on the bad side about half the time.
    """
    if not any(ask.careful for ask in question.asks) or outcome.cost_cents is None:
        return draft
    if outcome.interrupted:
        return _left_out(draft, "after an interruption")
    if candidates > MOST_CANDIDATES:
        return _left_out(draft, "in a scenario of this size")
    bold = replace(question, asks=tuple(replace(ask, risk="best") for ask in question.asks))
    built = build(bold.asks, bold.wishes, consider(bold), bold.suppliers, bold.energy, bold.limits)
    whole = limits or SolveLimits()
    other = solve(
        built.problem,
        limits=replace(
            whole,
            explain_conflict=False,
            tie_break=False,
            deterministic_time=whole.deterministic_time * SHARE,
            wall_s=None if whole.wall_s is None else whole.wall_s * SHARE,
        ),
    )
    if not other.has_plan or other.cost_cents is None or other.bound_cents is None:
        return _left_out(draft, "as no plan at best estimates was found within the limit")
    told = plan.Caution(
        best_cost=from_cents(other.cost_cents),
        best_bound=from_cents(other.bound_cents),
        price=from_cents(max(0, outcome.cost_cents - other.cost_cents)),
        same_served=other.unserved == outcome.unserved,
    )
    return draft.model_copy(update={"caution": told})


def _left_out(draft: plan.Plan, why: str) -> plan.Plan:
    text = f"what careful figures cost is left out {why}; `risk: best` on workloads shows it"
    return draft.model_copy(update={"assumptions": (*draft.assumptions, text)})
