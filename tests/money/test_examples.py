"""The procurement example and copies of it with other demand and prices."""

from pathlib import Path

import pytest

import planner

SCENARIO = Path(__file__).parents[2] / "scenarios" / "procurement.yaml"
RATES = {"assistant": 2.0, "search": 20.0, "campaign": 4.0}


def demand(factor: float) -> list[str]:
    return [
        f"workloads.{name}.demand.requests={rate * factor:g} /s" for name, rate in RATES.items()
    ]


def prices(factor: float) -> list[str]:
    bought = {"l40s": 98000, "h100": 310000}
    return [f"inventory.{p}.buy[0].price={x * factor:g} USD/node" for p, x in bought.items()]


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [[], demand(1.2), demand(0.8), prices(1.1), prices(0.9), ["horizon.convention=cash"]],
    ids=["as it is", "demand +20 %", "demand -20 %", "prices +10 %", "prices -10 %", "cash"],
)
def test_within_half_a_percent(changes: list[str]) -> None:
    plan = planner.solve(planner.load(SCENARIO, changes))
    assert plan.verified
    assert plan.gap is not None
    assert plan.gap <= 0.005
    assert plan.cost is not None
    assert all(b.cost is None or b.cost >= plan.cost.total for b in plan.baselines)
