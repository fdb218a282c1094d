"""The cheapest assignment of one demand at given integer prices, exactly: a small covering problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cmp_to_key

from planner.optimize.blocks import Demand
from planner.optimize.covering_table import NEVER, Charges, Item, Table
from planner.options.problem import DEMAND_UNITS, Supply

Counts = tuple[tuple[int, int], ...]
"""(pick number, count), sorted."""

BRANCH_LIMIT = 3000
"""Branches of one covering problem before the table takes over."""


@dataclass(frozen=True, slots=True)
class Cover:
    """Pick numbers with their units, such that a mix of them serves the demand."""

    need: int
    fewest: int
    items: tuple[tuple[int, int, int], ...]
    """(pick number, units, most)."""
    forced: Counts = ()
    """Counts that are part of the mix already; `need`, `fewest` and `most` are what remains."""

    def within(self, limits: Mapping[int, tuple[int, int]]) -> Cover | None:
        """The cover with (low, high) counts of some picks; None where they leave nothing."""
        units = {at: u for at, u, _ in self.items}
        forced = tuple((at, low) for at, (low, _) in sorted(limits.items()) if low)
        if any(at not in units for at, _ in forced):
            return None
        need = self.need - sum(units[at] * low for at, low in forced)
        fewest = self.fewest - sum(low for _, low in forced)
        items = []
        for at, u, most in self.items:
            low, high = limits.get(at, (0, most))
            if min(most, high) > low:
                items.append((at, u, min(most, high) - low))
        if not items and (need > 0 or fewest > 0):
            return None
        return Cover(max(0, need), max(0, fewest), tuple(items), forced)

    def base(self, prices: Sequence[int], charges: Charges) -> tuple[int, Charges]:
        """Price of what is forced, and the charges that remain for the rest."""
        opened = {charges[at] for at, _ in self.forced if at in charges}
        price = sum(prices[at] * n for at, n in self.forced) + sum(c for _, c in opened)
        rest = {at: charge for at, charge in charges.items() if charge not in opened}
        return price, rest


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
            need = DEMAND_UNITS + facts.spare_replicas * (threshold if facts.spare_replicas else 0)
            found.append(Cover(need, fewest, items))
    return tuple(found)


def cheapest_mix(
    alternatives: Sequence[Cover], prices: Sequence[int], charges: Charges | None = None
) -> tuple[int, Counts] | None:
    """Least price and its counts over all alternatives; None when none can serve.

    >>> cover = Cover(2000, 1, ((0, 700, 3), (1, 1000, 2)))
    >>> cheapest_mix([cover], [10, 17])
    (30, ((0, 3),))
    """
    best: tuple[int, Counts] | None = None
    bases = [cover.base(prices, charges or {}) for cover in alternatives]
    ranked = sorted(
        (base + _least(cover, prices), at)
        for at, (cover, (base, _)) in enumerate(zip(alternatives, bases, strict=True))
    )
    for least, at in ranked:
        if best is not None and least >= best[0]:
            break
        base, rest = bases[at]
        ceiling = None if best is None else best[0] - base
        found = solve_cover(alternatives[at], prices, rest, ceiling)
        if found is not None and (best is None or base + found[0] < best[0]):
            best = base + found[0], joined(alternatives[at].forced, found[1])
    return best


def joined(forced: Counts, rest: Counts) -> Counts:
    """Counts added up."""
    if not forced:
        return rest
    total = dict(forced)
    for at, n in rest:
        total[at] = total.get(at, 0) + n
    return tuple(sorted(total.items()))


def _least(cover: Cover, prices: Sequence[int]) -> int:
    """The price of covering with fractions of the cheapest item per unit: no mix costs less."""
    need = cover.need
    return min((need * prices[at] // units for at, units, _ in cover.items), default=0)


def least_with(alternatives: Sequence[Cover], prices: Sequence[int], pick: int) -> int:
    """A price that no mix with at least one replica of `pick` goes below; NEVER if none has one."""
    best = NEVER
    for cover in alternatives:
        own = next((units for at, units, _ in cover.items if at == pick), None)
        if own is None:
            continue
        rest = max(0, cover.need - own)
        others = min(rest * prices[at] // units for at, units, _ in cover.items)
        best = min(best, prices[pick] + others)
    return best


def solve_cover(
    cover: Cover, prices: Sequence[int], charges: Charges, ceiling: int | None
) -> tuple[int, Counts] | None:
    """Least price of a cover's mixes, if below `ceiling`: branch and bound while that is short.

    Else a table over the units still needed.
    """
    items = _undominated(cover, prices, charges)
    search = _Search(items, charges, cover.need, ceiling, BRANCH_LIMIT)
    search.run(0, cover.need, cover.fewest, 0)
    if search.steps > BRANCH_LIMIT:
        value, counts = Table(items, charges, cover.need, cover.fewest).solve()
        return (value, _named(items, counts)) if _below(value, ceiling) and value < NEVER else None
    if search.best_counts is None or search.best is None:
        return None
    return search.best, _named(items, search.best_counts)


def _below(value: int, ceiling: int | None) -> bool:
    return ceiling is None or value < ceiling


def _named(items: list[Item], counts: Sequence[tuple[int, int]]) -> Counts:
    return tuple(sorted((items[i][0], n) for i, n in counts if n))


def _undominated(cover: Cover, prices: Sequence[int], charges: Charges) -> list[Item]:
    """(pick, units, most, price) without items that a cheaper larger one replaces, the cheapest units first.

    An item with a binding stock replaces nothing: the rest might still be needed. One whose supply is
    charged for replaces others only with the charge counted in.
    """
    ordered = sorted((prices[at], -units, at, most) for at, units, most in cover.items)
    full = sorted(
        (prices[at] + charges.get(at, (-1, 0))[1], units)
        for at, units, most in cover.items
        if units * most >= cover.need and most >= cover.fewest
    )
    kept: list[Item] = []
    own: dict[int, int] = {}
    reach = following = 0
    for price, minus_units, at, most in ordered:
        units = -minus_units
        while following < len(full) and full[following][0] < price:
            reach = max(reach, full[following][1])
            following += 1
        supply = charges.get(at, (-1, 0))[0]
        if units <= reach or units <= own.get(supply, 0):
            continue
        kept.append((at, units, most, price))
        if units * most >= cover.need and most >= cover.fewest:
            own[supply] = units
    spread = {item[0]: _spread(item, charges, cover.need) for item in kept}

    def by_spread(one: Item, two: Item) -> int:
        (price, units), (other_price, other_units) = spread[one[0]], spread[two[0]]
        return price * other_units - other_price * units or by_ratio(one, two)

    kept.sort(key=cmp_to_key(by_spread))
    return kept


def by_ratio(one: Item, two: Item) -> int:
    """Price per unit in exact arithmetic; then larger units, then order."""
    cross = one[3] * two[1] - two[3] * one[1]
    return cross or two[1] - one[1] or one[0] - two[0]


class _Search:
    """Depth-first search over counts, cheapest units first; what a supply is charged counts as part of its units.

    Whoever takes a share of the need from a supply pays at least that share of its charge. So no rest costs less
    than the rest times the least price per unit, charges spread over the whole need; supplies that are paid for
    already count without.
    """

    def __init__(
        self, items: list[Item], charges: Charges, need: int, ceiling: int | None, limit: int
    ) -> None:
        self.items = items
        self.charges = [charges.get(item[0], (-1, 0)) for item in items]
        self.spread = [_spread(item, charges, need) for item in items]
        """Price with a share of the charge, and the units that it buys."""
        self.own: dict[int, list[tuple[int, int] | None]] = {}
        self.best = ceiling
        self.limit = limit
        self.steps = 0
        self.best_counts: list[tuple[int, int]] | None = None
        self.path: list[tuple[int, int]] = []
        self.least = [0] * (len(items) + 1)
        least = 0
        for at in range(len(items) - 1, -1, -1):
            price = items[at][3]
            least = price if at == len(items) - 1 else min(least, price)
            self.least[at] = least

    def run(self, at: int, need: int, fewest: int, cost: int, paid: tuple[int, ...] = ()) -> None:
        """Extends the path by counts of items `at` and later; `paid`: supplies whose charge is in `cost`."""
        self.steps += 1
        if self.steps > self.limit:
            return
        if need <= 0 and fewest <= 0:
            if self.best is None or cost < self.best:
                self.best = cost
                self.best_counts = list(self.path)
            return
        if at == len(self.items):
            return
        if self.best is not None and cost + self._rest(at, need, fewest, paid) >= self.best:
            return
        _, units, most, price = self.items[at]
        useful = max(-(-need // units) if need > 0 else 0, fewest)
        supply, charge = self.charges[at]
        opened = paid
        if supply in paid:
            charge = 0
        elif charge:
            opened = (*paid, supply)
        for count in range(min(most, useful), -1, -1):
            self.path.append((at, count))
            total = cost + count * price + (charge if count else 0)
            left = need - count * units
            self.run(at + 1, left, fewest - count, total, opened if count else paid)
            self.path.pop()

    def _rest(self, at: int, need: int, fewest: int, paid: tuple[int, ...]) -> int:
        """A price that no way to cover the rest goes below."""
        by_units = 0
        if need > 0:
            price, units = self.spread[at]
            by_units = -(-need * price // units)
            for supply in paid:
                own = self._own(supply)[at]
                if own is not None:
                    by_units = min(by_units, -(-need * own[0] // own[1]))
        return max(by_units, fewest * self.least[at] if fewest > 0 else 0)

    def _own(self, supply: int) -> list[tuple[int, int] | None]:
        """Price and units of the supply's item that costs least per unit, from each item on."""
        known = self.own.get(supply)
        if known is None:
            known = self.own[supply] = [None] * len(self.items)
            best: tuple[int, int] | None = None
            for at in range(len(self.items) - 1, -1, -1):
                _, units, _, price = self.items[at]
                if self.charges[at][0] == supply and (
                    best is None or price * best[1] < best[0] * units
                ):
                    best = price, units
                known[at] = best
        return known


def _spread(item: Item, charges: Charges, need: int) -> tuple[int, int]:
    """Price and units of one item times the need, with the charge of its supply for all of it.

    >>> _spread((0, 700, 3, 10), {0: (5, 2000)}, 2000)
    (1420000, 1400000)
    """
    pick, units, _, price = item
    whole = max(1, need)
    return price * whole + charges.get(pick, (-1, 0))[1] * units, units * whole
