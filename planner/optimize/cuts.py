"""What any prices prove about the supply columns alone: lower bounds that hold everywhere, kept and reused."""

from __future__ import annotations

import numpy as np

from planner.optimize.bound import PRICE_SCALE, Boxes, Priced

CUTS_KEPT = 600
REACH = 2**61
"""Cuts whose sums could leave 62 bits are not kept."""


class CutPool:
    """Cuts `cost x PRICE_SCALE >= constant + sum of price x supply column`, one per set of prices tried.

    Each is the Lagrangian bound with the supply columns left open: exact in integers, valid for every plan.
    """

    def __init__(self, boxes: Boxes) -> None:
        self._reach = [max(abs(low), abs(high), 1) for low, high in boxes]
        self._constants: list[int] = []
        self._prices: list[tuple[int, ...]] = []
        self._table: np.ndarray | None = None

    def add(self, priced: Priced, boxes: Boxes) -> None:
        """Keeps the cut of one pricing, made within any boxes but without limits on picks."""
        least = sum(
            min(price * low, price * high)
            for price, (low, high) in zip(priced.supply_prices, boxes, strict=True)
        )
        constant = priced.bound_scaled - least
        reach = abs(constant) + sum(
            abs(price) * most for price, most in zip(priced.supply_prices, self._reach, strict=True)
        )
        if reach >= REACH:
            return
        self._constants.append(constant)
        self._prices.append(priced.supply_prices)
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
        lows = np.array([low for low, _ in boxes], dtype=np.int64)
        highs = np.array([high for _, high in boxes], dtype=np.int64)
        products: np.ndarray = np.minimum(self._table * lows, self._table * highs).sum(axis=1)
        return products + np.array(self._constants, dtype=np.int64)
