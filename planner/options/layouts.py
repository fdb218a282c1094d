"""Which degrees of parallelism to consider: every integer that can be legal, not only powers of two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from planner.options.asks import Degrees

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Arrays over the layout axis, all of one length."""

    tp: Ints
    pp: Ints
    dp: Ints
    cp: Ints
    ep: Ints
    micro_batch: Ints

    @property
    def gpus(self) -> Ints:
        """GPUs of each layout."""
        return self.tp * self.pp * self.dp * self.cp

    def __len__(self) -> int:
        """Layouts in the grid."""
        return len(self.tp)

    def over_nodes(self, node_gpus: int, nodes: int, *, tp_across_nodes: bool = False) -> Grid:
        """On several nodes, the layouts that take all of their GPUs with each tensor parallel group inside one."""
        if nodes == 1:
            return self
        inside = (node_gpus % self.tp == 0) | tp_across_nodes
        return self.take((self.gpus == node_gpus * nodes) & inside)

    def take(self, mask: NDArray[np.bool_] | Ints) -> Grid:
        """The layouts where `mask` holds, or those of these numbers."""
        return Grid(*(getattr(self, name)[mask] for name in self.__slots__))


def joined(grids: Sequence[Grid]) -> Grid:
    """Grids one after the other."""
    if len(grids) == 1:
        return grids[0]
    parts = ([getattr(grid, name) for grid in grids] for name in Grid.__slots__)
    return Grid(*(np.concatenate(part) for part in parts))


def parts(sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """Numbers of grids that are computed together: those with layouts, at most `most` of these unless one has more.

    >>> list(parts([7, 0, 1, 5], 8))
    [[0, 2], [3]]
    """
    part: list[int] = []
    rows = 0
    for number, size in enumerate(sizes):
        if part and rows + size > most:
            yield part
            part, rows = [], 0
        if size:
            part.append(number)
            rows += size
    if part:
        yield part


def _allowed(limit: int, wanted: tuple[int, ...] | None) -> list[int]:
    return [n for n in (wanted or range(1, limit + 1)) if n <= limit]


def _grid(rows: list[tuple[int, int, int, int, int, int]]) -> Grid:
    table = np.array(sorted(set(rows)), dtype=np.int64).reshape(-1, 6)
    return Grid(*(table[:, i] for i in range(6)))


@lru_cache(maxsize=1024)
def serving_grid(max_gpus: int, degrees: Degrees, *, experts: int = 0, min_gpus: int = 1) -> Grid:
    """Layouts tp x pp of one serving replica on at most `max_gpus`; with experts also ep = tp.

    >>> grid = serving_grid(4, Degrees())
    >>> [(int(t), int(p)) for t, p in zip(grid.tp, grid.pp) if t * p == 4]
    [(1, 4), (2, 2), (4, 1)]
    """
    rows = []
    for tp in _allowed(max_gpus, degrees.tp):
        for pp in _allowed(max_gpus // tp, degrees.pp):
            for dp in [n for n in (degrees.dp or (1,)) if n <= max_gpus // (tp * pp)]:
                wanted = degrees.ep or ((1, tp * dp) if experts else (1,))
                if tp * pp * dp < min_gpus:
                    continue
                fitting = [n for n in wanted if (tp * dp) % n == 0 and (n == 1 or experts)]
                rows += [(tp, pp, dp, 1, ep, 0) for ep in fitting]
    return _grid(rows)


@lru_cache(maxsize=1024)
def training_grid(
    max_gpus: int,
    degrees: Degrees,
    global_batch: int,
    micro_batch: tuple[int, ...] | None,
    *,
    tensor_parallel: bool,
    experts: int = 0,
    min_gpus: int = 1,
) -> Grid:
    """Layouts of one run, where global_batch = micro_batch x dp x accumulation in integers.

    tp and pp above 1 only where the framework has them. Micro-batches are the divisors of each rank's share, up to
    32 sequences unless the user lists some.

    >>> grid = training_grid(2, Degrees(), 4, None, tensor_parallel=False)
    >>> [(int(d), int(m)) for d, m in zip(grid.dp, grid.micro_batch)]
    [(1, 1), (1, 2), (1, 4), (2, 1), (2, 2)]
    """
    top = max_gpus if tensor_parallel else 1
    rows = []
    for tp in _allowed(top, degrees.tp or (None if tensor_parallel else (1,))):
        for pp in _allowed(top // tp if top > 1 else 1, degrees.pp or (None if top > 1 else (1,))):
            for cp in [n for n in (degrees.cp or (1,)) if tp * pp * n <= max_gpus]:
                for dp in _allowed(max_gpus // (tp * pp * cp), degrees.dp):
                    if global_batch % dp or tp * pp * cp * dp < min_gpus:
                        continue
                    share = global_batch // dp
                    wanted = micro_batch or range(1, min(share, 32) + 1)
                    sizes = [m for m in wanted if m <= share and share % m == 0]
                    for ep in [n for n in (degrees.ep or (1,)) if (tp * dp) % n == 0]:
                        if ep == 1 or experts:
                            rows += [(tp, pp, dp, cp, ep, m) for m in sizes]
    return _grid(rows)
