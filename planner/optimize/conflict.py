"""Which facts cannot all hold, when no plan exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.optimize.backend import Verdict, run_cp_sat
from planner.optimize.blocks import Demand, demands, replicas_alone
from planner.optimize.exact import exact_model
from planner.optimize.mathopt import MipSolver, run_mip
from planner.optimize.outcome import Conflict
from planner.optimize.rounds import Budget
from planner.options.problem import Block, Problem

HIGHS_NODES = 200_000
CHECK_WORK = 5.0
"""Deterministic seconds for one feasibility check while a conflict is shrunk."""

Group = tuple[str, int]
"""(limit | supply | block, index)."""


def confirmed_infeasible(
    problem: Problem,
    needs: Sequence[Demand],
    tagged: frozenset[tuple[int, int]],
    budget: Budget,
) -> Verdict:
    """The second opinion: HiGHS on the rows of the exact model, without an objective."""
    build = exact_model(problem, needs, tagged)
    build.model.objective = {}
    answer = run_mip(
        build.model,
        MipSolver.HIGHS,
        node_limit=HIGHS_NODES,
        wall_limit_s=budget.wall_left_s,
        stop=budget.stop,
    )
    return answer.verdict


def find_conflict(problem: Problem, budget: Budget) -> Conflict:
    """Shrinks the set of all facts by deletion, in a fixed order, until each member is needed.

    Limits are tried first, then supplies, then blocks, so that what remains leans on hard facts.
    """
    kept = _groups(problem)
    if _possible(problem, kept, budget) is not False:
        return _conflict(problem, kept, minimal=False)
    minimal = True
    size = max(1, len(kept) // 2)
    while size:
        at = 0
        while at < len(kept):
            rest = kept[:at] + kept[at + size :]
            possible = _possible(problem, rest, budget)
            if possible is None and size == 1:
                minimal = False
            if possible is False:
                kept = rest
            else:
                at += size
            if budget.stop.requested:
                return _conflict(problem, kept, minimal=False)
        size //= 2
    return _conflict(problem, kept, minimal=minimal)


def _conflict(problem: Problem, kept: Sequence[Group], *, minimal: bool) -> Conflict:
    return Conflict(tuple(_name(problem, group) for group in kept), minimal, tuple(kept))


def _groups(problem: Problem) -> list[Group]:
    return [
        *(("limit", index) for index in range(len(problem.limits))),
        *(("supply", index) for index in range(len(problem.supplies))),
        *(("block", index) for index, block in enumerate(problem.blocks) if block.required),
    ]


def _name(problem: Problem, group: Group) -> str:
    kind, index = group
    if kind == "limit":
        return f"limit:{problem.limits[index].name}"
    if kind == "supply":
        supply = problem.supplies[index]
        return f"supply:{supply.pool}/{supply.term}"
    return f"block:{problem.blocks[index].name}"


def _possible(problem: Problem, kept: Sequence[Group], budget: Budget) -> bool | None:
    """Whether the kept facts alone can hold; None when the work limit does not tell."""
    relaxed = _relax(problem, set(kept))
    build = exact_model(relaxed, demands(relaxed))
    build.model.objective = {}
    answer = run_cp_sat(
        build.model,
        deterministic_limit=CHECK_WORK,
        wall_limit_s=budget.wall_left_s,
        stop=budget.stop,
    )
    budget.used += answer.deterministic_time
    if answer.verdict in (Verdict.OPTIMAL, Verdict.FEASIBLE):
        return True
    return False if answer.verdict is Verdict.INFEASIBLE else None


def _relax(problem: Problem, kept: set[Group]) -> Problem:
    """The problem with every other fact lifted: blocks dropped, stocks ample, limits gone."""
    blocks = tuple(b for i, b in enumerate(problem.blocks) if ("block", i) in kept)
    ample = sum(block.multiplicity * _nodes_alone(block) for block in problem.blocks)
    supplies = tuple(
        supply
        if ("supply", i) in kept
        else replace(supply, max_nodes=max(supply.max_nodes, ample), spare_nodes=0, base_nodes=None)
        for i, supply in enumerate(problem.supplies)
    )
    limits = tuple(one for i, one in enumerate(problem.limits) if ("limit", i) in kept)
    return replace(problem, blocks=blocks, supplies=supplies, limits=limits)


def _nodes_alone(block: Block) -> int:
    """Nodes that surely suffice for one copy of a block, whatever it picks."""
    return max(
        (replicas_alone(block, c) * (c.whole_nodes + 1) for c in block.candidates), default=0
    )
