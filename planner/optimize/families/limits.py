"""Budgets, power and pool-wide node limits."""

from __future__ import annotations

from planner.optimize.build import Build, Terms
from planner.optimize.families.nodes import node_terms
from planner.optimize.linear import Row, row
from planner.options.problem import Limit


def limit_rows(build: Build) -> list[Row]:
    """One row per limit; an empty list of supplies means all of them."""
    return [
        row(f"limit[{limit.name}]", "limits", _terms(build, limit), high=limit.bound)
        for limit in build.problem.limits
    ]


def _terms(build: Build, limit: Limit) -> Terms:
    orders = [(build.acquired[at], each) for at, each in limit.acquisitions]
    if limit.kind == "acquired":
        return orders
    return [*_use(build, limit), *orders]


def _use(build: Build, limit: Limit) -> Terms:
    listed = frozenset(limit.supplies) or frozenset(range(len(build.problem.supplies)))
    if limit.kind == "cost":
        return build.cost_terms(listed)
    if limit.kind == "nodes":
        return [term for supply in sorted(listed) for term in node_terms(build, supply)]
    return [
        (column, pick.replicas * pick.facts.power_w)
        for supply in sorted(listed)
        for _, _, pick, column in build.on_supply(supply)
    ]
