"""Hours that training runs take in each period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.plan.schema import PlanPeriod, PlanRun

TRAINING = ("full", "lora", "qlora")


def with_runs(
    periods: Sequence[PlanPeriod], recurring: Sequence[Mapping[str, int]]
) -> tuple[PlanPeriod, ...]:
    """The periods with their training runs; `recurring` has the runs of those that recur, period by period.

    A single run fills its periods and takes what is left of its hours in the last.
    """
    before: dict[str, float] = {}
    found = []
    for period, often in zip(periods, recurring, strict=True):
        rows = []
        for workload in period.workloads:
            if workload.kind not in TRAINING:
                continue
            for part in workload.assignment:
                total = part.speed.hours or 0.0
                count = often.get(workload.name)
                done = before.get(workload.name, 0.0)
                hours = min(total - done, float(period.hours)) if count is None else total * count
                if count is None:
                    before[workload.name] = done + hours
                rows.append(
                    PlanRun(
                        workload=workload.name, pool=part.pool, gpus=part.gpus, runs=count or 1,
                        hours=hours, gpu_hours=hours * part.gpus, before_hours=done,
                        left_hours=max(0.0, total - done - hours) if count is None else 0.0,
                    )
                )  # fmt: skip
        found.append(period.model_copy(update={"runs": tuple(rows)}))
    return tuple(found)
