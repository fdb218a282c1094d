"""What to branch on: node counts that cost money first, then pick counts, then node counts that are free."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from planner.optimize.bound import Assignment, Boxes
from planner.optimize.cuts import CutPool
from planner.optimize.generation import Relaxed
from planner.optimize.linking import Linked

WHOLE = 1e-6
LEAST_GAIN = 1.0
"""Cents: a side whose bound is not expected to rise still counts a little."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The branch that a node came from: which column, upwards or not, how far, and the bound before."""

    column: int
    up: bool
    distance: float
    bound: int


class BranchChoices:
    """Chooses the column to branch on; learns from the bounds that branches had."""

    def __init__(self, link: Linked, supply_costs: Sequence[int]) -> None:
        build = link.build
        self.link, self.supply_costs = link, supply_costs
        at = {column: index for index, column in enumerate(link.supply_columns)}
        decided = {c for c in (*build.taken, *build.acquired) if c is not None}
        shared = {c for c in build.shared if c is not None}
        self.paid = [i for c, i in at.items() if c in decided or supply_costs[i] > 0]
        """Columns whose fractions cost: nodes with a price, acquisitions, and whether one is taken."""
        self.free = [i for c, i in at.items() if c in shared and supply_costs[i] <= 0]
        self.columns = sorted(self.paid + self.free)
        """All that branching may narrow."""
        self._gains: dict[tuple[int, bool], list[float]] = defaultdict(list)
        """Cents of bound per whole unit moved, as seen."""

    def open(self, relaxed: Relaxed, assignments: Sequence[Assignment]) -> bool:
        """Whether anything is fractional."""
        return bool(
            self.fractional(relaxed, self.paid)
            or self.fractional(relaxed, self.free)
            or self.pick(relaxed, assignments) is not None
        )

    def fractional(self, relaxed: Relaxed, columns: Sequence[int]) -> list[int]:
        """Columns with a fractional value, those whose fraction costs most first."""
        weights = []
        for at in columns if relaxed.supply_values else []:
            part = relaxed.supply_values[at] - math.floor(relaxed.supply_values[at] + WHOLE)
            if part > WHOLE:
                weights.append((-min(part, 1 - part) * (1 + self.supply_costs[at]), at))
        return [at for _, at in sorted(weights)]

    def learn(self, origin: Origin, bound: int) -> None:
        """Remembers how a branch moved the bound."""
        gain = max(0, bound - origin.bound) / max(origin.distance, 1e-3)
        self._gains[origin.column, origin.up].append(gain)

    def unknown(self, column: int) -> bool:
        """Whether a side of the column was never tried."""
        return not (self._gains[column, True] and self._gains[column, False])

    def best(
        self, columns: Sequence[int], relaxed: Relaxed, boxes: Boxes, bound: int, cuts: CutPool
    ) -> int:
        """The column whose two sides promise most: product of the rises of the bound."""

        def score(at: int) -> tuple[float, int]:
            value = relaxed.supply_values[at]
            floor = math.floor(value + WHOLE)
            down, up = cuts.children(boxes, at, floor)
            below = max(down - bound, self._mean(at, False) * (value - floor), LEAST_GAIN)
            above = max(up - bound, self._mean(at, True) * (floor + 1 - value), LEAST_GAIN)
            return below * above, -at

        return max(columns, key=score)

    def _mean(self, column: int, up: bool) -> float:
        seen = self._gains[column, up]
        return sum(seen) / len(seen) if seen else 0.0

    def pick(
        self, relaxed: Relaxed, assignments: Sequence[Assignment]
    ) -> tuple[int, int, int] | None:
        """(demand, pick, whole part) of the pick count nearest to a half, of demands of one copy."""
        demands = self.link.build.demands
        totals: dict[tuple[int, int], float] = defaultdict(float)
        for value, assignment in zip(relaxed.values, assignments, strict=False):
            if value > WHOLE and len(demands[assignment.demand].copies) == 1:
                for at, count in assignment.counts:
                    totals[assignment.demand, at] += value * count
        best, weight = None, 1e-4
        for (demand, at), value in totals.items():
            part = value - math.floor(value + WHOLE)
            gain = min(part, 1 - part) * (1 + demands[demand].picks[at].facts.gpus)
            if part > WHOLE and gain > weight:
                best, weight = (demand, at, math.floor(value + WHOLE)), gain
        return best
