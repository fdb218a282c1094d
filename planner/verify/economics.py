"""Tables drawn from a verified plan: unit costs, cost by team, and what each order needs to pay off."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from planner.plan.schema import Order, Plan, PlanPeriod, PlanWorkload, TeamCost, UnitCost
from planner.scenario.periods import Period, in_period, periods_of, price_in
from planner.scenario.resolved import ResolvedPool, Scenario
from planner.scenario.schema_workloads import InferenceWorkload
from planner.units import HOUR_S, HOURS_PER_MONTH, YEAR_S
from planner.verify.case import FOR_THE_RUN
from planner.verify.energy import gpu_watts
from planner.verify.offers import node_price, quoted
from planner.verify.orders import USUAL_LIFE_S
from planner.verify.problem import Finding, Problem

CHECK = "tables"
NOISE = 1e-9
"""Relative difference allowed between a printed and a re-derived figure that is no money."""


def check_economics(scenario: Scenario, plan: Plan) -> Finding:
    """Every figure of the three tables against the plan and the scenario's prices."""
    spans = periods_of(scenario)
    problems = [
        *(Problem(CHECK, "unit costs", t) for t in _unit_costs(scenario, plan, spans)),
        *(Problem(CHECK, "teams", t) for t in _teams(plan)),
        *(
            Problem(CHECK, o.pool, t)
            for o in plan.orders
            for t in _differ(f"{o.action} {o.arrives}", o, _pays_off(scenario, o, spans))
        ),
    ]
    looked = (
        f"unit costs of {len(plan.unit_costs)} workloads, {len(plan.teams)} teams and "
        f"{sum(o.break_even is not None for o in plan.orders)} break-even points re-derived"
    )
    return Finding(CHECK, looked, tuple(problems))


def _differ(
    what: str, given: UnitCost | TeamCost | Order, wanted: dict[str, object]
) -> Iterator[str]:
    for name, want in wanted.items():
        have = getattr(given, name)
        if isinstance(have, float) and isinstance(want, float):
            same = abs(have - want) <= NOISE * max(abs(want), 1e-6)
        else:
            same = have == want
        if not same:
            yield f"{what}: {name} {have} printed, it is {want}"


# ------------------------------------------------------------------------------------------ unit costs


def _unit_costs(scenario: Scenario, plan: Plan, spans: Sequence[Period]) -> Iterator[str]:
    names = [w.name for w in plan.workloads]
    given = [u.workload for u in plan.unit_costs]
    if given != names:
        yield f"rows for {', '.join(given) or 'nothing'}, the plan has {', '.join(names)}"
        return
    for unit, row in zip(plan.unit_costs, plan.workloads, strict=True):
        yield from _differ(unit.workload, unit, _wanted(scenario, plan, row, spans))


def _wanted(
    scenario: Scenario, plan: Plan, row: PlanWorkload, spans: Sequence[Period]
) -> dict[str, object]:
    served = [
        (span, period, part)
        for span, period in zip(spans, plan.periods, strict=True)
        for part in period.workloads
        if part.name == row.name and part.served
    ]
    hours = sum((_held(scenario, period, part) for _, period, part in served), 0.0)
    tokens, output = _millions(scenario, row.name, [span for span, _, _ in served])
    runs = _runs(scenario, row.name, [span for span, _, _ in served])
    cost = float(row.cost)
    return {
        "team": row.team,
        "cost": row.cost,
        "gpu_hours": hours,
        "usd_per_gpu_hour": cost / hours if hours else None,
        "million_tokens": tokens or None,
        "usd_per_million_tokens": cost / tokens if tokens else None,
        "usd_per_million_output": cost / output if output else None,
        "runs": runs,
        "usd_per_run": cost / runs if runs else None,
    }


def _often(scenario: Scenario, name: str, hours: int) -> int | None:
    """Runs of a recurring job in so many hours; None for a service or a single run."""
    every = getattr(scenario.workload(name).spec, "every", None)
    return max(1, math.ceil(hours * HOUR_S / every)) if every else None


def _runs(scenario: Scenario, name: str, spans: Sequence[Period]) -> int:
    if isinstance(scenario.workload(name).spec, InferenceWorkload):
        return 0
    often = [_often(scenario, name, s.hours) for s in spans]
    return sum(n for n in often if n) or int(bool(spans))


def _held(scenario: Scenario, period: PlanPeriod, row: PlanWorkload) -> float:
    """GPU-hours of a workload in a period: all of it, but for nodes rented for a run and runs that take turns."""
    total = 0.0
    hosts = {a.turns_on for w in period.workloads for a in w.assignment}
    for part in row.assignment:
        hours = float(period.hours)
        if part.turns_on or row.name in hosts:
            hours = sum(r.hours for r in period.runs if r.workload == row.name)
        elif part.term.endswith(FOR_THE_RUN) and part.speed.hours is not None:
            often = _often(scenario, row.name, period.hours)
            cut = [r.hours for r in period.runs if (r.workload, r.pool) == (row.name, part.pool)]
            one = part.speed.hours if often or not cut else cut[-1]
            hours = float(math.ceil(one) * (often or 1))
        total += part.gpus * hours
    return total


def _millions(scenario: Scenario, name: str, spans: Sequence[Period]) -> tuple[float, float]:
    """Tokens and output tokens of a service's demand in these periods, in millions; 0 without a request rate."""
    tokens = output = 0.0
    for span in spans:
        spec = in_period(scenario, span).workload(name).spec
        if not isinstance(spec, InferenceWorkload) or spec.demand.requests is None:
            return 0.0, 0.0
        demand = spec.demand
        requests = float(demand.requests or 0) * span.hours * HOUR_S
        sizes = [(float(s.share), s.prompt, s.output) for s in demand.sizes] or [
            (1.0, demand.prompt or 0, demand.output or 0)
        ]
        tokens += requests * sum(share * (prompt + out) for share, prompt, out in sizes)
        output += requests * sum(share * out for share, _, out in sizes)
    return tokens / 1e6, output / 1e6


# ------------------------------------------------------------------------------------------ teams


def _teams(plan: Plan) -> Iterator[str]:
    """One row for each team, and for those without one; idle GPUs apart; all add up to the total."""
    assert plan.cost is not None
    wanted: dict[str, Decimal] = {}
    for row in plan.workloads:
        name = row.team or "(no team)"
        wanted[name] = wanted.get(name, Decimal(0)) + row.cost
    idle = plan.cost.total - sum(wanted.values(), Decimal(0))
    if idle:
        wanted["(idle GPUs)"] = idle
    if sorted(t.team for t in plan.teams) != sorted(wanted):
        have = ", ".join(t.team for t in plan.teams) or "nothing"
        yield f"rows for {have}, the plan has {', '.join(wanted)}"
        return
    for team in plan.teams:
        cost = wanted[team.team]
        share = float(cost) / float(plan.cost.total) if plan.cost.total else 0.0
        yield from _differ(team.team, team, {"cost": cost, "share": share})


# ------------------------------------------------------------------------------------------ break-even


def _pays_off(scenario: Scenario, order: Order, spans: Sequence[Period]) -> dict[str, object]:
    """Share of the hours, and months of full use, at which an order beats rent on demand of the same GPU."""
    nothing: dict[str, object] = {"break_even": None, "crossover_months": None}
    start = next((s for s in spans if s.start.isoformat() == order.arrives), None)
    rent = None if start is None else _rent(scenario, order.gpu, start)
    if rent is None or start is None or order.action == "contract":
        return nothing
    pool = scenario.pool(order.pool)
    gpus = pool.node.gpus
    if order.action == "commit":
        term = pool.spec.rent[order.offer - 1]
        hour = node_price(pool, price_in(term.price, term.growth, start)) / gpus
        return {"break_even": float(hour / rent), "crossover_months": None}
    saved = rent - _power_hour(in_period(scenario, start), pool)
    if saved <= 0:
        return nothing
    offer = pool.spec.buy[order.offer - 1]
    price = quoted(pool, offer, order.nodes, start).price / gpus
    paid = price + price * offer.installation
    life_h = (offer.life or USUAL_LIFE_S) / HOUR_S
    upkeep = pool.spec.owned.upkeep if pool.spec.owned else None
    kept = price * offer.support * HOUR_S / YEAR_S
    if upkeep is not None:
        kept += Fraction(upkeep.amount) / gpus / HOURS_PER_MONTH
    lost = (paid - price * (offer.residual or 0)) / life_h
    margin = (saved - kept) * HOURS_PER_MONTH
    return {
        "break_even": float((lost + kept) / saved),
        "crossover_months": float(paid / margin) if margin > 0 else None,
    }


def _rent(scenario: Scenario, gpu: str, span: Period) -> Fraction | None:
    """The cheapest GPU-hour on demand of a GPU in a period."""
    hours = [
        node_price(pool, price_in(rent.price, rent.growth, span)) / pool.node.gpus
        for pool in scenario.pools
        for rent in pool.spec.rent
        if pool.gpu.id == gpu and rent.commit == "none" and rent.interruption is None
    ]
    return min(hours) if hours else None


def _power_hour(scenario: Scenario, pool: ResolvedPool) -> Fraction:
    """Energy of one GPU at full load for an hour, with its part of the node where that is known."""
    spec = scenario.spec.energy
    if spec is None:
        return Fraction(0)
    node = pool.node.power_w
    watts = gpu_watts(pool) if node is None else node / pool.node.gpus
    price = spec.price[0]
    per_kwh = Fraction(price.amount) / (1000 if price.per == "MWh" else 1)
    return watts * Fraction(spec.pue) * per_kwh / 1000
