"""The cost round by three routes with one incumbent and one bound: CP-SAT, generation, direct MIP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from planner.optimize.backend import Answer, Verdict, run_cp_sat
from planner.optimize.build import Build
from planner.optimize.outcome import Round, Start, relative_gap
from planner.optimize.rounds import Budget, Solved
from planner.optimize.start import proof_of, warm

if TYPE_CHECKING:
    from planner.optimize.aside import Aside
    from planner.optimize.branching import Search

T = TypeVar("T")

SMALL_COLUMNS = 120
"""Models of at most this many columns are CP-SAT's first."""
SMALL_SHARE = 0.2
"""Share of the work limit that it then has."""
LIGHT_COLUMNS = 1500
"""Models of at most this many columns are first tried with little presolve: most of them close at once."""
LIGHT_SHARE = 0.005
"""Share of the work limit that this may take."""
DIRECT_COLUMNS = 1000
"""Larger models are not given to the direct MIP: a second process does more as the one that looks for plans."""
NODES_PER_WORK = 40_000.0
"""Direct MIP nodes per deterministic second of the limit, times the columns of the model."""
BRANCHES_PER_WORK = 2.0
"""Branching nodes of the generation route per deterministic second of the limit, in small models."""
BRANCH_COLUMNS = 10_000
"""Models of at most this many columns."""
BRANCH_EXPONENT = 1.5
"""A node of a model with more columns takes longer by about this power of them: a second has fewer nodes."""
UNLIMITED = 10**9
"""Nodes where the user limits seconds instead."""


@dataclass(slots=True)
class Best:
    """The one incumbent and the one bound."""

    values: tuple[int, ...] | None
    cost: int | None = None
    bound: int = 0
    route: str = "cp-sat"
    infeasible: bool = False
    invalid: bool = False
    search: Search | None = None
    start: Start | None = None

    def take(
        self, route: str, build: Build, values: Sequence[int] | None, bound: int | None
    ) -> None:
        """Keeps the better plan, if it is one, and the higher bound."""
        if bound is not None:
            self.bound = max(self.bound, bound)
        if values is None or build.model.broken(values):
            return
        cost = build.model.evaluate(values)
        if self.cost is None or cost < self.cost:
            self.cost, self.values, self.route = cost, tuple(values), route

    @property
    def closed(self) -> bool:
        """Whether bound and incumbent meet."""
        return self.cost is not None and self.bound >= self.cost

    def within(self, gap: float) -> bool:
        """Whether the gap asked for is reached."""
        return self.cost is not None and relative_gap(self.cost, self.bound) <= gap


def cost_round(build: Build, budget: Budget, solved: Solved) -> str:
    """Minimises cost given what must be served; returns the route that found the plan."""
    build.model.objective = {column: cents for column, cents in build.cost_terms() if cents}
    best = Best(solved.values, start=solved.start)
    if solved.values is not None:
        best.take("cp-sat", build, solved.values, None)
    if len(build.model.names) <= LIGHT_COLUMNS:
        work = budget.limits.deterministic_time * LIGHT_SHARE
        _accept(best, build, _cp_sat(build, budget, best, work, light=True))
        if best.infeasible or best.invalid or best.within(budget.limits.gap):
            return _finish(build, solved, best)
    if build.flows or budget.limits.quick:
        # Requests shared out by size are beyond the other routes.
        _accept(best, build, _cp_sat(build, budget, best, budget.left))
        return _finish(build, solved, best)
    if len(build.model.names) <= SMALL_COLUMNS:
        _quick(build, budget, best)
    if not (best.infeasible or best.invalid or best.within(budget.limits.gap)):
        _together(build, budget, best)
    if not (best.infeasible or best.invalid or best.cost is not None) and not budget.stop.requested:
        _accept(best, build, _cp_sat(build, budget, best, budget.left))
    if best.closed and best.search is None and len(build.model.names) > SMALL_COLUMNS:
        best.search = _search(build, budget, best)
        best.search.root_only()
    return _finish(build, solved, best)


def light_round(build: Build, budget: Budget, solved: Solved) -> None:
    """The cost round by CP-SAT alone with little presolve, which closes most small models at once."""
    build.model.objective = {column: cents for column, cents in build.cost_terms() if cents}
    best = Best(solved.values)
    _accept(best, build, _cp_sat(build, budget, best, budget.left, light=True))
    _finish(build, solved, best)


def _finish(build: Build, solved: Solved, best: Best) -> str:
    """Records the round; a proven cost also rules out the picks that no equally cheap plan uses."""
    solved.start = None if best.search is None else proof_of(best.search)
    if best.cost is None or best.values is None:
        solved.values = None
        solved.verdict = Verdict.UNKNOWN
        if best.invalid:
            solved.verdict = Verdict.INVALID
        elif best.infeasible:
            solved.verdict = Verdict.INFEASIBLE
        return best.route
    if best.search is not None and best.closed:
        for column in best.search.useless(best.cost):
            build.model.highs[column] = 0
        solved.search = best.search
    solved.values = best.values
    solved.rounds.append(Round("cost", best.cost, min(best.bound, best.cost)))
    closed = all(one.closed for one in solved.rounds)
    solved.verdict = Verdict.OPTIMAL if closed else Verdict.FEASIBLE
    return best.route


def _quick(build: Build, budget: Budget, best: Best) -> None:
    """CP-SAT for as long as small problems need."""
    work = budget.limits.deterministic_time * SMALL_SHARE
    _accept(best, build, _cp_sat(build, budget, best, work))


def _cp_sat(
    build: Build, budget: Budget, best: Best, work: float, *, light: bool = False
) -> Answer:
    own_choice = len(build.model.names) <= SMALL_COLUMNS and not light

    def better(value: int) -> None:
        budget.report("cost", value, best.bound)

    answer = run_cp_sat(
        build.model,
        deterministic_limit=min(work, budget.left),
        wall_limit_s=budget.wall_left_s,
        hint=best.values,
        subsolver=None if own_choice else "reduced_costs",
        light=light,
        stop=budget.stop,
        on_solution=better if budget.progress is not None else None,
    )
    budget.used += answer.deterministic_time
    return answer


def _accept(best: Best, build: Build, answer: Answer) -> None:
    best.take("cp-sat", build, answer.values, answer.bound)
    if answer.verdict is Verdict.OPTIMAL and best.cost is not None:
        best.bound = max(best.bound, best.cost)
    best.infeasible = answer.verdict is Verdict.INFEASIBLE
    best.invalid = answer.verdict is Verdict.INVALID


def _together(build: Build, budget: Budget, best: Best) -> None:
    """Generation here and the direct MIP beside it; whichever closes the round stops the other.

    They share nothing while they run and both have work limits, so the outcome does not depend on their speed.
    """
    from planner.optimize.aside import Aside, Request

    def request() -> Request:
        nodes, gap = _direct_nodes(build, budget), budget.limits.gap
        return Request(build.model, nodes, budget.wall_left_s, search.found.values, gap)

    direct = Aside(request, possible=len(build.model.names) <= DIRECT_COLUMNS)
    search = _search(build, budget, best, direct)
    best.search = search
    try:
        # Prices too large for exact arithmetic end this route alone; what it has found so far holds.
        with suppress(OverflowError):
            _interruptible(budget, search.run)
        best.take("generation", build, search.found.values, search.found.bound)
        best.infeasible = search.found.infeasible
        if not (best.infeasible or best.within(budget.limits.gap)):
            direct.start()
        while not (best.infeasible or best.within(budget.limits.gap) or budget.stop.requested):
            if _interruptible(budget, lambda: direct.wait(0.2)):
                break
    finally:
        direct.end()
    answer = direct.answer
    if answer is not None and not best.closed:
        best.take("direct mip", build, answer.values, answer.bound)
    if direct.started and best.route != "cp-sat":
        # Which of the two was first depends on the machine; the plan, canonical among equals, does not.
        best.route = "generation and direct mip"
    budget.report("cost", best.cost, best.bound)


def _direct_nodes(build: Build, budget: Budget) -> int:
    if budget.limits.wall_s is not None:
        return UNLIMITED
    per_second = NODES_PER_WORK / max(1, len(build.model.names))
    return int(budget.limits.deterministic_time * per_second) + 1


def _interruptible(budget: Budget, work: Callable[[], T]) -> T | None:
    """The first Ctrl-C becomes a stop request, the second is raised."""
    try:
        return work()
    except KeyboardInterrupt:
        if budget.stop.requested:
            raise
        budget.stop.request()
        return None


def _search(build: Build, budget: Budget, best: Best, direct: Aside | None = None) -> Search:
    from planner.optimize.branching import Search, Work

    size = max(1.0, len(build.model.names) / BRANCH_COLUMNS)
    per_second = BRANCHES_PER_WORK / size**BRANCH_EXPONENT
    nodes = max(1, int(budget.limits.deterministic_time * per_second))
    work = Work()
    if budget.limits.wall_s is None:
        # Where few nodes take up the limit, a step of polishing does as well.
        steps = min(work.polish_steps, max(work.polish_patience, nodes))
        work = replace(work, nodes=nodes, polish_steps=steps)
    else:
        work = replace(work, nodes=UNLIMITED)
    search = Search(
        build,
        work,
        budget.stop,
        lambda: budget.wall_left_s,
        lambda cost, bound: budget.report("cost", cost, bound),
        gap=budget.limits.gap,
        closed_elsewhere=lambda: direct is not None and direct.closed,
        on_open=lambda: None if direct is None else direct.start(),
        beside=direct is not None and not direct.possible,
    )
    warm(search, best.start)
    search.found.bound = best.bound
    if best.values is not None:
        search.offer(list(best.values))
    return search
