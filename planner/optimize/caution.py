"""What careful figures cost: the same question with best estimates in place of upper memory and lower speed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.beside import Beside, can_fork
from planner.optimize.backend import load_cp_sat
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
MOST_AHEAD = 400
"""Workloads x pools up to which it is begun before the size of the problem is known."""


@dataclass(frozen=True, slots=True)
class Bold:
    """The answer at best estimates."""

    cost_cents: int
    bound_cents: int
    unserved: tuple[int, ...] | tuple[str, ...]
    """Numbers of blocks; over a horizon their names."""


def bold_answer(question: Question, limits: SolveLimits | None) -> Beside[Bold | None]:
    """The answer at best estimates, None where none is found; worked out beside the plan where limits allow it."""
    whole = limits or SolveLimits()
    small = len(question.asks) * len(question.suppliers) <= MOST_AHEAD
    fork = whole.second_process and small and _careful(question) and can_fork()
    if fork:
        load_cp_sat()  # once for both processes
    return Beside(lambda: _bold(question, whole), fork=fork)


def with_caution(
    question: Question,
    outcome: Outcome,
    draft: plan.Plan,
    candidates: int,
    bold: Beside[Bold | None],
) -> plan.Plan:
    """The plan with the least cost of the same question at `risk: best`, where any workload is careful.

    It is a price, not advice: best estimates are wrong on the bad side about half the time.
    """
    if not _careful(question):
        return draft
    return told(outcome, draft, candidates, bold, outcome.unserved)


def told(
    outcome: Outcome,
    draft: plan.Plan,
    candidates: int,
    bold: Beside[Bold | None],
    unserved: tuple[int, ...] | tuple[str, ...],
) -> plan.Plan:
    """The plan with what came of the best estimates, or why that is left out."""
    if outcome.cost_cents is None:
        return draft
    if outcome.interrupted:
        return _left_out(draft, "after an interruption")
    if candidates > MOST_CANDIDATES:
        return _left_out(draft, "in a scenario of this size")
    try:
        found = bold.result()
    except KeyboardInterrupt:
        return _left_out(draft, "after an interruption")
    if found is None:
        return _left_out(draft, "as no plan at best estimates was found within the limit")
    record = plan.Caution(
        best_cost=from_cents(found.cost_cents),
        best_bound=from_cents(found.bound_cents),
        price=from_cents(max(0, outcome.cost_cents - found.cost_cents)),
        same_served=found.unserved == unserved,
    )
    return draft.model_copy(update={"caution": record})


def _careful(question: Question) -> bool:
    return any(ask.careful for ask in question.asks)


def _bold(question: Question, whole: SolveLimits) -> Bold | None:
    bold = replace(question, asks=tuple(replace(ask, risk="best") for ask in question.asks))
    built = build(bold.asks, bold.wishes, consider(bold), bold.suppliers, bold.energy, bold.limits)
    found = solve(built.problem, limits=bold_limits(whole))
    if not found.has_plan or found.cost_cents is None or found.bound_cents is None:
        return None
    return Bold(found.cost_cents, found.bound_cents, found.unserved)


def bold_limits(whole: SolveLimits) -> SolveLimits:
    """Limits of the second answer: a part of the first one's, and nothing but cost and bound."""
    return replace(
        whole,
        explain_conflict=False,
        tie_break=False,
        deterministic_time=whole.deterministic_time * SHARE,
        wall_s=None if whole.wall_s is None else whole.wall_s * SHARE,
    )


def _left_out(draft: plan.Plan, why: str) -> plan.Plan:
    text = f"what careful figures cost is left out {why}; `risk: best` on workloads shows it"
    return draft.model_copy(update={"assumptions": (*draft.assumptions, text)})
