"""What the user writes: schema, located loading, checks."""

from planner.scenario.load import load
from planner.scenario.resolved import Default, NodeFacts, ResolvedPool, ResolvedWorkload, Scenario

__all__ = ["Default", "NodeFacts", "ResolvedPool", "ResolvedWorkload", "Scenario", "load"]
