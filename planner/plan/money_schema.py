"""The money part of a plan over periods: orders, cost by kind, baselines, unit costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from planner.plan.base import Money, PlanModel


class CostParts(PlanModel):
    """What one period costs, by kind; the parts add up to its cost to the cent."""

    purchases: Money = Decimal(0)
    """Write-off of bought nodes (`accrual`), or their payment on delivery (`cash`)."""
    support: Money = Decimal(0)
    """Support contracts of bought nodes."""
    upkeep: Money = Decimal(0)
    """Hosting and staff of owned and bought nodes in use."""
    energy: Money = Decimal(0)
    """Energy of owned and bought GPUs in use."""
    commitments: Money = Decimal(0)
    """Rent the plan commits to: by hours of its term (`accrual`), or as it is paid (`cash`)."""
    contracts: Money = Decimal(0)
    """Rent of contracts signed before: due in any case."""
    rent: Money = Decimal(0)
    """Rent on demand."""


class Order(PlanModel):
    """One line of the order list, or a contract that runs already."""

    pool: str
    gpu: str
    action: Literal["buy", "commit", "contract"]
    offer: int
    """Which of the pool's offers of that kind, counted from 1 as the scenario lists them."""
    nodes: int
    gpus: int
    order_by: str | None
    """Last day to order; None for what is signed already."""
    arrives: str
    until: str
    """End of life, of the term or of the contract."""
    unit_price: Money
    """Of one node: purchase with installation, or all rent of the term."""
    tier: int | None = None
    """Nodes of one order from which on this price holds; None: the offer's own price."""
    single_price: Money | None = None
    """Of one node at the offer's own price, where a volume tier is taken."""
    price: Money
    """Of all nodes of the line."""
    cost: Money
    """Counted within the horizon by the plan's convention, support included."""
    paid: Money
    """Paid within the horizon, support included."""
    due_after: Money = Decimal(0)
    """Still to be paid after the horizon."""
    book_value: Money = Decimal(0)
    """Value of bought nodes at the end of the horizon that is not written off."""
    source: str = ""
    break_even: float | None = None
    """Share of its hours a node must be in use for the order to beat rent on demand of the same GPU."""
    crossover_months: float | None = None
    """Months of full use after which a purchase has cost less than that rent; None: never, or nothing to compare."""


class Baseline(PlanModel):
    """The same workloads under a simple rule, solved like the plan."""

    name: str
    rule: str
    cost: Money | None
    """None where not everything can be served."""
    saving: Money | None = None
    """What the plan costs less."""
    bound: Money | None = None
    """The rule can cost no less; equal to its cost where proven."""
    unserved: tuple[str, ...] = ()
    """Workloads, with their period, that the rule leaves without GPUs."""


class PlanRun(PlanModel):
    """GPU-hours that a training workload takes from one period."""

    workload: str
    pool: str
    gpus: int
    """GPUs held while it runs."""
    runs: int = 1
    """Runs in the period; more than one where the workload recurs."""
    hours: float
    """Hours of all its runs in the period."""
    gpu_hours: float
    """`gpus` x `hours`."""
    before_hours: float = 0.0
    """Hours it had in earlier periods: it goes on from there."""
    left_hours: float = 0.0
    """Hours left for later periods: it goes on then."""


class UnitCost(PlanModel):
    """What a workload's work costs by the unit."""

    workload: str
    team: str
    cost: Money
    gpu_hours: float
    """GPU-hours held for it."""
    usd_per_gpu_hour: float | None = None
    million_tokens: float | None = None
    """Prompt and output tokens of the demand, in millions; None where no request rate is given."""
    usd_per_million_tokens: float | None = None
    usd_per_million_output: float | None = None
    """All cost over output tokens alone."""
    runs: int = 0
    usd_per_run: float | None = None


class TeamCost(PlanModel):
    """Chargeback: what the workloads of a team carry; idle GPUs are a row of their own."""

    team: str
    cost: Money
    share: float


class PlanMoney(PlanModel):
    """Totals over the horizon."""

    convention: Literal["accrual", "cash"]
    capex: Money
    opex: Money
    due_after: Money
    """Obligation left: payments already bound to fall due after the horizon."""
    book_value: Money
    """Value of the purchases at its end."""
