"""Large arrays of layouts in pieces that stay in the processor's cache, and their accounts joined again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.memory.arrays import Floats, floats
from planner.memory.ledger import Component, Number
from planner.memory.overhead import Range
from planner.memory.training_account import TrainingMemory

CHUNK: Final = 16_384
"""Layouts of one piece: a float64 array of them is 128 KiB."""


def in_chunks(axes: tuple[Number, ...]) -> tuple[list[tuple[Number, ...]], tuple[int, ...]]:
    """Pieces of broadcast axes and their common shape; small inputs stay as they are.

    >>> chunks, shape = in_chunks((np.ones(40_000), 2))
    >>> [np.shape(c[0]) for c in chunks], shape
    ([(16384,), (16384,), (7232,)], (40000,))
    """
    shape = np.broadcast_shapes(*(np.shape(a) for a in axes))
    size = int(np.prod(shape))
    if size <= CHUNK:
        return [axes], shape
    flat = [np.broadcast_to(floats(a), shape).reshape(size) for a in axes]
    starts = range(0, size, CHUNK)
    return [tuple(f[i : i + CHUNK] for f in flat) for i in starts], shape


def _join(values: Sequence[Number], shape: tuple[int, ...]) -> Floats:
    joined = np.concatenate([np.atleast_1d(floats(v)) for v in values])
    return joined.reshape(shape)


def _ranges(values: Sequence[Range], shape: tuple[int, ...]) -> Range:
    best = _join([v.best for v in values], shape)
    if all(v.upper is v.best for v in values):
        return Range(best, best)
    return Range(best, _join([v.upper for v in values], shape))


def _components(rows: Sequence[Component], shape: tuple[int, ...]) -> Component:
    whole = _ranges([Range(floats(c.best), floats(c.upper)) for c in rows], shape)
    if all(c.upper is c.best for c in rows):
        return replace(rows[0], best=whole.best, upper=whole.best)
    return replace(rows[0], best=whole.best, upper=whole.upper)


def joined(accounts: list[TrainingMemory], shape: tuple[int, ...]) -> TrainingMemory:
    """The account of all layouts from those of the pieces."""
    first = accounts[0]
    if len(accounts) == 1:
        return first
    ledgers = [a.ledger for a in accounts]
    ledger = replace(
        first.ledger,
        components=tuple(
            _components(rows, shape) for rows in zip(*(x.components for x in ledgers), strict=True)
        ),
        host_bytes=_join([x.host_bytes for x in ledgers], shape),
        nvme_bytes=_join([x.nvme_bytes for x in ledgers], shape),
        extrapolated=any(x.extrapolated for x in ledgers),
        notes=tuple(dict.fromkeys(note for x in ledgers for note in x.notes)),
    )
    index: NDArray[np.int64] = np.concatenate([np.atleast_1d(a.phase) for a in accounts])
    return TrainingMemory(
        ledger,
        index.reshape(shape),
        {k: _join([a.phases[k] for a in accounts], shape) for k in first.phases},
        _ranges([a.allocated for a in accounts], shape),
        _ranges([a.reserved for a in accounts], shape),
        _ranges([a.device for a in accounts], shape),
        _ranges([a.host_bytes for a in accounts], shape),
        _join([a.nvme_bytes for a in accounts], shape),
        first.trainable_params,
        _join([a.state_bytes_per_param for a in accounts], shape),
        {k: _join([a.between[k] for a in accounts], shape) for k in first.between},
    )
