"""Money: every cent of the plan is re-derived from the scenario's prices, and the parts add up."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

from planner.options.asks import is_job
from planner.plan.schema import Plan, PlanPool, Status
from planner.units import from_cents
from planner.verify.case import Case
from planner.verify.derive import Derived
from planner.verify.prices import Bill, bill_of
from planner.verify.problem import Finding, Problem

CHECK = "money"
ZERO = Decimal(0)


def check_money(case: Case, derived: Derived) -> Finding:
    """Total, pools, workloads and assignments against the bill; the bound against the total."""
    bill = bill_of(case, derived)
    problems = [
        *(Problem(CHECK, "", t) for t in (*_total(case, bill), *proof_problems(case.plan))),
        *_workloads(case),
        *(Problem(CHECK, r.pool, t) for r in case.plan.pools for t in _pool(case, bill, r)),
        *_shares(case, bill, derived),
    ]
    currency = case.scenario.spec.currency
    looked = f"{from_cents(bill.total):,} {currency} re-added from prices, to the cent"
    return Finding(CHECK, looked, tuple(problems))


def _differ(what: str, have: Decimal, want: Decimal) -> Iterator[str]:
    if have != want:
        yield f"{what} {have:,} printed, it is {want:,}"


def _total(case: Case, bill: Bill) -> Iterator[str]:
    cost, plan = case.plan.cost, case.plan
    assert cost is not None
    jobs = {a.name for a in case.question.asks if is_job(a)}
    of_jobs = sum((w.cost for w in plan.workloads if w.name in jobs), ZERO)
    carried = sum((w.cost for w in plan.workloads), ZERO)
    idle = sum((p.idle_cost for p in plan.pools), ZERO)
    yield from _differ("total", cost.total, from_cents(bill.total))
    yield from _differ("sum of the pools", sum((p.cost for p in plan.pools), ZERO), cost.total)
    yield from _differ("sum of workloads and idle GPUs", carried + idle, cost.total)
    yield from _differ("sum of the periods", sum((p.cost for p in cost.periods), ZERO), cost.total)
    names = [p.name for p in cost.periods]
    if names != ["month"]:
        yield f"periods {', '.join(names) or 'none'} printed, prices are for one month"
    yield from _differ("cost of jobs", cost.jobs, of_jobs)
    yield from _differ("cost of services", cost.services, cost.total - of_jobs)


def proof_problems(plan: Plan) -> Iterator[str]:
    """A bound above the total, or a gap that is not the one between them, proves nothing."""
    assert plan.cost is not None
    if plan.bound is None or plan.gap is None:
        yield "no bound and gap printed"
        return
    if plan.bound > plan.cost.total:
        yield f"bound {plan.bound:,} above the total {plan.cost.total:,}"
    if plan.status is Status.PROVEN and plan.bound != plan.cost.total:
        yield f"called proven with bound {plan.bound:,} and total {plan.cost.total:,}"
    gap = float((plan.cost.total - plan.bound) / max(plan.cost.total, Decimal("0.01")))
    if not abs(plan.gap - gap) <= 1e-9:
        yield f"gap {plan.gap:g} printed, it is {gap:g}"


def _workloads(case: Case) -> Iterator[Problem]:
    for given in case.plan.workloads:
        parts = sum((a.cost for a in given.assignment), ZERO)
        for text in _differ("cost", given.cost, parts):
            yield Problem(CHECK, given.name, text)


def _pool(case: Case, bill: Bill, row: PlanPool) -> Iterator[str]:
    numbers = [n for n, p in enumerate(case.parts) if p.given.pool == row.pool]
    nodes = sum(cents for s, cents in bill.nodes.items() if s.pool == row.pool)
    cost = from_cents(nodes + sum(bill.running[n] for n in numbers))
    carried = sum((case.parts[n].given.cost for n in numbers), ZERO)
    yield from _differ("cost", row.cost, cost)
    yield from _differ("idle cost", row.idle_cost, cost - carried)
    if row.idle_cost < 0:
        yield f"idle cost {row.idle_cost:,} is below zero"


def _shares(case: Case, bill: Bill, derived: Derived) -> Iterator[Problem]:
    """Each assignment carries its running cost and its part, by GPUs and turns, of the nodes it shares."""
    for number, part in enumerate(case.parts):
        share, users = _share(case, bill, derived, number)
        least = bill.running[number] + share
        have = int(part.given.cost * 100)
        # Rounding of the shares leaves at most one cent per user, and one user carries what is left.
        if not least <= have <= least + users:
            text = f"costs {part.given.cost:,} printed, it is {from_cents(least):,}"
            yield Problem(CHECK, part.name, f"{part.where}: {text}")


def _share(case: Case, bill: Bill, derived: Derived, number: int) -> tuple[int, int]:
    """Whole cents of held nodes that the assignment carries, and how many assignments share them."""
    part = case.parts[number]
    if part.own_nodes:
        return 0, 0
    on_supply = [(n, p) for n, p in enumerate(case.parts) if p.supply == part.supply]
    users = [p for _, p in on_supply if not p.own_nodes]
    held = bill.held[part.supply] * part.facts.node_gpus
    name = part.host or part.name
    turns = [(n, p) for n, p in on_supply if name in (p.name, p.host) and not p.own_nodes]
    shared = any(p.host for _, p in turns)
    holder = next((p for _, p in turns if p.name == name), part) if shared else part
    gpus = holder.given.replicas * holder.gpus_held
    share = bill.nodes[part.supply] * gpus // held if held else 0
    if shared:
        minutes = {n: math.ceil(60 * (derived[n].speed.hours or 0.0)) * p.runs for n, p in turns}
        guests = [n for n, p in turns if p.host is not None and any(minutes.values())]
        parts = {n: share * minutes[n] // sum(minutes.values()) for n in guests}
        share = parts.get(number, share - sum(parts.values()))
    return share, len(users)
