"""The problem with GPUs and host RAM only counted, pool by pool: small, and its answer mostly can be placed on nodes.

The exact model has a column for each way to fill a node, which are thousands where replicas take many different
shares of host RAM. Without them it is a relaxation: it has every plan of the exact model, and perhaps some that cannot
be placed. So its cheapest plan, canonical among equals, is the exact model's as well once its replicas are placed; and
where it has no plan, there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.optimize.backend import Verdict
from planner.optimize.blocks import Demand
from planner.optimize.build import Build
from planner.optimize.exact import exact_model
from planner.optimize.extract import block_plans
from planner.optimize.outcome import BlockPlan, NodePlan
from planner.optimize.place import PackingFailure, place
from planner.optimize.rounds import Budget, Solved, serve_rounds, tie_rounds
from planner.optimize.routes import light_round
from planner.options.problem import Problem

SHARE = 0.02
"""Of the work, and of the wall-clock time left, that counting may use: what it can do it does at once."""

PACKING_WORK = 0.2
"""Deterministic seconds for one packing: where it takes more, patterns do better."""
MOST_COLUMNS = 6000
"""Larger models are beyond CP-SAT with little presolve."""
MOST_IN_TIES = 1500
"""Columns of the exact model beyond which ties that stay open here stay so there as well."""
WORK_IN_TIES = 20.0
"""Work limit of which ties then take their share: most are decided in a small part of it, or not at all."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A proven answer; without a plan it is proven that there is none."""

    build: Build
    solved: Solved
    plans: tuple[BlockPlan, ...] = ()
    packing: tuple[tuple[NodePlan, ...], ...] = ()


def counting_model(problem: Problem, needs: Sequence[Demand]) -> Build:
    """The model without node patterns wherever they would be many; the exact model where that is nowhere."""
    return exact_model(problem, needs, to_count=frozenset(range(len(problem.supplies))))


def by_counting(build: Build, budget: Budget) -> Counted | None:
    """The proven answer, or None where counting does not do; a pool that fails to pack gets its node patterns."""
    problem = build.problem
    mine = _share(budget)
    while build.counted and len(build.model.names) <= MOST_COLUMNS:
        before = mine.used
        solved = _solved(build, mine)
        budget.used += mine.used - before
        if solved is None:
            return None
        if solved.values is None:
            return Counted(build, solved)
        if budget.limits.tie_break:
            # The cost is proven: ties may take as long as in the exact model, where they are harder.
            beyond = _beyond_ties(build)
            _ties(build, budget, solved, beyond)
            if not (solved.tie_break_applied or _hurried(budget) or beyond):
                return None
        plans = block_plans(build, solved.values)
        shared = [0 if column is None else solved.values[column] for column in build.shared]
        packing = place(problem, plans, shared, work=PACKING_WORK)
        if not isinstance(packing, PackingFailure):
            return Counted(build, solved, plans, packing)
        if packing.supply not in build.counted:
            return None
        rest = build.to_count - {packing.supply}
        build = exact_model(problem, build.demands, to_count=rest)
    return None


def _hurried(budget: Budget) -> bool:
    """Whether a plan in hand is better than a canonical one later."""
    return budget.stop.requested or budget.limits.wall_s is not None


def _ties(build: Build, budget: Budget, solved: Solved, beyond: bool) -> None:
    most = budget.limits.deterministic_time
    limits = replace(budget.limits, deterministic_time=min(most, WORK_IN_TIES) if beyond else most)
    mine = Budget(limits, budget.stop, budget.progress, budget.started, budget.used)
    tie_rounds(build, mine, solved)
    budget.used = mine.used


def _beyond_ties(build: Build) -> bool:
    """Whether the exact model is too large to decide ties that stay open among plans that count only."""
    exact = exact_model(build.problem, build.demands)
    return len(exact.model.names) > MOST_IN_TIES


def _share(budget: Budget) -> Budget:
    if budget.limits.quick:
        return Budget(budget.limits, budget.stop, budget.progress, budget.started)
    left_s = budget.wall_left_s
    limits = replace(
        budget.limits,
        deterministic_time=budget.limits.deterministic_time * SHARE,
        wall_s=None if left_s is None else budget.elapsed_s + left_s * SHARE,
    )
    return Budget(limits, budget.stop, budget.progress, budget.started)


def _solved(build: Build, budget: Budget) -> Solved | None:
    """All rounds of the model but ties, each proven; None where one stays open."""
    solved = serve_rounds(build, budget)
    if solved.verdict is Verdict.OPTIMAL or not solved.rounds:
        light_round(build, budget, solved)
    if solved.verdict is Verdict.INFEASIBLE:
        solved.values = None
        return solved
    return solved if solved.verdict is Verdict.OPTIMAL else None
