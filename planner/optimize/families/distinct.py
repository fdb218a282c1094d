"""Replicas of a service that must survive a node sit on distinct nodes."""

from __future__ import annotations

from planner.optimize.build import Build, Terms
from planner.optimize.linear import Row, row


def distinct_rows(build: Build) -> list[Row]:
    """Replicas of one copy on a supply <= nodes of it.

    Necessary, and nearly always enough. Where a found plan cannot be placed, its pairs of supply and demand
    are tagged and the packing rows then model them replica by replica.
    """
    rows = []
    for number, demand in enumerate(build.demands):
        if not demand.facts.distinct_nodes:
            continue
        used: dict[int, Terms] = {}
        for pick, column in zip(demand.picks, build.picks[number], strict=True):
            if pick.facts.gpus:
                used.setdefault(pick.facts.supply, []).append((column, pick.replicas))
        for supply, terms in used.items():
            shared = build.shared[supply]
            if shared is None:
                continue
            facts = build.problem.supplies[supply]
            name = f"distinct[{demand.label},{facts.pool}/{facts.term}]"
            rows.append(row(name, "distinct", [*terms, (shared, -1)], high=0))
    return rows
