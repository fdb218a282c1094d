"""What simple rules would cost: do nothing, rent everything, buy everything, one GPU type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from planner.optimize.assemble_periods import assemble_periods
from planner.optimize.outcome import Outcome, SolveLimits, Status
from planner.optimize.solve import solve
from planner.options.horizon import Whole
from planner.options.problem import Acquisition, Block, Problem, Supply
from planner.plan.schema import Baseline, RulePlan
from planner.scenario.resolved import Scenario
from planner.units import from_cents

RULE_GAP = 0.005
"""A rule is priced to half a percent; its bound is printed with it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which supplies and orders a rule leaves."""

    name: str
    words: str
    supply: Callable[[Supply], bool]
    order: Callable[[Acquisition], bool]


def rules(problem: Problem) -> tuple[Rule, ...]:
    """The rules that mean something for a problem."""
    terms = {s.term.split(" ")[0] for s in problem.supplies}
    owned = ("owned", "contract")
    found = [
        Rule("do nothing", "no orders, no rent: what is owned and under contract",
             lambda s: s.term.startswith(owned), lambda o: False),
    ]  # fmt: skip
    if terms & {"rented", "spot"}:
        found.append(
            Rule("all rent", "rent on demand only; contracts are paid and used",
                 lambda s: s.term.startswith(("rented", "spot", "contract")), lambda o: False)
        )  # fmt: skip
    if "bought" in terms:
        found.append(
            Rule("all buy", "what is owned, under contract or bought; nothing rented",
                 lambda s: s.term.startswith((*owned, "bought")), lambda o: o.key.startswith("buy"))
        )  # fmt: skip
    types = sorted({s.gpu_type for s in problem.supplies})
    if len(types) > 1:
        found += [_single(gpu, problem) for gpu in types]
    return tuple(found)


def _single(gpu: str, problem: Problem) -> Rule:
    raised = {
        o.key for o in problem.acquisitions if all(problem.supplies[s].gpu_type == gpu for s in o.supplies)
    }  # fmt: skip
    return Rule(
        f"only {gpu}", "one GPU type for everything", lambda s: s.gpu_type == gpu,
        lambda o: o.key in raised,
    )  # fmt: skip


def restricted(problem: Problem, rule: Rule) -> Problem:
    """The problem under a rule, where everything may stay unserved so that the rule's failure can be told."""
    allowed = [rule.supply(s) for s in problem.supplies]
    blocks = tuple(_left(b, allowed) for b in problem.blocks)
    orders = tuple(o if rule.order(o) else replace(o, most=o.least) for o in problem.acquisitions)
    return replace(problem, blocks=blocks, acquisitions=orders)


def _left(block: Block, allowed: list[bool]) -> Block:
    """What the rule excludes stays in its place, for no replicas: candidates are told by their numbers."""
    candidates = tuple(
        c if all(allowed[s] for s in c.supplies) else replace(c, max_replicas=0)
        for c in block.candidates
    )
    return replace(block, candidates=candidates, required=False, priority=1)


@dataclass(frozen=True, slots=True)
class Ruled:
    """A rule's row, and its plan where it has a price."""

    row: Baseline
    plan: RulePlan | None


def baselines(
    scenario: Scenario, whole: Whole, plan: Outcome, limits: SolveLimits
) -> tuple[Ruled, ...]:
    """Every rule solved; of the single GPU types only the cheapest, or the one that serves most."""
    quick = replace(
        limits, deterministic_time=limits.deterministic_time / 4, gap=max(limits.gap, RULE_GAP),
        tie_break=False, explain_conflict=False, confirm_infeasible=False,
    )  # fmt: skip
    found: list[tuple[Baseline, Outcome]] = []
    single: list[tuple[Baseline, Outcome]] = []
    for rule in rules(whole.problem):
        outcome = _priced(restricted(whole.problem, rule), plan, quick)
        if outcome.status not in (Status.PROVEN, Status.FEASIBLE):
            continue
        one = (_baseline(whole.problem, rule, plan, outcome), outcome)
        (single if rule.name.startswith("only ") else found).append(one)
    single.sort(key=lambda b: (len(b[0].unserved), b[0].cost or Decimal(0), b[0].name))
    return tuple(
        Ruled(row, None if row.cost is None else _plan(scenario, whole, row, outcome))
        for row, outcome in (*found, *single[:1])
    )


def _priced(problem: Problem, plan: Outcome, limits: SolveLimits) -> Outcome:
    """The rule's plan: that everything is served is quickly found or ruled out, and most often it is the answer."""
    if not plan.unserved:
        blocks = tuple(replace(b, required=True) for b in problem.blocks)
        outcome = solve(replace(problem, blocks=blocks), limits=limits)
        if outcome.has_plan:
            return outcome
    return solve(problem, limits=limits)


def _plan(scenario: Scenario, whole: Whole, row: Baseline, outcome: Outcome) -> RulePlan:
    """The parts of the rule's plan from which the rest follows."""
    plan = assemble_periods(scenario, whole, outcome)
    assert plan.cost is not None
    assert plan.bound is not None
    assert plan.gap is not None
    assert plan.money is not None
    return RulePlan(
        rule=row.name, status=plan.status, cost=plan.cost, bound=plan.bound, gap=plan.gap,
        orders=plan.orders, periods=plan.periods, money=plan.money,
    )  # fmt: skip


def _baseline(problem: Problem, rule: Rule, plan: Outcome, outcome: Outcome) -> Baseline:
    needed = {n for n, p in enumerate(plan.plans) if not p.unserved}
    unserved = tuple(problem.blocks[n].name for n in outcome.unserved if n in needed)
    assert outcome.cost_cents is not None
    assert plan.cost_cents is not None
    cost = None if unserved else from_cents(outcome.cost_cents)
    return Baseline(
        name=rule.name,
        rule=rule.words,
        cost=cost,
        saving=None if cost is None else from_cents(outcome.cost_cents - plan.cost_cents),
        bound=None if cost is None else from_cents(outcome.bound_cents or 0),
        unserved=unserved,
    )
