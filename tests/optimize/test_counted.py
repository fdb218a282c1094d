"""Counting GPUs and host RAM by pool, without node patterns, ends at the exact model's plan, or steps aside."""

import dataclasses
from random import Random

import pytest

from planner.optimize import Outcome, SolveLimits, Status, counted, solve
from planner.optimize.backend import Stop
from planner.optimize.blocks import demands
from planner.optimize.exact import exact_model
from planner.optimize.families import packing
from planner.optimize.rounds import Budget
from planner.optimize.start import values_in
from planner.options.problem import Problem
from planner.verify.brute_force import brute_force
from tests.optimize.problems import candidate, job, problem, supply
from tests.properties.tiny import tiny_problem

QUIET = SolveLimits(explain_conflict=False)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Counting is tried however few the sizes of replicas."""
    monkeypatch.setattr(packing, "FEW_SIZES", 0)
    return monkeypatch


def by_counting(case: Problem) -> counted.Counted | None:
    return counted.by_counting(
        counted.counting_model(case, demands(case)), Budget(SolveLimits(), Stop())
    )


def without_counting(case: Problem, patch: pytest.MonkeyPatch) -> Outcome:
    with patch.context() as inner:
        inner.setattr(packing, "FEW_SIZES", 10**9)
        return solve(case, limits=QUIET)


def test_the_same_plan_as_the_exact_model_and_the_cost_of_brute_force(always):
    tried = 0
    for seed in range(120):
        case = tiny_problem(Random(4000 + seed))
        if not counted.counting_model(case, demands(case)).counted:
            continue
        tried += 1
        truth, found = brute_force(case), solve(case, limits=QUIET)
        exact = without_counting(case, always)
        assert found.cost_cents == truth.cost_cents
        assert (found.status, found.plans, found.nodes) == (exact.status, exact.plans, exact.nodes)
        assert found.tie_break_applied == exact.tie_break_applied
    assert tried > 20


def fragmented(nodes: int, elsewhere: int) -> Problem:
    """Five jobs that two near nodes of 8 GPUs hold by every count, and no two nodes hold; one more is far away."""
    blocks = [job(f"five{i}", candidate(0, 5, 1)) for i in range(2)]
    blocks += [job(f"two{i}", candidate(0, 2, 1), candidate(1, 2, 50)) for i in range(3)]
    blocks.append(job("three", candidate(1, 3, 0)))
    return problem(blocks, [supply("near", nodes=nodes), supply("far", nodes=elsewhere)])


def test_a_pool_whose_replicas_do_not_pack_gets_its_patterns(always):
    found = by_counting(fragmented(2, 1))
    assert found is not None
    assert found.build.counted == [1]
    outcome = solve(fragmented(2, 1))
    assert outcome.status is Status.PROVEN
    assert outcome.cost_cents == 5 + 49


def test_no_plan_where_counting_sees_none(always):
    blocks = [job(f"j{i}", candidate(0, 5, 1), candidate(0, 3, 2)) for i in range(5)]
    short = problem(blocks, [supply(nodes=2)])
    assert by_counting(short).solved.values is None
    assert solve(short).status is Status.INFEASIBLE


def test_no_plan_where_only_packing_sees_none(always):
    blocks = [job(f"j{size}{i}", candidate(0, size, 1)) for size in (5, 2) for i in range(3)]
    short = problem(blocks[:2] + blocks[3:], [supply(nodes=2)])
    assert by_counting(short) is None
    assert solve(short).status is Status.INFEASIBLE


def test_distinct_nodes_are_left_to_the_exact_model(always):
    """Replicas that must not share a node pack by count, and only tags tell the model so."""
    apart = dataclasses.replace(
        job("a", candidate(0, 3, 1), candidate(1, 3, 90)),
        exactly_one=False,
        min_replicas=2,
        distinct_nodes=True,
    )
    case = problem([apart, job("b", candidate(0, 2, 1))], [supply(), supply("far")])
    outcome = solve(case)
    assert outcome.status is Status.PROVEN
    assert outcome.cost_cents == brute_force(case).cost_cents == 92


def test_what_is_too_large_or_takes_too_long_is_left_to_the_exact_model(always):
    always.setattr(counted, "MOST_COLUMNS", 3)
    assert by_counting(fragmented(2, 1)) is None
    always.setattr(counted, "MOST_COLUMNS", 1500)
    stop = Stop()
    stop.request()
    case = fragmented(2, 1)
    model = counted.counting_model(case, demands(case))
    assert counted.by_counting(model, Budget(SolveLimits(), stop)) is None


def test_a_stop_among_ties_keeps_the_proven_plan(always):
    stop = Stop()
    always.setattr(counted, "tie_rounds", lambda build, budget, solved: stop.request())
    case = problem([job("a", candidate(0, 5, 1)), job("b", candidate(0, 3, 1))], [supply()])
    outcome = solve(case, stop=stop)
    assert outcome.status is Status.PROVEN
    assert outcome.interrupted
    assert not outcome.tie_break_applied
    assert outcome.cost_cents == 2


def test_ties_that_stay_open_are_left_to_the_exact_model(always):
    always.setattr(counted, "tie_rounds", lambda build, budget, solved: None)
    assert by_counting(fragmented(3, 1)) is None
    assert solve(fragmented(3, 1)).tie_break_applied


def test_ties_that_stay_open_where_the_exact_model_is_large_leave_the_proven_plan(always):
    always.setattr(counted, "tie_rounds", lambda build, budget, solved: None)
    always.setattr(counted, "MOST_IN_TIES", 0)
    case = fragmented(3, 1)
    outcome = solve(case)
    assert outcome.status is Status.PROVEN
    assert not outcome.tie_break_applied
    assert outcome.cost_cents == brute_force(case).cost_cents


def test_a_quick_solve_leaves_open_what_counting_does_not_prove(always):
    always.setattr(counted, "MOST_COLUMNS", 3)
    case = fragmented(3, 1)
    assert solve(case, limits=SolveLimits(quick=True)).status is Status.UNKNOWN
    always.setattr(counted, "MOST_COLUMNS", 1500)
    quick = solve(case, limits=SolveLimits(quick=True))
    assert (quick.status, quick.cost_cents) == (Status.PROVEN, brute_force(case).cost_cents)


def test_what_it_leaves_for_the_next_solve_is_a_plan_of_the_exact_model(always):
    case = fragmented(3, 1)
    first = solve(case)
    assert first.start is not None
    assert values_in(exact_model(case, demands(case)), first.start.columns) is not None
    again = solve(case, start=first)
    assert (again.cost_cents, again.plans) == (first.cost_cents, first.plans)
