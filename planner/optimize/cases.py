"""What orders cost in one case: demand and prices as they turn out, purchases late by part of a period."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from planner.optimize.outcome import Outcome, ProgressCallback, SolveLimits, Status
from planner.optimize.solve import solve
from planner.optimize.whatif import rank
from planner.options.consider import Cache
from planner.options.horizon import Whole, join, parts_of
from planner.options.problem import Block, Problem
from planner.scenario.cases import CaseFactors, in_case
from planner.scenario.resolved import Scenario
from planner.units import HOUR_S

Counts = tuple[int, ...]
"""Nodes per acquisition of the problem."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What something costs in one case; None: not everything can be served."""

    cents: int | None
    proven: bool = False
    """Nothing cheaper can be had with these orders; else the amount is enough, and perhaps more than it takes."""
    unserved: tuple[int, ...] = ()
    """Copies of optional workloads left out, by priority."""

    @property
    def rank(self) -> tuple[tuple[int, ...], int]:
        """What costs are compared by: first serve more, then pay less."""
        assert self.cents is not None
        return self.unserved, self.cents


@dataclass(slots=True)
class Case:
    """One case, before and after the late purchases have come.

    A purchase that is late by a whole number of periods and a share of one is missing in those periods, and in the next
    for that share of its hours. What runs until then is the plan without it, what runs afterwards the plan with it:
    cost = share x cost(without) + (1 - share) x cost(with), each solved for itself, jobs where they are in both.
    """

    factors: CaseFactors
    whole: Whole
    there: Problem
    """With purchases late by whole periods."""
    missing: Problem
    """With purchases late by one period more."""
    share: Fraction
    """Part of that period in which they are missing."""
    jobs: frozenset[int]
    """Blocks that cannot change nodes within a period."""
    known: dict[Counts, Cost] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    """The answers so far, for the next search to start from."""
    progress: ProgressCallback | None = None

    def cost(self, counts: Counts, limits: SolveLimits) -> Cost:
        """What these orders cost with the best use of everything else."""
        if counts not in self.known:
            self.known[counts] = self._cost(counts, limits)
        return self.known[counts]

    def _cost(self, counts: Counts, limits: SolveLimits) -> Cost:
        after = self._solved(fixed(self.there, counts), limits)
        bought = any(n and d.action == "buy" for d, n in zip(self.whole.deals, counts, strict=True))
        if not self.share or not bought:
            return cost_of(after)
        before = self._solved(fixed(self.missing, counts), limits)
        return self.blended(before, after, counts, limits)

    def blended(self, before: Outcome, after: Outcome, counts: Counts, limits: SolveLimits) -> Cost:
        """The cost of one plan until late nodes come, and another from then on."""
        if not (before.has_plan and after.has_plan):
            return Cost(None)
        left = max(rank(before)[:-1], rank(after)[:-1])
        if _jobs(before, self.jobs) == _jobs(after, self.jobs):
            proven = Status.PROVEN is before.status is after.status
            return Cost(self._mixed(before, after), proven, left)
        same = self._solved(_with_jobs(fixed(self.there, counts), before, self.jobs), limits)
        other = self._solved(_with_jobs(fixed(self.missing, counts), after, self.jobs), limits)
        ways = [w for w in ((before, same), (other, after)) if w[0].has_plan and w[1].has_plan]
        # The first way always is one: what served the jobs without the late nodes serves them with these.
        return min(
            (Cost(self._mixed(*w), False, max(rank(w[0])[:-1], rank(w[1])[:-1])) for w in ways),
            key=lambda cost: cost.rank,
            default=Cost(None),
        )

    def _mixed(self, before: Outcome, after: Outcome) -> int:
        parts = self.share * (before.cost_cents or 0), (1 - self.share) * (after.cost_cents or 0)
        return math.ceil(sum(parts))

    def _solved(self, problem: Problem, limits: SolveLimits) -> Outcome:
        start = self.outcomes[0] if self.outcomes else None
        found = solve(problem, limits=limits, progress=self.progress, start=start)
        if found.has_plan and not self.outcomes:
            self.outcomes.append(found)
        return found


def cost_of(outcome: Outcome) -> Cost:
    """The cost of a plan; none without one."""
    if not outcome.has_plan:
        return Cost(None)
    return Cost(outcome.cost_cents, outcome.status is Status.PROVEN, rank(outcome)[:-1])


def case_of(
    scenario: Scenario,
    factors: CaseFactors,
    cache: Cache,
    progress: ProgressCallback | None = None,
) -> Case:
    """The problem of one case, with purchases on time and late."""
    here = in_case(scenario, factors)
    whole = join(here, parts_of(here, cache))
    late = factors.late_s / (whole.parts[0].period.hours * HOUR_S)
    everything = range(len(whole.deals))
    jobs = frozenset(
        place
        for part in whole.parts
        for ask, place in zip(part.question.asks, part.blocks, strict=True)
        if ask.kind != "inference"
    )
    return Case(
        factors, whole, delayed(whole, everything, math.floor(late)),
        delayed(whole, everything, math.floor(late) + 1), late - math.floor(late), jobs,
        progress=progress,
    )  # fmt: skip


def delayed(whole: Whole, which: Sequence[int], periods: int) -> Problem:
    """The problem with the purchases among `which` giving no nodes in their first periods."""
    orders = list(whole.problem.acquisitions)
    for at in which:
        deal = whole.deals[at]
        if deal.action != "buy" or not periods:
            continue
        missed = {
            part.first_supply + n
            for part in whole.parts
            if part.period.index in range(deal.first, deal.first + periods)
            for n in range(len(part.built.problem.supplies))
        }
        kept = tuple(s for s in orders[at].supplies if s not in missed)
        orders[at] = replace(orders[at], supplies=kept)
    return replace(whole.problem, acquisitions=tuple(orders))


def fixed(problem: Problem, counts: Counts) -> Problem:
    """The problem with its orders decided."""
    orders = tuple(
        replace(o, least=n, most=n) for o, n in zip(problem.acquisitions, counts, strict=True)
    )
    return replace(problem, acquisitions=orders)


def _jobs(outcome: Outcome, blocks: frozenset[int]) -> list[object]:
    return [p.copies for p in outcome.plans if p.block in blocks]


def _with_jobs(problem: Problem, outcome: Outcome, blocks: frozenset[int]) -> Problem:
    """The problem with jobs on the nodes and in the periods that a plan has them in."""
    if not outcome.has_plan:
        return problem
    chosen = {p.block: {c.candidate for c in p.choices} for p in outcome.plans}
    return replace(
        problem,
        blocks=tuple(
            _only(block, chosen[n]) if n in blocks else block
            for n, block in enumerate(problem.blocks)
        ),
    )


def _only(block: Block, chosen: set[int]) -> Block:
    kept = tuple(c for n, c in enumerate(block.candidates) if n in chosen)
    return replace(block, candidates=kept, required=block.required and bool(kept))
