"""Generation and its bound: exact for any prices, and equal to brute force on its own."""

from random import Random

import pytest

from planner.optimize import SolveLimits, Status, routes, solve
from planner.optimize.backend import Stop, Verdict
from planner.optimize.blocks import demands
from planner.optimize.bound import Pricer
from planner.optimize.branching import Search, Work
from planner.optimize.exact import exact_model
from planner.optimize.linking import linked
from planner.optimize.master import integer_master
from planner.optimize.mathopt import MipSolver, run_mip
from planner.options.problem import Problem
from planner.verify.brute_force import brute_force
from tests.benchmarks.instances import generate
from tests.optimize.problems import candidate, job, problem, supply
from tests.properties.tiny import tiny_problem


def search(case: Problem) -> Search:
    build = exact_model(case, demands(case))
    return Search(build, Work(), Stop(), lambda: None, lambda cost, bound: None)


@pytest.mark.parametrize("seed", range(60))
def test_bound_holds_at_random_prices(seed):
    random = Random(seed)
    case = tiny_problem(random)
    truth = brute_force(case).cost_cents
    # Requests shared out by size never come to this route.
    if truth is None or any(not block.required or block.size_parts for block in case.blocks):
        return
    link = linked(exact_model(case, demands(case)))
    pricer = Pricer(link)
    for _ in range(5):
        priced = pricer.price([random.choice([0, random.randint(0, 200_000)]) for _ in link.right])
        assert priced is None or priced.bound <= truth


@pytest.mark.parametrize("seed", range(40))
def test_generation_alone_equals_brute_force(seed, monkeypatch):
    monkeypatch.setattr(routes, "LIGHT_COLUMNS", -1)
    monkeypatch.setattr(routes, "_quick", lambda build, budget, best: None)
    monkeypatch.setattr(routes, "DIRECT_COLUMNS", -1)
    case = tiny_problem(Random(9000 + seed))
    truth = brute_force(case)
    outcome = solve(case, limits=SolveLimits(explain_conflict=False, tie_break=False))
    if truth.cost_cents is None:
        assert outcome.status is Status.INFEASIBLE
    else:
        assert outcome.cost_cents == truth.cost_cents
        assert outcome.bound_cents is not None
        assert outcome.bound_cents <= truth.cost_cents


def test_restricted_master_infeasible_while_the_problem_is_not():
    """Each job's cheapest assignment is the same node; the plan needs one that the root prices ignore."""
    blocks = [job(f"j{i}", candidate(0, 5, 1), candidate(1, 5, 1000)) for i in range(2)]
    case = problem(blocks, [supply("near"), supply("far")])
    link = linked(exact_model(case, demands(case)))
    priced = Pricer(link).price([0] * len(link.right))
    assert priced is not None
    restricted = integer_master(link, [assignment for _, assignment in priced.cheapest])
    assert run_mip(restricted.model, MipSolver.HIGHS).verdict is Verdict.INFEASIBLE
    outcome = solve(case)
    assert outcome.status is Status.PROVEN
    assert outcome.cost_cents == 1001


@pytest.mark.parametrize("seed", [1, 2, 3, 5])
def test_generation_closes_a_fleet_of_twenty(seed):
    found = search(generate(20, 20, seed)).run()
    assert found.cost is not None
    assert found.bound == found.cost
    build = exact_model(generate(20, 20, seed), demands(generate(20, 20, seed)))
    assert build.model.broken(found.values) == []
    assert build.model.evaluate(found.values) == found.cost
