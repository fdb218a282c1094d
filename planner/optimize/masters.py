"""Integer programs over the assignments known: solved here, or in a process beside while the search goes on."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.optimize.aside import Aside, Request
from planner.optimize.backend import Answer, Verdict, run_cp_sat
from planner.optimize.bound import Assignment, Boxes
from planner.optimize.generation import obeys
from planner.optimize.linear import LinearModel, row
from planner.optimize.master import Master, assignments_in, integer_master
from planner.optimize.mathopt import MipSolver, run_mip

if TYPE_CHECKING:
    from planner.optimize.branching import Search

WALL_SHARE = 0.5
"""Share of the wall-clock time left, where there is a limit, that one integer program may use."""
CENTS = 100
FIRST_PLAN_WORK = 10.0
"""Deterministic seconds of CP-SAT on the master when HiGHS finds no plan at all."""
LOOK_GAP = 1e-4
"""An integer program that only looks for plans stops this close to its own optimum."""


@dataclass(slots=True)
class Begun:
    """A look for a plan in a process beside."""

    master: Master
    child: Aside


class Masters:
    """The integer programs of one search.

    A program that only looks for a plan may run beside: its plan is taken at a point that the search's work sets, so
    the outcome does not depend on the speed of either.
    """

    def __init__(self, search: Search, *, beside: bool) -> None:
        self.search = search
        self.beside = beside
        """Whether looks for plans run in a process of their own, one at a time."""
        self.begun: Begun | None = None

    def known(self) -> list[Assignment]:
        """Assignments within the limits in force."""
        limits = self.search.pricer.limits
        return [
            a
            for a in self.search.generator.assignments
            if a.demand not in limits or obeys(a, limits[a.demand])
        ]

    def look(self, boxes: Boxes, nodes: int) -> None:
        """Looks here for a plan among the assignments known, within the boxes."""
        self.solve(self.known(), boxes, nodes, LOOK_GAP)

    def begin(self, boxes: Boxes, nodes: int) -> None:
        """The same beside, unless a look is under way."""
        if self.begun is not None or self.search.halted():
            return
        master, hint = self._from_plan(boxes)
        request = Request(master.model, nodes, self._wall_s(), hint, LOOK_GAP)
        self.begun = Begun(master, Aside(lambda: request))
        self.begun.child.start()

    def _from_plan(self, boxes: Boxes) -> tuple[Master, list[int] | None]:
        """The program over all that is known, and in it the best plan to begin with."""
        plan, link = self.search.found.values, self.search.link
        shut = self.search.generator.shut_supply
        if plan is None:
            return self._master(self.known(), boxes, shut), None
        held = assignments_in(link, plan)
        unused = {at for at in shut if not plan[link.supply_columns[at]]}
        every = list(dict.fromkeys([*self.known(), *held]))
        master = self._master(every, boxes, unused, better=False)
        return master, master.values_of(held, plan)

    def ready(self) -> bool:
        """Whether something is there to be taken at once; only ever so where the clock rules anyway."""
        by_clock = self.search.wall_left_s() is not None
        return by_clock and self.begun is not None and self.begun.child.wait(0.0)

    def taken(self, *, wait: bool) -> bool:
        """Offers what was found beside, if a look has come to its end there; a first plan is waited for in any case."""
        begun, search = self.begun, self.search
        if begun is None:
            return False
        while not begun.child.wait(0.2 if wait else 0.0):
            first = search.stop.requested and search.found.cost is None
            if not wait or (search.halted() and not first):
                return False
        self.end()
        self._offer(begun.master, begun.child.answer)
        return True

    def end(self) -> None:
        """Leaves no process behind."""
        if self.begun is not None:
            self.begun.child.end()
            self.begun = None

    def solve(
        self,
        assignments: Sequence[Assignment],
        boxes: Boxes,
        nodes: int,
        gap: float,
        left_out: AbstractSet[int] | None = None,
    ) -> Verdict:
        """Solves here, without the supply columns left out: by default those the relaxation never asked for."""
        if self.search.halted():
            return Verdict.UNKNOWN
        shut = self.search.generator.shut_supply if left_out is None else left_out
        master = self._master(assignments, boxes, shut)
        answer = run_mip(
            master.model,
            MipSolver.HIGHS,
            node_limit=nodes,
            wall_limit_s=self._wall_s(),
            stop=self.search.stop,
            relative_gap=gap,
        )
        self._offer(master, answer)
        return answer.verdict

    def _master(
        self,
        assignments: Sequence[Assignment],
        boxes: Boxes,
        shut: AbstractSet[int],
        *,
        better: bool = True,
    ) -> Master:
        master = integer_master(self.search.link, assignments)
        for number, (at, (low, high)) in enumerate(zip(master.supply, boxes, strict=True)):
            master.model.lows[at] = low
            master.model.highs[at] = low if number in shut else high
        if better:
            self._only_better(master.model)
        return master

    def _only_better(self, model: LinearModel) -> None:
        """A row that no plan as dear as the incumbent meets, in whole dollars rounded down."""
        cost = self.search.found.cost
        if cost is not None:
            terms = [(at, cents // CENTS) for at, cents in sorted(model.objective.items())]
            model.add(row("better", "better", terms, high=(cost - 1) // CENTS))

    def _wall_s(self) -> float | None:
        left = self.search.wall_left_s()
        return None if left is None else left * WALL_SHARE

    def _offer(self, master: Master, answer: Answer | None) -> None:
        """Offers the plan; where HiGHS finds none and there is none at all yet, CP-SAT tries for one."""
        search = self.search
        values = None if answer is None else answer.values
        possible = answer is None or answer.verdict is not Verdict.INFEASIBLE
        if values is None and possible and search.found.cost is None and not search.halted():
            values = run_cp_sat(
                master.model,
                deterministic_limit=FIRST_PLAN_WORK,
                wall_limit_s=search.wall_left_s(),
                stop=search.stop,
            ).values
        if values is not None:
            search.offer(master.expand(values))
