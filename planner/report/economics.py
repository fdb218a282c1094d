"""Baselines, unit costs, chargeback and break-even points as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from planner.plan.schema import Order, Plan
from planner.report.table import Column, render_table, wrap
from planner.units import money

DAYS_A_YEAR = 365.2425


def order_notes(plan: Plan, width: int) -> list[str]:
    """The volume price of each order, and when it pays off against renting the same GPU by the hour."""
    texts: list[str] = []
    for order in plan.orders:
        if order.tier is not None and order.single_price is not None:
            texts.append(_volume_price(order))
        if order.break_even is not None:
            texts.append(_pays_off(order, plan.orders))
    lines = (wrap(t, first="", rest="  ", width=width) for t in dict.fromkeys(texts))
    return [line for some in lines for line in some]


def _volume_price(order: Order) -> str:
    assert order.single_price is not None
    saved = (order.single_price - order.unit_price) * order.nodes
    return (
        f"{order.pool}, buy offer {order.offer}: {order.nodes} nodes for {order.arrives} reach the price from "
        f"{order.tier} nodes on, {money(order.unit_price)} a node instead of {money(order.single_price)}: "
        f"{money(saved)} less."
    )


def _pays_off(order: Order, orders: Sequence[Order]) -> str:
    """The day is named only where prices differ between orders of one offer."""
    assert order.break_even is not None
    key = (order.pool, order.action, order.offer)
    prices = {o.unit_price for o in orders if (o.pool, o.action, o.offer) == key}
    what = f"{order.pool}, {order.action} offer {order.offer}"
    if len(prices) > 1:
        what += f" for {order.arrives}"
    text = f"{what}: beats rent on demand of the same GPU if in use {100 * order.break_even:.0f} % of the time"
    if order.break_even > 1:
        text = f"{what}: dearer than rent on demand of the same GPU even in full use"
    if order.crossover_months is not None:
        text += _by_cash(order, order.crossover_months)
    return text + "."


def _by_cash(order: Order, months: float) -> str:
    """Accrual credits what is left at the end of a life; cash does not, and may never be even within it."""
    life_days = (date.fromisoformat(order.until) - date.fromisoformat(order.arrives)).days
    if months > 12 * life_days / DAYS_A_YEAR:
        return f"; by cash, not before its end on {order.until}: that takes {months:.1f} months of full use"
    return f"; by cash, after {months:.1f} months of full use"


def baseline_table(plan: Plan, width: int) -> list[str]:
    """The plan beside simple rules."""
    if not plan.baselines or plan.cost is None:
        return []
    unit = plan.cost.currency
    columns = (
        Column("RULE"), Column(unit, ">"), Column("plan saves", ">"), Column("", ">"), Column("", clip=True),
    )  # fmt: skip
    rows: list[Sequence[str]] = [["this plan", money(plan.cost.total), "-", "", ""]]
    for one in plan.baselines:
        if one.cost is None or one.saving is None:
            rows.append([one.name, "-", "-", "", f"cannot serve {', '.join(one.unserved)}"])
            continue
        share = one.saving / one.cost if one.cost else Decimal(0)
        rows.append(
            [one.name, money(one.cost), money(one.saving), f"{100 * share:.1f} %", one.rule]
        )
    return render_table(columns, rows, width=width)


def unit_table(plan: Plan, width: int) -> list[str]:
    """What the work costs by the unit."""
    columns = (
        Column("UNIT COSTS", clip=True), Column("GPU-h", ">"), Column("per GPU-h", ">"),
        Column("M tokens", ">"), Column("per M", ">"), Column("per M output", ">"), Column("runs", ">"),
        Column("per run", ">"), Column(plan.cost.currency if plan.cost else "", ">"),
    )  # fmt: skip
    rows = [
        [
            u.workload, f"{u.gpu_hours:,.0f}", _each(u.usd_per_gpu_hour),
            f"{u.million_tokens:,.0f}" if u.million_tokens else "-", _each(u.usd_per_million_tokens),
            _each(u.usd_per_million_output), str(u.runs) if u.runs else "-", _each(u.usd_per_run),
            money(u.cost),
        ]
        for u in plan.unit_costs
    ]  # fmt: skip
    return render_table(columns, rows, width=width) if rows else []


def _each(amount: float | None) -> str:
    return "-" if amount is None else f"{amount:,.2f}"


def team_table(plan: Plan, width: int) -> list[str]:
    """Chargeback; shown where any workload has a team."""
    if not any(w.team for w in plan.workloads) or plan.cost is None:
        return []
    columns = (Column("TEAM", clip=True), Column(plan.cost.currency, ">"), Column("share", ">"))
    rows = [[t.team, money(t.cost), f"{100 * t.share:.1f} %"] for t in plan.teams]
    total = sum((t.cost for t in plan.teams), Decimal(0))
    return render_table(columns, rows, width=width, footer=["TOTAL", money(total), ""])
