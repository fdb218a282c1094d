"""Orders across periods: the optimizer equals trying everything."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimize import routes
from planner.options.problem import Problem
from tests.money.tiny_periods import tiny_periods
from tests.properties.against_brute_force import compare_costs


def compare(problem: Problem) -> str:
    outcome, truth = compare_costs(problem)
    if truth.cost_cents is None:
        return "infeasible"
    taken = [o for o, n in zip(problem.acquisitions, outcome.acquired, strict=True) if n]
    if any(order.group >= 0 and order.fewest > 1 for order in taken):
        return "tier"
    return "orders" if taken else "none"


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32))
def test_orders_equal_brute_force(seed: int) -> None:
    compare(tiny_periods(Random(seed)))


def test_the_cases_are_mixed() -> None:
    counts = Counter(compare(tiny_periods(Random(seed))) for seed in range(80))
    assert min(counts["infeasible"], counts["orders"], counts["none"], counts["tier"]) >= 5, counts


def test_generation_agrees_where_it_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "SMALL_COLUMNS", 0)
    kinds = {compare(tiny_periods(Random(seed))) for seed in range(200, 240)}
    assert "tier" in kinds
