"""Screened pricing finds the same least price as searching every cover in full."""

from random import Random

import pytest

from planner.optimize.blocks import demands
from planner.optimize.bound import Pricer
from planner.optimize.exact import exact_model
from planner.optimize.linking import linked
from planner.optimize.pricing import cheapest_mix
from planner.options.problem import Problem
from tests.benchmarks.instances import generate
from tests.properties.tiny import tiny_problem


def check_prices(case: Problem, random: Random, rounds: int) -> int:
    link = linked(exact_model(case, demands(case)))
    pricer = Pricer(link)
    checked = 0
    for _ in range(rounds):
        high = random.choice([0, 1_000, 10**6, 10**8])
        duals = [random.choice([0, 0, random.randint(0, high)]) for _ in link.right]
        priced = pricer.price(duals)
        prices = pricer.all_prices(duals)
        for number, demand in enumerate(link.build.demands):
            if demand.single:
                continue
            full = cheapest_mix(
                pricer.covers[number], prices[number], pricer.charged(number, duals)
            )
            if priced is None or full is None or pricer.may_idle(number):
                continue
            least, assignment = priced.cheapest[number]
            assert least == full[0]
            charges = pricer.charged(number, duals)
            paid = {charges[at] for at, _ in assignment.counts if at in charges}
            own = sum(prices[number][at] * n for at, n in assignment.counts)
            assert own + sum(charge for _, charge in paid) == least
            checked += 1
    return checked


def test_screening_agrees_on_tiny_problems():
    checked = 0
    for seed in range(80):
        random = Random(seed)
        case = tiny_problem(random)
        if any(block.size_parts for block in case.blocks):
            continue
        checked += check_prices(case, random, 4)
    assert checked > 100


@pytest.mark.parametrize("seed", [0, 1, 2, 6])
def test_screening_agrees_on_a_fleet_with_spares(seed):
    assert check_prices(generate(20, 20, seed), Random(seed), 5) > 20
