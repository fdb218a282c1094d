"""Capacity planning for GPU fleets: the cheapest proven plan that fits, or why there is none."""

from __future__ import annotations

TYPE_CHECKING = False  # what type checkers take for true; importing typing costs 5 ms

__version__ = "0.1.0"

__all__ = ["Fit", "FitError", "Plan", "Scenario", "fit", "load", "solve"]

if TYPE_CHECKING:
    from planner.api import FitError, fit, load, solve
    from planner.plan.fit_schema import Fit
    from planner.plan.schema import Plan
    from planner.scenario import Scenario

_HOMES = {
    "fit": "planner.api",
    "load": "planner.api",
    "solve": "planner.api",
    "Fit": "planner.plan.fit_schema",
    "FitError": "planner.api",
    "Plan": "planner.plan.schema",
    "Scenario": "planner.scenario",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that `import planner` and `--help` stay fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
