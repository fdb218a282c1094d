"""Uncertainty and sensitivity as text."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from planner.plan.schema import Plan
from planner.report.sensitivity import price_section, worth_section
from planner.report.table import Column, render_table, wrap
from planner.units import money


def robust_sections(plan: Plan, width: int) -> list[list[str]]:
    """Sections that `--robust` and `--sensitivity` add."""
    return [_cases(plan, width), worth_section(plan, width), price_section(plan, width)]


def _cases(plan: Plan, width: int) -> list[str]:
    if plan.robust is None:
        return []
    cases = plan.robust.cases
    columns = [
        Column("ORDERS BEST FOR"), *(Column(c.name, ">") for c in cases), Column("worst regret", ">"),
        Column(""),
    ]  # fmt: skip
    rows: list[Sequence[str]] = [["(known beforehand)", *(_sum(c.cost) for c in cases), "", ""]]
    rows += [
        [one.made_for, *(_sum(one.costs.get(c.name)) for c in cases), _sum(one.worst_regret),
         "least regret" if one.least_regret else ""]
        for one in plan.robust.orders
    ]  # fmt: skip
    lines = render_table(columns, rows, width=width)
    for case in cases:
        late = f", purchases {case.late_days} days late" if case.late_days else ""
        text = (
            f"{case.name}: demand {100 * case.demand:.0f} %, prices {100 * case.prices:.0f} %{late}"
        )
        lines += wrap(text, first="  ", rest="    ", width=width)
    for one in plan.robust.orders:
        text = f"orders best for {one.made_for}: {', '.join(one.orders) or 'none'}"
        lines += wrap(text, first="  ", rest="    ", width=width)
    for slip in plan.robust.slips:
        what = "cannot be bridged" if slip.cost is None else f"costs {money(slip.cost)}"
        text = f"{slip.nodes} x {slip.pool} due {slip.arrives}, {slip.days} days late: {what}"
        lines += wrap(text, first="  ", rest="    ", width=width)
    return lines


def _sum(amount: Decimal | None) -> str:
    return "cannot" if amount is None else money(amount)
