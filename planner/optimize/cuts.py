"""What any prices prove about the supply columns alone: lower bounds that hold everywhere, kept and reused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planner.optimize.bound import Boxes, Priced
from planner.optimize.flat import PRICE_SCALE, box_minimum

CUTS_KEPT = 600
REACH = 2**61
"""Cuts whose sums could leave 62 bits are not kept."""


class CutPool:
    """Cuts `cost x PRICE_SCALE >= constant + sum of price x supply column`, one per set of prices tried.

    Each is the Lagrangian bound with the supply columns left open: exact in integers, valid for every plan.
    Columns that no box narrows enter with the least they can add.
    """

    def __init__(self, boxes: Boxes, columns: Sequence[int] | None = None) -> None:
        """Args: the widest boxes, and the columns that boxes may narrow (default: all)."""
        self._columns = list(range(len(boxes)) if columns is None else columns)
        narrowed = set(self._columns)
        self._rest = [at for at in range(len(boxes)) if at not in narrowed]
        self._widest = boxes
        self._reach = [max(abs(low), abs(high), 1) for low, high in boxes]
        self._constants: list[int] = []
        self._prices: list[tuple[int, ...]] = []
        self._table: np.ndarray | None = None

    def add(self, priced: Priced, boxes: Boxes) -> None:
        """Keeps the cut of one pricing, made within any boxes but without limits on picks."""
        all_prices = priced.supply_prices
        constant = priced.bound_scaled - box_minimum(all_prices, boxes)
        constant += box_minimum(
            [all_prices[at] for at in self._rest], [self._widest[at] for at in self._rest]
        )
        prices = tuple(all_prices[at] for at in self._columns)
        reach = abs(constant) + sum(
            abs(price) * self._reach[at] for price, at in zip(prices, self._columns, strict=True)
        )
        if reach >= REACH:
            return
        self._constants.append(constant)
        self._prices.append(prices)
        self._table = None
        if len(self._constants) > CUTS_KEPT:
            del self._constants[0], self._prices[0]

    def bound(self, boxes: Boxes) -> int:
        """Least cost in cents, rounded up, that any plan within the boxes can have; 0 without cuts."""
        if not self._constants:
            return 0
        return -(-int(self._least(boxes).max()) // PRICE_SCALE)

    def children(self, boxes: Boxes, at: int, floor: int) -> tuple[int, int]:
        """Bounds with column `at` at most `floor`, and above it."""
        low, high = boxes[at]
        down = (*boxes[:at], (low, floor), *boxes[at + 1 :])
        up = (*boxes[:at], (floor + 1, high), *boxes[at + 1 :])
        return self.bound(down), self.bound(up)

    def _least(self, boxes: Boxes) -> np.ndarray:
        if self._table is None:
            self._table = np.array(self._prices, dtype=np.int64)
        lows = np.array([boxes[at][0] for at in self._columns], dtype=np.int64)
        highs = np.array([boxes[at][1] for at in self._columns], dtype=np.int64)
        products: np.ndarray = np.minimum(self._table * lows, self._table * highs).sum(axis=1)
        return products + np.array(self._constants, dtype=np.int64)
