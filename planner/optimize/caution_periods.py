"""What careful figures cost over a horizon: the same scenario with best estimates, worked out beside the plan."""

from __future__ import annotations

from dataclasses import replace

from planner.beside import Beside, can_fork
from planner.optimize.backend import load_cp_sat
from planner.optimize.caution import MOST_AHEAD, Bold, bold_limits, told
from planner.optimize.outcome import Outcome, SolveLimits
from planner.optimize.solve import solve
from planner.options.horizon import Whole, join, parts_of
from planner.options.problem import Problem
from planner.options.question import Question
from planner.plan import schema as plan
from planner.scenario.periods import periods_of
from planner.scenario.resolved import Scenario


def bold_answer(scenario: Scenario, limits: SolveLimits) -> Beside[Bold | None]:
    """The answer at best estimates, None where none is found; worked out beside the plan where limits allow it."""
    size = len(scenario.workloads) * len(scenario.pools) * len(periods_of(scenario))
    fork = limits.second_process and size <= MOST_AHEAD and _careful(scenario) and can_fork()
    if fork:
        load_cp_sat()  # once for both processes
    return Beside(lambda: _bold(scenario, limits), fork=fork)


def with_caution(
    scenario: Scenario, whole: Whole, outcome: Outcome, draft: plan.Plan, bold: Beside[Bold | None]
) -> plan.Plan:
    """The plan with the least cost of the same scenario at `risk: best`, where any workload is careful."""
    if not _careful(scenario):
        return draft
    unserved = _names(whole.problem, outcome)
    return told(outcome, draft, candidates_of(whole), bold, unserved)


def candidates_of(whole: Whole) -> int:
    """Candidates of all blocks."""
    return sum(len(block.candidates) for block in whole.problem.blocks)


def _careful(scenario: Scenario) -> bool:
    return any(w.spec.risk == "upper" for w in scenario.workloads)


def _names(problem: Problem, outcome: Outcome) -> tuple[str, ...]:
    return tuple(problem.blocks[n].name for n in outcome.unserved)


def _bold(scenario: Scenario, limits: SolveLimits) -> Bold | None:
    problem = join(scenario, parts_of(scenario, edit=_at_best)).problem
    found = solve(problem, limits=replace(bold_limits(limits), quick=True))
    if not found.has_plan or found.cost_cents is None or found.bound_cents is None:
        return None
    return Bold(found.cost_cents, found.bound_cents, _names(problem, found))


def _at_best(question: Question) -> Question:
    return replace(question, asks=tuple(replace(ask, risk="best") for ask in question.asks))
