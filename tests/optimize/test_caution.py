"""The price of careful figures is the difference to the plan of a scenario that takes the risk everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner import api
from planner.optimize import caution

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


@pytest.mark.parametrize("name", ["tutorial", "finetune-offload", "lab"])
def test_price_is_the_difference_to_the_same_scenario_at_best_estimates(name: str) -> None:
    careful = api.load(SCENARIOS / f"{name}.yaml")
    plan = api.solve(careful)
    overrides = [f"workloads.{w.name}.risk=best" for w in careful.workloads]
    bold = api.solve(api.load(SCENARIOS / f"{name}.yaml", overrides=overrides))
    assert plan.cost is not None
    assert bold.cost is not None
    assert plan.caution is not None
    assert plan.caution.best_cost == bold.cost.total == plan.caution.best_bound
    assert plan.caution.price == plan.cost.total - bold.cost.total
    assert plan.caution.price >= 0
    assert bold.caution is None


def test_left_out_of_large_scenarios_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caution, "MOST_CANDIDATES", 0)
    plan = api.solve(api.load(SCENARIOS / "tutorial.yaml"))
    assert plan.caution is None
    assert any("careful figures cost is left out" in text for text in plan.assumptions)
