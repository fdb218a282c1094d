"""Branch and price: best bound first, with cuts shared by all nodes and branches chosen by what they gained."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planner.optimize.bound import Boxes, Limits
from planner.optimize.dive import MIP_NODES
from planner.optimize.fractional import WHOLE, Origin
from planner.optimize.generation import Relaxed
from planner.optimize.improve import improve, polish, reopen

if TYPE_CHECKING:
    from planner.optimize.branching import Search

NODE_ROUNDS = 40
TRIAL_ROUNDS = 2
"""Rounds of generation for a side that is only tried."""
TRIALS = 2
"""Columns tried at one node before their gains are known."""
HEURISTIC_EVERY = 20
"""Nodes from one look for a plan to the next, as long as looks find some."""
FIRST_WAIT = 8
"""Nodes until the first plan is taken that is looked for beside."""
MOST_WAIT = 120
"""The most nodes between two looks, however little they find."""


@dataclass(order=True, slots=True)
class Node:
    """A part of the tree that is still open."""

    bound: int
    minus_depth: int
    order: int
    boxes: Boxes = field(compare=False)
    limits: Limits = field(compare=False)
    duals: tuple[int, ...] = field(compare=False)
    origin: Origin | None = field(compare=False, default=None)


class Tree:
    """The open nodes of one search."""

    def __init__(self, search: Search, root: Relaxed, end: Relaxed) -> None:
        """Args: `end`, the relaxation where the first dive ended."""
        self.search = search
        self.heap: list[Node] = []
        self.given_up: list[Node] = []
        """Nodes with nothing left to branch on whose integer program was too large."""
        self.order = 0
        self.wait = HEURISTIC_EVERY
        self.next_look = HEURISTIC_EVERY
        self.next_polish = HEURISTIC_EVERY
        self.root, self.end = root, end
        self.latest = root
        """Relaxation of the node last visited."""
        self.first = search.masters.begun is not None
        """Whether the first look is still under way, beside."""
        if self.first:
            self.next_look = FIRST_WAIT

    def run(self) -> None:
        """Branches until closed or out of work, then tries what was given up as larger programs."""
        search, root = self.search, self.root
        top = Node(search.found.bound, 0, 0, search.pricer.boxes, {}, root.duals)
        self._split(top, root)
        while self.heap and search.found.nodes < search.work.nodes and not search.halted():
            self._raise_bound()
            if search.closed():
                return
            self._visit(heapq.heappop(self.heap))
            if search.masters.beside:
                self._look_beside()
        if not search.closed():
            self._take(wait=True, last=True)
        self._raise_bound()
        self._revisit()

    def _visit(self, node: Node) -> None:
        """Bounds one node by the cuts of all others, then by prices of its own; splits it if still open."""
        search = self.search
        known = search.cuts.bound(node.boxes)
        if self._useless(max(known, node.bound)):
            return
        if self.heap and known > self.heap[0].bound and known > node.bound:
            node.bound = known
            heapq.heappush(self.heap, node)
            return
        node.bound = max(known, node.bound)
        search.found.nodes += 1
        relaxed = search.relax(node.boxes, node.duals, NODE_ROUNDS, node.limits)
        if relaxed.best is None:
            return
        node.bound = max(node.bound, relaxed.best.bound)
        self.latest = relaxed
        if node.origin is not None:
            search.choices.learn(node.origin, node.bound)
        if self._useless(node.bound):
            return
        if not search.masters.beside and self._look_due():
            self._look(node, relaxed)
        if not search.leaf(relaxed, node.boxes, search.work.leaf_assignments):
            self._split(node, relaxed)

    def _look_due(self) -> bool:
        search = self.search
        due = search.found.nodes >= self.next_look and search.masters.begun is None
        return due and search.wide()

    def _look(self, node: Node, relaxed: Relaxed) -> None:
        """Looks for a better plan from a node; the less it finds, the more nodes pass until the next look."""
        search = self.search
        before = search.found.cost
        improve(search, relaxed, node.boxes, node.limits)
        better = search.found.cost != before
        self.wait = HEURISTIC_EVERY if better else min(MOST_WAIT, self.wait * 2)
        self.next_look = search.found.nodes + self.wait

    def _look_beside(self) -> None:
        """Begins looks and takes what they find: after a number of nodes, or at once where the clock rules anyway."""
        search = self.search
        if search.found.nodes >= self.next_polish and search.wide() and search.found.cost is not None:
            self._polish()
        if self._look_due():
            self._begin()
        elif search.wall_left_s() is not None:
            self._take(wait=False)
        elif search.found.nodes >= self.next_look:
            self._take(wait=True)

    def _polish(self) -> None:
        """Betters the plan at the prices of the last node; the less that finds, the later again."""
        search = self.search
        before = search.found.cost
        search.pricer.narrow({})
        polish(search, self.latest)
        better = search.found.cost != before
        self.wait = HEURISTIC_EVERY if better else min(MOST_WAIT, self.wait * 2)
        self.next_polish = search.found.nodes + self.wait

    def _begin(self) -> None:
        """Looks for a better plan among all assignments known by now."""
        search = self.search
        search.pricer.narrow({})
        search.masters.begin(search.pricer.boxes, MIP_NODES)
        self.next_look = search.found.nodes + HEURISTIC_EVERY

    def _take(self, *, wait: bool, last: bool = False) -> None:
        """Takes what was found beside and, while the next look is under way there, betters it here."""
        search = self.search
        before = search.found.cost
        if not search.masters.taken(wait=wait):
            return
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

    def _useless(self, bound: int) -> bool:
        cost = self.search.found.cost
        return cost is not None and bound >= cost

    def _split(self, node: Node, relaxed: Relaxed) -> None:
        """Two children around a fractional node count, else a fractional pick count; none: given up."""
        search = self.search
        paid = search.choices.fractional(relaxed, search.choices.paid)
        if paid:
            self._split_nodes(node, relaxed, self._chosen(node, relaxed, paid))
            return
        pick = search.choices.pick(relaxed, search.generator.assignments)
        if pick is not None:
            self._split_pick(node, relaxed, pick)
            return
        free = search.choices.fractional(relaxed, search.choices.free)
        if free:
            self._split_nodes(node, relaxed, free[0])
            return
        self.order += 1
        self.given_up.append(
            Node(node.bound, node.minus_depth, self.order, node.boxes, node.limits, relaxed.duals)
        )

    def _chosen(self, node: Node, relaxed: Relaxed, paid: list[int]) -> int:
        """The most promising column; those whose gains are not known are tried first."""
        search = self.search
        if len(paid) == 1:
            return paid[0]
        for at in [at for at in paid if search.choices.unknown(at)][:TRIALS]:
            value = relaxed.supply_values[at]
            floor = math.floor(value + WHOLE)
            for up, boxes in enumerate(_sides(node.boxes, at, floor)):
                if search.halted():
                    break
                tried = search.relax(boxes, relaxed.duals, TRIAL_ROUNDS, node.limits)
                if tried.best is not None:
                    far = floor + 1 - value if up else value - floor
                    origin = Origin(at, bool(up), far, node.bound)
                    search.choices.learn(origin, tried.best.bound)
        return search.choices.best(paid, relaxed, node.boxes, node.bound, search.cuts)

    def _split_nodes(self, node: Node, relaxed: Relaxed, at: int) -> None:
        value = relaxed.supply_values[at]
        floor = math.floor(value + WHOLE)
        for up, boxes in enumerate(_sides(node.boxes, at, floor)):
            low, high = boxes[at]
            if low <= high:
                far = floor + 1 - value if up else value - floor
                origin = Origin(at, bool(up), far, node.bound)
                self._push(node, relaxed, boxes, node.limits, origin)

    def _split_pick(self, node: Node, relaxed: Relaxed, pick: tuple[int, int, int]) -> None:
        demand, at, floor = pick
        most = self.search.link.build.demands[demand].picks[at].most
        low, high = node.limits.get(demand, {}).get(at, (0, most))
        for span in ((low, floor), (floor + 1, high)):
            if span[0] <= span[1]:
                of_demand = {**node.limits.get(demand, {}), at: span}
                self._push(node, relaxed, node.boxes, {**node.limits, demand: of_demand}, None)

    def _push(
        self, node: Node, relaxed: Relaxed, boxes: Boxes, limits: Limits, origin: Origin | None
    ) -> None:
        self.order += 1
        bound = max(node.bound, self.search.cuts.bound(boxes))
        child = Node(bound, node.minus_depth - 1, self.order, boxes, limits, relaxed.duals, origin)
        heapq.heappush(self.heap, child)

    def _revisit(self) -> None:
        """Closes nodes without a fractional count as larger integer programs, lowest bound first."""
        search = self.search
        search.too_wide = 2**62
        for node in sorted(self.given_up):
            if search.halted() or search.closed():
                return
            relaxed = search.relax(node.boxes, node.duals, NODE_ROUNDS, node.limits)
            if relaxed.best is None:
                return
            done = self._useless(relaxed.best.bound)
            if not done and not search.leaf(relaxed, node.boxes, search.work.root_assignments):
                return
            self.given_up.remove(node)
            self._raise_bound()

    def _raise_bound(self) -> None:
        """The bound is the least of all that is open."""
        found = self.search.found
        lowest = [self.heap[0].bound] if self.heap else []
        if found.cost is not None:
            lowest.append(found.cost)
        lowest += [node.bound for node in self.given_up]
        if lowest and min(lowest) > found.bound:
            found.bound = min(lowest)
            self.search.report(found.cost, found.bound)


def _sides(boxes: Boxes, at: int, floor: int) -> tuple[Boxes, Boxes]:
    """The boxes with one column at most `floor`, and above it."""
    low, high = boxes[at]
    return (
        (*boxes[:at], (low, floor), *boxes[at + 1 :]),
        (*boxes[:at], (floor + 1, high), *boxes[at + 1 :]),
    )
