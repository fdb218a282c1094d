"""The exact model seen as blocks tied together by a few linking rows (Dantzig-Wolfe)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from planner.optimize.build import Build, pick_cost

OWN_FAMILIES = frozenset({"choice", "cover", "replicas", "same_pool"})
"""Families that touch the picks of one demand only; all others link demands."""

STANDING_MOST = 2500
"""With more pairs of demand and supply the relaxation is tight without standing rows, and far slower with them."""

Sparse = tuple[tuple[int, int], ...]
"""(linking row, coefficient)."""


@dataclass(frozen=True, slots=True)
class PickData:
    """One pick: its own cost and what it takes of the linking rows."""

    cost: int
    uses: Sparse


@dataclass(frozen=True, slots=True)
class Extra:
    """One more row `sum <= right` that every plan obeys: picks, charges of mixed demands, nodes of one supply."""

    name: str
    right: int
    supply_column: int
    per_node: int
    picks: Mapping[tuple[int, int], int]
    """(demand, pick) -> coefficient of one pick."""
    charges: Mapping[tuple[int, int], int]
    """(mixed demand, supply) -> coefficient of using the supply at all."""


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

    charges: list[dict[int, Sparse]] = field(default_factory=list)
    """Per mixed demand: supply -> rows that its assignments use once if they use the supply."""
    first_standing: int = 0
    """Rows from here on are standing and rounding rows: implied in integers, they tighten the relaxation."""
    first_rounding: int = 0

    def charge_prices(self, demand: int, duals: Sequence[int]) -> dict[int, int]:
        """Price of using a supply at all, for a mixed demand; only those above zero."""
        prices = {s: self.price(rows, duals) for s, rows in self.charges[demand].items()}
        return {supply: price for supply, price in prices.items() if price}

    def price(self, uses: Sparse, duals: Sequence[int]) -> int:
        """Price of using linking rows at these duals."""
        return sum(coefficient * duals[at] for at, coefficient in uses)


def linked(build: Build) -> Linked:
    """Splits the exact model's rows and columns, and adds standing rows where nodes cost money."""
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
    for idle in build.unserved:
        found.unserved.append(() if idle is None else tuple(by_column.get(idle, ())))
        if idle is not None:
            owned.add(idle)
    for other in sorted(by_column.keys() - owned):
        found.supply_columns.append(other)
        found.supply_uses.append(tuple(by_column[other]))
    found.first_standing = len(found.right)
    found.charges = [{} for _ in build.demands]
    _add_standing(found)
    found.first_rounding = len(found.right)
    return found


def with_rows(link: Linked, extras: Sequence[Extra]) -> Linked:
    """The same linking rows and some more."""
    picks = [list(of_demand) for of_demand in link.picks]
    charges = [dict(of_demand) for of_demand in link.charges]
    supply_uses = list(link.supply_uses)
    for row, extra in enumerate(extras, start=len(link.right)):
        at = extra.supply_column
        supply_uses[at] = (*supply_uses[at], (row, extra.per_node))
        for (demand, pick), worth in extra.picks.items():
            data = picks[demand][pick]
            picks[demand][pick] = PickData(data.cost, (*data.uses, (row, worth)))
        for (demand, supply), worth in extra.charges.items():
            charges[demand][supply] = (*charges[demand].get(supply, ()), (row, worth))
    return replace(
        link,
        right=[*link.right, *(extra.right for extra in extras)],
        names=[*link.names, *(extra.name for extra in extras)],
        picks=picks,
        charges=charges,
        supply_uses=supply_uses,
    )


def _add_standing(found: Linked) -> None:
    """For each single copy and each supply whose nodes cost money: uses it at all <= its shared nodes.

    Nodes are whole, yet the relaxation takes fractions; these rows take that away from each demand alone.
    """
    build = found.build
    uses_of = dict(zip(found.supply_columns, found.supply_uses, strict=True))
    pairs: list[tuple[int, int, int]] = []
    for number, demand in enumerate(build.demands):
        if len(demand.copies) > 1:
            continue
        supplies = {s for pick in demand.picks if pick.facts.gpus for s in pick.facts.supplies}
        for supply in sorted(supplies):
            column = build.shared[supply]
            if (
                column is not None
                and column in uses_of
                and build.problem.supplies[supply].node_cost_cents
            ):
                pairs.append((number, supply, column))
    if len(pairs) > STANDING_MOST:
        return
    for number, supply, shared in pairs:
        row = len(found.right)
        found.right.append(0)
        found.names.append(f"standing[{build.demands[number].label},{supply}]")
        uses_of[shared] = (*uses_of[shared], (row, -1))
        if not build.demands[number].single:
            found.charges[number][supply] = ((row, 1),)
            continue
        for at, pick in enumerate(build.demands[number].picks):
            if supply in pick.facts.supplies and pick.facts.gpus:
                data = found.picks[number][at]
                found.picks[number][at] = PickData(data.cost, (*data.uses, (row, 1)))
    found.supply_uses = [uses_of[column] for column in found.supply_columns]
