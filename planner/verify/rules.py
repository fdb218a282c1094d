"""The simple rules beside a plan: each keeps to its rule, holds for the scenario, and costs what is printed."""

from __future__ import annotations

from collections.abc import Iterator

from planner.plan.merge import merged_pools, merged_workloads
from planner.plan.schema import Baseline, Plan, RulePlan, SolveStats
from planner.scenario.resolved import Scenario
from planner.verify.periods import check_periods
from planner.verify.problem import Finding, Problem

CHECK = "rules"
OWN = ("owned", "contract")
ONLY = "only "
"""Beginning of the name of a rule of one GPU type."""
RULES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "do nothing": ("no orders, no rent: what is owned and under contract", OWN, ()),
    "all rent": ("rent on demand only; contracts are paid and used", ("rented", "spot", "contract"), ()),
    "all buy": ("what is owned, under contract or bought; nothing rented", (*OWN, "bought"), ("buy",)),
}  # fmt: skip
"""Rule -> its words, the terms whose nodes may be used, and what may be ordered."""


def check_rules(scenario: Scenario, plan: Plan) -> Finding:
    """Each priced rule's own plan is re-checked like the plan itself."""
    problems = []
    plans = {p.rule: p for p in plan.rule_plans}
    names = [b.name for b in plan.baselines]
    if len(set(names)) < len(names) or set(plans) - set(names):
        problems.append(
            Problem(CHECK, "", f"rules {', '.join(names)} printed twice, or not at all")
        )
    for row in plan.baselines:
        texts = [*_row(scenario, plan, row), *_of_plan(scenario, row, plans.get(row.name))]
        problems += [Problem(CHECK, row.name, t) for t in texts]
    looked = f"{len(plans)} of {len(names)} rules have a plan, which keeps to the rule and holds"
    return Finding(CHECK, looked, tuple(problems))


def _row(scenario: Scenario, plan: Plan, row: Baseline) -> Iterator[str]:
    assert plan.cost is not None
    gpus = {p.gpu.id for p in scenario.pools}
    alone = row.name.startswith(ONLY) and row.name.removeprefix(ONLY) in gpus
    if row.name not in RULES and not alone:
        yield "no such rule"
        return
    words = "one GPU type for everything" if alone else RULES[row.name][0]
    if row.rule != words:
        yield f"called `{row.rule}`, it is `{words}`"
    if row.cost is None:
        yield from _not_served(plan, row)
        return
    if row.unserved:
        yield f"cost {row.cost:,} printed although {', '.join(row.unserved)} go without GPUs"
    if row.saving != row.cost - plan.cost.total:
        yield f"saving {row.saving} printed, it is {row.cost - plan.cost.total:,}"
    if row.bound is None or row.bound > row.cost:
        yield f"bound {row.bound} of a cost of {row.cost:,}"


def _not_served(plan: Plan, row: Baseline) -> Iterator[str]:
    """A rule without a price leaves workloads unserved that the plan serves."""
    if row.saving is not None or row.bound is not None:
        yield "a saving or bound of a rule without a cost"
    if not row.unserved:
        yield "neither a cost nor workloads without GPUs"
    served = {w.name for w in plan.workloads if w.served}
    served |= {f"{w.name} {p.name}" for p in plan.periods for w in p.workloads if w.served}
    for name in row.unserved:
        if name not in served:
            yield f"`{name}` is said to lack GPUs, and the plan has none for it either"


def _of_plan(scenario: Scenario, row: Baseline, found: RulePlan | None) -> Iterator[str]:
    if (found is None) != (row.cost is None):
        yield "a cost without a plan, or a plan without a cost"
    if found is None or row.cost is None:
        return
    whole = whole_plan(scenario, found)
    for finding in check_periods(scenario, whole):
        for problem in finding.problems:
            yield f"its plan: {problem}"
    if whole.cost is not None and whole.cost.total != row.cost:
        yield f"cost {row.cost:,} printed, its plan costs {whole.cost.total:,}"
    if whole.bound != row.bound:
        yield f"bound {row.bound} printed, its plan has {whole.bound}"
    yield from _keeps(row, whole)


def whole_plan(scenario: Scenario, found: RulePlan) -> Plan:
    """The stored parts of a rule's plan with what follows from them."""
    names = [w.name for w in scenario.workloads]
    return Plan(
        scenario=scenario.name,
        status=found.status,
        cost=found.cost,
        bound=found.bound,
        gap=found.gap,
        workloads=merged_workloads(names, found.periods),
        pools=merged_pools(found.periods) if found.periods else (),
        orders=found.orders,
        periods=found.periods,
        money=found.money,
        solve=SolveStats(options=0, rejected=0),
    )


def _keeps(row: Baseline, whole: Plan) -> Iterator[str]:
    """Only nodes and orders that the rule allows; contracts are signed already."""
    used = [(a.term, a.gpu) for p in whole.periods for w in p.workloads for a in w.assignment]
    ordered = [o for o in whole.orders if o.action != "contract"]
    if row.name in RULES:
        _, terms, actions = RULES[row.name]
        wrong = [term for term, _ in used if not term.startswith(terms)]
        orders = [o for o in ordered if o.action not in actions]
    else:
        only = row.name.removeprefix(ONLY)
        wrong = [gpu for _, gpu in used if gpu != only]
        orders = [o for o in ordered if o.gpu != only]
    yield from (f"uses `{name}` nodes" for name in dict.fromkeys(wrong))
    yield from (f"orders {o.nodes} nodes of `{o.pool}` ({o.action})" for o in orders)
