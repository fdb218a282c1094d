"""Rejections folded for the plan: equal ones counted once, with the nearest miss."""

from __future__ import annotations

from collections.abc import Iterable

from planner.options.describe import layout_text
from planner.options.question import ConsideredByWorkload
from planner.options.records import Reason, Rejection
from planner.plan.schema import PlanRejection


def miss(rejection: Rejection) -> float:
    """How far from fitting, relative to what there is; reasons without numbers come last."""
    if rejection.need is None or rejection.have is None:
        return float("inf")
    return abs(rejection.need - rejection.have) / max(abs(rejection.have), 1e-9)


_STAGES = {
    Reason.NOT_ALLOWED: 0, Reason.CAPABILITY: 0, Reason.ILLEGAL_LAYOUT: 0, Reason.INTERCONNECT: 1,
    Reason.MEMORY: 2, Reason.HOST_RAM: 3, Reason.NVME: 3, Reason.LATENCY: 4, Reason.DEADLINE: 4,
    Reason.COUNT: 5,
}  # fmt: skip
"""The tests a candidate goes through, in order: what fails late came nearer to being an option."""


def nearest_miss(rejections: Iterable[Rejection]) -> Rejection | None:
    """The candidate that came nearest: the last test failed, then the least shortage."""
    return min(rejections, key=lambda r: (-_STAGES[r.reason], miss(r)), default=None)


def folded(considered: ConsideredByWorkload) -> tuple[PlanRejection, ...]:
    """Rejections by workload, pool, format, reason and bottleneck, nearest first within a workload."""
    rows: list[PlanRejection] = []
    for parts in considered.values():
        groups: dict[tuple[str, ...], list[Rejection]] = {}
        for part in parts:
            for rejection in part.rejections:
                groups.setdefault(rejection.dedupe_key(), []).append(rejection)
        nearest = [(min(g, key=miss), len(g)) for g in groups.values()]
        rows += [_row(r, count) for r, count in sorted(nearest, key=lambda n: miss(n[0]))]
    return tuple(rows)


def _row(rejection: Rejection, count: int) -> PlanRejection:
    return PlanRejection(
        workload=rejection.workload,
        pool=rejection.pool,
        reason=rejection.reason.value,
        message=rejection.message,
        layout=layout_text(rejection.layout),
        count=count,
        need=rejection.need,
        have=rejection.have,
        unit=rejection.unit,
        bottleneck=rejection.bottleneck,
    )
