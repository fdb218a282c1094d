"""Plans that cost little more and really differ: a workload elsewhere, or a pool not used at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from planner.optimize.assemble import assemble
from planner.optimize.outcome import Outcome, SolveLimits, Status
from planner.optimize.solve import solve
from planner.options.build import Built
from planner.options.problem import Block, Problem
from planner.options.question import ConsideredByWorkload, Question
from planner.plan import schema as plan
from planner.scenario import Scenario
from planner.verify.plan import verify_plan

WORK = 2.0
"""Deterministic seconds for each re-solve."""


@dataclass(frozen=True, slots=True)
class _Variant:
    """The problem with one thing of the best plan forbidden."""

    change: str
    problem: Problem


def near_optimal(
    scenario: Scenario,
    question: Question,
    considered: ConsideredByWorkload,
    built: Built,
    outcome: Outcome,
    *,
    count: int,
    within: float,
) -> tuple[plan.PlanAlternative, ...]:
    """The cheapest plans, each at most `within` (0.03: 3 %) dearer, that serve as much and use other GPUs.

    Each is the cheapest plan in which one workload leaves the pools it is on, or in which one pool is not used:
    what differs only in which of two equal nodes holds what is none. All are verified like the plan itself.
    """
    best = outcome.cost_cents
    if best is None or count < 1:
        return ()
    seen = {_mix(built.problem, outcome)}
    found: list[tuple[int, _Variant, Outcome]] = []
    for variant in _variants(built.problem, outcome):
        limits = SolveLimits(
            deterministic_time=WORK,
            tie_break=False,
            confirm_infeasible=False,
            explain_conflict=False,
        )
        other = solve(variant.problem, limits=limits)
        cents = other.cost_cents
        if not other.has_plan or cents is None or len(other.unserved) > len(outcome.unserved):
            continue
        mix = _mix(variant.problem, other)
        if mix not in seen and cents <= best * (1 + within):
            seen.add(mix)
            found.append((cents, variant, other))
    found.sort(key=lambda f: (f[0], f[1].change))
    result: list[plan.PlanAlternative] = []
    for _, variant, other in found:
        draft = assemble(question, considered, replace(built, problem=variant.problem), other)
        if len(result) < count and not verify_plan(scenario, draft):
            result.append(record(variant.change, draft, other, best))
    return tuple(result)


def _variants(problem: Problem, outcome: Outcome) -> Iterator[_Variant]:
    """Each served workload off its pools; each pool in use left out."""
    used: dict[str, None] = {}
    for block_plan in outcome.plans:
        block = problem.blocks[block_plan.block]
        pools = {_pool(problem, block, c.candidate): None for c in block_plan.choices}
        used |= pools
        if pools:
            names = " and ".join(f"`{p}`" for p in pools)
            change = f"`{block.name}` not on {names}"
            yield _Variant(change, _without(problem, frozenset(pools), block_plan.block))
    if len(used) > 1:
        for pool in used:
            yield _Variant(f"without `{pool}`", _without(problem, frozenset({pool}), None))


def _without(problem: Problem, pools: frozenset[str], only: int | None) -> Problem:
    """The problem with these pools closed to one block, or to all. The numbers of supplies stay as they are."""
    blocks = tuple(
        replace(
            block,
            candidates=tuple(
                c for c in block.candidates if problem.supplies[c.supply].pool not in pools
            ),
        )
        if only is None or number == only
        else block
        for number, block in enumerate(problem.blocks)
    )
    return replace(problem, blocks=blocks)


def _pool(problem: Problem, block: Block, candidate: int) -> str:
    return problem.supplies[block.candidates[candidate].supply].pool


def _mix(problem: Problem, outcome: Outcome) -> tuple[tuple[str, int], ...]:
    """GPUs by pool and workload: what makes two plans differ to their users."""
    mix: dict[tuple[str, str], int] = {}
    for block_plan in outcome.plans:
        block = problem.blocks[block_plan.block]
        for choice in block_plan.choices:
            candidate = block.candidates[choice.candidate]
            supply = problem.supplies[candidate.supply]
            gpus = candidate.gpus + candidate.whole_nodes * supply.node_gpus
            key = (block.name, supply.pool)
            mix[key] = mix.get(key, 0) + gpus * choice.replicas
    return tuple(sorted((f"{w} {p}", n) for (w, p), n in mix.items()))


def record(
    change: str, draft: plan.Plan, outcome: Outcome, best: int, then: str = ""
) -> plan.PlanAlternative:
    """What is told of another plan: the change that led to it, its cost beside the best in cents, who runs where."""
    assert draft.cost is not None
    assert outcome.cost_cents is not None
    return plan.PlanAlternative(
        change=change,
        cost=draft.cost.total,
        over=(outcome.cost_cents - best) / max(1, best),
        proven=outcome.status is Status.PROVEN,
        then=then,
        workloads=tuple(
            plan.AlternativeUse(
                workload=w.name, pool=a.pool, gpus=a.gpus, replicas=a.replicas,
                layout=a.layout.text, cost=a.cost, start=a.start, end=a.end,
            )
            for w in draft.workloads
            for a in w.assignment
        ),
    )  # fmt: skip
