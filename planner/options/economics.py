"""Unit costs, chargeback and break-even points of a plan over periods."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from planner.options.deals import DEFAULT_LIFE_S, per_node
from planner.options.energy import energy_of
from planner.options.power import draw_of
from planner.plan.schema import Order, Plan, PlanPeriod, PlanWorkload, TeamCost, UnitCost
from planner.scenario.periods import Period, demand_factor, in_period, periods_of, price_in
from planner.scenario.resolved import ResolvedPool, ResolvedWorkload, Scenario
from planner.scenario.schema_workloads import InferenceWorkload
from planner.units import HOUR_S, HOURS_PER_MONTH, YEAR_S

ZERO = Decimal(0)
NO_TEAM = "(no team)"
IDLE = "(idle GPUs)"


def with_economics(scenario: Scenario, plan: Plan) -> Plan:
    """The plan with unit costs, cost by team, and what each order needs to pay off."""
    return plan.model_copy(
        update={
            "unit_costs": tuple(_unit_costs(scenario, plan)),
            "teams": tuple(_teams(plan)),
            "orders": tuple(_with_break_even(scenario, o) for o in plan.orders),
        }
    )


# ------------------------------------------------------------------------------------------ unit costs


def _unit_costs(scenario: Scenario, plan: Plan) -> Iterator[UnitCost]:
    for row in plan.workloads:
        workload = scenario.workload(row.name)
        held = [
            (p, w) for p in plan.periods for w in p.workloads if w.name == row.name and w.served
        ]
        hours = sum(_gpu_hours(workload, p, w) for p, w in held)
        tokens, output = _tokens(scenario, workload, {p.name for p, _ in held})
        runs = 0
        if getattr(workload.spec, "every", None):
            runs = sum(_runs(workload, p) for p, _ in held)
        elif held and not isinstance(workload.spec, InferenceWorkload):
            runs = 1
        cost = float(row.cost)
        yield UnitCost(
            workload=row.name,
            team=row.team,
            cost=row.cost,
            gpu_hours=hours,
            usd_per_gpu_hour=cost / hours if hours else None,
            million_tokens=tokens / 1e6 if tokens else None,
            usd_per_million_tokens=cost / (tokens / 1e6) if tokens else None,
            usd_per_million_output=cost / (output / 1e6) if output else None,
            runs=runs,
            usd_per_run=cost / runs if runs else None,
        )


def _gpu_hours(workload: ResolvedWorkload, period: PlanPeriod, row: PlanWorkload) -> float:
    """GPUs held x hours: a service and a job that shares nodes hold them for the period, a run for its hours."""
    total = 0.0
    trained = {run.pool: run.hours for run in period.runs if run.workload == row.name}
    held = {a.turns_on for w in period.workloads for a in w.assignment}
    for part in row.assignment:
        hours = float(period.hours)
        if part.turns_on or row.name in held:
            total += part.gpus * trained.get(part.pool, 0.0)
            continue
        if part.term.endswith(" for the run") and part.speed.hours is not None:
            hours = math.ceil(part.speed.hours) * _runs(workload, period)
            if not getattr(workload.spec, "every", None):
                hours = math.ceil(trained.get(part.pool, part.speed.hours))
        total += part.gpus * hours
    return total


def _runs(workload: ResolvedWorkload, period: PlanPeriod) -> int:
    every = getattr(workload.spec, "every", None)
    return max(1, math.ceil(period.hours * HOUR_S / every)) if every else 1


def _tokens(scenario: Scenario, workload: ResolvedWorkload, names: set[str]) -> tuple[float, float]:
    """All tokens and output tokens of a service with a request rate, over the periods it is served in."""
    spec = workload.spec
    if not isinstance(spec, InferenceWorkload) or spec.demand.requests is None:
        return 0.0, 0.0
    requests = sum(
        float(spec.demand.requests * demand_factor(spec.demand, p)) * p.hours * HOUR_S
        for p in periods_of(scenario)
        if p.name in names
    )
    sizes = spec.demand.sizes
    prompt, output = float(spec.demand.prompt or 0), float(spec.demand.output or 0)
    if sizes:
        prompt = sum(float(s.share) * s.prompt for s in sizes)
        output = sum(float(s.share) * s.output for s in sizes)
    return requests * (prompt + output), requests * output


# ------------------------------------------------------------------------------------------ chargeback


def _teams(plan: Plan) -> Iterator[TeamCost]:
    """Cost by team; the rows add up to the total."""
    assert plan.cost is not None
    sums: dict[str, Decimal] = {}
    for row in plan.workloads:
        sums[row.team or NO_TEAM] = sums.get(row.team or NO_TEAM, ZERO) + row.cost
    idle = sum((p.idle_cost for p in plan.pools), ZERO)
    if idle:
        sums[IDLE] = idle
    whole = float(plan.cost.total) or 1.0
    for team, cost in sums.items():
        yield TeamCost(team=team, cost=cost, share=float(cost) / whole)


# ------------------------------------------------------------------------------------------ break-even


def _with_break_even(scenario: Scenario, order: Order) -> Order:
    """At the prices of the period in which the order's nodes arrive."""
    pool = scenario.pool(order.pool)
    start = next(p for p in periods_of(scenario) if p.start.isoformat() == order.arrives)
    rent = rent_per_gpu_hour(scenario, pool, start)
    if rent is None or order.action == "contract":
        return order
    if order.action == "commit":
        offer = pool.spec.rent[order.offer - 1]
        price = per_node(pool, price_in(offer.price, offer.growth, start)) / pool.node.gpus
        return order.model_copy(update={"break_even": float(price / rent)})
    bought = purchase_per_gpu_hour(scenario, pool, order, start)
    margin = rent - bought.energy
    if margin <= 0:
        return order
    fixed = bought.write_off + bought.holding
    saved = (margin - bought.holding) * HOURS_PER_MONTH
    months = float(bought.price / saved) if saved > 0 else None
    return order.model_copy(
        update={"break_even": float(fixed / margin), "crossover_months": months}
    )


def rent_per_gpu_hour(scenario: Scenario, pool: ResolvedPool, period: Period) -> Fraction | None:
    """The cheapest rent on demand of the pool's GPU in a period, anywhere in the scenario."""
    prices = [
        per_node(other, price_in(rent.price, rent.growth, period)) / other.node.gpus
        for other in scenario.pools
        if other.gpu.id == pool.gpu.id
        for rent in other.spec.rent
        if rent.commit == "none" and rent.interruption is None
    ]
    return min(prices, default=None)


@dataclass(frozen=True, slots=True)
class BoughtGpu:
    """What one bought GPU costs; money per hour but for its price."""

    price: Fraction
    """With installation."""
    write_off: Fraction
    holding: Fraction
    """Support and upkeep."""
    energy: Fraction
    """At full use."""


def purchase_per_gpu_hour(
    scenario: Scenario, pool: ResolvedPool, order: Order, period: Period
) -> BoughtGpu:
    """One GPU of a purchase, at the price of its size and period."""
    spec = pool.spec.buy[order.offer - 1]
    quote = next((t.price for t in spec.tiers if t.nodes == order.tier), spec.price)
    price = per_node(pool, price_in(quote, spec.growth, period)) / pool.node.gpus
    whole = price * (1 + spec.installation)
    life_h = (spec.life or DEFAULT_LIFE_S) / HOUR_S
    support = price * spec.support / (YEAR_S // HOUR_S)
    upkeep = pool.spec.owned.upkeep if pool.spec.owned else None
    hosting = Fraction(upkeep.amount) / HOURS_PER_MONTH / pool.node.gpus if upkeep else Fraction(0)
    return BoughtGpu(
        price=whole,
        write_off=(whole - price * (spec.residual or 0)) / life_h,
        holding=support + hosting,
        energy=_full_use(in_period(scenario, period), pool),
    )


def _full_use(scenario: Scenario, pool: ResolvedPool) -> Fraction:
    """Energy of one GPU at full load and its share of the node, for an hour."""
    draw, energy = draw_of(pool), energy_of(scenario)
    watts = draw.gpu_w if draw.node_w is None else draw.node_w / draw.gpus
    return watts / 1000 * energy.pue * Fraction(energy.usd_per_kwh)
