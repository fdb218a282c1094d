"""The generation route: root relaxation, plans by a dive and its neighbourhoods, then the tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from planner.optimize.backend import Stop, Verdict, run_cp_sat
from planner.optimize.bound import Boxes, Limits, Pricer
from planner.optimize.build import Build
from planner.optimize.cuts import CutPool
from planner.optimize.dive import ANYWHERE, STUCK, dive
from planner.optimize.enumerate import within_slack
from planner.optimize.flat import PRICE_SCALE
from planner.optimize.fractional import BranchChoices
from planner.optimize.generation import Generator, Relaxed
from planner.optimize.improve import polish, reopen
from planner.optimize.linking import Linked, linked
from planner.optimize.masters import FIRST_PLAN_WORK, Masters
from planner.optimize.outcome import relative_gap
from planner.optimize.pricing import least_with
from planner.optimize.reopen import Reopen
from planner.optimize.tighten import tightened
from planner.optimize.tree import Tree

ROOT_ROUNDS = 300
CLOSE = 0.01
"""Relative gap at the root below which it is tried as one large integer program."""
HAIR = 1e-5


@dataclass(frozen=True, slots=True)
class Work:
    """Limits in work, not seconds."""

    nodes: int = 400
    """Branching nodes."""
    leaf_assignments: int = 3000
    """A node whose useful assignments number at most this is closed as one integer program."""
    root_assignments: int = 30_000
    leaf_mip_nodes: int = 2000
    heuristic_mip_nodes: int = 60
    polish_steps: int = 40
    polish_patience: int = 10
    reopen_steps: int = 24
    reopen_patience: int = 8


@dataclass(slots=True)
class Found:
    """Incumbent and bound of the search."""

    values: list[int] | None = None
    """Columns of the exact model."""
    cost: int | None = None
    bound: int = 0
    infeasible: bool = False
    """Proven: no plan at all."""
    nodes: int = 0
    iterations: int = 0


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
        beside: bool = False,
    ) -> None:
        """Args: `beside`, whether looks for plans run in a second process while the tree goes on."""
        self.link: Linked = linked(build)
        self.pricer = Pricer(self.link)
        self.choices = BranchChoices(self.link, self.pricer.supply_costs)
        self.cuts = CutPool(self.pricer.boxes, self.choices.columns)
        self.generator = Generator(self.link, self.pricer, self.cuts)
        self.work, self.stop, self.wall_left_s, self.report = work, stop, wall_left_s, report
        self.gap = gap
        self.closed_elsewhere = closed_elsewhere
        self.on_open = on_open
        """Called once when the root relaxation turns out fractional."""
        self.found = Found()
        self.masters = Masters(self, beside=beside)
        self.reopener = Reopen(build)
        self.start_duals = self.pricer.rent()
        """Prices at which the root starts."""
        self.root: Relaxed | None = None
        self.too_wide = 2**62
        """Slack at which a node's useful assignments were too many to list."""

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
        """Root with rounding rows, a dive for a plan, its neighbourhoods, then branching until closed."""
        try:
            self._run()
        except KeyboardInterrupt:
            # Without a plan as yet, the one that is looked for beside is worth some seconds; Ctrl-C again ends that.
            if self.stop.requested or self.found.cost is not None or self.masters.begun is None:
                raise
            self.stop.request()
            self.masters.taken(wait=True)
        finally:
            self.masters.end()
        self.found.iterations = self.generator.iterations
        return self.found

    def _run(self) -> None:
        found = self.found
        root = self.relax(self.pricer.boxes, self.start_duals, ROOT_ROUNDS)
        if self.choices.open(root, self.generator.assignments):
            self.on_open()
            root = tightened(self, root, ROOT_ROUNDS)
        if root.best is None:
            return
        self.root = root
        found.bound = max(found.bound, root.best.bound)
        self.report(found.cost, found.bound)
        if root.artificial > STUCK and found.cost is None and not self._possible():
            return
        end = root
        if not self.closed():
            end = dive(self, root, self.pricer.boxes, {}, (ANYWHERE,))
        if found.cost is None:
            self._first_look()
        if self.masters.begun is None:
            tried = found.cost
            self.close_root()
            if self.wide():
                polish(self, end)
                reopen(self)
            if found.cost != tried:
                self.close_root()
        if not self.closed():
            Tree(self, root, end).run()

    def _first_look(self) -> None:
        """Looks for a first plan anywhere, where the dive has not come to look for one."""
        nodes = self.work.heuristic_mip_nodes
        if self.masters.beside:
            self.masters.begin(self.pricer.boxes, nodes)
        else:
            self.masters.look(self.pricer.boxes, nodes)

    def link_by(self, link: Linked) -> None:
        """Goes on with other linking rows; assignments stay."""
        self.link = link
        self.pricer = Pricer(link)
        self.cuts = CutPool(self.pricer.boxes, self.choices.columns)
        self.generator = Generator(link, self.pricer, self.cuts, self.generator)

    def _possible(self) -> bool:
        """Whether there may be a plan at all; one that CP-SAT comes upon is the first."""
        model = replace(self.link.build.model, objective={})
        answer = run_cp_sat(
            model,
            deterministic_limit=FIRST_PLAN_WORK,
            wall_limit_s=self.wall_left_s(),
            stop=self.stop,
        )
        if answer.values is not None:
            self.offer(list(answer.values))
        self.found.infeasible = answer.verdict is Verdict.INFEASIBLE
        return not self.found.infeasible

    def close_root(self) -> None:
        """Proves the incumbent, or finds the optimum, by one integer program where that is small."""
        if self.root is None or self.closed():
            return
        # Limits of a node visited before hold for that node alone.
        self.pricer.narrow({})
        if self.leaf(self.root, self.pricer.boxes, self._root_cap(self.root)):
            self.found.bound = self.found.cost if self.found.cost is not None else self.found.bound
        self.too_wide = 2**62

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
        self.root = self.relax(self.pricer.boxes, self.start_duals, ROOT_ROUNDS)

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

    def closed(self) -> bool:
        """Whether the gap asked for is reached."""
        found = self.found
        return found.cost is not None and relative_gap(found.cost, found.bound) <= self.gap

    def wide(self) -> bool:
        """Whether a better plan is worth looking for: beyond a hair, only the bound is left to raise."""
        found = self.found
        if found.cost is None:
            return True
        return relative_gap(found.cost, found.bound) > max(HAIR, self.gap)

    def relax(
        self, boxes: Boxes, start: tuple[int, ...], rounds: int, limits: Limits | None = None
    ) -> Relaxed:
        """The relaxation within boxes and limits."""
        return self.generator.run(
            start,
            rounds=rounds,
            boxes=boxes,
            limits=limits,
            ceiling=self.found.cost,
            halted=self.halted,
        )

    def leaf(self, relaxed: Relaxed, boxes: Boxes, cap: int) -> bool:
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
        # A supply column dearer than the slack is in no better plan.
        dear = {at for at, price in enumerate(relaxed.best.supply_prices) if price > slack}
        nodes = self.work.leaf_mip_nodes
        verdict = self.masters.solve(useful, boxes, nodes, 0.0, left_out=dear)
        return verdict in (Verdict.OPTIMAL, Verdict.INFEASIBLE)
