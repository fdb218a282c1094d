"""Requests shared out by size: what each size weighs on a replica, by the model or by the user's table."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.options.asks import MeasuredRates, RequestSize, ServingAsk
from planner.options.problem import LOAD_UNITS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
NOISE = 1e-6
"""Of 1/LOAD_UNITS: what floating-point arithmetic may add to a load that is a whole number of units."""


@dataclass(frozen=True, slots=True)
class SizeRates:
    """Requests/s of one replica as if all requests had one size: arrays sizes x layouts, 0 where not served."""

    sizes: tuple[RequestSize, ...]
    asked: float
    """Requests/s of all sizes together."""
    best: Floats
    low: Floats
    high: Floats
    counted: Floats
    """What the plan counts on: `low` at default risk."""
    ttft_s: Floats | None = None
    tpot_s: Floats | None = None
    """Latencies at the percentile; None where rates were measured."""

    def mix(self, rates: Floats) -> Floats:
        """Requests/s of the sizes a replica serves, in their proportions: sum of shares / sum (share / rate).

        >>> size = RequestSize(100, 100, 0.5)
        >>> rates = np.array([[2.0], [6.0]])
        >>> SizeRates((size, size), 1.0, rates, rates, rates, rates).mix(rates)
        array([3.])
        """
        shares = np.array([[s.share] for s in self.sizes])
        served = self.counted > 0
        busy = np.sum(np.where(served, shares / np.where(rates > 0, rates, 1.0), 0.0), axis=0)
        total = np.sum(np.where(served, shares, 0.0), axis=0)
        return np.asarray(np.where(busy > 0, total / np.where(busy > 0, busy, 1.0), 0.0))

    def loads(self, i: int) -> tuple[int, ...]:
        """Load of all requests of each size on one replica of layout `i`, rounded up; -1: not served."""
        return tuple(
            load_units(self.asked * size.share, float(rate))
            for size, rate in zip(self.sizes, self.counted[:, i], strict=True)
        )

    def heaviest(self, i: int) -> int:
        """The size that keeps a replica of layout `i` busy for longest."""
        loads = self.loads(i)
        return loads.index(max(loads))

    def worst(self, latency: Floats | None, i: int) -> float | None:
        """The largest latency of all sizes served."""
        if latency is None:
            return None
        return float(np.max(latency[:, i][self.counted[:, i] > 0], initial=0.0))


def load_units(asked: float, rate: float) -> int:
    """Replicas that `asked` requests/s keep busy, in 1/LOAD_UNITS, rounded up; -1 where the rate is 0.

    >>> load_units(15.0, 5.0), load_units(1.0, 3.0), load_units(1.0, 0.0)
    (6000, 667, -1)
    """
    return math.ceil(LOAD_UNITS * asked / rate - NOISE) if rate > 0 else -1


def measured_rates(ask: ServingAsk, gpu: str, gpus: NDArray[np.int64]) -> SizeRates:
    """Rates of the user's table over layouts of `gpus` GPUs; 0 for counts it does not hold."""
    rows = {row.gpus: row.rates for row in rows_of(ask, gpu)}
    none = (0.0,) * len(ask.buckets)
    table = np.array([rows.get(int(n), none) for n in gpus], np.float64).T
    return SizeRates(ask.buckets, ask.rate or 0.0, table, table, table, table)


def rows_of(ask: ServingAsk, gpu: str) -> tuple[MeasuredRates, ...]:
    """Rows of the user's table for a GPU."""
    return tuple(row for row in ask.measured if row.gpu == gpu)


def best_by_size(gpus: NDArray[np.int64], ok: Bools, rates: Floats, used: Floats) -> list[int]:
    """For each number of GPUs the layouts that are best at some size or mix; of equal ones the leanest.

    >>> rates = np.array([[5.0, 7, 6, 5], [2, 1, 1, 2]])
    >>> best_by_size(np.ones(4, np.int64), np.array([True] * 4), rates, np.array([2.0, 1, 1, 1]))
    [1, 3]
    """
    chosen: list[int] = []
    for count in np.unique(gpus[ok]):
        rows = np.flatnonzero(ok & (gpus == count))
        order = np.lexsort((rows, used[rows], -rates[:, rows].sum(axis=0)))
        kept: list[int] = []
        for row in (int(r) for r in rows[order]):
            if not any(np.all(rates[:, k] >= rates[:, row]) for k in kept):
                kept.append(row)
        chosen += sorted(kept)
    return chosen
