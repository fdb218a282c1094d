"""Polishing keeps every plan valid, never makes it dearer, and finds what a poor plan leaves."""

import pytest

from planner.optimize.backend import Stop
from planner.optimize.blocks import demands
from planner.optimize.branching import Search, Work
from planner.optimize.exact import exact_model
from planner.optimize.improve import polish
from planner.optimize.polish import Polish
from planner.options.problem import Problem
from tests.benchmarks.instances import generate


def search(case: Problem) -> Search:
    build = exact_model(case, demands(case))
    build.model.objective = {column: cents for column, cents in build.cost_terms() if cents}
    return Search(build, Work(), Stop(), lambda: None, lambda cost, bound: None)


def first_plan(case: Problem) -> Search:
    """The first plan that the assignments of a few rounds of prices allow: a poor one."""
    found = search(case)
    found.root = found.relax(found.pricer.boxes, found.start_duals, 300)
    found.masters.solve(found.generator.assignments, found.pricer.boxes, 1, 0.5)
    return found


@pytest.mark.parametrize("seed", [0, 2, 4, 6])
def test_steps_give_valid_plans_of_falling_cost(seed):
    found = first_plan(generate(20, 20, seed))
    assert found.root is not None
    assert found.root.best is not None
    assert found.found.values is not None
    model = found.link.build.model
    costs = [model.evaluate(found.found.values)]
    work = Polish(found.link, found.pricer, found.root.best, found.generator.assignments)
    work.start(found.found.values)
    for _ in range(12):
        better = work.step(Stop(), None)
        if better is not None:
            assert model.broken(better) == []
            costs.append(model.evaluate(better))
    assert costs == sorted(costs, reverse=True)
    assert min(costs) >= found.root.best.bound
    if seed == 0:
        assert len(costs) > 1


def test_same_work_gives_same_plan():
    def run() -> list[int] | None:
        found = first_plan(generate(20, 20, 6))
        assert found.root is not None
        polish(found, found.root)
        return found.found.values

    assert run() == run()


@pytest.mark.parametrize("size", [4, 9, 15])
def test_a_step_reopens_as_many_workloads_as_it_should_mostly_of_the_same_pools(size):
    found = first_plan(generate(50, 30, 2))
    assert found.root is not None
    assert found.root.best is not None
    assert found.found.values is not None
    work = Polish(found.link, found.pricer, found.root.best, found.generator.assignments)
    work.start(found.found.values)
    work.size = size
    shared = 0
    for _ in range(30):
        free = work._neighbourhood()
        assert len(set(free)) == len(free) == size
        pools = [{s for s, _ in work._now[unit].nodes} for unit in free]
        shared += sum(
            any(one & other for other in pools[:at] + pools[at + 1 :])
            for at, one in enumerate(pools)
        )
    # Ten units drawn from fifty at random share a pool with another less than half of the time.
    assert shared > 30 * size * 0.6
