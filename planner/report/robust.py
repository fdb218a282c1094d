"""Uncertainty as text: the same orders in several cases, their regret, late deliveries; and sensitivity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from string import ascii_uppercase

from planner.plan.schema import Plan, Robust, RobustCase, RobustOrder, Slip
from planner.report.sensitivity import price_section, worth_section
from planner.report.table import Column, render_table, wrap
from planner.units import money


def robust_sections(plan: Plan, width: int) -> list[list[str]]:
    """Sections that `--robust` and `--sensitivity` add."""
    found = []
    if plan.robust is not None and plan.cost is not None:
        unit = plan.cost.currency
        found += [
            _costs(plan.robust, unit, width), _regrets(plan.robust, width), _slips(plan.robust, unit, width),
        ]  # fmt: skip
    return [*found, worth_section(plan, width), price_section(plan, width)]


def _costs(robust: Robust, unit: str, width: int) -> list[str]:
    """What each set of orders costs in each case, and what the cases and orders are."""
    columns = [Column(f"SAME ORDERS, {unit}"), *(Column(c.name, ">") for c in robust.cases)]
    rows: list[Sequence[str]] = [["best for each case", *(_sum(c.cost) for c in robust.cases)]]
    rows += [
        [f"orders {name}", *(_sum(one.costs.get(c.name)) for c in robust.cases)]
        for name, one in _named(robust)
    ]
    lines = render_table(columns, rows, width=width)
    for case in robust.cases:
        lines += wrap(_case(case), first="  ", rest="    ", width=width)
    for name, one in _named(robust):
        text = f"orders {name} ({_origin(one)}): {', '.join(one.orders) or 'none'}"
        lines += wrap(text, first="  ", rest="    ", width=width)
    return lines


def _case(case: RobustCase) -> str:
    late = f", purchases {case.late_days} days late" if case.late_days else ""
    text = f"{case.name}: demand {100 * case.demand:.0f} %, prices {100 * case.prices:.0f} %{late}"
    if case.cost is None or case.bound is None or case.bound == case.cost:
        return text
    return f"{text}; its best orders cost {money(case.bound)} or more"


def _origin(one: RobustOrder) -> str:
    if one.best_for:
        return f"best for {' and '.join(one.best_for)}"
    return "a compromise, best for no case"


def _regrets(robust: Robust, width: int) -> list[str]:
    """Cost less the best for the case, line by line as in the table of costs."""
    columns = [
        Column("REGRET: WHAT THEY COST MORE"), *(Column(c.name, ">") for c in robust.cases),
        Column("worst", ">"), Column(""),
    ]  # fmt: skip
    rows = [
        [f"orders {name}", *(_sum(one.regrets.get(c.name)) for c in robust.cases), _sum(one.worst_regret),
         "least" if one.least_regret else ""]
        for name, one in _named(robust)
    ]  # fmt: skip
    lines = render_table(columns, rows, width=width)
    return [*lines, *wrap(_verdict(robust), first="  ", rest="  ", width=width)]


def _verdict(robust: Robust) -> str:
    """How much of the least regret is proven."""
    best = next(((n, o) for n, o in _named(robust) if o.least_regret), None)
    if best is None or best[1].worst_regret is None:
        return "No orders tested can serve every case."
    tested = f"Of {robust.tested} sets of orders tested, {best[0]} has the least worst regret"
    if robust.regret_bound is not None and robust.regret_bound >= best[1].worst_regret:
        text = f"{tested}, and no other orders have less: proven."
    elif robust.regret_bound:
        text = f"{tested}; other orders may have less, but none less than {money(robust.regret_bound)}."
    else:
        text = f"{tested}; other orders may have less."
    if all(o.proven for o in robust.orders):
        return text
    return f"{text} Costs with late purchases are enough in any case, and may turn out less."


def _slips(robust: Robust, unit: str, width: int) -> list[str]:
    """What each order line costs if it comes late by itself."""
    if not robust.slips:
        return []
    days = robust.slips[0].days
    columns = (
        Column(f"ORDER LINE {days} DAYS LATE"), Column("NODES", ">"), Column("DUE"), Column(f"costs {unit}", ">"),
    )  # fmt: skip
    rows = [[s.pool, str(s.nodes), s.arrives, _late(s)] for s in robust.slips]
    lines = render_table(columns, rows, width=width)
    for slip in robust.slips:
        if slip.bridge:
            lines += wrap(f"{slip.pool} due {slip.arrives}, until it comes: {slip.bridge}",
                          first="  ", rest="    ", width=width)  # fmt: skip
    text = (
        "For the days without the nodes, the best plan without them; then the plan as it is. "
        "Demand and prices as stated."
    )
    return [*lines, *wrap(text, first="  ", rest="  ", width=width)]


def _late(slip: Slip) -> str:
    if slip.cost is None:
        return "cannot be bridged"
    return money(slip.cost) if slip.proven else f"<= {money(slip.cost)}"


def _named(robust: Robust) -> Iterator[tuple[str, RobustOrder]]:
    return zip(ascii_uppercase, robust.orders, strict=False)


def _sum(amount: Decimal | None) -> str:
    return "cannot" if amount is None else money(amount)
