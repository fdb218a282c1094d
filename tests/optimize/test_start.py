"""A search that starts from the answer to a like problem ends where one from nothing does."""

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimize import SolveLimits, solve
from planner.options.problem import Problem
from tests.money.tiny_periods import tiny_periods
from tests.properties.tiny import tiny_problem

QUICK = SolveLimits(tie_break=False, explain_conflict=False)


def changed(problem: Problem, random: Random) -> Problem:
    """Other prices, and now and then a node more or less."""
    supplies = tuple(
        replace(
            s,
            node_cost_cents=max(0, s.node_cost_cents + random.randint(-20, 20)),
            max_nodes=max(0, s.max_nodes + random.choice([0, 0, 0, 1, -1]))
            if s.base_nodes is None
            else s.max_nodes,
        )
        for s in problem.supplies
    )
    orders = tuple(
        replace(o, cost_cents=max(0, o.cost_cents + random.randint(-40, 40)))
        for o in problem.acquisitions
    )
    return replace(problem, supplies=supplies, acquisitions=orders)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_the_start_changes_nothing_in_the_answer(seed: int, periods: bool) -> None:
    random = Random(seed)
    problem = tiny_periods(random) if periods else tiny_problem(random)
    first = solve(problem, limits=QUICK)
    other = changed(problem, random)
    cold, warm = solve(other, limits=QUICK), solve(other, limits=QUICK, start=first)
    assert warm.status is cold.status
    assert warm.cost_cents == cold.cost_cents
    assert [r.value for r in warm.rounds] == [r.value for r in cold.rounds]
