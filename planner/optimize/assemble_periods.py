"""The outcome over all periods becomes a plan: each period on its own, then orders and totals."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from planner.optimize.assemble import assemble, stats
from planner.optimize.outcome import Outcome
from planner.optimize.periods import outcome_in, question_in, without_supply
from planner.options.build import Built
from planner.options.deals import Deal
from planner.options.horizon import Part, Whole
from planner.options.question import Question
from planner.plan import schema as plan
from planner.plan.merge import merged_pools, merged_workloads
from planner.plan.runs import with_runs
from planner.scenario.periods import runs_every
from planner.scenario.resolved import Scenario
from planner.units import from_cents

PAYS_ENERGY = ("owned", "bought")
"""Terms whose nodes pay for energy and upkeep; all others are rent."""


def assemble_periods(scenario: Scenario, whole: Whole, outcome: Outcome) -> plan.Plan:
    """The plan of an outcome that has one."""
    assert outcome.cost_cents is not None
    assert outcome.bound_cents is not None
    horizon = scenario.spec.horizon
    assert horizon is not None
    periods = with_runs(
        [_period(whole, outcome, p, horizon.convention) for p in whole.parts],
        [_recurring(scenario, p) for p in whole.parts],
    )
    orders = orders_of(scenario, whole.deals, outcome.acquired)
    first = whole.parts[0]
    workloads = merged_workloads([w.name for w in scenario.workloads], periods)
    single = {w.name for w in workloads if w.kind != "inference"}
    total = from_cents(outcome.cost_cents)
    of_jobs = sum((w.cost for w in workloads if w.name in single), Decimal(0))
    return plan.Plan(
        scenario=scenario.name,
        status=plan.Status(outcome.status.value),
        cost=plan.Cost(
            total=total,
            currency=scenario.spec.currency,
            periods=tuple(plan.Period(name=p.name, cost=p.cost) for p in periods),
            services=total - of_jobs,
            jobs=of_jobs,
        ),
        bound=from_cents(outcome.bound_cents),
        gap=outcome.gap,
        workloads=workloads,
        pools=merged_pools(periods),
        orders=orders,
        periods=periods,
        money=_money(periods, orders, horizon.convention),
        warnings=first.question.warnings,
        solve=stats(first.considered, outcome),
    )


def _recurring(scenario: Scenario, part: Part) -> dict[str, int]:
    """Runs in a period of each job that recurs."""
    return {
        ask.name: wish.runs_per_horizon
        for ask, wish in zip(part.question.asks, part.question.wishes, strict=True)
        if runs_every(scenario.workload(ask.name))
    }


def _period(whole: Whole, outcome: Outcome, part: Part, convention: str) -> plan.PlanPeriod:
    question, kept = question_in(part, whole, outcome)
    built, here = outcome_in(part, whole, outcome, kept, convention)
    draft = assemble(question, part.considered, built, here)
    extra = without_supply(whole, outcome, part, convention)
    parts = _parts(whole, outcome, part, built, here, convention)
    cost = sum((getattr(parts, name) for name in plan.CostParts.model_fields), Decimal(0))
    t = part.period.index
    opex = cost - sum(
        (from_cents(n * (d.cost(convention)[t] - d.opex[t])) for d, n in _taken(whole, outcome)),
        Decimal(0),
    )
    pools = tuple(
        p.model_copy(
            update={
                "cost": p.cost + from_cents(extra.get(p.pool, 0)),
                "idle_cost": p.idle_cost + from_cents(extra.get(p.pool, 0)),
            }
        )
        for p in draft.pools
    )
    return plan.PlanPeriod(
        name=part.period.name,
        start=part.period.start.isoformat(),
        end=part.period.end.isoformat(),
        hours=part.period.hours,
        cost=cost,
        parts=parts,
        capex=from_cents(sum(n * d.capex[t] for d, n in _taken(whole, outcome))),
        opex=opex,
        workloads=draft.workloads,
        pools=pools,
        power_limit_w=_limit(question, "power"),
        rack_units_limit=_limit(question, "racks"),
    )


def _limit(question: Question, kind: str) -> int | None:
    """The period's limit of power or rack units."""
    return next((x.bound for x in question.limits if x.kind == kind), None)


def _taken(whole: Whole, outcome: Outcome) -> list[tuple[Deal, int]]:
    return [(d, n) for d, n in zip(whole.deals, outcome.acquired, strict=True) if n]


def _parts(
    whole: Whole, outcome: Outcome, part: Part, built: Built, here: Outcome, convention: str
) -> plan.CostParts:
    """Cents of a period by kind."""
    t = part.period.index
    sums = dict.fromkeys(plan.CostParts.model_fields, 0)
    for deal, count in _taken(whole, outcome):
        bought = deal.action == "buy"
        support = deal.support[t] * count
        kind = "purchases" if bought else "commitments" if deal.action == "commit" else "contracts"
        sums["support"] += support
        sums[kind] += deal.cost(convention)[t] * count - support
    supplies = built.problem.supplies
    for supply, billed in zip(supplies, here.billed_nodes, strict=True):
        kind = "upkeep" if supply.term in PAYS_ENERGY else "rent"
        sums[kind] += billed * (supply.node_cost_cents - supply.node_energy_cents)
        sums["energy"] += billed * supply.node_energy_cents
    for block_plan in here.plans:
        for choice in block_plan.choices:
            candidate = built.problem.blocks[block_plan.block].candidates[choice.candidate]
            kind = "energy" if supplies[candidate.supply].term in PAYS_ENERGY else "rent"
            sums[kind] += candidate.cost_cents * choice.replicas
    return plan.CostParts(**{name: from_cents(cents) for name, cents in sums.items()})


def orders_of(
    scenario: Scenario, deals: Sequence[Deal], counts: Sequence[int]
) -> tuple[plan.Order, ...]:
    """The order list: purchases and commitments by latest day to order, then running contracts."""
    horizon = scenario.spec.horizon
    assert horizon is not None
    lines = []
    for deal, count in zip(deals, counts, strict=True):
        if not count:
            continue
        pool = scenario.pool(deal.pool)
        offers = {"buy": pool.spec.buy, "commit": pool.spec.rent, "contract": pool.spec.contracts}
        source = getattr(offers[deal.action][deal.offer], "source", None)
        lines.append(
            plan.Order(
                pool=deal.pool,
                gpu=pool.gpu.id,
                action=deal.action,
                offer=deal.offer + 1,
                nodes=count,
                gpus=count * pool.node.gpus,
                order_by=deal.order_by.isoformat() if deal.order_by else None,
                arrives=deal.arrives.isoformat(),
                until=deal.until.isoformat(),
                unit_price=from_cents(deal.price_cents),
                tier=deal.tier,
                single_price=from_cents(deal.single_cents) if deal.tier else None,
                price=from_cents(count * deal.price_cents),
                cost=from_cents(count * sum(deal.cost(horizon.convention))),
                paid=from_cents(count * (sum(deal.capex) + sum(deal.opex))),
                due_after=from_cents(count * deal.after_cents),
                book_value=from_cents(count * deal.book_cents),
                source=source or "",
            )
        )
    return tuple(sorted(lines, key=lambda o: (o.order_by is None, o.order_by or "", o.pool)))


def _money(
    periods: Sequence[plan.PlanPeriod], orders: Sequence[plan.Order], convention: str
) -> plan.PlanMoney:
    zero = Decimal(0)
    return plan.PlanMoney(
        convention=convention,
        capex=sum((p.capex for p in periods), zero),
        opex=sum((p.opex for p in periods), zero),
        due_after=sum((o.due_after for o in orders), zero),
        book_value=sum((o.book_value for o in orders), zero),
    )
