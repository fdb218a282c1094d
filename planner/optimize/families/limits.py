"""Budgets, power, rack units and pool-wide node limits."""

from __future__ import annotations

from planner.optimize.build import Build, Terms
from planner.optimize.families.nodes import node_terms
from planner.optimize.linear import Row, row
from planner.options.problem import Limit

LARGE_BOUND = 1_000_000
"""Larger limits are counted in units of a power of ten, of which the bound has at least this many."""


def limit_rows(build: Build) -> list[Row]:
    """One row per limit; an empty list of supplies means all of them.

    Large sums of money are counted in coarser units, what is used rounded up and the limit down; and no
    coefficient is larger than it must be to rule its column out. Both keep prices of the rows small.
    """
    return [
        row(f"limit[{limit.name}]", "limits", _coarse(_terms(build, limit), limit.bound), high=high)
        for limit in build.problem.limits
        for high in [limit.bound // unit_of(limit.bound)]
    ]


def unit_of(bound: int) -> int:
    """The largest power of ten that leaves the bound a million units or more; 1 for smaller bounds.

    >>> unit_of(999_999), unit_of(40_000_000)
    (1, 10)
    """
    unit = 1
    while bound // (unit * 10) >= LARGE_BOUND:
        unit *= 10
    return unit


def _coarse(terms: Terms, bound: int) -> Terms:
    unit = unit_of(bound)
    most = bound // unit + 1
    # A negative bound leaves the row as it is: nothing can satisfy it.
    if most <= 0:
        return terms
    merged: dict[int, int] = {}
    for column, each in terms:
        merged[column] = merged.get(column, 0) + each
    return [(column, min(-(-each // unit), most)) for column, each in merged.items()]


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
    each = [_per_node(build, limit.kind, supply) for supply in sorted(listed)]
    nodes = [term for terms in each for term in terms]
    if limit.kind == "racks":
        return nodes
    return nodes + [
        (column, pick.replicas * pick.facts.power_w)
        for supply in sorted(listed)
        for _, _, pick, column in build.on_supply(supply)
        if pick.facts.power_w
    ]


def _per_node(build: Build, kind: str, supply: int) -> Terms:
    """Power or rack units of the nodes in use of a supply."""
    facts = build.problem.supplies[supply]
    each = facts.rack_units if kind == "racks" else facts.node_power_w
    return [(column, each * count) for column, count in node_terms(build, supply)] if each else []
