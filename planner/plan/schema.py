"""The plan: what `planner solve` returns, prints and saves. JSON schema name: planner/plan/1.

Money is a decimal string with cents; sizes are GiB; bandwidths GB/s, both directions summed; times say their unit.
Keys are only ever added.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import Field

from planner.plan.base import Money as Money
from planner.plan.base import PlanModel as PlanModel
from planner.plan.explain_schema import (
    AlternativeUse as AlternativeUse,
)
from planner.plan.explain_schema import (
    ConflictRow as ConflictRow,
)
from planner.plan.explain_schema import (
    Explanation as Explanation,
)
from planner.plan.explain_schema import (
    LedgerAccount as LedgerAccount,
)
from planner.plan.explain_schema import (
    PlanAlternative as PlanAlternative,
)
from planner.plan.explain_schema import (
    PlanRejection as PlanRejection,
)
from planner.plan.explain_schema import (
    Repair as Repair,
)
from planner.plan.explain_schema import (
    SourcePlace as SourcePlace,
)
from planner.plan.instead_schema import Instead as Instead
from planner.plan.money_schema import Baseline as Baseline
from planner.plan.money_schema import CostParts as CostParts
from planner.plan.money_schema import Order as Order
from planner.plan.money_schema import PlanMoney as PlanMoney
from planner.plan.money_schema import PlanRun as PlanRun
from planner.plan.money_schema import TeamCost as TeamCost
from planner.plan.money_schema import UnitCost as UnitCost
from planner.plan.replica_schema import LedgerLine as LedgerLine
from planner.plan.replica_schema import PlanLayout as PlanLayout
from planner.plan.replica_schema import PlanLedger as PlanLedger
from planner.plan.replica_schema import PlanSpeed as PlanSpeed
from planner.plan.uncertainty_schema import BreakEven as BreakEven
from planner.plan.uncertainty_schema import Caution as Caution
from planner.plan.uncertainty_schema import Robust as Robust
from planner.plan.uncertainty_schema import RobustCase as RobustCase
from planner.plan.uncertainty_schema import RobustOrder as RobustOrder
from planner.plan.uncertainty_schema import Sensitivity as Sensitivity
from planner.plan.uncertainty_schema import Slip as Slip

SCHEMA: Literal["planner/plan/1"] = "planner/plan/1"


class Status(StrEnum):
    """Five outcomes that are never mixed up; `invalid` is our bug and is never printed as a plan."""

    PROVEN = "proven"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"
    INVALID = "invalid"


class Period(PlanModel):
    """Cost of one budget period."""

    name: str
    cost: Money


class Cost(PlanModel):
    """What the plan costs over the horizon; the parts add up to the total to the cent."""

    total: Money
    currency: str
    periods: tuple[Period, ...] = ()
    services: Money = Decimal(0)
    """Nodes, GPUs and energy of services for the horizon (a month of 730 h in steady state)."""
    jobs: Money = Decimal(0)
    """Runs of finite jobs, billed by started hours."""


class Place(PlanModel):
    """Where one replica runs: node number within the pool and the GPU indices on it."""

    replica: int
    node: int
    gpus: tuple[int, ...]


class Assignment(PlanModel):
    """Replicas of one option."""

    pool: str
    term: str
    gpu: str
    replicas: int
    gpus: int
    """GPUs of all replicas."""
    nodes: int
    """Nodes that hold at least one of them."""
    layout: PlanLayout
    ledger: PlanLedger
    speed: PlanSpeed
    placement: tuple[Place, ...] = ()
    units: int
    """Share of the demand one replica covers, in 1/2000."""
    busy: int = 2000
    """Share of its hours in which a replica works at most, in 1/2000: energy is reckoned with it."""
    cost: Money
    """GPUs, energy and hours of this assignment alone; shared nodes are split by GPUs used."""
    interconnect_gb_s: float = 0.0
    interruption: float | None = None
    """On spot nodes: share of the hours lost, which the speed counts already; None: no spot nodes."""
    start: str | None = None
    end: str | None = None
    turns_on: str | None = None
    """Training workload that holds these GPUs: this one runs on them in its breaks."""


class SizeShare(PlanModel):
    """Requests of one size and the replicas they go to."""

    prompt: float
    output: float
    share: float
    """Share of this size in all requests."""
    assignments: tuple[int, ...]
    """Which of the workload's assignments serve them; their replicas are of one kind."""
    parts: int
    """Parts of the requests of this size that go there."""
    of: int
    """Parts of all requests of this size."""
    load: int
    """What all requests of this size weigh on one such replica, in 1/2000 of it, rounded up."""


class PlanWorkload(PlanModel):
    """One workload: served or not, how, and what decided it."""

    name: str
    kind: str
    model: str
    served: bool
    assignment: tuple[Assignment, ...] = ()
    cost: Money = Decimal(0)
    summary: str = ""
    """Speed against what was asked, such as `TTFT 0.4 of 2.0 s`."""
    binding: str = ""
    """One sentence with both numbers: what keeps it from being cheaper."""
    routing: tuple[SizeShare, ...] = ()
    """Where requests go, where they are shared out by size."""
    defaults: tuple[str, ...] = ()
    """Defaults the figures lean on, as `field = value`."""
    team: str = ""


class PlanPool(PlanModel):
    """What one pool gives to the plan."""

    pool: str
    gpu: str
    owned: int
    """Nodes owned and available."""
    bought: int = 0
    rented: int = 0
    """Nodes rented."""
    used_nodes: int
    used_gpus: int
    total_gpus: int
    """GPUs of the owned and rented nodes."""
    cost: Money
    idle_cost: Money = Decimal(0)
    """Part of `cost` that no workload's GPUs carry: rented or owned GPUs standing idle."""
    power_w: int = 0
    """Owned and bought nodes in use at full load, as `limits.power` counts them."""
    rack_units: int = 0
    """Owned nodes in use and bought nodes, as `limits.rack_units` counts them; 0 where their size is not given."""


class PlanPeriod(PlanModel):
    """One budget period: what runs where, what it costs, what is paid."""

    name: str
    start: str
    end: str
    """First day of the next period."""
    hours: int
    """Billed hours; a month counts 730."""
    cost: Money
    parts: CostParts
    capex: Money
    """Payments for purchases in this period, whatever the convention."""
    opex: Money
    """All other payments in this period, whatever the convention."""
    power_limit_w: int | None = None
    """`limits.power` of the period."""
    rack_units_limit: int | None = None
    """`limits.rack_units` of the period."""
    workloads: tuple[PlanWorkload, ...] = ()
    pools: tuple[PlanPool, ...] = ()
    runs: tuple[PlanRun, ...] = ()
    """GPU-hours of training in this period, by workload."""


class RulePlan(PlanModel):
    """The plan behind a priced rule in `baselines`, so that it can be re-checked."""

    rule: str
    """Name of the rule."""
    status: Status
    cost: Cost
    bound: Money
    gap: float
    orders: tuple[Order, ...] = ()
    periods: tuple[PlanPeriod, ...]
    money: PlanMoney


class SolveStats(PlanModel):
    """How the answer was found."""

    options: int
    rejected: int
    route: str = ""
    rounds: tuple[tuple[str, int, int], ...] = ()
    """(name, value, bound) of each lexicographic round."""
    tie_break: bool = False
    rate_resolution: float = 1 / 2000
    """Rates are rounded down to this share of each demand."""


class Plan(PlanModel):
    """The answer to a scenario."""

    schema_: Literal["planner/plan/1"] = Field(default=SCHEMA, alias="schema")
    scenario: str
    status: Status
    cost: Cost | None = None
    bound: Money | None = None
    gap: float | None = None
    workloads: tuple[PlanWorkload, ...] = ()
    pools: tuple[PlanPool, ...] = ()
    orders: tuple[Order, ...] = ()
    """What to buy and commit to, and contracts that run already."""
    periods: tuple[PlanPeriod, ...] = ()
    """The plan period by period, where the scenario has a horizon."""
    money: PlanMoney | None = None
    """Totals over the horizon, where the scenario has one."""
    baselines: tuple[Baseline, ...] = ()
    rule_plans: tuple[RulePlan, ...] = ()
    """The plan of each baseline that has a cost."""
    unit_costs: tuple[UnitCost, ...] = ()
    teams: tuple[TeamCost, ...] = ()
    robust: Robust | None = None
    """With `--robust` only."""
    sensitivity: tuple[Sensitivity, ...] = ()
    """With `--sensitivity` only: strongest first."""
    break_evens: tuple[BreakEven, ...] = ()
    """With `--sensitivity` only: offers the plan uses, then the nearest others."""
    sensitivity_notes: tuple[str, ...] = ()
    """With `--sensitivity` only: what has no effect, what lies within the gaps, what was not looked at."""
    instead: tuple[Instead, ...] = ()
    """Over a horizon: the cheapest plan without each order and pool in use, by other means, or at another time."""
    instead_notes: tuple[str, ...] = ()
    """What of that was not worked out."""
    rejections: tuple[PlanRejection, ...] = ()
    conflict: tuple[ConflictRow, ...] = ()
    repairs: tuple[Repair, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    alternatives: tuple[PlanAlternative, ...] = ()
    """Plans that cost little more and use other GPUs, where they were asked for."""
    caution: Caution | None = None
    """Where workloads count on careful figures and the second answer was worked out."""
    alternatives_within: float | None = None
    """How much dearer an alternative was allowed to be, as a share; absent where none was asked for."""
    slack: tuple[str, ...] = ()
    """What is left: GPUs of each pool that is in use or owned, money and power under their limits."""
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    verified: bool = False
    solve: SolveStats
    versions: dict[str, str] = Field(default_factory=dict)

    def to_json(self) -> str:
        """The plan as canonical JSON text, ending in a newline."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"
