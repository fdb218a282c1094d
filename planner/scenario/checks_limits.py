"""Contradictions between limits and what the inventory says of its nodes."""

from __future__ import annotations

from collections.abc import Iterator

from planner.diagnostics import Diagnostic
from planner.scenario.clash import clash
from planner.scenario.located import Located
from planner.scenario.schema_file import ScenarioFile
from planner.scenario.schema_supply import Pool


def check_limits(spec: ScenarioFile, root: Located) -> Iterator[Diagnostic]:
    """A limit of rack units needs the size of every node that may stand in one's own racks."""
    if spec.limits.rack_units is None:
        return
    for index, pool in enumerate(spec.inventory):
        if stands_here(pool) and (pool.node is None or pool.node.rack_units is None):
            yield clash(
                root, ["limits", "rack_units"],
                f"`rack_units` is limited, and pool `{pool.pool}` does not say how many a node takes",
                ["inventory", index], related="has no `rack_units` in its `node`",
                help="add it to the pool's `node`, such as `rack_units: 8`",
            )  # fmt: skip


def stands_here(pool: Pool) -> bool:
    """Whether nodes of the pool may stand on one's own premises: owned, ordered or to buy."""
    return bool((pool.owned and pool.owned.nodes) or pool.ordered or pool.buy)
