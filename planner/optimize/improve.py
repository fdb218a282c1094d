"""Better plans from a relaxation: a dive, then steps of two neighbourhoods. Nothing here touches the bound."""

from __future__ import annotations

from collections.abc import Callable
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
        search.masters.known(),
        seed=search.found.nodes,
        shut=search.generator.shut_supply,
    )
    work.start(search.found.values)
    _steps(
        search,
        lambda: work.step(search.stop, search.wall_left_s()),
        search.work.polish_steps,
        search.work.polish_patience,
    )


def reopen(search: Search) -> None:
    """Improves the incumbent in large neighbourhoods of the exact model, if that is small."""
    if search.found.values is None or len(search.link.build.demands) > REOPEN_MOST:
        return

    def step() -> list[int] | None:
        values = search.found.values
        left = search.wall_left_s()
        return None if values is None else search.reopener.step(values, search.stop, left)

    _steps(search, step, search.work.reopen_steps, search.work.reopen_patience)


def _steps(search: Search, step: Callable[[], list[int] | None], most: int, patience: int) -> None:
    """Offers what steps find, until so many in a row have found nothing."""
    idle = 0
    for _ in range(most):
        if search.halted() or idle >= patience or search.masters.ready():
            return
        better = step()
        idle = 0 if better is not None else idle + 1
        if better is not None:
            search.offer(better)
