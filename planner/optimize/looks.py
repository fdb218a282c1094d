"""When the tree looks for better plans: at a node here, or beside and between nodes where that has a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.optimize.bound import Boxes, Limits
from planner.optimize.dive import MIP_NODES
from planner.optimize.generation import Relaxed
from planner.optimize.improve import improve, polish, reopen

if TYPE_CHECKING:
    from planner.optimize.branching import Search

EVERY = 20
"""Nodes from one look to the next, as long as looks find something."""
MOST_WAIT = 120
"""The most nodes between two looks, however little they find."""
FIRST_WAIT = 8
"""Nodes until the first plan is taken that is looked for beside."""


class Looks:
    """Counts nodes; the less looks find, the rarer they are."""

    def __init__(self, search: Search, root: Relaxed, end: Relaxed) -> None:
        """Args: `end`, the relaxation where the first dive ended."""
        self.search = search
        self.end = end
        self.latest = root
        """Relaxation of the node last visited."""
        self.first = search.masters.begun is not None
        """Whether the first look is still under way, beside."""
        self.wait = EVERY
        self.next_look = FIRST_WAIT if self.first else EVERY
        """Node at which to look, or to take what is looked for beside."""
        self.next_polish = EVERY

    def at_node(self, relaxed: Relaxed, boxes: Boxes, limits: Limits) -> None:
        """Looks from a node, if that is due and done here."""
        if not self.search.masters.beside and self._due():
            before = self.search.found.cost
            improve(self.search, relaxed, boxes, limits)
            self.next_look = self._next(before)

    def between_nodes(self) -> None:
        """Begins looks beside and takes what they find: at a node count, or at once where the clock rules anyway."""
        search = self.search
        if not search.masters.beside:
            return
        if search.found.cost is not None and search.found.nodes >= self.next_polish:
            self._polish()
        if self._due():
            self._begin()
        elif search.wall_left_s() is not None:
            self.take(wait=False)
        elif search.found.nodes >= self.next_look:
            self.take(wait=True)

    def take(self, *, wait: bool, last: bool = False) -> None:
        """Takes what was found beside and, while the next look is under way there, betters it here."""
        search = self.search
        before = search.found.cost
        if not search.masters.taken(wait=wait):
            return
        # Limits of the node visited before are none of this plan's.
        search.pricer.narrow({})
        first, self.first = self.first, False
        if first:
            search.close_root()
        if search.closed():
            return
        if not last and search.wide():
            self._begin()
        tried = search.found.cost
        polish(search, self.end if first else self.latest)
        if search.found.cost != before:
            reopen(search)
        if first and search.found.cost != tried:
            search.close_root()

    def _due(self) -> bool:
        search = self.search
        due = search.found.nodes >= self.next_look and search.masters.begun is None
        return due and search.wide()

    def _begin(self) -> None:
        """Looks for a better plan among all assignments known by now."""
        search = self.search
        search.pricer.narrow({})
        search.masters.begin(search.pricer.boxes, MIP_NODES)
        self.next_look = search.found.nodes + EVERY

    def _polish(self) -> None:
        """Betters the plan at the prices of the node last visited."""
        search = self.search
        before = search.found.cost
        if search.wide():
            search.pricer.narrow({})
            polish(search, self.latest)
        self.next_polish = self._next(before)

    def _next(self, before: int | None) -> int:
        """The node of the next look, by whether this one has found something."""
        found = self.search.found
        self.wait = EVERY if found.cost != before else min(MOST_WAIT, self.wait * 2)
        return found.nodes + self.wait
