"""Branch and price: best bound first, with cuts shared by all nodes and branches chosen by what they gained."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planner.optimize.bound import Boxes, Limits
from planner.optimize.fractional import WHOLE, Origin
from planner.optimize.generation import Relaxed
from planner.optimize.looks import Looks

if TYPE_CHECKING:
    from planner.optimize.branching import Search

NODE_ROUNDS = 40
TRIAL_ROUNDS = 2
"""Rounds of generation for a side that is only tried."""
TRIALS = 2
"""Columns tried at one node before their gains are known."""


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
        self.root = root
        self.looks = Looks(search, root, end)

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
            self.looks.between_nodes()
        if not search.closed():
            self.looks.take(wait=True, last=True)
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
        self.looks.latest = relaxed
        if node.origin is not None:
            search.choices.learn(node.origin, node.bound)
        if self._useless(node.bound):
            return
        self.looks.at_node(relaxed, node.boxes, node.limits)
        if not search.leaf(relaxed, node.boxes, search.work.leaf_assignments):
            self._split(node, relaxed)

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
