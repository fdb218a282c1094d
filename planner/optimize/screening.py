"""Covers of all demands at once, in floating point: which items can matter at all, so that few are searched.

Nothing here decides a price: what is kept is searched in exact integers, and margins keep every item that
might be part of a cheaper mix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.optimize.covering_table import Charges
from planner.optimize.flat import FlatColumns
from planner.optimize.linking import Linked
from planner.optimize.pricing import Counts, Cover, solve_cover

MARGIN = 1e-9
"""Relative margin, far above the rounding of a few sums and products in double precision."""

Floats = np.ndarray
Ints = np.ndarray


@dataclass(frozen=True, slots=True)
class _Flat:
    """Items of all covers of all screened demands, cover by cover."""

    pick: Ints
    """Place of each item's pick among all picks of the problem."""
    units: Floats
    most: Floats
    charge: Ints
    """Charge of each item's supply for its demand; the last, always zero, where there is none."""
    first: Ints
    """First item of each cover."""
    cover_of: Ints
    need: Floats
    fewest: Floats
    first_cover: Ints
    """First cover of each screened demand."""
    demand_of: Ints


class Screen:
    """The covers of the demands listed, ready to be screened at any prices >= 0."""

    def __init__(
        self, link: Linked, covers: Sequence[Sequence[Cover]], spans: Sequence[tuple[int, int]]
    ) -> None:
        self.numbers = [number for number, of_demand in enumerate(covers) if of_demand]
        self._covers = [cover for number in self.numbers for cover in covers[number]]
        self._flat = self._flatten(link, covers, spans)

    def _flatten(
        self, link: Linked, covers: Sequence[Sequence[Cover]], spans: Sequence[tuple[int, int]]
    ) -> _Flat:
        pick: list[int] = []
        units: list[float] = []
        most: list[float] = []
        charge: list[int] = []
        first: list[int] = []
        cover_of: list[int] = []
        first_cover: list[int] = []
        demand_of: list[int] = []
        charged = {
            key: index
            for index, key in enumerate(
                (number, supply) for number in self.numbers for supply in link.charges[number]
            )
        }
        self._charges = FlatColumns(
            [0] * len(charged), [link.charges[number][supply] for number, supply in charged]
        )
        for place, number in enumerate(self.numbers):
            picks = link.build.demands[number].picks
            first_cover.append(len(first))
            for cover in covers[number]:
                first.append(len(pick))
                for at, of_item, most_of_item in cover.items:
                    facts = picks[at].facts
                    pick.append(spans[number][0] + at)
                    units.append(float(of_item))
                    most.append(float(most_of_item))
                    key = (number, facts.supply) if facts.gpus else None
                    charge.append(charged.get(key, len(charged)) if key else len(charged))
                    cover_of.append(len(demand_of))
                demand_of.append(place)
        return _Flat(
            np.array(pick, dtype=np.int64),
            np.array(units),
            np.array(most),
            np.array(charge, dtype=np.int64),
            np.array(first, dtype=np.int64),
            np.array(cover_of, dtype=np.int64),
            np.array([float(cover.need) for cover in self._covers]),
            np.array([float(cover.fewest) for cover in self._covers]),
            np.array(first_cover, dtype=np.int64),
            np.array(demand_of, dtype=np.int64),
        )

    def kept(
        self, prices: Floats, charges: Floats
    ) -> tuple[list[tuple[float, int, list[int]]], list[int]]:
        """Covers with the items worth searching, and for each demand the item that covers best alone.

        An item stays where its price and charge, and the rest of the need at the best price per unit, come
        below what the best single item of the demand takes.
        """
        flat = self._flat
        price = prices[flat.pick]
        charge = np.append(charges, 0.0)[flat.charge]
        need, fewest = flat.need[flat.cover_of], flat.fewest[flat.cover_of]
        ratio = np.minimum.reduceat(price / flat.units, flat.first)
        count = np.maximum(np.ceil(need / flat.units), fewest)
        alone = np.where(count <= flat.most, count * price + charge, np.inf)
        demand_of_item = flat.demand_of[flat.cover_of]
        first_item = flat.first[flat.first_cover]
        upper = np.minimum.reduceat(alone, first_item)[demand_of_item]
        rest = np.maximum(need - flat.units, 0.0)
        lower = price + charge + rest * ratio[flat.cover_of]
        stays = np.flatnonzero(lower <= upper * (1 + MARGIN) + 1.0)
        least = flat.need * ratio * (1 - MARGIN) - 1.0
        return self._by_cover(stays, least), self._alone(alone, upper, first_item)

    def _by_cover(self, stays: Ints, least: Floats) -> list[tuple[float, int, list[int]]]:
        """Covers with something to search, those of the least possible price first."""
        flat = self._flat
        found: list[tuple[int, list[int]]] = []
        places = (stays - flat.first[flat.cover_of[stays]]).tolist()
        for cover, place in zip(flat.cover_of[stays].tolist(), places, strict=True):
            if not found or found[-1][0] != cover:
                found.append((cover, []))
            found[-1][1].append(place)
        return sorted((float(least[cover]), cover, items) for cover, items in found)

    def _alone(self, alone: Floats, upper: Floats, first_item: Ints) -> list[int]:
        """First best item of each demand; -1 where none covers alone."""
        hits = np.flatnonzero((alone == upper) & np.isfinite(upper))
        demand = self._flat.demand_of[self._flat.cover_of[hits]]
        places = np.full(len(first_item), -1, dtype=np.int64)
        places[demand[::-1]] = hits[::-1]
        found: list[int] = places.tolist()
        return found

    def cheapest(
        self,
        prices: Sequence[tuple[int, ...]],
        flat_prices: Floats,
        duals: Sequence[int],
        charges: Sequence[Charges],
    ) -> dict[int, tuple[int, Counts] | None]:
        """Least price of each demand and its counts, exactly; None where no mix serves."""
        charged = np.array(self._charges.prices(duals), dtype=np.float64)
        rows, alone = self.kept(flat_prices, charged)
        best: dict[int, tuple[int, Counts] | None] = {}
        flat = self._flat
        for place, number in enumerate(self.numbers):
            best[number] = None
            if alone[place] >= 0:
                cover_at = int(flat.cover_of[alone[place]])
                cover = self._covers[cover_at]
                at, units, _ = cover.items[alone[place] - int(flat.first[cover_at])]
                count = max(-(-cover.need // units), cover.fewest)
                total = count * prices[number][at] + charges[number].get(at, (-1, 0))[1]
                best[number] = total, ((at, count),)
        for least, cover_at, items in rows:
            number = self.numbers[int(flat.demand_of[cover_at])]
            so_far = best[number]
            if so_far is not None and least >= so_far[0]:
                continue
            cover = self._covers[cover_at]
            reduced = Cover(cover.need, cover.fewest, tuple(cover.items[at] for at in items))
            ceiling = None if so_far is None else so_far[0]
            found = solve_cover(reduced, prices[number], charges[number], ceiling)
            if found is not None:
                best[number] = found
        return best
