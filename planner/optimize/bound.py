"""A lower bound on cost that is exact for any prices: Lagrangian relaxation of the linking rows in integers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.optimize.covering_table import Charges
from planner.optimize.flat import PRICE_SCALE, FlatColumns, box_minimum
from planner.optimize.linking import Linked
from planner.optimize.pricing import Counts, Cover, cheapest_mix, covers

if TYPE_CHECKING:
    from planner.optimize.screening import Screen


Limits = dict[int, dict[int, tuple[int, int]]]
"""Demand -> pick -> (low, high) count, for demands of one copy."""

Mixes = Mapping[int, tuple[int, Counts] | None]
"""Cheapest mixes found together, by demand."""

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
    charges: tuple[Charges, ...]
    """Per demand: what its mixes pay for using a supply at all."""


class Pricer:
    """Prices all demands of one exact model."""

    def __init__(self, link: Linked) -> None:
        self.link = link
        build = link.build
        self.covers: list[tuple[Cover, ...]] = [
            () if demand.single else covers(demand, build.problem.supplies)
            for demand in build.demands
        ]
        self.active = list(self.covers)
        """The covers within the limits in force."""
        self.limits: Limits = {}
        self.screen: Screen | None = None
        model = build.model
        self.boxes: Boxes = tuple((model.lows[c], model.highs[c]) for c in link.supply_columns)
        objective = build.model.objective
        self.supply_costs = [objective.get(c, 0) for c in link.supply_columns]
        self._flatten()

    def rent(self) -> tuple[int, ...]:
        """Prices to begin with: each supply column that costs is paid for by the row to which it gives most.

        What a node costs is then what its GPUs cost together; any prices would give a valid bound.
        """
        prices = [0] * len(self.link.right)
        for cost, uses in zip(self.supply_costs, self.link.supply_uses, strict=True):
            row, gives = min(uses, key=lambda use: (use[1], use[0]), default=(0, 0))
            if cost > 0 and gives < 0:
                prices[row] = max(prices[row], cost * PRICE_SCALE // -gives)
        return tuple(prices)

    def narrow(self, limits: Limits) -> None:
        """Puts limits on pick counts in force, instead of those before."""
        for number in self.limits:
            self.active[number] = self.covers[number]
        for number, of_demand in limits.items():
            narrowed = (cover.within(of_demand) for cover in self.covers[number])
            self.active[number] = tuple(cover for cover in narrowed if cover is not None)
        self.limits = limits

    def allowed(self, number: int) -> Iterable[int]:
        """Picks that a single demand may take within the limits in force."""
        count = len(self.link.picks[number])
        limits = self.limits.get(number)
        if limits is None:
            return range(count)
        forced = [at for at, (low, _) in limits.items() if low]
        return forced or [at for at in range(count) if limits.get(at, (0, 1))[1]]

    def may_idle(self, number: int) -> bool:
        """Whether the demand may stay unserved."""
        if self.link.build.demands[number].facts.required:
            return False
        return not any(low for low, _ in self.limits.get(number, {}).values())

    def price(self, duals: Sequence[int], boxes: Boxes | None = None) -> Priced | None:
        """The bound at scaled integer duals >= 0; None when a demand has no assignment at all.

        `boxes` narrows the supply columns: the bound then holds for plans within them.
        """
        link = self.link
        total = -sum(d * r for d, r in zip(duals, link.right, strict=True))
        everything = self.all_prices(duals)
        charges = tuple(
            {} if demand.single else self.charged(number, duals)
            for number, demand in enumerate(link.build.demands)
        )
        mixes = self._screened(everything, duals, charges)
        cheapest = []
        for number, demand in enumerate(link.build.demands):
            found = self.cheapest(number, everything[number], duals, charges[number], mixes)
            if found is None:
                return None
            total += found[0] * len(demand.copies)
            cheapest.append(found)
        supply_prices = self._supply.prices(duals)
        total += box_minimum(supply_prices, boxes or self.boxes)
        return Priced(
            -(-total // PRICE_SCALE),
            total,
            tuple(cheapest),
            tuple(everything),
            supply_prices,
            charges,
        )

    def _screened(
        self, prices: Sequence[tuple[int, ...]], duals: Sequence[int], charges: Sequence[Charges]
    ) -> Mixes:
        """Cheapest mixes of all demands without limits; none where a price is negative."""
        from planner.optimize.screening import Screen

        if self.screen is None:
            self.screen = Screen(self.link, self.covers, self.spans)
        if not self.screen.numbers or self.flat_prices.min(initial=0) < 0:
            return {}
        return self.screen.cheapest(prices, self.flat_prices, duals, charges)

    def all_prices(self, duals: Sequence[int]) -> list[tuple[int, ...]]:
        """Scaled price of each pick of each demand, in exact 64-bit arithmetic."""
        import numpy as np

        prices = self._picks.prices(duals)
        self.flat_prices = np.array(prices, dtype=np.float64)
        return [prices[first:last] for first, last in self.spans]

    def _flatten(self) -> None:
        """Costs and linking coefficients of all picks and supply columns in flat arrays."""
        flat = [data for picks in self.link.picks for data in picks]
        self.spans = []
        first = 0
        for picks in self.link.picks:
            self.spans.append((first, first + len(picks)))
            first += len(picks)
        self._picks = FlatColumns([data.cost for data in flat], [data.uses for data in flat])
        self._supply = FlatColumns(self.supply_costs, self.link.supply_uses)

    def charged(self, number: int, duals: Sequence[int]) -> Charges:
        """Supply and price of using it, per pick of a mixed demand whose supply is charged for."""
        charges = self.link.charge_prices(number, duals)
        if not charges:
            return {}
        return {
            at: (pick.facts.supply, charges[pick.facts.supply])
            for at, pick in enumerate(self.link.build.demands[number].picks)
            if pick.facts.gpus and pick.facts.supply in charges
        }

    def cheapest(
        self,
        number: int,
        prices: Sequence[int],
        duals: Sequence[int],
        charges: Charges,
        mixes: Mixes,
    ) -> tuple[int, Assignment] | None:
        """The cheapest assignment of one copy."""
        demand = self.link.build.demands[number]
        best: tuple[int, Assignment] | None = None
        if self.may_idle(number):
            price = self.link.price(self.link.unserved[number], duals)
            best = (price, Assignment(number, (), unserved=True))
        if demand.single:
            at = min(self.allowed(number), key=prices.__getitem__, default=-1)
            if at >= 0 and (best is None or prices[at] < best[0]):
                best = (prices[at], Assignment(number, ((at, 1),)))
            return best
        if number in mixes and number not in self.limits:
            mix = mixes[number]
        else:
            mix = cheapest_mix(self.active[number], prices, charges)
        if mix is not None and (best is None or mix[0] < best[0]):
            best = (mix[0], Assignment(number, mix[1]))
        return best
