"""Plans by diving: node counts are made whole one after the other, and assignments priced anew each time.

Assignments that the root's prices like fit node counts that are fractional. What fits whole counts is only
found at the prices these counts bring about.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from planner.optimize.bound import Boxes, Limits
from planner.optimize.fractional import WHOLE
from planner.optimize.generation import Relaxed

if TYPE_CHECKING:
    from planner.optimize.branching import Search

NEARLY = 0.2
"""Counts at most this far from a whole number are rounded without a look at the other side."""
AT_ONCE = 0.3
"""Share of the fractional counts that are rounded together."""
LEAST_ITERATIONS = 24
"""Solves of the master in one dive, at least; counts that are still open then are so for little."""
ITERATIONS_TIMES_COLUMNS = 4_000_000
"""Smaller models allow for more of them: their prices settle, and better assignments come in."""
ROUNDS = 40
TRIAL_ROUNDS = 5
MIP_NODES = 20
"""Branching nodes of the integer program at the end of a dive."""
ANYWHERE = 2**62
"""A spread without end."""
CLOSE_BY = (0, 2)
STUCK = 1e-6
"""Artificial columns above this: the counts do not allow for all workloads."""


def dive(
    search: Search, relaxed: Relaxed, boxes: Boxes, limits: Limits, spreads: Sequence[int]
) -> Relaxed:
    """Rounds until all node counts with a price are whole and looks for a plan around; the last relaxation.

    Args: `spreads`, how far node counts may then move again; the first that gives a better plan ends it.
    """
    now = relaxed
    columns = len(search.link.build.model.names)
    last = search.generator.iterations
    last += max(LEAST_ITERATIONS, ITERATIONS_TIMES_COLUMNS // max(1, columns))
    while not (search.halted() or _hopeless(search, now)):
        open_counts = search.choices.fractional(now, search.choices.paid)
        if not open_counts or search.generator.iterations >= last:
            _look(search, now, spreads)
            break
        rounds = min(ROUNDS, max(1, last - search.generator.iterations))
        boxes, now = _next(search, now, boxes, limits, open_counts, rounds)
    return now if now.best is not None else relaxed


def _look(search: Search, now: Relaxed, spreads: Sequence[int]) -> None:
    """Looks for a plan around the counts; beside there is time for the widest spread at once."""
    if search.masters.beside:
        search.masters.begin(_around(search, now, spreads[-1]), MIP_NODES)
        return
    for spread in spreads:
        before = search.found.cost
        search.masters.look(_around(search, now, spread), MIP_NODES)
        if search.found.cost != before:
            return


def _hopeless(search: Search, now: Relaxed) -> bool:
    cost = search.found.cost
    if now.best is None or now.artificial > STUCK:
        return True
    return cost is not None and now.best.bound >= cost


def _next(
    search: Search,
    now: Relaxed,
    boxes: Boxes,
    limits: Limits,
    open_counts: list[int],
    rounds: int,
) -> tuple[Boxes, Relaxed]:
    """The counts nearest to whole ones rounded; if none is near, the cheaper side of the nearest."""
    ranked = sorted(open_counts, key=lambda at: (_distance(now.supply_values[at]), at))
    together = ranked[: max(1, math.ceil(len(ranked) * AT_ONCE))]
    near = [at for at in together if _distance(now.supply_values[at]) <= NEARLY]
    start = now.duals
    if near:
        for at in near:
            boxes = _fixed(boxes, at, round(now.supply_values[at]))
    else:
        boxes, start = _cheaper_side(search, now, boxes, limits, ranked[0])
    return boxes, search.relax(boxes, start, rounds, limits)


def _cheaper_side(
    search: Search, now: Relaxed, boxes: Boxes, limits: Limits, at: int
) -> tuple[Boxes, tuple[int, ...]]:
    sides = []
    floor = math.floor(now.supply_values[at] + WHOLE)
    for count in (floor, floor + 1):
        side = _fixed(boxes, at, count)
        tried = search.relax(side, now.duals, TRIAL_ROUNDS, limits)
        stuck = tried.best is None or tried.artificial > STUCK
        bound = 0 if tried.best is None else tried.best.bound
        sides.append((stuck, bound, count, side, tried.duals or now.duals))
    _, _, _, side, duals = min(sides)
    return side, duals


def _distance(value: float) -> float:
    return abs(value - round(value))


def _fixed(boxes: Boxes, at: int, count: int) -> Boxes:
    return (*boxes[:at], (count, count), *boxes[at + 1 :])


def _around(search: Search, now: Relaxed, spread: int) -> Boxes:
    """Counts with a price at most `spread` away from where they are."""
    boxes = list(search.pricer.boxes)
    for at in search.choices.paid:
        count, (low, high) = round(now.supply_values[at]), boxes[at]
        boxes[at] = max(low, count - spread), min(high, count + spread)
    return tuple(boxes)
