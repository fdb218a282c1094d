"""Shared nodes and whole nodes together stay within the supply, its spare nodes kept free."""

from __future__ import annotations

from planner.optimize.build import Build, Terms
from planner.optimize.linear import Row, row


def node_terms(build: Build, supply: int) -> Terms:
    """Nodes used of a supply: shared ones and whole ones, billed or not."""
    terms: Terms = []
    shared = build.shared[supply]
    if shared is not None:
        terms.append((shared, 1))
    for _, _, pick, column in build.on_supply(supply):
        if pick.facts.whole_nodes:
            terms.append((column, pick.replicas * pick.facts.whole_nodes))
    return terms


def node_rows(build: Build) -> list[Row]:
    """Nodes used <= max_nodes - spare_nodes, per supply."""
    rows = []
    for index, facts in enumerate(build.problem.supplies):
        terms = node_terms(build, index)
        if terms:
            name = f"supply[{facts.pool}/{facts.term}]"
            rows.append(row(name, "nodes", terms, high=build.usable_nodes(index)))
    return rows
