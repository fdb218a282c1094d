"""What careful figures cost over a horizon: the same scenario with best estimates, worked out beside the plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.optimize.backend import load_cp_sat
from planner.optimize.beside import Beside, can_fork
from planner.optimize.outcome import Outcome, SolveLimits
from planner.optimize.solve import solve
from planner.options.horizon import Whole, join, parts_of
from planner.options.question import Question
from planner.plan import schema as plan
from planner.scenario.resolved import Scenario
from planner.units import from_cents
