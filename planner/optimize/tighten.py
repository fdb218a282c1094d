"""The root of a search with the rounding rows that it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.optimize.dive import STUCK
from planner.optimize.generation import Relaxed
from planner.optimize.linking import Extra, with_rows
from planner.optimize.rounding import Rounder

if TYPE_CHECKING:
    from planner.optimize.branching import Search

TIMES = 12
"""Rows are added to the root so many times at most."""
WORTH = 1e-5
"""Relative rise of the root's bound for which it is done again."""


def tightened(search: Search, root: Relaxed, rounds: int) -> Relaxed:
    """The root with rounding rows, as long as they raise its bound; rows without a price are dropped again."""
    rounder, base, kept = Rounder(search.link), search.link, list[Extra]()
    for _ in range(TIMES):
        if root.best is None or root.artificial > STUCK or search.halted() or search.closed():
            break
        fresh = rounder.broken(root, search.generator.assignments)
        if not fresh:
            break
        own = root.duals[base.first_rounding :]
        binding = [extra for extra, price in zip(kept, own, strict=True) if price]
        prices = [price for price in own if price]
        start = (*root.duals[: base.first_rounding], *prices, *([0] * len(fresh)))
        kept = [*binding, *fresh]
        search.link_by(with_rows(base, kept))
        before, root = root.best.bound, search.relax(search.pricer.boxes, start, rounds)
        if root.best is None or root.best.bound - before < WORTH * before:
            break
    return root
