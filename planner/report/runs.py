"""The training runs of a plan over periods: GPU-hours that each takes from every period."""

from __future__ import annotations

from planner.plan.schema import Plan, PlanRun
from planner.report.table import Column, render_table


def run_table(plan: Plan, width: int) -> list[str]:
    """One row per run and pool, one column per period in which anything trains; nothing without training."""
    rows: dict[tuple[str, str], dict[str, PlanRun]] = {}
    for period in plan.periods:
        for run in period.runs:
            rows.setdefault((run.workload, run.pool), {})[period.name] = run
    names = [p.name for p in plan.periods if p.runs]
    if not names:
        return []
    columns = [
        Column("GPU-HOURS OF TRAINING"), Column("GPUS", clip=True), *(Column(n, ">") for n in names),
        Column("total", ">"),
    ]  # fmt: skip
    body = []
    for (workload, pool), cells in rows.items():
        gpus = max(run.gpus for run in cells.values())
        each = [f"{cells[n].gpu_hours:,.1f}" if n in cells else "-" for n in names]
        total = sum(run.gpu_hours for run in cells.values())
        body.append([workload, f"{gpus} of {pool}", *each, f"{total:,.1f}"])
    sums = [sum(r.gpu_hours for r in p.runs) for p in plan.periods if p.runs]
    footer = ["TOTAL", "", *(f"{s:,.1f}" for s in sums), f"{sum(sums):,.1f}"]
    return render_table(columns, body, width=width, footer=footer if len(body) > 1 else None)
