"""Periods seen as one: assignments that stay the same are one line with its first and last day."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from planner.plan.schema import Assignment, PlanPeriod, PlanPool, PlanWorkload

ZERO = Decimal(0)


def merged_workloads(
    names: Sequence[str], periods: Sequence[PlanPeriod]
) -> tuple[PlanWorkload, ...]:
    """One row per workload, its assignments over time; served means: in every period that asks for it."""
    found = []
    for name in names:
        rows = [(p, w) for p in periods for w in p.workloads if w.name == name]
        if not rows:
            continue
        lines: list[Assignment] = []
        for period, row in rows:
            for part in row.assignment:
                _add(lines, _dated(part, period), period)
        first = rows[0][1]
        found.append(
            first.model_copy(
                update={
                    "served": all(w.served for _, w in rows),
                    "assignment": tuple(lines),
                    "cost": sum((w.cost for _, w in rows), ZERO),
                }
            )
        )
    return tuple(found)


def _dated(part: Assignment, period: PlanPeriod) -> Assignment:
    return part.model_copy(update={"start": period.start, "end": period.end, "placement": ()})


def _add(lines: list[Assignment], part: Assignment, period: PlanPeriod) -> None:
    """Extends the line that ends where this one starts, if nothing but its cost differs."""
    for at, line in enumerate(lines):
        if line.end == period.start and _same(line) == _same(part):
            update = {"end": part.end, "cost": line.cost + part.cost}
            lines[at] = line.model_copy(update=update)
            return
    lines.append(part)


def _same(part: Assignment) -> Assignment:
    """What must agree for two periods to be one line; units and speed follow the demand."""
    return part.model_copy(
        update={
            "start": None,
            "end": None,
            "cost": ZERO,
            "units": 0,
            "busy": 0,
            "nodes": 0,
            "speed": None,
        }
    )


def merged_pools(periods: Sequence[PlanPeriod]) -> tuple[PlanPool, ...]:
    """One row per pool: the most nodes, GPUs, power and rack units of any period, and all it costs."""
    found = []
    for index, first in enumerate(periods[0].pools):
        rows = [p.pools[index] for p in periods]
        counts = (
            "owned", "bought", "rented", "used_nodes", "used_gpus", "total_gpus", "power_w", "rack_units",
        )  # fmt: skip
        update: dict[str, object] = {name: max(getattr(r, name) for r in rows) for name in counts}
        update["cost"] = sum((r.cost for r in rows), ZERO)
        update["idle_cost"] = sum((r.idle_cost for r in rows), ZERO)
        found.append(first.model_copy(update=update))
    return tuple(found)
