"""Training runs over periods: where each started, that it goes on unbroken, and its hours in each period."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from planner.plan.schema import Assignment, Plan, PlanPeriod, PlanRun
from planner.scenario.periods import Period, runs_every
from planner.scenario.resolved import Scenario
from planner.scenario.schema_training import Training
from planner.verify.case import Case, Part
from planner.verify.derive import Derived
from planner.verify.problem import Finding, Problem

CHECK = "runs"
NOISE = 1e-6
"""Relative difference allowed between printed and re-derived hours."""


def started(scenario: Scenario, plan: Plan) -> dict[str, int]:
    """Number of the first period with GPUs for each single job."""
    found: dict[str, int] = {}
    for workload in scenario.workloads:
        if runs_every(workload):
            continue
        for number, period in enumerate(plan.periods):
            if any(w.name == workload.name for w in period.workloads):
                found.setdefault(workload.name, number)
    return found


def hours_before(scenario: Scenario, starts: Mapping[str, int], period: Period) -> dict[str, float]:
    """Hours that each single training run had in earlier periods: all of them, from its start."""
    return {
        name: float((period.index - first) * period.hours)
        for name, first in starts.items()
        if isinstance(scenario.workload(name).spec, Training)
    }


def unbroken(scenario: Scenario, plan: Plan, periods: Sequence[Period]) -> Iterator[Problem]:
    """A single job runs once, in consecutive periods, on the same GPUs, no longer than its hours take."""
    for workload in scenario.workloads:
        if runs_every(workload):
            continue
        rows = [
            (number, w.assignment)
            for number, p in enumerate(plan.periods)
            for w in p.workloads
            if w.name == workload.name and w.served
        ]
        texts = [] if rows else ["runs in no period"] * workload.spec.required
        if rows:
            texts = list(_texts(rows, periods))
        yield from (Problem("served", workload.name, text) for text in texts)


def _texts(
    rows: Sequence[tuple[int, tuple[Assignment, ...]]], periods: Sequence[Period]
) -> Iterator[str]:
    numbers = [number for number, _ in rows]
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        yield f"runs in {', '.join(periods[n].name for n in numbers)}, with a break"
        return
    first = rows[0][1]
    hours = first[0].speed.hours if len(first) == 1 else None
    if len(rows) > 1 and (len(first) != 1 or hours is None):
        yield f"in {len(rows)} periods, and no run of one replica"
        return
    for number, parts in rows[1:]:
        if len(parts) != 1 or _what(parts[0]) != _what(first[0]):
            yield f"goes on in {periods[number].name} on other GPUs or in another layout"
    if hours is not None:
        needed = max(1, math.ceil(hours * (1 - NOISE) / periods[0].hours))
        if len(rows) != needed:
            yield f"holds GPUs in {len(rows)} periods, its {hours:,.1f} h take {needed}"


def _what(part: Assignment) -> Assignment:
    """What stays the same from period to period."""
    return part.model_copy(update={"cost": 0, "placement": ()})


def check_runs(given: PlanPeriod, case: Case, derived: Derived) -> Finding:
    """The runs of a period as printed against their hours anew."""
    hours = sum(run.gpu_hours for run in given.runs)
    looked = f"{hours:,.0f} GPU-hours of {len(given.runs)} training workloads re-derived"
    return Finding(CHECK, looked, tuple(_differences(given, case, derived)))


def _differences(given: PlanPeriod, case: Case, derived: Derived) -> Iterator[Problem]:
    want = [_run(part, derived[n].speed.hours) for n, part in enumerate(case.parts) if part.trains]
    have = list(given.runs)
    if [r.workload for r in have] != [r.workload for r in want]:
        names = ", ".join(r.workload for r in want) or "none"
        yield Problem(CHECK, "", f"runs {', '.join(r.workload for r in have)} printed: {names}")
        return
    for one, two in zip(have, want, strict=True):
        for name in PlanRun.model_fields:
            a, b = getattr(one, name), getattr(two, name)
            same = math.isclose(a, b, rel_tol=NOISE) if isinstance(b, float) else a == b
            if not same:
                yield Problem(CHECK, one.workload, f"{name} {a} printed, it is {b}")


def _run(part: Part, total: float | None) -> PlanRun:
    assert total is not None
    hours = part.hours_here(total)
    before = part.hours_before or 0.0
    return PlanRun(
        workload=part.name,
        pool=part.given.pool,
        gpus=part.given.replicas * part.gpus_held,
        runs=part.runs,
        hours=hours * part.runs,
        gpu_hours=hours * part.runs * part.given.replicas * part.gpus_held,
        before_hours=before,
        left_hours=0.0 if part.hours_before is None else max(0.0, total - before - hours),
    )
