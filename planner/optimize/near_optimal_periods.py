"""Plans over a horizon that cost little more and really differ: other orders, or workloads on other GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.optimize.instead_asked import TERMS, dropped, things_of
from planner.optimize.near_optimal import record
from planner.optimize.outcome import Outcome, SolveLimits
from planner.optimize.period_variants import Variants, closed
from planner.options.horizon import Whole
from planner.options.problem import Problem
from planner.plan import schema as plan
from planner.scenario.resolved import Scenario

SHARE = 1.0
"""Of the work of the plan, for all alternatives: they were asked for."""
LEAST_WORK = 20.0
"""Deterministic seconds they may take in any case."""
MOST = 40
"""Variants that are solved."""

Mix = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Variant:
    """The problem with one thing of the best plan forbidden."""

    change: str
    problem: Problem


def near_optimal(
    scenario: Scenario, whole: Whole, base: Outcome, *, count: int, within: float,
    limits: SolveLimits | None = None,
) -> tuple[plan.PlanAlternative, ...]:  # fmt: skip
    """The cheapest plans, each at most `within` (0.03: 3 %) dearer, that serve as much with other orders or GPUs.

    Each is the cheapest plan without one order, without one pool, or with one workload off one of its pools in all
    periods. All are verified like the plan itself.
    """
    best = base.cost_cents
    if best is None or count < 1:
        return ()
    bench = Variants(scenario, whole, base, limits or SolveLimits(), SHARE)
    bench.left_work = max(bench.left_work, LEAST_WORK)
    bench.left_solves = MOST
    seen: set[Mix | tuple[int, str]] = {_mix(whole, base)}
    found: list[tuple[int, str, Outcome]] = []
    for variant in _variants(whole, base):
        other = bench.solve(variant.problem, confirm=False)
        if other is None or not other.has_plan or other.cost_cents is None or bench.lost(other):
            continue
        mix, words = _mix(whole, other), (other.cost_cents, bench.then(other))
        if not {mix, words} & seen and other.cost_cents <= best * (1 + within):
            seen |= {mix, words}
            found.append((other.cost_cents, variant.change, other))
    found.sort(key=lambda f: (f[0], f[1]))
    result: list[plan.PlanAlternative] = []
    for _, change, other in found:
        draft = bench.verified(other) if len(result) < count else None
        if draft is not None:
            result.append(record(change, draft, other, best, bench.then(other)))
    return tuple(result)


def _variants(whole: Whole, base: Outcome) -> Iterator[_Variant]:
    """Each order left out; each pool in use left out; each workload off each of its pools, if it has others."""
    problem = whole.problem
    for thing in things_of(whole, base):
        if thing.deal is not None and thing.nodes:
            verb = "commitment to" if thing.action == "commit" else "purchase of"
            when = whole.parts[thing.first].period.name
            change = f"without the {verb} `{thing.pool}` for {when}"
            yield _Variant(change, dropped(whole, base, thing.deal))
    places: dict[str, dict[str, None]] = {}
    blocks: dict[str, set[int]] = {}
    for part in whole.parts:
        for ask, block in zip(part.question.asks, part.blocks, strict=True):
            blocks.setdefault(ask.name, set()).add(block)
            for choice in base.plans[block].choices:
                at = problem.blocks[block].candidates[choice.candidate].supply
                places.setdefault(ask.name, {})[problem.supplies[at].pool] = None
    used = list(dict.fromkeys(pool for row in places.values() for pool in row))
    if len(used) > 1:
        for pool in used:
            yield _Variant(f"without `{pool}`", closed(problem, _of(problem, pool)))
    for name, pools in places.items():
        for pool in pools:
            shut = closed(problem, _of(problem, pool), blocks[name])
            yield _Variant(f"`{name}` not on `{pool}`", shut)


def _of(problem: Problem, pool: str) -> frozenset[int]:
    return frozenset(n for n, supply in enumerate(problem.supplies) if supply.pool == pool)


def _mix(whole: Whole, outcome: Outcome) -> Mix:
    """Orders, and GPUs by workload and period and pool: what makes two plans differ to their users."""
    mix: dict[str, int] = {}
    for order, nodes in zip(whole.problem.acquisitions, outcome.acquired, strict=True):
        mix[order.key] = mix.get(order.key, 0) + nodes
    for block_plan in outcome.plans:
        block = whole.problem.blocks[block_plan.block]
        for choice in block_plan.choices:
            candidate = block.candidates[choice.candidate]
            supply = whole.problem.supplies[candidate.supply]
            gpus = candidate.gpus + candidate.whole_nodes * supply.node_gpus
            term = "own" if supply.term.startswith(TERMS["own"]) else supply.term
            key = f"{block.name} {supply.pool} {term}"
            mix[key] = mix.get(key, 0) + gpus * choice.replicas
    return tuple(sorted((key, n) for key, n in mix.items() if n))
