"""Why these orders and nodes, as text: each with what the cheapest plan would cost otherwise."""

from __future__ import annotations

from decimal import Decimal

from planner.plan.schema import Instead, Plan
from planner.report.table import wrap
from planner.units import money

TITLES = {
    "buy": "buy {} of {} for {}",
    "commit": "commit to {} of {} from {}",
    "rent": "rent {} of {} from {}",
    "contract": "contract for {} of {}, in use from {}",
    "own": "own {} of {}, in use from {}",
}
MOST_WIDE = 30
"""Columns of the widest amount that others are aligned with."""


def instead_section(plan: Plan, width: int) -> list[str]:
    """One line for each alternative below the thing it is about; nothing without any."""
    if plan.cost is None or not (plan.instead or plan.instead_notes):
        return []
    unit = plan.cost.currency
    told: set[tuple[Decimal | None, str]] = set()
    lines = [
        f"Why these orders and nodes: {unit} more than this plan if otherwise, each solved again"
    ]
    amounts = [_amount(row, plan.cost.total) for row in plan.instead]
    wide = min(MOST_WIDE, max((len(a) for a in amounts), default=0))
    title = ""
    for row, amount in zip(plan.instead, amounts, strict=True):
        if title != _title(row):
            title = _title(row)
            lines += wrap(title, first="  ", rest="    ", width=width)
        then = "the same plan as above" if (row.cost, row.then) in told else row.then
        then = "not everything can be served" if row.cost is None else then
        told.add((row.cost, row.then))
        lost = f"; {', '.join(row.unserved)} cannot be served then" if row.unserved else ""
        text = f"{row.change}: {then}{lost}"
        start = f"    {amount:>{wide}}  "
        lines += wrap(text, first=start, rest=" " * (wide + 8), width=width)
    for note in plan.instead_notes:
        lines += wrap(note, first="  ", rest="    ", width=width)
    return lines


def _title(row: Instead) -> str:
    if not row.nodes:
        return f"{row.pool}, {row.action} offer {row.offer}: not taken"
    nodes = f"{row.nodes} node{'s' if row.nodes > 1 else ''}"
    return TITLES[row.action].format(nodes, row.pool, row.period)


def _amount(row: Instead, total: Decimal) -> str:
    """What it costs more, with `at most` where that is not proven."""
    if row.cost is None or row.bound is None:
        return "no plan"
    if row.more is None:
        return "serves less"
    if row.more < 0:
        return f"{money(row.more)} found"
    if row.proven:
        return f"+{money(row.more)}" if row.more else "same cost"
    least = row.bound - total
    most = f"+{money(row.more)}"
    return f"+{money(least)} to {most}" if least > 0 else f"at most {most}"
