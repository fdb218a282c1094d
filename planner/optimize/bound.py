"""A lower bound on cost that is exact for any prices: Lagrangian relaxation of the linking rows in integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.optimize.linking import Linked
from planner.optimize.pricing import Counts, Cover, cheapest_mix, covers

PRICE_SCALE = 1000
"""Prices are whole thousandths of a cent."""

Boxes = tuple[tuple[int, int], ...]
"""(low, high) of each supply column."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One complete way to serve one copy of a demand; no picks: unserved."""

    demand: int
    counts: Counts
    unserved: bool = False


@dataclass(frozen=True, slots=True)
class Priced:
    """What one set of prices proves and suggests."""

    bound: int
    """Least cost in cents that any plan can have, rounded up."""
    bound_scaled: int
    cheapest: tuple[tuple[int, Assignment], ...]
    """Per demand: scaled price of its cheapest assignment, and that assignment."""
    pick_prices: tuple[tuple[int, ...], ...]
    supply_prices: tuple[int, ...]
    """Scaled reduced cost of each supply column."""
    fixed: int
    """Scaled right-hand side part."""


class Pricer:
    """Prices all demands of one exact model."""

    def __init__(self, link: Linked) -> None:
        self.link = link
        build = link.build
        self.covers: list[tuple[Cover, ...]] = [
            () if demand.single else covers(demand, build.problem.supplies)
            for demand in build.demands
        ]
        model = build.model
        self.boxes: Boxes = tuple((model.lows[c], model.highs[c]) for c in link.supply_columns)
        objective = build.model.objective
        self.supply_costs = [objective.get(c, 0) for c in link.supply_columns]

    def price(self, duals: Sequence[int], boxes: Boxes | None = None) -> Priced | None:
        """The bound at scaled integer duals >= 0; None when a demand has no assignment at all.

        `boxes` narrows the supply columns: the bound then holds for plans within them.
        """
        link = self.link
        total = fixed = -sum(d * r for d, r in zip(duals, link.right, strict=True))
        pick_prices = []
        cheapest = []
        for number, demand in enumerate(link.build.demands):
            prices = self.pick_prices(number, duals)
            found = self.cheapest(number, prices, duals)
            if found is None:
                return None
            total += found[0] * len(demand.copies)
            pick_prices.append(prices)
            cheapest.append(found)
        supply_prices = tuple(
            cost * PRICE_SCALE + link.price(uses, duals)
            for cost, uses in zip(self.supply_costs, link.supply_uses, strict=True)
        )
        for price, (low, high) in zip(supply_prices, boxes or self.boxes, strict=True):
            total += min(price * low, price * high)
        return Priced(
            -(-total // PRICE_SCALE),
            total,
            tuple(cheapest),
            tuple(pick_prices),
            supply_prices,
            fixed,
        )

    def pick_prices(self, number: int, duals: Sequence[int]) -> tuple[int, ...]:
        """Scaled price of each pick of a demand."""
        return tuple(
            data.cost * PRICE_SCALE + sum(c * duals[at] for at, c in data.uses)
            for data in self.link.picks[number]
        )

    def cheapest(
        self, number: int, prices: Sequence[int], duals: Sequence[int]
    ) -> tuple[int, Assignment] | None:
        """The cheapest assignment of one copy."""
        demand = self.link.build.demands[number]
        best: tuple[int, Assignment] | None = None
        if not demand.facts.required:
            price = self.link.price(self.link.unserved[number], duals)
            best = (price, Assignment(number, (), unserved=True))
        if demand.single:
            if prices:
                at = min(range(len(prices)), key=prices.__getitem__)
                if best is None or prices[at] < best[0]:
                    best = (prices[at], Assignment(number, ((at, 1),)))
            return best
        mix = cheapest_mix(self.covers[number], prices)
        if mix is not None and (best is None or mix[0] < best[0]):
            best = (mix[0], Assignment(number, mix[1]))
        return best
