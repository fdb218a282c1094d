"""Why not, and what then: rejections, conflicts, repairs, explanations, alternatives of a plan."""

from __future__ import annotations

from planner.plan.base import Money, PlanModel


class PlanRejection(PlanModel):
    """Equal rejections folded into one, with the nearest miss."""

    workload: str
    pool: str
    reason: str
    message: str
    layout: str
    count: int
    need: float | None = None
    have: float | None = None
    unit: str = ""
    bottleneck: str = ""


class ConflictRow(PlanModel):
    """One row of a minimal conflict, with its place in the scenario."""

    name: str
    text: str
    line: int | None = None


class Repair(PlanModel):
    """A change to the scenario that a second solve confirmed."""

    change: str
    cost: Money | None = None
    """What the whole plan costs with the change; of workloads that still have no place nothing is counted."""
    verified: bool = True
    workload: str = ""
    """The workload that gets a place by it; empty where all do."""
    difference: Money | None = None
    """Cost over the cheapest plan for the workloads that have one without any change."""
    kind: str = ""
    """Sort of change: precision, context, deadline, nodes, rent, opex, drop, ..."""
    gives: str = ""
    """What the workload gets: GPUs, layout, memory, time."""
    combination: bool = False
    """Several changes together; the cheapest of those tried, which is not proven to be the cheapest there is."""


class SourcePlace(PlanModel):
    """A stretch of the user's file, with the line itself so that a report needs nothing else."""

    file: str
    line: int
    column: int
    end_column: int
    text: str


class LedgerAccount(PlanModel):
    """Need, have and short of one layout that was tried."""

    pool: str
    layout: str
    gpus: int = 1
    components: dict[str, float]
    """Component -> GiB per GPU (upper values)."""
    need_gib: float
    have_gib: float
    short_gib: float
    remark: str = ""


class Explanation(PlanModel):
    """Why one workload has no place, told from the user's own lines."""

    workload: str
    code: str
    headline: str
    place: SourcePlace | None = None
    label: str = ""
    """What to write after the carets."""
    because: tuple[str, ...] = ()
    """Facts with both numbers, in order; the first is the main one."""
    tried: tuple[LedgerAccount, ...] = ()
    """Layouts tried, nearest miss first."""
    help: tuple[str, ...] = ()
    """Changes that were confirmed to work."""
    notes: tuple[str, ...] = ()
    """Changes people try first that cannot work, with the number that rules them out."""
    so: str = ""
    """What follows from the facts."""
    conflict: tuple[ConflictRow, ...] = ()
    """The user's rows that cannot all hold."""
    checked: str = ""
    """How far it was tested that every row of the conflict is needed."""


class AlternativeUse(PlanModel):
    """Where a workload runs in another plan."""

    workload: str
    pool: str
    gpus: int
    replicas: int
    layout: str
    cost: Money
    start: str | None = None
    """Over a horizon: first day of the first period in which it runs there."""
    end: str | None = None


class PlanAlternative(PlanModel):
    """A verified plan that costs little more and uses other GPUs."""

    change: str
    """What was forbidden to find it, such as "`chat` not on `h100`"."""
    cost: Money
    over: float
    """How much dearer than the plan, as a share of its cost."""
    proven: bool
    """Whether it is the cheapest plan with that forbidden."""
    then: str = ""
    """Over a horizon: what it orders and uses otherwise."""
    workloads: tuple[AlternativeUse, ...]
