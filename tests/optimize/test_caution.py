"""The price of careful figures is the difference to the plan of a scenario that takes the risk everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner import api
from planner.optimize import answer_periods, caution

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
TINY = Path(__file__).resolve().parents[1] / "money" / "tiny.yaml"
FILES = [TINY, *(SCENARIOS / f"{name}.yaml" for name in ("tutorial", "finetune-offload", "lab"))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_price_is_the_difference_to_the_same_scenario_at_best_estimates(file: Path) -> None:
    careful = api.load(file)
    plan = api.solve(careful)
    overrides = [f"workloads.{w.name}.risk=best" for w in careful.workloads]
    bold = api.solve(api.load(file, overrides=overrides))
    assert plan.cost is not None
    assert bold.cost is not None
    assert plan.caution is not None
    assert plan.caution.best_cost == bold.cost.total == plan.caution.best_bound
    assert plan.caution.price == plan.cost.total - bold.cost.total
    assert plan.caution.price >= 0
    assert bold.caution is None


@pytest.mark.parametrize("file", [TINY, SCENARIOS / "tutorial.yaml"], ids=lambda file: file.stem)
def test_left_out_of_large_scenarios_and_said(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(caution, "MOST_CANDIDATES", 0)
    monkeypatch.setattr(answer_periods, "MOST_CANDIDATES", 0)
    plan = api.solve(api.load(file))
    assert plan.caution is None
    assert any("careful figures cost is left out" in text for text in plan.assumptions)
