"""Better plans from a relaxation: a dive, then steps of two neighbourhoods. Nothing here touches the bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.optimize.bound import Boxes, Limits
from planner.optimize.dive import CLOSE_BY, dive
from planner.optimize.generation import Relaxed
from planner.optimize.polish import Polish

if TYPE_CHECKING:
    from planner.optimize.branching import Search

REOPEN_MOST = 60
"""Workloads: of more, too small a part could choose anew at once."""


def improve(search: Search, relaxed: Relaxed, boxes: Boxes, limits: Limits) -> None:
    """Looks for better plans from a node: dives, polishes with the prices at the end, reopens what is new."""
    before = search.found.cost
    polish(search, dive(search, relaxed, boxes, limits, CLOSE_BY))
    if search.found.cost != before:
        reopen(search)


def polish(search: Search, relaxed: Relaxed) -> None:
    """Improves the incumbent in small neighbourhoods, with the choices that these prices suggest."""
    if search.found.values is None or relaxed.best is None:
        return
    work = Polish(
        search.link,
        search.pricer,
        relaxed.best,
        search.known(),
        seed=search.found.nodes,
        shut=search.generator.shut_supply,
    )
    work.start(search.found.values)
    idle = 0
    for _ in range(search.work.polish_steps):
        if search.halted() or idle >= search.work.polish_patience:
            return
        better = work.step(search.stop, search.wall_left_s())
        idle = 0 if better is not None else idle + 1
        if better is not None:
            search.offer(better)


def reopen(search: Search) -> None:
    """Improves the incumbent in large neighbourhoods of the exact model, if that is small."""
    if len(search.link.build.demands) > REOPEN_MOST:
        return
    idle = 0
    for _ in range(search.work.reopen_steps):
        values = search.found.values
        if values is None or search.halted() or idle >= search.work.reopen_patience:
            return
        better = search.reopener.step(values, search.stop, search.wall_left_s())
        idle = 0 if better is not None else idle + 1
        if better is not None:
            search.offer(better)
