"""`solve`: from a problem to one of five outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.optimize.backend import Stop, Verdict
from planner.optimize.blocks import Demand, demands
from planner.optimize.build import Build
from planner.optimize.check import problem_errors
from planner.optimize.counted import MOST_COLUMNS, Counted, by_counting, counting_model
from planner.optimize.exact import exact_model
from planner.optimize.extract import block_plans, node_counts, plan_cost
from planner.optimize.outcome import (
    BlockPlan,
    Conflict,
    NodePlan,
    Outcome,
    ProgressCallback,
    Round,
    SolveLimits,
    Start,
    Stats,
    Status,
)
from planner.optimize.place import PackingFailure, place
from planner.optimize.rounds import Budget, Solved, serve_rounds, tie_rounds
from planner.optimize.routes import cost_round
from planner.optimize.start import offer, start_from
from planner.options.problem import Problem


def solve(
    problem: Problem,
    *,
    limits: SolveLimits | None = None,
    progress: ProgressCallback | None = None,
    stop: Stop | None = None,
    start: Outcome | None = None,
) -> Outcome:
    """The cheapest plan with its proof, or why there is none.

    Serves all required blocks, then as many optional ones as possible by priority, then at least cost; among
    plans proven equal it takes the canonical one.

    Args:
        problem: Integers only, rounded to the safe side.
        limits: Work limits; the default suits an interactive run.
        progress: Called with each better plan or bound.
        stop: Ask it to stop from another thread or a signal; the best plan so far is returned.
        start: Answer to a problem that differs little; where its plan is valid here, the search starts from it.
    """
    budget = Budget(limits or SolveLimits(), stop or Stop(), progress)
    errors = problem_errors(problem)
    if errors:
        return Outcome(Status.INVALID, message="; ".join(errors))
    bare = [b.name for b in problem.blocks if b.required and not b.candidates]
    if bare:
        members = tuple(f"block:{name}" for name in bare)
        message = "no candidate serves " + ", ".join(bare)
        return Outcome(Status.INFEASIBLE, conflict=Conflict(members, True), message=message)
    return _solve_exactly(problem, demands(problem), budget, start.start if start else None)


def _solve_exactly(
    problem: Problem, needs: Sequence[Demand], budget: Budget, start: Start | None
) -> Outcome:
    """Rounds, placement, and again with finer packing rows where the placement fails."""
    tagged: frozenset[tuple[int, int]] = frozenset()
    route = ""
    beyond = not budget.limits.quick and sum(len(need.picks) for need in needs) > MOST_COLUMNS
    build = exact_model(problem, needs) if beyond else counting_model(problem, needs)
    if build.counted:
        counted = by_counting(build, budget)
        if counted is not None:
            return _of_counted(problem, counted, budget)
        if budget.limits.quick:
            text = "counting does not prove it"
            return Outcome(
                Status.UNKNOWN,
                message=text,
                interrupted=budget.stop.requested,
                stats=_stats(build, budget),
            )
        build = exact_model(problem, needs)
    while True:
        solved = serve_rounds(build, budget)
        if start is not None:
            offer(build, solved, start)
        if solved.verdict in (Verdict.OPTIMAL, Verdict.FEASIBLE) or not solved.rounds:
            route = cost_round(build, budget, solved)
        if solved.verdict is Verdict.OPTIMAL and budget.limits.tie_break:
            tie_rounds(build, budget, solved)
        if solved.values is None:
            return _without_plan(problem, solved.verdict, tagged, build, budget)
        plans = block_plans(build, solved.values)
        shared = [0 if column is None else solved.values[column] for column in build.shared]
        packing = place(problem, plans, shared)
        if not isinstance(packing, PackingFailure):
            return _with_plan(problem, build, solved, plans, packing, route, budget)
        more = {
            (packing.supply, number)
            for number, need in enumerate(needs)
            if need.block in packing.blocks
        }
        if more <= tagged:
            return Outcome(
                Status.UNKNOWN,
                message="the chosen replicas could not be placed within the work limit",
                stats=_stats(build, budget),
            )
        tagged |= more
        build = exact_model(problem, needs, tagged)


def _of_counted(problem: Problem, counted: Counted, budget: Budget) -> Outcome:
    build, solved = counted.build, counted.solved
    if solved.values is None:
        return _without_plan(problem, solved.verdict, frozenset(), build, budget)
    return _with_plan(problem, build, solved, counted.plans, counted.packing, "cp-sat", budget)


def _with_plan(
    problem: Problem,
    build: Build,
    solved: Solved,
    plans: tuple[BlockPlan, ...],
    packing: tuple[tuple[NodePlan, ...], ...],
    route: str,
    budget: Budget,
) -> Outcome:
    used, billed = node_counts(problem, packing)
    assert solved.values is not None
    acquired = tuple(solved.values[column] for column in build.acquired)
    cost = plan_cost(problem, plans, billed, acquired)
    rounds = [*solved.rounds[:-1], replace(solved.rounds[-1], value=cost)]
    bound = min(rounds[-1].bound, cost)
    rounds[-1] = Round("cost", cost, bound)
    proven = all(one.closed for one in rounds)
    budget.report("cost", cost, bound)
    return Outcome(
        Status.PROVEN if proven else Status.FEASIBLE,
        plans=plans,
        nodes=used,
        billed_nodes=billed,
        packing=packing,
        acquired=acquired,
        unserved=tuple(plan.block for plan in plans if plan.unserved),
        rounds=tuple(rounds),
        cost_cents=cost,
        bound_cents=bound,
        tie_break_applied=solved.tie_break_applied and proven,
        route=route,
        interrupted=budget.stop.requested,
        stats=_stats(build, budget),
        start=start_from(build, solved.values, solved.start),
    )


def _without_plan(
    problem: Problem,
    verdict: Verdict,
    tagged: frozenset[tuple[int, int]],
    build: Build,
    budget: Budget,
) -> Outcome:
    stats = _stats(build, budget)
    if verdict is Verdict.INVALID:
        return Outcome(Status.INVALID, message="the solver refuses the model", stats=stats)
    if verdict is not Verdict.INFEASIBLE:
        text = "no plan was found within the work limit"
        return Outcome(Status.UNKNOWN, message=text, interrupted=budget.stop.requested, stats=stats)
    from planner.optimize.conflict import confirmed_infeasible, find_conflict

    if budget.limits.confirm_infeasible:
        second = confirmed_infeasible(problem, build.demands, tagged, budget)
        if second is Verdict.OPTIMAL or second is Verdict.FEASIBLE:
            text = "CP-SAT finds no plan where HiGHS finds one"
            return Outcome(Status.INVALID, message=text, stats=stats)
        if second is not Verdict.INFEASIBLE:
            text = "CP-SAT proves that no plan exists; HiGHS could not confirm it in its limit"
            return Outcome(Status.UNKNOWN, message=text, stats=stats)
    conflict = find_conflict(problem, budget) if budget.limits.explain_conflict else None
    return Outcome(
        Status.INFEASIBLE, conflict=conflict, route="cp-sat", stats=_stats(build, budget)
    )


def _stats(build: Build, budget: Budget) -> Stats:
    return Stats(
        deterministic_time=budget.used,
        wall_s=budget.elapsed_s,
        columns=len(build.model.names),
        rows=len(build.model.rows),
        candidates=sum(len(block.candidates) for block in build.problem.blocks),
    )
