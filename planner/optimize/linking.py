"""The exact model seen as blocks tied together by a few linking rows (Dantzig-Wolfe)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from planner.optimize.build import Build, pick_cost

OWN_FAMILIES = frozenset({"choice", "cover", "replicas", "same_pool"})
"""Families that touch the picks of one demand only; all others link demands."""

Sparse = tuple[tuple[int, int], ...]
"""(linking row, coefficient)."""


@dataclass(frozen=True, slots=True)
class PickData:
    """One pick: its own cost and what it takes of the linking rows."""

    cost: int
    uses: Sparse


@dataclass(slots=True)
class Linked:
    """All linking rows as `sum <= right-hand side`, and every column's part in them."""

    build: Build
    right: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    picks: list[list[PickData]] = field(default_factory=list)
    unserved: list[Sparse] = field(default_factory=list)
    supply_columns: list[int] = field(default_factory=list)
    """Model columns that belong to no demand: nodes and patterns."""
    supply_uses: list[Sparse] = field(default_factory=list)

    def price(self, uses: Sparse, duals: Sequence[int]) -> int:
        """Price of using linking rows at these duals."""
        return sum(coefficient * duals[at] for at, coefficient in uses)


def linked(build: Build) -> Linked:
    """Splits the exact model's rows and columns."""
    found = Linked(build)
    by_column: dict[int, list[tuple[int, int]]] = {}
    for one in build.model.rows:
        if one.family in OWN_FAMILIES:
            continue
        for sign, right in ((1, one.high), (-1, None if one.low is None else -one.low)):
            if right is None:
                continue
            for column, coefficient in one.terms:
                by_column.setdefault(column, []).append((len(found.right), sign * coefficient))
            found.right.append(right)
            found.names.append(one.name)
    owned: set[int] = set()
    for demand, columns in zip(build.demands, build.picks, strict=True):
        found.picks.append(
            [
                PickData(pick_cost(build.problem, pick), tuple(by_column.get(column, ())))
                for pick, column in zip(demand.picks, columns, strict=True)
            ]
        )
        owned.update(columns)
    for column in build.unserved:
        found.unserved.append(() if column is None else tuple(by_column.get(column, ())))
        if column is not None:
            owned.add(column)
    for column in sorted(by_column.keys() - owned):
        found.supply_columns.append(column)
        found.supply_uses.append(tuple(by_column[column]))
    return found
