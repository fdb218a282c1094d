"""`planner why` as text: what was considered, the chosen row ticked, nearest misses first."""

from __future__ import annotations

from planner.plan.why_schema import ConsideredRow, Why
from planner.report.table import Column, render_table, wrap
from planner.units import money

ROWS = 30
"""Rows shown unless all are asked for."""


def render_why(why: Why, *, width: int = 100, every: bool = False) -> str:
    """The considered table of one workload."""
    shown = why.rows if every else why.rows[:ROWS]
    columns = (
        Column(" "),
        Column("POOL", clip=True, min_width=6),
        Column("GPUS", ">"),
        Column("LAYOUT", clip=True, min_width=14),
        Column(why.currency, ">"),
        Column("VERDICT", clip=True, min_width=24),
    )
    lines = [f"{why.workload}: {why.model}", ""]
    lines += render_table(columns, [_row(r) for r in shown], width=width)
    if len(shown) < len(why.rows):
        lines.append(f"... {len(why.rows) - len(shown)} more rows: --all")
    counts = ", ".join(f"{n:,} {verdict}" for verdict, n in why.counted.items() if n)
    lines += [
        "",
        *wrap(
            f"{counts}; costs are those of the workload alone.", first="", rest="  ", width=width
        ),
    ]
    return "\n".join(lines) + "\n"


def _row(row: ConsideredRow) -> list[str]:
    tick = {"chosen": "*", "rejected": "x"}.get(row.verdict, " ")
    return [
        tick,
        row.pool,
        str(row.gpus),
        row.layout,
        "" if row.cost is None else money(row.cost),
        _verdict(row),
    ]


def _verdict(row: ConsideredRow) -> str:
    """Need against have in few characters; the whole sentence is in the JSON."""
    times = f", {row.count} such" if row.count > 1 else ""
    if row.verdict != "rejected":
        return row.message
    if row.need is None or row.have is None or not row.unit:
        return f"{row.reason}: {row.message}{times}"
    return f"{row.reason}: need {row.need:,.1f}, have {row.have:,.1f} {row.unit}{times}"
