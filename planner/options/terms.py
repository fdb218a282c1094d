"""Price terms of a pool: what a node costs for the horizon, and what running on it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from planner.units import HOURS_PER_MONTH, to_cents


@dataclass(frozen=True, slots=True)
class Term:
    """One way the plan may hold nodes of a pool."""

    name: str
    """`owned`, `rented` or `spot`, with a number where there are several ways to rent."""
    max_nodes: int
    node_hour: Decimal = Decimal(0)
    """Price of one node for one hour."""
    gpu_hour: Decimal = Decimal(0)
    """Price of one GPU for one hour, where GPUs are rented one by one."""
    node_month: Decimal = Decimal(0)
    """Upkeep of one owned node for a month."""
    pays_energy: bool = False
    """Owned nodes pay for power; rent includes it."""
    hours: int = HOURS_PER_MONTH
    """Hours the term is held: a month in steady state, else a period."""
    acquired: bool = False
    """Nodes come from orders the plan decides on, or from contracts: none without them."""
    interruption: Fraction | None = None
    """Share of hours lost on spot nodes; None: no spot nodes."""


@dataclass(frozen=True, slots=True)
class Energy:
    """What power costs."""

    usd_per_kwh: Decimal = Decimal(0)
    pue: Fraction = Fraction(1)

    def cost(self, watts: float, hours: float) -> Decimal:
        """Cost of a load: W / 1000 x hours x PUE x price.

        >>> Energy(Decimal("0.12"), Fraction(13, 10)).cost(1000, 730)
        Decimal('113.88')
        """
        kwh = Fraction(watts) * Fraction(hours) / 1000 * self.pue
        price = Fraction(self.usd_per_kwh)
        total = kwh * price
        return Decimal(total.numerator) / Decimal(total.denominator)


HORIZON_H: int = HOURS_PER_MONTH
"""Hours of the steady-state horizon: one month."""


def node_cost_cents(term: Term) -> int:
    """Cents for holding one node over the term's hours, rounded up."""
    upkeep = term.node_month * term.hours / HOURS_PER_MONTH
    return to_cents(term.node_hour * term.hours + upkeep)


def running_cents(
    term: Term, energy: Energy, *, gpus: int, watts: float, hours: float | None
) -> int:
    """Cents for running one replica besides the node: energy where owned, GPU rent where per GPU.

    `hours` None means all hours of the term (a service); a job pays for started hours.
    """
    span = term.hours if hours is None else math.ceil(hours)
    cost = term.gpu_hour * gpus * span
    if term.pays_energy:
        cost += energy.cost(watts * gpus, span)
    return to_cents(cost)


def own_nodes_cents(term: Term, *, nodes: int, hours: float) -> int:
    """Cents for a job on rented nodes of its own: started hours x price x nodes."""
    return to_cents(term.node_hour * math.ceil(hours) * nodes)
