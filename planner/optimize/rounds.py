"""Lexicographic rounds on the exact model by CP-SAT: unserved by priority, then cost, then ties."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planner.optimize.backend import Answer, Stop, Verdict, run_cp_sat
from planner.optimize.build import Build
from planner.optimize.linear import row
from planner.optimize.outcome import Progress, ProgressCallback, Round, SolveLimits, Start
from planner.optimize.ties import packed, tie_objectives

if TYPE_CHECKING:
    from planner.optimize.branching import Search

LEAST_WORK = 0.05
"""Deterministic seconds that any round may use, however little is left."""
TIE_SEARCHES = (("no_lp", 0.03), ("reduced_costs", 0.1), ("no_lp", 0.3))
"""Searches of CP-SAT that a tie rule is given to in turn, with their deterministic seconds: most rules are decided at
once without the linear relaxation, some only with it."""
TIE_SHARE = 0.1
"""Share of the whole work limit, and of the wall-clock time left, that ties may use."""


@dataclass(slots=True)
class Budget:
    """Work left for one call of `solve`."""

    limits: SolveLimits
    stop: Stop
    progress: ProgressCallback | None = None
    started: float = field(default_factory=time.perf_counter)
    used: float = 0.0

    @property
    def left(self) -> float:
        """Deterministic seconds left."""
        return max(LEAST_WORK, self.limits.deterministic_time - self.used)

    @property
    def wall_left_s(self) -> float | None:
        """Wall-clock seconds left; None without a limit."""
        if self.limits.wall_s is None:
            return None
        return max(0.0, self.limits.wall_s - self.elapsed_s)

    @property
    def elapsed_s(self) -> float:
        """Wall-clock seconds since the start."""
        return time.perf_counter() - self.started

    def report(self, stage: str, incumbent: int | None, bound: int | None) -> None:
        """Tells the caller where the search stands."""
        if self.progress is not None:
            self.progress(Progress(stage, self.elapsed_s, incumbent, bound))


@dataclass(slots=True)
class Solved:
    """The rounds' result on one model."""

    verdict: Verdict
    values: tuple[int, ...] | None = None
    rounds: list[Round] = field(default_factory=list)
    tie_break_applied: bool = False
    search: Search | None = None
    """The closed search of the cost round, where there was one."""
    start: Start | None = None
    """What the cost round starts from; after it, what the next solve can start from."""


def serve_rounds(build: Build, budget: Budget) -> Solved:
    """Minimises unserved copies, the most important priority first, and fixes each level reached."""
    solved = Solved(Verdict.UNKNOWN)
    levels: dict[int, list[int]] = {}
    for demand, column in zip(build.demands, build.unserved, strict=True):
        if column is not None:
            levels.setdefault(demand.facts.priority, []).append(column)
    for priority, columns in sorted(levels.items()):
        name = f"unserved, priority {priority}"
        answer = _minimise(build, dict.fromkeys(columns, 1), budget, solved.values)
        if not _accept(solved, answer, name, build, dict.fromkeys(columns, 1)):
            return solved
        value = solved.rounds[-1].value
        terms = [(column, 1) for column in columns]
        build.model.add(row(f"level[{priority}]", "levels", terms, high=value))
    return solved


def tie_rounds(build: Build, budget: Budget, solved: Solved) -> None:
    """Picks the canonical plan among those of proven least cost; keeps the first plan if work runs out."""
    cost = solved.rounds[-1].value
    tie_budget = Budget(
        SolveLimits(
            deterministic_time=budget.limits.deterministic_time * TIE_SHARE,
            wall_s=None if budget.wall_left_s is None else budget.wall_left_s * TIE_SHARE,
        ),
        budget.stop,
    )
    if solved.search is not None:
        from planner.optimize.tie_master import canonical

        found = canonical(solved.search, cost, tie_budget)
        budget.used += tie_budget.used
        if found is not None and not build.model.broken(found):
            solved.values, solved.tie_break_applied = found, True
            return
        # Too many assignments are in play where the bound at the root is loose: the exact model decides.
        tie_budget.used = 0.0
    build.model.add(row("cost", "cost", build.cost_terms(), high=cost))
    values = solved.values
    for name, objective in packed(build.model, tie_objectives(build)):
        hint = complete(build, values) if values is not None else None
        answer = _tie(build, objective, tie_budget, hint)
        if answer.verdict is not Verdict.OPTIMAL or answer.values is None:
            return
        values = answer.values
        high = sum(c * values[v] for v, c in objective.items())
        build.model.add(row(f"tie[{name}]", "ties", objective.items(), high=high))
    budget.used += tie_budget.used
    solved.values = values
    solved.tie_break_applied = True


def _tie(
    build: Build, objective: dict[int, int], budget: Budget, hint: tuple[int, ...] | None
) -> Answer:
    """One tie rule on the exact model, by quick searches first."""
    build.model.objective = objective
    for subsolver, work in TIE_SEARCHES:
        answer = run_cp_sat(
            build.model,
            deterministic_limit=min(budget.left, work),
            wall_limit_s=budget.wall_left_s,
            hint=hint,
            subsolver=subsolver,
            light=True,
            stop=budget.stop,
        )
        budget.used += answer.deterministic_time
        if answer.verdict is Verdict.OPTIMAL:
            return answer
        hint = answer.values or hint
    return _minimise(build, objective, budget, hint)


def complete(build: Build, values: tuple[int, ...]) -> tuple[int, ...]:
    """Values for columns added since (the GPU types), which are 1 where in doubt."""
    return values + (1,) * (len(build.model.names) - len(values))


def _minimise(
    build: Build,
    objective: dict[int, int],
    budget: Budget,
    hint: tuple[int, ...] | None,
) -> Answer:
    build.model.objective = objective
    answer = run_cp_sat(
        build.model,
        deterministic_limit=budget.left,
        wall_limit_s=budget.wall_left_s,
        hint=hint,
        stop=budget.stop,
    )
    budget.used += answer.deterministic_time
    return answer


def _accept(
    solved: Solved, answer: Answer, name: str, build: Build, objective: dict[int, int]
) -> bool:
    """Adds the round; False when nothing better than before is known."""
    if answer.values is None:
        if solved.values is None or answer.verdict is not Verdict.UNKNOWN:
            solved.verdict = answer.verdict
            solved.values = None
            return False
        values = solved.values
    else:
        values = answer.values
    value = sum(c * values[v] for v, c in objective.items())
    bound = value if answer.verdict is Verdict.OPTIMAL else min(value, answer.bound or 0)
    solved.values = values
    solved.rounds.append(Round(name, value, bound))
    closed = all(one.closed for one in solved.rounds)
    solved.verdict = Verdict.OPTIMAL if closed else Verdict.FEASIBLE
    return True
