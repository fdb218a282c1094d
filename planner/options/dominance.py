"""Options that no plan needs: another on the same pool takes no more of anything and gives no less."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from planner.options.fitting import Fitting
from planner.options.records import Option

Replica = TypeVar("Replica", Option, Fitting)


def dominates(a: Replica, b: Replica) -> bool:
    """Whether `a` can stand in for `b` in every plan: same pool and GPUs, no more of anything, no less speed.

    A format the user listed earlier is never pruned by one listed later.
    """
    return (
        a.pool == b.pool
        and a.gpus == b.gpus
        and a.nodes <= b.nodes
        and a.host_bytes <= b.host_bytes
        and a.nvme_bytes <= b.nvme_bytes
        and a.preference <= b.preference
        and a.utilisation <= b.utilisation
        and (_no_heavier(a, b) if a.loads else _no_slower(a, b))
    )


def _no_slower(a: Replica, b: Replica) -> bool:
    return a.units >= b.units and a.rate_low >= b.rate_low


def _no_heavier(a: Replica, b: Replica) -> bool:
    """Whether requests of every size weigh no more on `a`; a size that `a` can't serve, `b` can't either."""
    return all(y < 0 or 0 <= x <= y for x, y in zip(a.loads, b.loads, strict=True))


class _Rank:
    """The order in which equals are kept: faster, then preferred, then by content, which is rarely asked for."""

    __slots__ = ("first", "replica")

    def __init__(self, replica: Option | Fitting) -> None:
        self.replica = replica
        self.first = (-replica.rate_low, replica.preference, replica.host_bytes)

    def __lt__(self, other: _Rank) -> bool:
        if self.first != other.first:
            return self.first < other.first
        return self.replica.content() < other.replica.content()


def multiple_dominates(small: Replica, large: Replica) -> bool:
    """Whether k = floor(large.gpus / small.gpus) > 1 replicas of `small` can stand in for one of `large`.

    They fit wherever the large one does (no more GPUs, host RAM or NVMe on the same node), carry at least its load,
    and losing one of them loses less. Holds for services that may take any number of replicas, anywhere in the pool.
    """
    k = large.gpus // small.gpus
    return (
        k > 1
        and small.pool == large.pool
        and small.nodes == large.nodes == 0
        and k * small.host_bytes <= large.host_bytes
        and k * small.nvme_bytes <= large.nvme_bytes
        and small.preference <= large.preference
        and small.utilisation <= large.utilisation
        and k * small.units >= large.units
        and k * small.rate_low >= large.rate_low
    )


def prune(
    options: Iterable[Replica], *, multiples: bool = False
) -> tuple[list[Replica], list[tuple[Replica, Replica]]]:
    """Options worth keeping, and the others each with the one that dominates it.

    `multiples`: also those that several replicas of a smaller one beat.
    """
    groups: dict[tuple[str, int], list[Replica]] = defaultdict(list)
    for option in options:
        groups[option.pool, option.gpus].append(option)
    kept: list[Replica] = []
    pruned: list[tuple[Replica, Replica]] = []
    for key in sorted(groups):
        best: list[Replica] = []
        for option in sorted(groups[key], key=_Rank):
            stronger = next((b for b in best if dominates(b, option)), None)
            if stronger is None and multiples:
                stronger = next((b for b in kept if multiple_dominates(b, option)), None)
            if stronger is None:
                best.append(option)
            else:
                pruned.append((option, stronger))
        kept += best
    return kept, pruned
