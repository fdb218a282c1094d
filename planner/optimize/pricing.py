"""The cheapest assignment of one demand at given integer prices, exactly: a small covering problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key

from planner.optimize.blocks import Demand
from planner.options.problem import DEMAND_UNITS, Supply

Counts = tuple[tuple[int, int], ...]
"""(pick number, count), sorted."""


@dataclass(frozen=True, slots=True)
class Cover:
    """Pick numbers with their units, such that a mix of them serves the demand."""

    need: int
    fewest: int
    items: tuple[tuple[int, int, int], ...]
    """(pick number, units, most)."""


def covers(demand: Demand, supplies: Sequence[Supply]) -> tuple[Cover, ...]:
    """The alternatives among which a mixed demand chooses: pools, and the largest replica lost."""
    facts = demand.facts
    pools: dict[str, list[int]] = {}
    for at, pick in enumerate(demand.picks):
        name = supplies[pick.facts.supply].pool if facts.same_pool else ""
        pools.setdefault(name, []).append(at)
    fewest = max(1, facts.min_replicas) + facts.spare_replicas
    found = []
    for chosen in pools.values():
        units = {at: min(demand.picks[at].facts.units, DEMAND_UNITS) for at in chosen}
        thresholds = sorted(set(units.values())) if facts.spare_replicas else [DEMAND_UNITS]
        for threshold in thresholds:
            items = tuple((at, min(units[at], threshold), demand.picks[at].most) for at in chosen)
            need = DEMAND_UNITS + facts.spare_replicas * (
                threshold if facts.spare_replicas else 0
            )
            found.append(Cover(need, fewest, items))
    return tuple(found)


def cheapest_mix(alternatives: Sequence[Cover], prices: Sequence[int]) -> tuple[int, Counts] | None:
    """Least price and its counts over all alternatives; None when none can serve.

    >>> cover = Cover(2000, 1, ((0, 700, 3), (1, 1000, 2)))
    >>> cheapest_mix([cover], [10, 17])
    (30, ((0, 3),))
    """
    best: tuple[int, Counts] | None = None
    for cover in alternatives:
        found = _solve_cover(cover, prices, None if best is None else best[0])
        if found is not None and (best is None or found[0] < best[0]):
            best = found
    return best


def _solve_cover(
    cover: Cover, prices: Sequence[int], ceiling: int | None
) -> tuple[int, Counts] | None:
    """Branch and bound by price per unit; nothing at or above `ceiling` is of interest."""
    items = _undominated(cover, prices)
    search = _Search(items, ceiling)
    search.run(0, cover.need, cover.fewest, 0)
    if search.best_counts is None or search.best is None:
        return None
    counts = tuple(sorted((items[i][0], n) for i, n in search.best_counts if n))
    return search.best, counts


def _undominated(cover: Cover, prices: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """(pick, units, most, price) by price per unit, without items that a cheaper larger one replaces.

    An item with a binding stock replaces nothing: the rest might still be needed.
    """
    ordered = sorted(
        ((prices[at], -units, at, units, most) for at, units, most in cover.items),
    )
    kept: list[tuple[int, int, int, int]] = []
    reach = 0
    for price, _, at, units, most in ordered:
        if units <= reach:
            continue
        kept.append((at, units, most, price))
        if units * most >= cover.need and most >= cover.fewest:
            reach = units
    kept.sort(key=cmp_to_key(_by_ratio))
    return kept


def _by_ratio(one: tuple[int, int, int, int], two: tuple[int, int, int, int]) -> int:
    """Price per unit in exact arithmetic; then larger units, then order."""
    cross = one[3] * two[1] - two[3] * one[1]
    return cross or two[1] - one[1] or one[0] - two[0]


class _Search:
    """Depth-first search over counts, cheapest units first."""

    def __init__(self, items: list[tuple[int, int, int, int]], ceiling: int | None) -> None:
        self.items = items
        self.best = ceiling
        self.best_counts: list[tuple[int, int]] | None = None
        self.path: list[tuple[int, int]] = []
        self.least = [0] * (len(items) + 1)
        least = 0
        for at in range(len(items) - 1, -1, -1):
            price = items[at][3]
            least = price if at == len(items) - 1 else min(least, price)
            self.least[at] = least

    def run(self, at: int, need: int, fewest: int, cost: int) -> None:
        """Extends the path by counts of items `at` and later."""
        if need <= 0 and fewest <= 0:
            if self.best is None or cost < self.best:
                self.best = cost
                self.best_counts = list(self.path)
            return
        if at == len(self.items):
            return
        _, units, most, price = self.items[at]
        if self.best is not None:
            by_units = -(-need * price // units) if need > 0 else 0
            by_count = fewest * self.least[at] if fewest > 0 else 0
            if cost + max(by_units, by_count) >= self.best:
                return
        useful = max(-(-need // units) if need > 0 else 0, fewest)
        for count in range(min(most, useful), -1, -1):
            self.path.append((at, count))
            self.run(at + 1, need - count * units, fewest - count, cost + count * price)
            self.path.pop()
