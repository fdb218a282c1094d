"""The optimizer equals brute force on tiny problems."""

import dataclasses
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimize import Outcome
from planner.options.problem import Problem
from planner.verify.brute_force import BruteForce, brute_force
from tests.properties.against_brute_force import compare_costs
from tests.properties.tiny import features, tiny_problem

FEATURES = 21


def compare(problem: Problem) -> tuple[Outcome, BruteForce]:
    outcome, truth = compare_costs(problem)
    if truth.cost_cents is None:
        return outcome, truth
    assert outcome.tie_break_applied
    assert ties(problem, outcome) == truth.ties
    return outcome, truth


def ties(problem: Problem, outcome: Outcome) -> tuple[int, int, int]:
    preference = gpus = 0
    types = set()
    for plan in outcome.plans:
        for choice in plan.choices:
            candidate = problem.blocks[plan.block].candidates[choice.candidate]
            supply = problem.supplies[candidate.supply]
            preference += choice.replicas * candidate.preference
            whole = candidate.whole_nodes * supply.node_gpus
            gpus += choice.replicas * (candidate.gpus + whole)
            types.add(supply.gpu_type)
    return preference, gpus, len(types)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_equals_brute_force(seed: int) -> None:
    compare(tiny_problem(Random(seed)))


@pytest.mark.slow
def test_stated_mix_of_cases() -> None:
    counts: Counter[str] = Counter()
    cases = 400
    for seed in range(cases):
        problem = tiny_problem(Random(seed))
        _, truth = compare(problem)
        counts.update(features(problem))
        if truth.cost_cents is None:
            counts["infeasible"] += 1
        ample = tuple(dataclasses.replace(s, max_nodes=s.max_nodes + 4) for s in problem.supplies)
        if brute_force(dataclasses.replace(problem, supplies=ample)).cost_cents != truth.cost_cents:
            counts["binding stock"] += 1
    assert counts["infeasible"] >= 0.2 * cases
    assert counts["binding stock"] >= 0.2 * cases
    common = [name for name, count in counts.items() if count >= 0.03 * cases]
    assert len(common) >= FEATURES, counts
