"""The part of the text report that a plan over periods adds: orders, cost by kind, payments, capacity."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from planner.plan.schema import CostParts, Order, Plan
from planner.report.economics import baseline_table, order_notes, team_table, unit_table
from planner.report.instead import instead_section
from planner.report.robust import robust_sections
from planner.report.runs import run_table
from planner.report.table import Column, render_table, wrap
from planner.units import money

ACTIONS = {"buy": "buy", "commit": "commit", "contract": "contract"}


def render_periods(plan: Plan, *, width: int = 100) -> list[str]:
    """All sections, each ending in an empty line; nothing for a steady state."""
    if not plan.periods or plan.money is None:
        return []
    sections = (
        _orders(plan, width), instead_section(plan, width), _cost(plan, width), _payments(plan, width),
        _capacity(plan, width), _premises(plan, width), run_table(plan, width),
        baseline_table(plan, width), *robust_sections(plan, width), unit_table(plan, width),
        team_table(plan, width),
    )  # fmt: skip
    return [line for lines in sections if lines for line in (*lines, "")]


def _orders(plan: Plan, width: int) -> list[str]:
    unit = plan.cost.currency if plan.cost else ""
    if not plan.orders:
        return ["Orders: none; what is owned and rented on demand is the cheapest."]
    columns = (
        Column("ORDER BY"), Column(""), Column("NODES", ">"), Column("POOL", clip=True),
        Column("GPUS", clip=True, drop=2), Column("FROM"), Column("UNTIL", drop=1),
        Column("per node", ">", drop=3), Column(f"price {unit}", ">"),
        Column("counted", ">"),
    )  # fmt: skip
    rows = [_order(o) for o in plan.orders]
    footer = ["TOTAL", "", "", "", "", "", "", "", money(sum((o.price for o in plan.orders), Decimal(0))),
              money(sum((o.cost for o in plan.orders), Decimal(0)))]  # fmt: skip
    lines = ["Orders", *render_table(columns, rows, width=width, footer=footer)]
    assert plan.money is not None
    text = (
        f"After the horizon: {money(plan.money.due_after)} {unit} still to be paid, "
        f"purchases worth {money(plan.money.book_value)} not written off."
    )
    return [*lines, *wrap(text, first="", rest="  ", width=width), *order_notes(plan, width)]


def _order(order: Order) -> list[str]:
    return [
        order.order_by or "signed", ACTIONS[order.action], str(order.nodes), order.pool,
        f"{order.gpus} x {order.gpu}", order.arrives, order.until, money(order.unit_price),
        money(order.price), money(order.cost),
    ]  # fmt: skip


def _cost(plan: Plan, width: int) -> list[str]:
    assert plan.money is not None
    kinds = [
        name for name in CostParts.model_fields if any(getattr(p.parts, name) for p in plan.periods)
    ]
    columns = [Column("COST BY PERIOD"), *(Column(k, ">") for k in kinds), Column("total", ">")]
    rows = [
        [p.name, *(money(getattr(p.parts, k)) for k in kinds), money(p.cost)] for p in plan.periods
    ]
    sums = [sum((getattr(p.parts, k) for p in plan.periods), Decimal(0)) for k in kinds]
    total = sum((p.cost for p in plan.periods), Decimal(0))
    footer = [f"TOTAL, {plan.money.convention}", *map(money, sums), money(total)]
    return render_table(columns, rows, width=width, footer=footer)


def _payments(plan: Plan, width: int) -> list[str]:
    assert plan.money is not None
    columns = (
        Column("CASH FLOW"), Column("capex", ">"), Column("opex", ">"), Column("paid", ">"),
        Column("paid so far", ">"),
    )  # fmt: skip
    rows = []
    so_far = Decimal(0)
    for period in plan.periods:
        so_far += period.capex + period.opex
        rows.append(
            [period.name, money(period.capex), money(period.opex), money(period.capex + period.opex),
             money(so_far)]
        )  # fmt: skip
    footer = ["TOTAL", money(plan.money.capex), money(plan.money.opex), money(so_far), ""]
    return render_table(columns, rows, width=width, footer=footer)


def _capacity(plan: Plan, width: int) -> list[str]:
    """GPUs used of GPUs held, per pool and period."""
    columns = [Column("GPUS USED/HELD", clip=True), *(Column(p.name, ">") for p in plan.periods)]
    rows: list[Sequence[str]] = []
    for index, pool in enumerate(plan.pools):
        cells = [p.pools[index] for p in plan.periods]
        if any(c.total_gpus for c in cells):
            rows.append([pool.pool, *(f"{c.used_gpus} / {c.total_gpus}" for c in cells)])
    used = [sum(r.used_gpus for r in p.pools) for p in plan.periods]
    held = [sum(r.total_gpus for r in p.pools) for p in plan.periods]
    footer = ["TOTAL", *(f"{u} / {h}" for u, h in zip(used, held, strict=True))]
    return render_table(columns, rows, width=width, footer=footer)


def _premises(plan: Plan, width: int) -> list[str]:
    """Power and rack units of one's own nodes against their limits, per period."""
    columns = [Column("OWN PREMISES", clip=True), *(Column(p.name, ">") for p in plan.periods)]
    watts = [sum(r.power_w for r in p.pools) for p in plan.periods]
    units = [sum(r.rack_units for r in p.pools) for p in plan.periods]
    rows: list[Sequence[str]] = []
    if any(watts):
        most = [p.power_limit_w for p in plan.periods]
        cells = [
            _of(f"{w / 1000:.1f}", None if m is None else f"{m / 1000:g}")
            for w, m in zip(watts, most, strict=True)
        ]
        rows.append(["kW at full load", *cells])
    if any(units):
        cells = [
            _of(str(u), None if p.rack_units_limit is None else str(p.rack_units_limit))
            for u, p in zip(units, plan.periods, strict=True)
        ]
        rows.append(["rack units", *cells])
    return render_table(columns, rows, width=width) if rows else []


def _of(used: str, limit: str | None) -> str:
    return used if limit is None else f"{used} / {limit}"
