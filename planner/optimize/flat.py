"""Reduced costs of many columns at once, in exact 64-bit arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

PRICE_CEILING = 2**55
"""Prices stay below this, so that sums over a covering problem fit 62 bits."""

PRICE_SCALE = 1000
"""Prices are whole thousandths of a cent."""


class FlatColumns:
    """Columns with a cost in cents and (linking row, coefficient) entries each.

    >>> FlatColumns([2, 0], [((0, 1), (1, -3)), ()]).prices([500, 100])
    (2200, 0)
    """

    def __init__(self, costs: Sequence[int], uses: Sequence[Sequence[tuple[int, int]]]) -> None:
        import numpy as np

        lengths = np.array([len(one) for one in uses], dtype=np.int64)
        self._costs = np.array([cost * PRICE_SCALE for cost in costs], dtype=np.int64)
        self._rows = np.array([at for one in uses for at, _ in one], dtype=np.int64)
        self._coefficients = np.array([c for one in uses for _, c in one], dtype=np.int64)
        self._starts = np.cumsum(lengths) - lengths
        self._empty = lengths == 0
        self._dearest = max((abs(cost) * PRICE_SCALE for cost in costs), default=0)

    def prices(self, duals: Sequence[int]) -> tuple[int, ...]:
        """Cost x PRICE_SCALE + sum of coefficient x dual, per column; OverflowError beyond 55 bits."""
        import numpy as np

        if not len(self._costs):
            return ()
        # Row by row: budgets have large coefficients and small prices, nodes the other way round.
        sizes = np.abs(np.asarray(duals, dtype=np.float64))[self._rows]
        sizes = sizes * np.abs(self._coefficients)
        reach = np.add.reduceat(np.append(sizes, 0.0), self._starts).max(initial=0.0)
        if reach + self._dearest >= PRICE_CEILING:
            raise OverflowError("prices leave 62 bits")
        products = self._coefficients * np.asarray(duals, dtype=np.int64)[self._rows]
        sums = np.add.reduceat(np.append(products, 0), self._starts)
        sums[self._empty] = 0
        return tuple((self._costs + sums).tolist())


def box_minimum(prices: Sequence[int], boxes: Sequence[tuple[int, int]]) -> int:
    """Least sum of price x column within (low, high) of each column.

    >>> box_minimum([5, -3, 2], [(0, 9), (0, 4), (1, 1)])
    -10
    """
    total = 0
    for price, (low, high) in zip(prices, boxes, strict=True):
        if price < 0:
            total += price * high
        elif low:
            total += price * low
    return total
