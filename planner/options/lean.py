"""Candidates that no cheapest plan needs: another on the same supply takes no more of anything and gives no less."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from planner.options.problem import Candidate


def outdoes(a: Candidate, b: Candidate) -> bool:
    """Whether `a` can replace each replica of `b` in every plan, at no more cost and no worse a tie.

    A smaller replica fits wherever a larger one does; with at least its units the demand stays covered, also after
    losing spare replicas.
    """
    return (
        a.supply == b.supply
        and a.own_nodes == b.own_nodes
        and a.gpus <= b.gpus
        and a.whole_nodes <= b.whole_nodes
        and a.units >= b.units
        and a.cost_cents <= b.cost_cents
        and a.host_sixteenths <= b.host_sixteenths
        and a.preference <= b.preference
        and a.power_w <= b.power_w
        and _no_longer(a, b)
        and (b.turn is None or (a.turn is not None and a.turn.minutes <= b.turn.minutes))
        and (
            a.max_replicas is None
            or (b.max_replicas is not None and a.max_replicas >= b.max_replicas)
        )
    )


def _no_longer(a: Candidate, b: Candidate) -> bool:
    """Whether `a` holds no supply that `b` does not, and costs no more on any of them."""
    if not a.later and not b.later:
        return True
    cents = {hold.supply: hold.cost_cents for hold in b.holds}
    return all(h.supply in cents and h.cost_cents <= cents[h.supply] for h in a.holds)


def lean(
    candidates: Sequence[Candidate], key: Callable[[Candidate], str] = attrgetter("key")
) -> tuple[Candidate, ...]:
    """The candidates worth giving to the optimizer, in their order.

    Args:
        candidates: Those of one block.
        key: The content of a candidate, asked for only where two are alike in all else.

    >>> cheap = Candidate("a", 0, 4, 0, 2000, 219)
    >>> dear = Candidate("b", 0, 8, 0, 2000, 263)
    >>> [c.key for c in lean([dear, cheap])]
    ['a']
    """
    groups: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        groups[candidate.supply, candidate.own_nodes].append(number)
    kept: set[int] = set()
    for numbers in groups.values():
        best: list[Candidate] = []
        # In this order nothing later can outdo an earlier one it does not equal.
        for number in _ranked(candidates, numbers, key):
            candidate = candidates[number]
            if not any(outdoes(b, candidate) for b in best):
                best.append(candidate)
                kept.add(number)
    return tuple(c for number, c in enumerate(candidates) if number in kept)


def _ranked(
    candidates: Sequence[Candidate], numbers: Sequence[int], key: Callable[[Candidate], str]
) -> Iterator[int]:
    """The numbers by rank; those of equal rank by key, then by number."""
    ranks = {number: _rank(candidates[number]) for number in numbers}
    for _, equals in groupby(sorted(numbers, key=ranks.__getitem__), ranks.__getitem__):
        alike = list(equals)
        yield from alike if len(alike) == 1 else sorted(alike, key=lambda n: key(candidates[n]))


def _rank(c: Candidate) -> tuple[float, ...]:
    return (
        c.gpus, c.whole_nodes, c.cost_cents, -c.units, c.host_sixteenths, c.preference, c.power_w,
        len(c.later), c.turn.minutes if c.turn else math.inf,
    )  # fmt: skip
