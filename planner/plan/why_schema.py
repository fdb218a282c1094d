"""What `planner why` returns: every layout considered for a workload. JSON schema name: planner/why/1."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from planner.plan.schema import Money, PlanModel

Verdict = Literal["chosen", "fits", "dominated", "rejected"]


class ConsideredRow(PlanModel):
    """One layout on one pool."""

    pool: str
    gpu: str
    gpus: int
    layout: str
    verdict: Verdict
    reason: str = ""
    """Code of the rejection."""
    message: str
    """Both numbers of a rejection; speed and memory of an option; what dominates a dominated one."""
    need: float | None = None
    have: float | None = None
    unit: str = ""
    cost: Money | None = None
    """Alone, with nodes shared by GPUs used; None where it does not fit."""
    count: int = 1
    """Layouts that differ in nothing but numbers, folded into this row."""


class Why(PlanModel):
    """Everything considered for one workload."""

    schema_: Literal["planner/why/1"] = Field(default="planner/why/1", alias="schema")
    workload: str
    model: str
    currency: str
    status: str
    """Outcome of the whole scenario, which decides what is `chosen`."""
    rows: tuple[ConsideredRow, ...]
    counted: dict[str, int]
    """Verdict -> layouts."""
    period: str | None = None
    """Over a horizon: the period this is about."""
    other_periods: tuple[str, ...] = ()
    """Other periods in which the workload is asked for."""

    def to_json(self) -> str:
        """Canonical JSON text, ending in a newline."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"
