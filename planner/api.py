"""The Python interface: load a scenario, solve it, fit one model on given GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from planner.optimize.answer import Answer, answer
from planner.optimize.outcome import ProgressCallback
from planner.optimize.outcome import SolveLimits as SolveLimits
from planner.plan.schema import Plan
from planner.scenario import Scenario
from planner.scenario import load as load_scenario


def load(path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """Read, check and resolve a scenario; raises DiagnosticError with all problems."""
    return load_scenario(str(path), overrides=tuple(overrides))


def solve(
    scenario: Scenario,
    *,
    limits: SolveLimits | None = None,
    progress: ProgressCallback | None = None,
) -> Plan:
    """The cheapest verified plan for a scenario, or a plan with a status that says why there is none."""
    return solve_fully(scenario, limits=limits, progress=progress).plan


def solve_fully(
    scenario: Scenario,
    *,
    limits: SolveLimits | None = None,
    progress: ProgressCallback | None = None,
) -> Answer:
    """Like `solve`, with all that was considered on the way."""
    return answer(scenario, limits=limits, progress=progress)
