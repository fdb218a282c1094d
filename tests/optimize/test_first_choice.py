"""The price of the format listed first is told, or that it is left out; never silently neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner import api
from planner.optimize import first_choice

LAB = Path(__file__).resolve().parents[2] / "scenarios" / "lab.yaml"


def test_told_where_it_is_little_work_and_else_said_to_be_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scenario = api.load(LAB)
    told = api.solve(scenario)
    monkeypatch.setattr(first_choice, "MOST_WORK", 0)
    short = api.solve(scenario)
    priced = [w.name for w in told.workloads if "listed first" in w.binding]
    assert priced
    assert not any("listed first, would cost" in w.binding for w in short.workloads)
    left_out = [text for text in short.assumptions if "is left out" in text]
    assert len(left_out) == 1
    assert f"{len(priced)} workloads" in left_out[0]
    assert told.cost == short.cost
