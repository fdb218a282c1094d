"""The optimizer's answer to a tiny problem against trying everything."""

from planner.optimize import Outcome, SolveLimits, Status, solve
from planner.options.problem import Problem
from planner.verify.brute_force import BruteForce, brute_force


def compare_costs(problem: Problem) -> tuple[Outcome, BruteForce]:
    """Both answers, once it is asserted that they agree on what is served and at what cost."""
    truth = brute_force(problem)
    outcome = solve(problem, limits=SolveLimits(explain_conflict=False))
    if truth.cost_cents is None:
        assert outcome.status is Status.INFEASIBLE, outcome
        return outcome, truth
    assert outcome.status is Status.PROVEN, outcome
    assert outcome.cost_cents == truth.cost_cents
    assert tuple(r.value for r in outcome.rounds[:-1]) == truth.unserved
    return outcome, truth
