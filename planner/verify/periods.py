"""Re-check of a plan over periods: each period like a plan of its own, then orders, payments and totals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal

from planner.plan.merge import merged_pools, merged_workloads
from planner.plan.schema import Cost, CostParts, Period, Plan, PlanPeriod, Status
from planner.scenario.periods import Period as Span
from planner.scenario.periods import at, in_period, periods_of
from planner.scenario.resolved import Scenario
from planner.units import HOURS_PER_MONTH, from_cents, to_cents
from planner.verify.case import Case
from planner.verify.checks import check_case
from planner.verify.derive import Derived
from planner.verify.money import proof_problems
from planner.verify.orders import Checked, check_order, counts_problems, ordered_supplies
from planner.verify.prices import bill_of
from planner.verify.problem import Finding, Problem
from planner.verify.runs import check_runs, hours_before, started, unbroken
from planner.verify.structure import check_structure

ZERO = Decimal(0)


def check_periods(scenario: Scenario, plan: Plan) -> list[Finding]:
    """What every check found; problems of a period start with its name."""
    spans = periods_of(scenario)
    shape = list(_shape(scenario, plan, spans))
    checked: list[Checked] = []
    for order in plan.orders:
        found = check_order(scenario, order, spans)
        if isinstance(found, str):
            shape.append(Problem("orders", order.pool, found))
        else:
            checked.append(found)
    looked = f"{len(plan.orders)} orders over {len(spans)} periods are the scenario's"
    findings = [Finding("structure", looked, tuple(shape))]
    if shape:
        return findings
    findings.append(_orders(scenario, checked, spans))
    parts: list[CostParts] = []
    for span, given in zip(spans, plan.periods, strict=True):
        here, sums = _period(scenario, plan, given, span, checked)
        findings += here
        if sums is not None:
            parts.append(sums)
    if len(parts) == len(spans):
        findings.append(_totals(scenario, plan, parts, checked, spans))
    return findings


def _shape(scenario: Scenario, plan: Plan, spans: Sequence[Span]) -> Iterator[Problem]:
    if plan.status not in (Status.PROVEN, Status.FEASIBLE) or plan.cost is None:
        yield Problem("structure", "", f"its status is `{plan.status.value}`: there is no plan")
    have = [(p.name, p.start, p.end, p.hours) for p in plan.periods]
    want = [(s.name, s.start.isoformat(), s.end.isoformat(), s.hours) for s in spans]
    if have != want:
        yield Problem("structure", "", f"periods {have} printed, the scenario has {want}")
        return
    yield from unbroken(scenario, plan, spans)


def _orders(scenario: Scenario, checked: Sequence[Checked], spans: Sequence[Span]) -> Finding:
    problems = [Problem("orders", c.order.pool, t) for c in checked for t in c.problems]
    problems += [
        Problem("orders", pool, t) for pool, t in counts_problems(scenario, checked, spans)
    ]
    price = sum((c.order.price for c in checked), ZERO)
    looked = f"{len(checked)} order lines worth {price:,} re-derived from the offers, to the cent"
    return Finding("orders", looked, tuple(problems))


def _period(
    scenario: Scenario, plan: Plan, given: PlanPeriod, span: Span, checked: Sequence[Checked]
) -> tuple[list[Finding], CostParts | None]:
    """The checks of one period, and its cost by kind where all figures could be derived."""
    assert scenario.spec.horizon is not None
    assert plan.cost is not None
    convention = scenario.spec.horizon.convention
    starts = started(scenario, plan)
    jobs = {w.name: starts[w.name] for w in given.workloads if w.name in starts}
    here = in_period(scenario, span, jobs=jobs)
    of_jobs = sum((w.cost for w in given.workloads if w.kind != "inference"), ZERO)
    cost = Cost(
        total=given.cost, currency=plan.cost.currency, periods=(Period(name="month", cost=given.cost),),
        services=given.cost - of_jobs, jobs=of_jobs,
    )  # fmt: skip
    alone = plan.model_copy(
        update={
            "cost": cost, "bound": given.cost, "gap": 0.0, "status": Status.PROVEN, "orders": (),
            "workloads": given.workloads, "pools": given.pools, "periods": (), "money": None,
        }
    )  # fmt: skip
    ordered = ordered_supplies(scenario, checked, span, convention)
    before = hours_before(scenario, jobs, span)
    structure, case = check_structure(here, alone, ordered, before)
    findings = [structure]
    sums = None
    if case is not None:
        result = check_case(case)
        findings += result.findings
        if result.derived is not None:
            sums = _sums(case, result.derived, span, checked, convention)
            findings.append(check_runs(given, case, result.derived))
    return [_named(f, given.name) for f in findings], sums


def _named(finding: Finding, period: str) -> Finding:
    problems = tuple(
        Problem(p.check, f"{period} {p.subject}".strip(), p.message) for p in finding.problems
    )
    return Finding(finding.check, f"{period}: {finding.looked}", problems)


def _sums(
    case: Case, derived: Derived, span: Span, checked: Sequence[Checked], convention: str
) -> CostParts:
    """The cost of a period by kind, from the bill and the orders."""
    bill = bill_of(case, derived)
    sums = dict.fromkeys(CostParts.model_fields, 0)
    kinds = {"buy": "purchases", "commit": "commitments", "contract": "contracts"}
    for one in checked:
        support = one.support[span.index]
        sums["support"] += support
        sums[kinds[one.order.action]] += one.counted(convention)[span.index] - support
    for supply, cents in bill.nodes.items():
        energy = supply.energy_cents * len(case.nodes_of(supply, own=False))
        sums["energy"] += energy
        sums["upkeep" if supply.owned else "rent"] += cents - supply.fixed_cents - energy
    for number, cents in bill.running.items():
        sums["energy" if case.parts[number].supply.owned else "rent"] += cents
    return CostParts(**{name: from_cents(cents) for name, cents in sums.items()})


def _totals(
    scenario: Scenario,
    plan: Plan,
    parts: Sequence[CostParts],
    checked: Sequence[Checked],
    spans: Sequence[Span],
) -> Finding:
    """Kinds, payments and sums of all periods; budgets."""
    problems: list[Problem] = []
    for given, want, span in zip(plan.periods, parts, spans, strict=True):
        texts = [
            *_kinds(given, want), *_payments(scenario, given, want, checked, span), *_room(scenario, given, span),
        ]  # fmt: skip
        problems += [Problem("money", given.name, t) for t in texts]
    texts = [*_whole(plan, scenario), *proof_problems(plan), *_capex(scenario, plan)]
    problems += [Problem("money", "", t) for t in texts]
    total = plan.cost.total if plan.cost else ZERO
    looked = f"{total:,} re-added over {len(spans)} periods, payments and write-offs to the cent"
    return Finding("money", looked, tuple(problems))


def _kinds(given: PlanPeriod, want: CostParts) -> Iterator[str]:
    for name in CostParts.model_fields:
        have, should = getattr(given.parts, name), getattr(want, name)
        if have != should:
            yield f"{name} {have:,} printed, it is {should:,}"
    whole = sum((getattr(want, name) for name in CostParts.model_fields), ZERO)
    if given.cost != whole:
        yield f"cost {given.cost:,} printed, the kinds add up to {whole:,}"


def _room(scenario: Scenario, given: PlanPeriod, span: Span) -> Iterator[str]:
    """The limits printed beside what is used of them."""
    limits = scenario.spec.limits
    power = None if limits.power is None else math.floor(at(limits.power, span))
    racks = None if limits.rack_units is None else at(limits.rack_units, span)
    if given.power_limit_w != power:
        yield f"limit of power {given.power_limit_w} W printed, it is {power}"
    if given.rack_units_limit != racks:
        yield f"limit of rack units {given.rack_units_limit} printed, it is {racks}"


def _payments(
    scenario: Scenario, given: PlanPeriod, want: CostParts, checked: Sequence[Checked], span: Span
) -> Iterator[str]:
    capex = from_cents(sum(c.capex[span.index] for c in checked))
    rent = sum(c.rent[span.index] + c.support[span.index] for c in checked)
    opex = from_cents(rent) + want.upkeep + want.energy + want.rent
    if given.capex != capex:
        yield f"capex {given.capex:,} printed, {capex:,} is paid"
    if given.opex != opex:
        yield f"opex {given.opex:,} printed, {opex:,} is paid"
    limit = scenario.spec.limits.opex
    if limit is not None:
        months = Decimal(span.hours) / HOURS_PER_MONTH
        most = from_cents(to_cents(at(limit, span).amount * months, up=False))
        if opex > most:
            yield f"opex {opex:,}, `limits.opex` allows {most:,}"


def _capex(scenario: Scenario, plan: Plan) -> Iterator[str]:
    limit = scenario.spec.limits.capex
    if limit is None:
        return
    spent = [p.capex for p in plan.periods]
    if len(limit) == 1:
        spent = [sum(spent, ZERO)]
    for have, most in zip(spent, limit, strict=True):
        if have > most.amount:
            yield f"capex {have:,}, `limits.capex` allows {most.amount:,}"


def _whole(plan: Plan, scenario: Scenario) -> Iterator[str]:
    """Totals are the sums of the periods and orders."""
    assert plan.cost is not None
    horizon = scenario.spec.horizon
    assert horizon is not None
    names = [w.name for w in scenario.workloads]
    workloads = merged_workloads(names, plan.periods)
    jobs = sum((w.cost for w in workloads if w.kind != "inference"), ZERO)
    total = sum((p.cost for p in plan.periods), ZERO)
    if plan.money is None:
        yield "no totals of payments printed"
        return
    for what, have, want in (
        ("total", plan.cost.total, total),
        ("currency", plan.cost.currency, scenario.spec.currency),
        ("periods", [(p.name, p.cost) for p in plan.cost.periods], [(p.name, p.cost) for p in plan.periods]),
        ("cost of jobs", plan.cost.jobs, jobs),
        ("cost of services", plan.cost.services, total - jobs),
        ("convention", plan.money.convention, horizon.convention),
        ("capex", plan.money.capex, sum((p.capex for p in plan.periods), ZERO)),
        ("opex", plan.money.opex, sum((p.opex for p in plan.periods), ZERO)),
        ("due after", plan.money.due_after, sum((o.due_after for o in plan.orders), ZERO)),
        ("book value", plan.money.book_value, sum((o.book_value for o in plan.orders), ZERO)),
    ):  # fmt: skip
        if have != want:
            yield f"{what} {have} printed, it is {want}"
    words = {"binding", "summary", "defaults"}
    if [w.model_dump(exclude=words) for w in plan.workloads] != [
        w.model_dump(exclude=words) for w in workloads
    ]:
        yield "the workloads are not those of the periods"
    if plan.pools != merged_pools(plan.periods):
        yield "the pools are not those of the periods"
