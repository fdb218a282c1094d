"""What an answer depends on, so that it can be reproduced."""

from __future__ import annotations

from importlib import metadata


def versions(scenario_digest: str) -> dict[str, str]:
    """Versions of planner and the solver, and the hash of the scenario."""
    return {
        "planner": metadata.version("planner"),
        "ortools": metadata.version("ortools"),
        "scenario": scenario_digest,
    }
