"""Dives and reopened parts give valid plans, never dearer ones, and what the root's assignments do not hold."""

from collections.abc import Callable

import pytest

from planner.optimize.backend import Stop, Verdict
from planner.optimize.blocks import demands
from planner.optimize.branching import Search, Work
from planner.optimize.dive import ANYWHERE, dive
from planner.optimize.exact import exact_model
from planner.optimize.reopen import Reopen
from planner.options.problem import Problem
from tests.benchmarks.instances import generate
from tests.optimize.problems import candidate, job, problem, supply


def search(case: Problem, stopped: Callable[[], bool] = lambda: False) -> Search:
    build = exact_model(case, demands(case))
    build.model.objective = {column: cents for column, cents in build.cost_terms() if cents}
    found = Search(
        build, Work(), Stop(), lambda: None, lambda cost, bound: None, closed_elsewhere=stopped
    )
    found.root = found.relax(found.pricer.boxes, found.start_duals, 300)
    return found


@pytest.mark.parametrize("seed", [0, 6, 14])
def test_a_dive_finds_a_valid_plan_without_any_other(seed):
    found = search(generate(20, 20, seed))
    assert found.root is not None
    assert found.root.best is not None
    dive(found, found.root, found.pricer.boxes, {}, (ANYWHERE,))
    model = found.link.build.model
    assert found.found.values is not None
    assert found.found.cost is not None
    assert model.broken(found.found.values) == []
    assert model.evaluate(found.found.values) == found.found.cost
    assert found.found.cost >= found.root.best.bound


def test_a_dive_beats_the_assignments_of_the_root():
    case = generate(50, 30, 6)
    plain, dived = search(case), search(case)
    plain.masters.look(plain.pricer.boxes, 20)
    assert dived.root is not None
    dive(dived, dived.root, dived.pricer.boxes, {}, (ANYWHERE,))
    assert dived.found.cost is not None
    assert plain.found.cost is not None
    assert dived.found.cost <= plain.found.cost


def test_a_dive_ends_when_asked_to():
    found = search(generate(20, 20, 0), stopped=lambda: True)
    assert found.root is not None
    assert dive(found, found.root, found.pricer.boxes, {}, (ANYWHERE,)) is found.root
    assert found.found.values is None


def test_reopened_parts_make_a_poor_plan_better_and_keep_it_valid():
    found = search(generate(20, 20, 0))
    found.masters.solve(found.generator.assignments, found.pricer.boxes, 1, 0.5)
    values, model = found.found.values, found.link.build.model
    assert values is not None
    costs, work = [model.evaluate(values)], Reopen(found.link.build)
    for _ in range(10):
        better = work.step(values, Stop(), None)
        if better is not None:
            values = better
            assert model.broken(values) == []
            costs.append(model.evaluate(values))
    assert costs == sorted(costs, reverse=True)
    assert len(costs) > 1


def test_masters_look_for_better_plans_only():
    found = search(generate(20, 20, 1))
    found.masters.look(found.pricer.boxes, 1000)
    assert found.found.cost is not None
    found.found.cost //= 2
    verdict = found.masters.solve(found.masters.known(), found.pricer.boxes, 1000, 0.0)
    assert verdict is Verdict.INFEASIBLE


def test_a_root_that_cannot_serve_all_is_proven_impossible():
    """Each job fits, both do not; no price tells, the exact model does."""
    jobs = [job(f"j{i}", candidate(0, 5, 1)) for i in range(2)]
    found = search(problem(jobs, [supply("only")])).run()
    assert found.infeasible
    assert found.values is None


def test_a_plan_is_found_where_the_root_stays_artificial():
    """Three jobs of 5 GPUs on three nodes of 8: the root may not see how, the exact model does."""
    jobs = [job(f"j{i}", candidate(0, 5, 1), candidate(1, 5, 9)) for i in range(3)]
    found = search(problem(jobs, [supply("near", nodes=1), supply("far", nodes=2)])).run()
    assert not found.infeasible
    assert found.cost == 19
