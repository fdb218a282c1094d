"""Sensitivity as text: what changes are worth, and the prices between which the plan stays."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from planner.plan.schema import BreakEven, Plan, Sensitivity
from planner.report.table import Column, render_table, wrap
from planner.units import money


def worth_section(plan: Plan, width: int) -> list[str]:
    """What one more node or a larger limit saves, each by a second solve."""
    if plan.cost is None or not (plan.sensitivity or plan.sensitivity_notes):
        return []
    unit = plan.cost.currency
    columns = (
        Column("WHAT IF", clip=True), Column(f"total {unit}", ">"), Column("saves", ">"), Column("per unit", ">"),
        Column("gap", ">"),
    )  # fmt: skip
    now = ["(the plan as it is)", money(plan.cost.total), "", "", ""]
    rows = [now, *(_row(s) for s in plan.sensitivity)]
    lines = render_table(columns, rows, width=width)
    for one in plan.sensitivity:
        text = "; ".join(t for t in (one.note, one.then) if t)
        if text:
            lines += wrap(f"{one.change}: {text}", first="  ", rest="    ", width=width)
    for note in plan.sensitivity_notes:
        lines += wrap(note, first="  ", rest="    ", width=width)
    return lines


def _row(one: Sensitivity) -> list[str]:
    each = "" if one.per_unit is None else f"{money(one.per_unit)} / {one.unit}"
    if one.cost is None or one.saving is None:
        return [one.change, "cannot", "", each, ""]
    gap = "0, proven" if one.proven else money(one.gap)
    return [one.change, money(one.cost), money(one.saving), each, gap]


def price_section(plan: Plan, width: int) -> list[str]:
    """The range of each price in which the plan stays the cheapest."""
    if not plan.break_evens or plan.cost is None:
        return []
    columns = (
        Column("BREAK-EVEN PRICE", clip=True), Column(f"{plan.cost.currency} per"), Column("now", ">"),
        Column("plan stays from", ">"), Column("to", ">"), Column(""),
    )  # fmt: skip
    rows = [
        [_offer(b), b.per, _rate(b.price, b.per), _from(b), _to(b), "" if b.proven else "not proven"]
        for b in plan.break_evens
    ]  # fmt: skip
    lines = render_table(columns, rows, width=width)
    text = (
        "Each price for itself, all else as it is. One cent further (by the hour: 0.0001) the plan named below is "
        "cheaper; at a price with <= or >= this plan still is, and no further one was tried."
    )
    lines += wrap(text, first="  ", rest="  ", width=width)
    for one in plan.break_evens:
        for text in _beyond(one):
            lines += wrap(f"{_offer(one)}, {text}", first="  ", rest="    ", width=width)
    return lines


def _offer(one: BreakEven) -> str:
    action = {"buy": "buy", "commit": "commit to", "rent": "rent"}[one.action]
    return f"{action} {one.pool}, offer {one.offer}"


def _rate(amount: Decimal, per: str) -> str:
    """By the hour with four decimals or as many as there are, else with cents."""
    if per.endswith("hour"):
        return f"{amount:,.4f}" if amount == amount.quantize(Decimal("0.0001")) else f"{amount:,}"
    return money(amount)


def _from(one: BreakEven) -> str:
    return f"{'' if one.from_exact else '<= '}{_rate(one.stays_from, one.per)}"


def _to(one: BreakEven) -> str:
    if one.stays_to is None:
        return "any"
    return f"{'' if one.to_exact else '>= '}{_rate(one.stays_to, one.per)}"


def _beyond(one: BreakEven) -> Iterator[str]:
    if one.volume:
        yield "its volume prices move in proportion"
    if one.listed:
        yield "the price of the first period; those of the others move in proportion"
    if one.below:
        yield f"cheaper: {one.below}"
    if one.above:
        yield f"dearer: {one.above}"
