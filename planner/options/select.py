"""Which layouts of a vectorized pass become records: all of them when asked, else those that can matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from planner.options.asks import PoolFacts
from planner.options.dominance import prune
from planner.options.fitting import Sorted
from planner.options.records import Found

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def best_by_gpus(pool: Ints, gpus: Ints, ok: Bools, rate: Floats, used: Floats) -> list[int]:
    """For each pool and number of GPUs the fastest layout that is ok; of equally fast ones the leanest.

    The others of that number are dominated: same GPUs, no faster.

    >>> ok = np.array([True] * 4)
    >>> rate = np.array([5.0, 7, 6, 1])
    >>> best_by_gpus(np.array([0, 0, 0, 1]), np.array([1, 1, 2, 2]), ok, rate, np.ones(4))
    [1, 2, 3]
    """
    rows = np.flatnonzero(ok)
    order = rows[np.lexsort((rows, used[rows], -rate[rows], gpus[rows], pool[rows]))]
    return _first_of_each(order, pool, gpus)


def nearest(pool: Ints, stage: Ints, shortage: Floats) -> list[int]:
    """For each pool and test the layout with the least shortage among those that failed it (stage > 0).

    >>> nearest(np.array([0, 0, 0, 1]), np.array([1, 1, 0, 2]), np.array([3.0, 2.0, 1.0, 9.0]))
    [1, 3]
    """
    rows = np.flatnonzero(stage)
    order = rows[np.lexsort((rows, shortage[rows], stage[rows], pool[rows]))]
    return _first_of_each(order, pool, stage)


def _first_of_each(order: Ints, pool: Ints, kind: Ints) -> list[int]:
    """The first row of each run of equal pool and kind."""
    if not len(order):
        return []
    pools, kinds = pool[order], kind[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (pools[1:] != pools[:-1]) | (kinds[1:] != kinds[:-1])
    first: list[int] = order[fresh].tolist()
    return first


def first_failed(tests: list[tuple[Bools, Floats]]) -> tuple[Ints, Floats]:
    """Number of the first test that each layout fails, counted from 1, and its shortage; 0 where it fails none.

    >>> failed = [(np.array([True, False]), np.array([4.0, -1])), (np.array([True, True]), np.ones(2))]
    >>> [part.tolist() for part in first_failed(failed)]
    [[1, 2], [4.0, 1.0]]
    """
    stage = np.zeros(tests[0][0].shape, np.int64)
    shortage = np.zeros(tests[0][0].shape)
    for number in range(len(tests), 0, -1):
        failed, short = tests[number - 1]
        stage = np.where(failed, number, stage)
        shortage = np.where(failed, short, shortage)
    return stage, shortage


def written(parts: Sequence[Sorted], pool: PoolFacts, *, multiples: bool, detail: bool) -> Found:
    """All parts together; without `detail` only rows that no other beats become options.

    On spot nodes rows that are beaten are kept: which beats which shows only after the interruptions.
    """
    fitting = [row for part in parts for row in part.fitting]
    every = detail or pool.interruption is not None
    kept = fitting if every else prune(fitting, multiples=multiples)[0]
    return Found(
        tuple(row.option() for row in kept),
        tuple(rejection for part in parts for rejection in part.rejections),
        sum(part.fits for part in parts) - len(kept),
        sum(part.rejected for part in parts),
        pruned=not every,
    )
