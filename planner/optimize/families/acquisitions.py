"""Nodes that exist only by orders: what is used stays within what was there, bought or committed to."""

from __future__ import annotations

from planner.optimize.build import Build, Terms
from planner.optimize.families.nodes import node_terms
from planner.optimize.linear import Row, row


def acquisition_rows(build: Build) -> list[Row]:
    """Nodes used - nodes acquired <= base_nodes - spare_nodes, per supply that orders can raise.

    Together with `nodes`, which holds against the most that could ever be acquired.
    """
    raised: dict[int, list[tuple[int, int]]] = {}
    for acquisition, column in zip(build.problem.acquisitions, build.acquired, strict=True):
        for supply in acquisition.supplies:
            raised.setdefault(supply, []).append((column, -1))
    rows = []
    for index, facts in enumerate(build.problem.supplies):
        terms = node_terms(build, index)
        if facts.base_nodes is None or not terms:
            continue
        name = f"acquired[{facts.pool}/{facts.term}]"
        high = facts.base_nodes - facts.spare_nodes
        rows.append(row(name, "acquired", [*terms, *raised.get(index, ())], high=high))
    return rows


def order_size_rows(build: Build) -> list[Row]:
    """For each order with a least size: fewest x taken <= nodes acquired <= most x taken; one taken of a group.

    So an order is nothing or large enough for its price, and one offer gives one price for one period.
    """
    rows = []
    groups: dict[int, Terms] = {}
    orders = zip(build.problem.acquisitions, build.acquired, build.taken, strict=True)
    for order, column, taken in orders:
        if taken is None:
            continue
        fewest = [(column, 1), (taken, -order.fewest)]
        rows.append(row(f"fewest[{order.key}]", "order size", fewest, low=0))
        most = [(column, 1), (taken, -order.most)]
        rows.append(row(f"most[{order.key}]", "order size", most, high=0))
        if order.group >= 0:
            groups.setdefault(order.group, []).append((taken, 1))
    rows += [
        row(f"one price[{group}]", "order size", terms, high=1) for group, terms in groups.items()
    ]
    return rows
