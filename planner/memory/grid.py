"""Arrays of layouts: identical ones are computed once, and results are spread back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.memory.ledger import Number

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_TABLE = 1 << 22
"""Largest product of axis ranges that is indexed by a table rather than sorted."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Distinct layouts of a broadcast of tp, pp, ep, dp and link, and where each came from."""

    tp: Ints
    pp: Ints
    ep: Ints
    dp: Ints
    nvlink: NDArray[np.bool_]
    device: Ints
    """Number of each layout's GPU, where there are several."""
    tokens: Floats
    """Tokens of each layout's mean sequence."""
    inverse: Ints
    shape: tuple[int, ...]
    totals: tuple[Floats, Floats] | None = None
    """CUDA total of each layout's GPU in bytes, best and least to expect, where there are several."""

    def spread(self, values: Floats | Ints) -> Number:
        """Values of the distinct layouts as an array over all of them; a plain number for one layout.

        >>> g = grid(2, np.array([1, 2, 1]), 1, 1, True)
        >>> g.pp.tolist(), [int(v) for v in g.spread(np.array([10, 20]))]
        ([1, 2], [10, 20, 10])
        """
        if self.shape == ():
            return float(values[0])
        result: Number = np.asarray(values, dtype=np.float64)[self.inverse].reshape(self.shape)
        return result

    def spread_flags(self, values: NDArray[np.bool_]) -> bool | NDArray[np.bool_]:
        """Flags of the distinct layouts over all of them; a plain bool for one layout."""
        if self.shape == ():
            return bool(values[0])
        result: NDArray[np.bool_] = values[self.inverse].reshape(self.shape)
        return result


def _unique(codes: Ints, size: int) -> tuple[Ints, Ints]:
    """Sorted distinct codes and the position of each code among them."""
    if size > _TABLE:
        found, inverse = np.unique(codes, return_inverse=True)
        return found, inverse.reshape(-1)
    seen = np.zeros(size, dtype=bool)
    seen[codes] = True
    found = np.flatnonzero(seen)
    position = np.cumsum(seen) - 1
    return found, position[codes]


def grid(
    tp: Number,
    pp: Number,
    ep: Number,
    dp: Number,
    nvlink: Number | np.bool_ | bool,
    device: Number = 0,
    tokens: Number = 0,
) -> Grid:
    """Broadcast the axes and keep each distinct layout once."""
    lengths, length = np.unique(np.asarray(tokens, np.float64), return_inverse=True)
    wanted = (tp, pp, ep, dp, nvlink, device, length.reshape(np.shape(tokens)))
    axes = np.broadcast_arrays(*(np.asarray(a, dtype=np.int64) for a in wanted))
    shape = axes[0].shape
    flat = [np.atleast_1d(a).reshape(-1) for a in axes]
    if flat[0].size == 1:
        one = np.zeros(1, dtype=np.int64)
        return _of(flat, lengths, one, shape)
    if min(int(a.min()) for a in flat[:4]) < 1:
        raise ValueError("tp, pp, ep and dp are at least 1")
    ranges = [int(a.max()) + 1 for a in flat]
    size = int(np.prod([float(r) for r in ranges]))
    codes = np.ravel_multi_index(tuple(flat), tuple(ranges))
    found, inverse = _unique(codes, size)
    return _of(np.unravel_index(found, tuple(ranges)), lengths, inverse, shape)


def _of(
    axes: Sequence[NDArray[np.intp]], lengths: Floats, inverse: Ints, shape: tuple[int, ...]
) -> Grid:
    """A grid from its distinct layouts; the last axis numbers the lengths of sequences."""
    tp, pp, ep, dp, links, devices, length = (np.asarray(axis, dtype=np.int64) for axis in axes)
    return Grid(tp, pp, ep, dp, links.astype(bool), devices, lengths[length], inverse, shape)
