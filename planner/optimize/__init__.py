"""The optimizer: the only place that imports ortools, and only once a model is solved."""

from planner.optimize.backend import Stop
from planner.optimize.outcome import (
    BlockPlan,
    Choice,
    Conflict,
    NodePlan,
    Outcome,
    Placed,
    Progress,
    Pruned,
    Round,
    SolveLimits,
    Stats,
    Status,
)
from planner.optimize.solve import solve

__all__ = [
    "BlockPlan",
    "Choice",
    "Conflict",
    "NodePlan",
    "Outcome",
    "Placed",
    "Progress",
    "Pruned",
    "Round",
    "SolveLimits",
    "Stats",
    "Status",
    "Stop",
    "solve",
]
