"""Cuts hold for every plan, at every box, whatever prices they come from."""

from random import Random

import pytest

from planner.optimize import SolveLimits, Status, solve
from planner.optimize.blocks import demands
from planner.optimize.bound import Pricer
from planner.optimize.cuts import CutPool
from planner.optimize.exact import exact_model
from planner.optimize.linking import linked
from tests.benchmarks.instances import generate


@pytest.mark.parametrize("seed", range(6))
def test_cuts_hold_at_the_optimum_and_equal_the_bound_they_come_from(seed):
    random = Random(seed)
    case = generate(5, 10, seed)
    outcome = solve(case, limits=SolveLimits(tie_break=False))
    assert outcome.status is Status.PROVEN
    build = exact_model(case, demands(case))
    build.model.objective = {column: cents for column, cents in build.cost_terms() if cents}
    pricer = Pricer(linked(build))
    pool = CutPool(pricer.boxes)
    bounds = []
    for _ in range(20):
        duals = [random.choice([0, random.randint(0, 10**6)]) for _ in pricer.link.right]
        narrow = tuple((low, random.randint(low, high)) for low, high in pricer.boxes)
        priced = pricer.price(duals, narrow)
        assert priced is not None
        alone = CutPool(pricer.boxes)
        alone.add(priced, narrow)
        assert alone.bound(narrow) == priced.bound
        pool.add(priced, narrow)
        bounds.append(alone.bound(pricer.boxes))
    assert pool.bound(pricer.boxes) == max(bounds) <= outcome.cost_cents
    levels = {
        column: outcome.nodes[supply]
        for supply, column in enumerate(build.shared)
        if column is not None
    }
    fixed = tuple(
        (levels.get(column, low), levels.get(column, high))
        for column, (low, high) in zip(pricer.link.supply_columns, pricer.boxes, strict=True)
    )
    assert pool.bound(fixed) <= outcome.cost_cents
    assert pool.bound(fixed) >= pool.bound(pricer.boxes)


def test_the_two_sides_of_a_branch_are_no_less_than_the_whole():
    case = generate(5, 10, 0)
    build = exact_model(case, demands(case))
    build.model.objective = {column: cents for column, cents in build.cost_terms() if cents}
    pricer = Pricer(linked(build))
    pool = CutPool(pricer.boxes)
    assert pool.bound(pricer.boxes) == 0
    random = Random(5)
    for _ in range(10):
        duals = [random.randint(0, 10**6) for _ in pricer.link.right]
        priced = pricer.price(duals)
        assert priced is not None
        pool.add(priced, pricer.boxes)
    for at, (low, high) in enumerate(pricer.boxes):
        if high > low:
            down, up = pool.children(pricer.boxes, at, low)
            assert min(down, up) >= pool.bound(pricer.boxes)
