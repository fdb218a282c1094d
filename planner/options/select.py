"""Which layouts of a vectorized pass become records: all of them when asked, else those that can matter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def best_by_gpus(gpus: NDArray[np.int64], ok: Bools, rate: Floats, used: Floats) -> list[int]:
    """For each number of GPUs the fastest layout that is ok; of equally fast ones the leanest.

    The others of that number are dominated: same GPUs, no faster.

    >>> best_by_gpus(np.array([1, 1, 2]), np.array([True] * 3), np.array([5.0, 7, 6]), np.ones(3))
    [1, 2]
    """
    chosen = []
    for count in np.unique(gpus[ok]):
        rows = np.flatnonzero(ok & (gpus == count))
        order = np.lexsort((rows, used[rows], -rate[rows]))
        chosen.append(int(rows[order[0]]))
    return chosen


def nearest(failed: Bools, shortage: Floats) -> list[int]:
    """The layout with the least shortage among those that failed; empty if none did.

    >>> nearest(np.array([True, True, False]), np.array([3.0, 2.0, 1.0]))
    [1]
    """
    rows = np.flatnonzero(failed)
    return [int(rows[np.argmin(shortage[rows])])] if len(rows) else []
