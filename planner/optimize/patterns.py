"""How many replicas of which sizes fit on one node together."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HOST_SHARES = 16
"""A node's host RAM is shared out in sixteenths."""

PATTERN_CAP = 4000
"""Above this many maximal patterns the per-node formulation is smaller."""


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """What one replica takes of a shared node."""

    gpus: int
    host_sixteenths: int = 0
    tag: int = -1
    """Replicas of one tag must not share a node; -1 means they may."""


def is_chain(sizes: Iterable[Size]) -> bool:
    """Whether counting GPUs per size class decides packing exactly.

    True when only GPUs bind and each size divides the next larger one: then placing large replicas first
    never wastes a GPU that a smaller class could use.

    >>> is_chain([Size(1), Size(2), Size(4)]), is_chain([Size(2), Size(3)]), is_chain([Size(3)])
    (True, False, True)
    """
    ordered = sorted(sizes)
    if any(size.host_sixteenths or size.tag >= 0 for size in ordered):
        return False
    gpus = [size.gpus for size in ordered]
    return all(large % small == 0 for small, large in itertools.pairwise(gpus))


def maximal_patterns(
    sizes: Sequence[Size], node_gpus: int, cap: int = PATTERN_CAP
) -> list[tuple[int, ...]] | None:
    """All ways to fill one node to which nothing can be added, as counts per size.

    Returns None when there are more than `cap`.

    >>> maximal_patterns([Size(2), Size(3)], 5)
    [(2, 0), (1, 1)]
    >>> maximal_patterns([Size(3), Size(5), Size(6)], 8)
    [(2, 0, 0), (1, 1, 0), (0, 0, 1)]
    """
    found: list[tuple[int, ...]] = []
    counts = [0] * len(sizes)
    least = list(itertools.accumulate((size.gpus for size in reversed(sizes)), min))[::-1]

    def extend(at: int, gpus: int, host: int, tags: frozenset[int]) -> bool:
        most = 0
        while at < len(sizes) and not most:
            if least[at] > gpus:
                # Nor has any of the sizes behind it room.
                at = len(sizes)
            elif not (most := _room(sizes[at], gpus, host, tags)):
                at += 1
        if at == len(sizes):
            if not any(_room(size, gpus, host, tags) for size in sizes):
                found.append(tuple(counts))
            return len(found) <= cap
        size = sizes[at]
        # Of the last size a node holds all that it has room for, else one more could be added.
        fewest = most if at == len(sizes) - 1 else 0
        for count in range(most, fewest - 1, -1):
            counts[at] = count
            used = tags | {size.tag} if count and size.tag >= 0 else tags
            left = gpus - count * size.gpus
            if not extend(at + 1, left, host - count * size.host_sixteenths, used):
                return False
        counts[at] = 0
        return True

    complete = extend(0, node_gpus, HOST_SHARES, frozenset())
    return found if complete else None


def _room(size: Size, gpus: int, host: int, tags: frozenset[int]) -> int:
    """Replicas of a size for which what is left of a node has room."""
    if size.tag >= 0 and size.tag in tags:
        return 0
    most = gpus // size.gpus
    if size.host_sixteenths:
        most = min(most, host // size.host_sixteenths)
    return min(most, 1) if size.tag >= 0 else most
