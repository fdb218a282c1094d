"""Second solves over a horizon: the problem with some supplies closed or other orders, limited in work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from planner.optimize.assemble_periods import assemble_periods
from planner.optimize.outcome import Outcome, SolveLimits
from planner.optimize.solve import solve
from planner.optimize.whatif import Asked, difference
from planner.options.deals import Deal
from planner.options.horizon import Whole
from planner.options.problem import Acquisition, Candidate, Problem
from planner.plan import schema as plan
from planner.scenario.resolved import Scenario
from planner.verify.plan import verify_plan

LEAST_WORK = 1.0
"""Deterministic seconds that the second solves of one question may take, however quick the plan was."""
LEAST_OF_LONG = 5.0
"""The same where the plan took all routes, which is at least some seconds whatever is counted of them."""
ONE_SHARE = 0.25
"""Of the work left, for one solve."""
MOST_BUILT = 60_000
"""Candidates that are put into models for one question: building a model costs time however quick its solve is."""
VAGUE = 0.1
"""Of the plan's cost: what is less certain is not told."""


@dataclass(slots=True)
class Variants:
    """Solves variants of the problem that a plan answers, as long as there is work left for them."""

    scenario: Scenario
    whole: Whole
    base: Outcome
    limits: SolveLimits
    share: float
    """Of the work and time of the plan, for all variants together."""
    left_work: float = 0.0
    left_wall_s: float | None = None
    left_solves: int = 0
    interrupted: bool = False

    def __post_init__(self) -> None:
        stats = self.base.stats
        least = LEAST_WORK if self.base.route == "cp-sat" else LEAST_OF_LONG
        self.left_work = max(least, self.share * stats.deterministic_time)
        if self.limits.wall_s is not None:
            self.left_wall_s = self.share * self.limits.wall_s
        size = sum(len(block.candidates) for block in self.whole.problem.blocks)
        self.left_solves = MOST_BUILT // max(1, size)
        self.interrupted = self.base.interrupted

    @property
    def ended(self) -> bool:
        """Whether no further variant is solved."""
        late = self.left_wall_s is not None and self.left_wall_s <= 0
        return self.interrupted or late or self.left_work <= 0 or self.left_solves < 1

    def solve(self, problem: Problem, *, confirm: bool = True) -> Outcome | None:
        """The cheapest plan of a variant, or that there is none; None where no work is left.

        Without `confirm` that there is none is the word of one solver.
        """
        if self.ended:
            return None
        limits = replace(
            self.limits, tie_break=False, explain_conflict=False, confirm_infeasible=confirm,
            deterministic_time=self.left_work * ONE_SHARE, wall_s=self.left_wall_s, quick=True,
        )  # fmt: skip
        outcome = solve(problem, limits=limits, start=self.base)
        self.left_solves -= 1
        self.left_work -= outcome.stats.deterministic_time
        if self.left_wall_s is not None:
            self.left_wall_s -= outcome.stats.wall_s
        self.interrupted = self.interrupted or outcome.interrupted
        return None if outcome.interrupted else outcome

    def vague(self, outcome: Outcome) -> bool:
        """Whether bound and cost of a variant are too far apart to say anything."""
        assert outcome.cost_cents is not None
        assert self.base.cost_cents is not None
        return outcome.cost_cents - (outcome.bound_cents or 0) > self.base.cost_cents * VAGUE

    def verified(self, outcome: Outcome) -> plan.Plan | None:
        """The plan of a variant, where it holds for the scenario."""
        draft = assemble_periods(self.scenario, self.whole, outcome)
        return None if verify_plan(self.scenario, draft) else draft

    def then(self, outcome: Outcome) -> str:
        """What a variant's plan orders and uses otherwise."""
        asked = Asked(self.whole.problem, self.whole.deals)
        return difference(asked, self.base, asked, outcome)

    def lost(self, outcome: Outcome) -> tuple[str, ...]:
        """Blocks that a variant's plan leaves unserved, and the plan does not."""
        blocks = self.whole.problem.blocks
        return tuple(blocks[n].name for n in outcome.unserved if n not in self.base.unserved)


def closed(
    problem: Problem, supplies: Collection[int], only: Collection[int] | None = None
) -> Problem:
    """The problem with some supplies closed, to all blocks or to some of them."""

    def shut(candidate: Candidate) -> bool:
        return any(at in supplies for at in candidate.supplies)

    return barred(problem, shut, range(len(problem.blocks)) if only is None else only)


def barred(problem: Problem, shut: Callable[[Candidate], bool], blocks: Collection[int]) -> Problem:
    """The problem with no replicas of some candidates, which stay in their places: they are told by their numbers."""
    return replace(
        problem,
        blocks=tuple(
            replace(
                block,
                candidates=tuple(
                    replace(c, max_replicas=0) if shut(c) else c for c in block.candidates
                ),
            )
            if number in blocks
            else block
            for number, block in enumerate(problem.blocks)
        ),
    )


def reordered(
    whole: Whole, counts: Iterable[int], change: Callable[[Deal, Acquisition, int], Acquisition]
) -> Problem:
    """The problem with changed orders; `change` gets each with the nodes the plan takes of it."""
    rows = zip(whole.deals, whole.problem.acquisitions, counts, strict=True)
    return replace(whole.problem, acquisitions=tuple(change(*row) for row in rows))


def none_of(order: Acquisition) -> Acquisition:
    """The order not taken, but for what is signed."""
    return replace(order, most=order.least)


def at_most(order: Acquisition, nodes: int) -> Acquisition:
    """The order with no more nodes."""
    return replace(order, most=max(order.least, min(order.most, nodes)))
