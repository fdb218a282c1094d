"""The passes that answer a question, some of them by a second process where that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from planner.beside import Beside
from planner.options.fitting import Sorted
from planner.options.records import Found

LEAST_CASES = 4000
"""Cases from which a second process saves more than it costs to bring its findings over: about a second of work."""
CHILD_PART = 0.44
"""Share of the cases that a second process takes: it also has its findings to pack, and both end at about one time."""


@dataclass(frozen=True, slots=True)
class Work:
    """Cases that are computed together, whoever does it: so the findings are the same to the last bit."""

    cases: int
    compute: Callable[[], list[Sorted]]
    """What is found of each case."""
    take: Callable[[list[Sorted]], None]


@dataclass(frozen=True, slots=True)
class Batch:
    """Works of one kind, and the answers that they lead to."""

    works: Sequence[Work]
    answers: Callable[[], list[list[Found]]]
    """Of each workload on each of its pools, once all works have been taken."""


def work_through(batches: Sequence[Batch], *, fork: bool) -> None:
    """All works, nearly half of them by a forked child where that pays off; what it does not bring is computed here."""
    ours = [work for batch in batches for work in batch.works]
    theirs: list[Work] = []
    if fork and sum(work.cases for work in ours) >= LEAST_CASES:
        parts = [shared_out(batch.works) for batch in batches]
        ours, theirs = ([work for part in parts for work in part[which]] for which in (0, 1))
    with Beside(lambda: [work.compute() for work in theirs], fork=bool(theirs)) as rest:
        for work in ours:
            work.take(work.compute())
        for work, found in zip(theirs, rest.result(), strict=True):
            work.take(found)


def shared_out(works: Sequence[Work]) -> tuple[list[Work], list[Work]]:
    """Works for this process and for a second one, the largest shared out first."""
    parts: tuple[list[Work], list[Work]] = ([], [])
    cases = [0, 0]
    for work in sorted(works, key=lambda work: -work.cases):
        which = int(cases[0] * CHILD_PART > cases[1] * (1 - CHILD_PART))
        parts[which].append(work)
        cases[which] += work.cases
    return parts
