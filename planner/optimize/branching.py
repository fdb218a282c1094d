"""Branch and price on node counts: what generation leaves open is nearly always a fraction of a node."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from planner.optimize.backend import Stop, Verdict, run_cp_sat
from planner.optimize.bound import PRICE_SCALE, Assignment, Boxes, Limits, Pricer
from planner.optimize.build import Build
from planner.optimize.enumerate import within_slack
from planner.optimize.generation import Generator, Relaxed, obeys
from planner.optimize.linking import Linked, linked
from planner.optimize.master import integer_master
from planner.optimize.mathopt import MipSolver, run_mip
from planner.optimize.outcome import relative_gap
from planner.optimize.pricing import least_with

ROOT_ROUNDS = 300
NODE_ROUNDS = 40
WHOLE = 1e-6
HEURISTIC_EVERY = 15
CLOSE = 0.01
"""Relative gap at the root below which it is tried as one large integer program."""
MASTER_SHARE = 0.5
"""Share of the wall-clock time left, where there is a limit, that one integer program may use."""
FIRST_PLAN_WORK = 10.0
"""Deterministic seconds of CP-SAT on the master when HiGHS finds no plan at all."""
HEURISTIC_GAP = 1e-4
"""Where an integer program only looks for plans it stops this close to its own optimum."""


@dataclass(frozen=True, slots=True)
class Work:
    """Limits in work, not seconds."""

    nodes: int = 400
    """Branching nodes."""
    near: int = 1500
    """Assignments among which plans are looked for."""
    leaf_assignments: int = 3000
    """A node whose useful assignments number at most this is closed as one integer program."""
    root_assignments: int = 30_000
    leaf_mip_nodes: int = 2000
    heuristic_mip_nodes: int = 60


@dataclass(slots=True)
class Found:
    """Incumbent and bound of the search."""

    values: list[int] | None = None
    """Columns of the exact model."""
    cost: int | None = None
    bound: int = 0
    infeasible: bool = False
    """A positive phase-1 bound at integer prices."""
    nodes: int = 0
    iterations: int = 0


@dataclass(order=True, slots=True)
class _Open:
    bound: int
    minus_depth: int
    order: int
    boxes: Boxes = field(compare=False)
    limits: Limits = field(compare=False)
    duals: tuple[int, ...] = field(compare=False)


class Search:
    """One search over one exact model with a cost objective."""

    def __init__(
        self,
        build: Build,
        work: Work,
        stop: Stop,
        wall_left_s: Callable[[], float | None],
        report: Callable[[int | None, int | None], None],
        gap: float = 0.0,
        closed_elsewhere: Callable[[], bool] = lambda: False,
        on_open: Callable[[], None] = lambda: None,
    ) -> None:
        self.link: Linked = linked(build)
        self.pricer = Pricer(self.link)
        self.generator = Generator(self.link, self.pricer)
        self.work, self.stop, self.wall_left_s, self.report = work, stop, wall_left_s, report
        self.gap = gap
        self.closed_elsewhere = closed_elsewhere
        self.on_open = on_open
        """Called once when the root relaxation turns out fractional."""
        self.found = Found()
        self.start_duals = (0,) * len(self.link.right)
        """Prices at which the root starts."""
        self.root: Relaxed | None = None
        self.too_wide = 2**62
        """Slack at which a node's useful assignments were too many to list."""
        self.order = 0
        self.at = {c: i for i, c in enumerate(self.link.supply_columns)}
        whole = {c for c in (*build.shared, *build.taken) if c is not None}
        self.shared = [
            at for c, at in self.at.items() if c in whole or self.pricer.supply_costs[at] > 0
        ]
        """Columns to branch on: shared nodes, acquisitions, and whether one is taken."""

    def offer(self, values: list[int]) -> None:
        """Takes a plan as incumbent if it is valid and better."""
        model = self.link.build.model
        if model.broken(values):
            return
        cost = model.evaluate(values)
        if self.found.cost is None or cost < self.found.cost:
            self.found.cost, self.found.values = cost, values
            self.report(cost, self.found.bound)

    def halted(self) -> bool:
        """Whether to stop for time or on request."""
        left = self.wall_left_s()
        return self.closed_elsewhere() or self.stop.requested or (left is not None and left <= 0)

    def run(self) -> Found:
        """Root, restricted master, its neighbourhood, then branching until closed or out of work."""
        found = self.found
        root = self._relax(self.pricer.boxes, self.start_duals, ROOT_ROUNDS)
        if root.best is None:
            return found
        self.root = root
        found.bound = max(found.bound, root.best.bound)
        self.report(found.cost, found.bound)
        if self._fractional_nodes(root) is not None or self._fractional_pick(root) is not None:
            self.on_open()
        if not self._closed():
            self._restricted(self.pricer.boxes, self.work.heuristic_mip_nodes)
        if not self._closed():
            self._near(root, self.pricer.boxes)
        if not self._closed() and self._leaf(root, self.pricer.boxes, self._root_cap(root)):
            found.bound = found.cost if found.cost is not None else found.bound
        if not self._closed():
            self.too_wide = 2**62
            self._branch(root)
        found.iterations = self.generator.iterations
        return found

    def _root_cap(self, root: Relaxed) -> int:
        """Many assignments are worth listing only where bound and incumbent are close."""
        close = (
            self.found.cost is not None
            and root.best is not None
            and relative_gap(self.found.cost, root.best.bound) <= CLOSE
        )
        return self.work.root_assignments if close else self.work.leaf_assignments

    def root_only(self) -> None:
        """Prices the root, for `useless`."""
        self.root = self._relax(self.pricer.boxes, self.start_duals, ROOT_ROUNDS)

    def useless(self, cost: int) -> list[int]:
        """Pick columns of the exact model that no plan of at most this cost uses, by their price."""
        if self.root is None or self.root.best is None:
            return []
        priced = self.root.best
        slack = cost * PRICE_SCALE - priced.bound_scaled
        build = self.link.build
        found = []
        for number, demand in enumerate(build.demands):
            prices, ceiling = priced.pick_prices[number], priced.cheapest[number][0] + slack
            for at, column in enumerate(build.picks[number]):
                least = prices[at]
                if not demand.single:
                    least = least_with(self.pricer.covers[number], prices, at)
                if least > ceiling:
                    found.append(column)
        return found

    def _closed(self) -> bool:
        found = self.found
        return found.cost is not None and relative_gap(found.cost, found.bound) <= self.gap

    def _relax(
        self, boxes: Boxes, start: tuple[int, ...], rounds: int, limits: Limits | None = None
    ) -> Relaxed:
        return self.generator.run(
            start,
            rounds=rounds,
            boxes=boxes,
            limits=limits,
            ceiling=self.found.cost,
            halted=self.halted,
        )

    def _restricted(self, boxes: Boxes, nodes: int) -> None:
        """Integer master over the assignments known, within the boxes."""
        self._solve_master(self._known(), boxes, nodes, HEURISTIC_GAP)

    def _solve_master(
        self, assignments: list[Assignment], boxes: Boxes, nodes: int, gap: float
    ) -> tuple[Verdict, int | None]:
        master = integer_master(self.link, assignments)
        for at, (low, high) in zip(master.supply, boxes, strict=True):
            master.model.lows[at], master.model.highs[at] = low, high
        if self.halted():
            return Verdict.UNKNOWN, None
        left = self.wall_left_s()
        answer = run_mip(
            master.model,
            MipSolver.HIGHS,
            node_limit=nodes,
            wall_limit_s=None if left is None else left * MASTER_SHARE,
            stop=self.stop,
            relative_gap=gap,
        )
        if answer.values is None and self.found.cost is None and not self.halted():
            second = run_cp_sat(
                master.model,
                deterministic_limit=FIRST_PLAN_WORK,
                wall_limit_s=self.wall_left_s(),
                stop=self.stop,
            )
            if second.values is not None:
                self.offer(master.expand(second.values))
        if answer.values is not None:
            self.offer(master.expand(answer.values))
        return answer.verdict, answer.bound

    def _known(self) -> list[Assignment]:
        """Assignments within the limits in force."""
        limits = self.pricer.limits
        return [
            a
            for a in self.generator.assignments
            if a.demand not in limits or obeys(a, limits[a.demand])
        ]

    def _near(self, relaxed: Relaxed, boxes: Boxes) -> None:
        """Looks for plans among the assignments closest to the cheapest, within the boxes."""
        if relaxed.best is None:
            return
        slack = max(PRICE_SCALE, relaxed.best.bound_scaled // 1000)
        near: list[Assignment] = []
        while (more := within_slack(self.pricer, relaxed.best, slack, self.work.near)) is not None:
            near = more
            if len(near) > self.work.near // 2 or slack > relaxed.best.bound_scaled:
                break
            slack *= 2
        self._solve_master(
            list(dict.fromkeys([*near, *self._known()])),
            boxes,
            self.work.heuristic_mip_nodes,
            HEURISTIC_GAP,
        )

    def _leaf(self, relaxed: Relaxed, boxes: Boxes, cap: int) -> bool:
        """Closes a node as one integer program over all assignments that a better plan can use."""
        found = self.found
        if found.cost is None or relaxed.best is None:
            return False
        slack = found.cost * PRICE_SCALE - relaxed.best.bound_scaled
        if slack >= self.too_wide:
            return False
        useful = within_slack(self.pricer, relaxed.best, slack, cap)
        if useful is None:
            self.too_wide = min(self.too_wide, slack * 9 // 10)
            return False
        verdict, _ = self._solve_master(useful, boxes, self.work.leaf_mip_nodes, 0.0)
        return verdict in (Verdict.OPTIMAL, Verdict.INFEASIBLE)

    def _branch(self, root: Relaxed) -> None:
        """Best bound first, deeper first among equals."""
        heap: list[_Open] = []
        given_up: list[_Open] = []
        self._split(heap, root, self.pricer.boxes, {}, 0, given_up)
        while heap and self.found.nodes < self.work.nodes and not self.halted():
            self._raise_bound(heap, given_up)
            if self._closed():
                return
            node = heapq.heappop(heap)
            if self.found.cost is not None and node.bound >= self.found.cost:
                continue
            self.found.nodes += 1
            relaxed = self._relax(node.boxes, node.duals, NODE_ROUNDS, node.limits)
            if relaxed.best is None:
                continue
            bound = max(node.bound, relaxed.best.bound)
            if self.found.cost is not None and bound >= self.found.cost:
                continue
            if self.found.nodes % HEURISTIC_EVERY == 1:
                self._near(relaxed, node.boxes)
            if self._leaf(relaxed, node.boxes, self.work.leaf_assignments):
                continue
            depth = -node.minus_depth
            self._split(heap, relaxed, node.boxes, node.limits, depth, given_up, bound)
        self._raise_bound(heap, given_up)
        self._revisit(heap, given_up)

    def _revisit(self, heap: list[_Open], given_up: list[_Open]) -> None:
        """Closes nodes without a fractional node count as larger integer programs, lowest bound first."""
        self.too_wide = 2**62
        for node in sorted(given_up):
            if self.halted() or self._closed():
                return
            relaxed = self._relax(node.boxes, node.duals, NODE_ROUNDS, node.limits)
            if relaxed.best is None:
                return
            done = self.found.cost is not None and relaxed.best.bound >= self.found.cost
            if not done and not self._leaf(relaxed, node.boxes, self.work.root_assignments):
                return
            given_up.remove(node)
            self._raise_bound(heap, given_up)

    def _raise_bound(self, heap: list[_Open], given_up: list[_Open]) -> None:
        lowest = [heap[0].bound] if heap else []
        if self.found.cost is not None:
            lowest.append(self.found.cost)
        lowest += [node.bound for node in given_up]
        if lowest and min(lowest) > self.found.bound:
            self.found.bound = min(lowest)
            self.report(self.found.cost, self.found.bound)

    def _split(
        self,
        heap: list[_Open],
        relaxed: Relaxed,
        boxes: Boxes,
        limits: Limits,
        depth: int,
        given_up: list[_Open],
        bound: int | None = None,
    ) -> None:
        """Two children around a fractional node count, else a fractional pick count; none: given up."""
        low_bound = bound if bound is not None else (relaxed.best.bound if relaxed.best else 0)
        children: list[tuple[Boxes, Limits]] = []
        node = self._fractional_nodes(relaxed)
        pick = self._fractional_pick(relaxed) if node is None else None
        if node is not None:
            floor = math.floor(relaxed.supply_values[node] + WHOLE)
            low, high = boxes[node]
            children = [
                ((*boxes[:node], box, *boxes[node + 1 :]), limits)
                for box in ((low, floor), (floor + 1, high))
                if box[0] <= box[1]
            ]
        elif pick is not None:
            demand, at, floor = pick
            most = self.link.build.demands[demand].picks[at].most
            low, high = limits.get(demand, {}).get(at, (0, most))
            for span in ((low, floor), (floor + 1, high)):
                if span[0] <= span[1]:
                    of_demand = {**limits.get(demand, {}), at: span}
                    children.append((boxes, {**limits, demand: of_demand}))
        for child_boxes, child_limits in children:
            self.order += 1
            child = _Open(
                low_bound, -(depth + 1), self.order, child_boxes, child_limits, relaxed.duals
            )
            heapq.heappush(heap, child)
        if not children:
            self.order += 1
            given_up.append(_Open(low_bound, -depth, self.order, boxes, limits, relaxed.duals))

    def _fractional_nodes(self, relaxed: Relaxed) -> int | None:
        """The supply column whose fraction of a node costs most."""
        best, weight = None, 0.0
        for at in self.shared if relaxed.supply_values else []:
            value = relaxed.supply_values[at]
            part = value - math.floor(value + WHOLE)
            gain = min(part, 1 - part) * (1 + self.pricer.supply_costs[at])
            if part > WHOLE and gain > weight:
                best, weight = at, gain
        return best

    def _fractional_pick(self, relaxed: Relaxed) -> tuple[int, int, int] | None:
        """(demand, pick, whole part) of the pick count nearest to a half, of demands of one copy."""
        totals: dict[tuple[int, int], float] = {}
        for value, assignment in zip(relaxed.values, self.generator.assignments, strict=False):
            if value > WHOLE and len(self.link.build.demands[assignment.demand].copies) == 1:
                for at, count in assignment.counts:
                    key = (assignment.demand, at)
                    totals[key] = totals.get(key, 0.0) + value * count
        best, weight = None, 1e-4
        for (demand, at), value in totals.items():
            part = value - math.floor(value + WHOLE)
            gpus = self.link.build.demands[demand].picks[at].facts.gpus
            gain = min(part, 1 - part) * (1 + gpus)
            if part > WHOLE and gain > weight:
                best, weight = (demand, at, math.floor(value + WHOLE)), gain
        return best
