"""`planner why` as text: what was considered, the chosen row ticked, nearest misses first."""

from __future__ import annotations

from collections.abc import Sequence

from planner.plan.why_schema import ConsideredRow, Why
from planner.report.table import Column, render_table, wrap
from planner.units import money

SENTENCES = 6
"""Rejections told in full below the table."""
ROWS = 30
"""Rows shown unless all are asked for."""


def render_why(why: Why, *, width: int = 100, every: bool = False) -> str:
    """The considered table of one workload."""
    rows = [(r, 1) for r in why.rows] if every else _merged(why.rows)
    shown = rows if every else rows[:ROWS]
    columns = (
        Column(" "),
        Column("POOL", clip=True, min_width=6),
        Column("GPUS", ">"),
        Column("LAYOUT", clip=True, min_width=14),
        Column(why.currency, ">"),
        Column("VERDICT", clip=True, min_width=24),
    )
    when = f" in {why.period}" if why.period else ""
    lines = [f"{why.workload}: {why.model}{when}", ""]
    lines += render_table(columns, [_row(r, pools) for r, pools in shown], width=width)
    if len(shown) < len(rows):
        lines.append(f"... {len(rows) - len(shown)} more rows: --all")
    for text in _sentences([r for r, _ in shown]):
        lines += wrap(text, first="note: ", rest="  ", width=width)
    counts = ", ".join(f"{n:,} {verdict}" for verdict, n in why.counted.items() if n)
    lines += [
        "",
        *wrap(
            f"{counts}; costs are those of the workload alone{_period_words(why)}.",
            first="",
            rest="  ",
            width=width,
        ),
    ]
    return "\n".join(lines) + "\n"


def _period_words(why: Why) -> str:
    """What the costs count over a horizon, and which other periods there are."""
    if why.period is None:
        return ""
    words = (
        " in the period, with the cheapest order where nodes are to be ordered; a run counts whole"
    )
    others = [*why.other_periods[:4], *(["..."] if len(why.other_periods) > 4 else [])]
    return words + (f" (--period {', '.join(others)})" if others else "")


def _merged(rows: Sequence[ConsideredRow]) -> list[tuple[ConsideredRow, int]]:
    """Rejections that say the same of several pools once, with the number of pools."""
    merged: dict[object, tuple[ConsideredRow, int]] = {}
    for number, row in enumerate(rows):
        key: object = number
        if row.verdict == "rejected":
            key = (row.gpus, row.layout, _verdict(row))
        first, pools = merged.get(key, (row, 0))
        merged[key] = (first, pools + 1)
    return list(merged.values())


def _row(row: ConsideredRow, pools: int = 1) -> list[str]:
    tick = {"chosen": "*", "rejected": "x"}.get(row.verdict, " ")
    return [
        tick,
        row.pool if pools == 1 else f"{row.pool} +{pools - 1}",
        str(row.gpus),
        row.layout,
        "" if row.cost is None else money(row.cost),
        _verdict(row),
    ]


def _verdict(row: ConsideredRow) -> str:
    """Need against have in few characters; the whole sentence is in the JSON."""
    times = f" ({row.count}x)" if row.count > 1 else ""
    if row.verdict != "rejected":
        return row.message
    if row.need is None or row.have is None or not row.unit:
        return f"{row.reason}: {row.message}{times}"
    if row.reason in ("latency", "interconnect", "count"):
        # Here the user's figure is what is needed and the hardware's is what there is.
        return f"{row.reason}: {row.have:,.1f} {row.unit}, {row.need:,.1f} asked{times}"
    return f"{row.reason}: {row.need:,.1f} of {row.have:,.1f} {row.unit}{times}"


def _sentences(rows: Sequence[ConsideredRow]) -> list[str]:
    """Rejections without numbers in full: a table has no room for them."""
    told = [r for r in rows if r.verdict == "rejected" and (r.need is None or not r.unit)]
    return list(dict.fromkeys(f"{r.layout}: {r.message}" for r in told))[:SENTENCES]
