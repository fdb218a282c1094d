"""Changed scenarios built and solved again, each from the plan and the proof of the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.optimize.blocks import demands
from planner.optimize.build import Build, start
from planner.optimize.exact import exact_model
from planner.optimize.families.limits import unit_of
from planner.optimize.mathopt import relaxed_cost
from planner.optimize.outcome import Outcome, ProgressCallback, SolveLimits, Status
from planner.optimize.solve import solve
from planner.optimize.start import Columns, keyed, values_in
from planner.options.build import build
from planner.options.consider import Cache, consider
from planner.options.deals import Deal
from planner.options.from_scenario import question_of
from planner.options.horizon import join, parts_of
from planner.options.problem import Problem
from planner.scenario.resolved import Scenario

SECOND_SHARE = 0.25
"""Share of the work and time limits that each second solve may use."""
COST_CEILING = 1e5
"""GLOP sees costs scaled to at most this: unscaled ones made it fail without saying so."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The problem of a scenario, in a steady state or over a horizon."""

    problem: Problem
    deals: tuple[Deal, ...] = ()
    """One for each acquisition of the problem."""


class Bench:
    """Builds and solves variants of one scenario; what fits where is looked up once for all of them."""

    def __init__(
        self,
        scenario: Scenario,
        base: Outcome,
        limits: SolveLimits,
        progress: ProgressCallback | None = None,
    ) -> None:
        self.scenario, self.base, self.progress = scenario, base, progress
        self.limits = second(limits)
        self._cache: Cache = {}
        self.asked = self.ask(scenario)

    def ask(self, scenario: Scenario) -> Asked:
        """The problem of a variant."""
        if scenario.spec.horizon is not None:
            whole = join(scenario, parts_of(scenario, self._cache))
            return Asked(whole.problem, whole.deals)
        question = question_of(scenario)
        considered = consider(question, cache=self._cache)
        built = build(
            question.asks, question.wishes, considered, question.suppliers, question.energy,
            question.limits,
        )  # fmt: skip
        return Asked(built.problem)

    def solve(self, problem: Problem) -> Outcome:
        """The cheapest plan of a variant, searched from the plan itself."""
        return solve(problem, limits=self.limits, progress=self.progress, start=self.base)


def second(limits: SolveLimits) -> SolveLimits:
    """Limits of one of many second solves: a part of the first one's, and nothing but cost and bound."""
    wall_s = None if limits.wall_s is None else limits.wall_s * SECOND_SHARE
    return replace(
        limits, tie_break=False, explain_conflict=False, confirm_infeasible=False, wall_s=wall_s,
        deterministic_time=limits.deterministic_time * SECOND_SHARE,
    )  # fmt: skip


def relaxed(problem: Problem, levels: Sequence[int]) -> float | None:
    """Cost in cents of the linear relaxation by GLOP, serving as much as `levels` (unserved copies by demand)."""
    built = exact_model(problem, demands(problem))
    model = built.model
    if len(levels) == len(built.unserved):
        for column, most in zip(built.unserved, levels, strict=True):
            if column is not None:
                model.highs[column] = most
    scale = max([1.0, *(abs(c) / COST_CEILING for c in model.objective.values())])
    return relaxed_cost(model, scale)


def unserved_levels(problem: Problem, outcome: Outcome) -> tuple[int, ...]:
    """Unserved copies of each demand of the exact model."""
    found = []
    for demand in demands(problem):
        copies = outcome.plans[demand.block].copies
        found.append(sum(1 for copy in demand.copies if not copies[copy]))
    return tuple(found)


def cost_in(problem: Problem, columns: Columns) -> int:
    """Cents that the choices of a plan cost in a like problem."""
    built = start(problem, demands(problem))
    keys = list(keyed(built.model.names))
    return sum(cents * columns.get(keys[column], 0) for column, cents in built.cost_terms())


def holds_in(problem: Problem, columns: Columns) -> bool:
    """Whether the choices of a plan are a plan in a like problem."""
    return values_in(exact_model(problem, demands(problem)), columns) is not None


def makes_room(problem: Problem, columns: Columns, changed: Problem) -> bool:
    """Whether a change lets a plan take one more of something for which a row or column has no room now."""
    built, other = (exact_model(p, demands(p)) for p in (problem, changed))
    values = values_in(built, columns)
    if values is None:
        return False
    wide = dict(zip(_row_keys(other), _highs(other), strict=True))
    highs = _highs(built)
    for key, one, high, unit in zip(
        _row_keys(built), built.model.rows, highs, _units(built), strict=True
    ):
        top = wide.get(key)
        if high is None or top is None or top <= high:
            continue
        used = sum(c * values[column] for column, c in one.terms)
        if any(high < (used + c) * unit <= top for _, c in one.terms):
            return True
    tops = dict(zip(keyed(other.model.names), other.model.highs, strict=True))
    pairs = zip(keyed(built.model.names), values, built.model.highs, strict=True)
    return any(value and value == high and tops.get(key, high) > high for key, value, high in pairs)


def _highs(built: Build) -> list[int | None]:
    """Right-hand sides, those of limits in the units of the problem."""
    pairs = zip(built.model.rows, _units(built), strict=True)
    return [None if one.high is None else one.high * unit for one, unit in pairs]


def _units(built: Build) -> list[int]:
    """What one unit of each row counts: rows of large limits are in coarser units."""
    bounds = iter(built.problem.limits)
    return [
        unit_of(next(bounds).bound) if one.family == "limits" else 1 for one in built.model.rows
    ]


def _row_keys(built: Build) -> list[tuple[str, int]]:
    return list(keyed([one.name for one in built.model.rows]))


def rank(outcome: Outcome) -> tuple[int, ...]:
    """What plans are compared by: unserved copies by priority, then cents."""
    assert outcome.cost_cents is not None
    return (*(r.value for r in outcome.rounds[:-1]), outcome.cost_cents)


def open_cents(*outcomes: Outcome) -> int:
    """Cents that the proofs of some outcomes leave open together."""
    return sum(
        (o.cost_cents or 0) - (o.bound_cents or 0) for o in outcomes if o.status is Status.FEASIBLE
    )


# ---------------------------------------------------------------------------------------- in words


def difference(asked: Asked, old: Outcome, other: Asked, new: Outcome) -> str:
    """Orders and nodes in use of two plans, where they differ: `buy l40s 2027-04: 1 -> 0, cloud rented: 0 -> 1`."""
    before, after = _held(asked, old), _held(other, new)
    parts = []
    for key in sorted({*before, *after}):
        (most, total), (then, sums) = before.get(key, (0, 0)), after.get(key, (0, 0))
        if most != then:
            parts.append(f"{key[1]}: {most} -> {then}")
        elif total != sums:
            parts.append(f"{key[1]}: {total} -> {sums} node-periods")
    return ", ".join(parts) or "other layouts or times on the same nodes"


def _held(asked: Asked, outcome: Outcome) -> dict[tuple[int, str], tuple[int, int]]:
    """Nodes by order; then by pool those in use that were not ordered: the most at once, and summed over periods."""
    held: dict[tuple[int, str], tuple[int, int]] = {}
    for deal, count in zip(asked.deals, outcome.acquired, strict=True):
        if count and deal.action != "contract":
            action = deal.action.replace("commit", "commit to")
            key = (0, f"{action} {deal.pool} {deal.arrives:%Y-%m}")
            total = held.get(key, (0, 0))[0] + count
            held[key] = (total, total)
    for supply, count in zip(asked.problem.supplies, outcome.nodes, strict=True):
        if supply.base_nodes is None and count:
            owned = supply.term.startswith("owned")
            spot = " on spot" if supply.term.startswith("spot") else ""
            key = (2, f"{supply.pool} in use") if owned else (1, f"{supply.pool} rented{spot}")
            most, total = held.get(key, (0, 0))
            held[key] = (max(most, count), total + count)
    return held
