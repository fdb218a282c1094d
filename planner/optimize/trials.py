"""What came of a changed question, and the two small solves that what-ifs use."""

from __future__ import annotations

from dataclasses import dataclass

from planner.optimize.backend import Verdict, run_cp_sat
from planner.optimize.blocks import demands
from planner.optimize.exact import exact_model
from planner.optimize.outcome import Outcome, SolveLimits, Stats, Status
from planner.optimize.solve import solve
from planner.options.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A solve, or what made one unnecessary."""

    hopeless: tuple[object, ...] = ()
    """Required workloads without an option: no solver was needed."""
    outcome: Outcome | None = None

    @property
    def works(self) -> bool:
        """Whether there is a plan."""
        return self.outcome is not None and self.outcome.has_plan

    @property
    def impossible(self) -> bool:
        """Whether it is proven that there is none."""
        refused = self.outcome is not None and self.outcome.status is Status.INFEASIBLE
        return bool(self.hopeless) or refused

    @property
    def cents(self) -> int | None:
        """What the plan costs."""
        return self.outcome.cost_cents if self.outcome is not None else None


def cheapest(problem: Problem, work: float, *, tie_break: bool = False) -> Outcome:
    """The cheapest plan within some work; without `tie_break` ties stay as they fall."""
    limits = SolveLimits(
        deterministic_time=work,
        tie_break=tie_break,
        confirm_infeasible=False,
        explain_conflict=False,
    )
    return solve(problem, limits=limits)


def feasible(problem: Problem, work: float) -> Outcome:
    """Whether the exact model can hold; the outcome has no plan to look at."""
    if any(block.required and not block.candidates for block in problem.blocks):
        return Outcome(Status.INFEASIBLE)
    model = exact_model(problem, demands(problem)).model
    model.objective = {}
    answer = run_cp_sat(model, deterministic_limit=work)
    status = {
        Verdict.OPTIMAL: Status.FEASIBLE,
        Verdict.FEASIBLE: Status.FEASIBLE,
        Verdict.INFEASIBLE: Status.INFEASIBLE,
    }.get(answer.verdict, Status.UNKNOWN)
    return Outcome(status, stats=Stats(deterministic_time=answer.deterministic_time))
