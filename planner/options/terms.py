"""Price terms of a pool: what a node costs for the horizon, and what running on it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from planner.options.power import Draw
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
    idle: Fraction = Fraction(1)
    """Power of a GPU that waits for work, as a share of its TDP; 1: all GPUs in use draw their TDP."""

    def cents(self, watt_hours: Fraction) -> int:
        """Cost of what the machines take: Wh / 1000 x PUE x price, in whole cents rounded up.

        >>> Energy(Decimal("0.12"), Fraction(13, 10)).cents(Fraction(1000 * 730))
        11388
        """
        return math.ceil(watt_hours / 10 * self.pue * Fraction(self.usd_per_kwh))


HORIZON_H: int = HOURS_PER_MONTH
"""Hours of the steady-state horizon: one month."""


def node_cost_cents(term: Term, energy: Energy | None = None, draw: Draw | None = None) -> int:
    """Cents for holding one node over the term's hours, each part rounded up: rent, upkeep and standing energy."""
    upkeep = term.node_month * term.hours / HOURS_PER_MONTH
    return to_cents(term.node_hour * term.hours + upkeep) + node_energy_cents(term, energy, draw)


def node_energy_cents(term: Term, energy: Energy | None, draw: Draw | None) -> int:
    """Cents for what an owned or bought node in use draws before its GPUs work."""
    if not term.pays_energy or energy is None or draw is None:
        return 0
    return energy.cents(draw.standing_node_w(energy.idle) * term.hours)


def running_cents(
    term: Term,
    energy: Energy,
    draw: Draw,
    *,
    gpus: int,
    busy: Fraction,
    hours: float | None,
    runs: int = 1,
) -> int:
    """Cents for running one replica besides the node: energy where owned, GPU rent where per GPU.

    `hours` None means all hours of the term (a service); a job pays for the started hours of its runs, and its
    GPUs are idle in the others. `busy` is the share of these hours in which the GPUs work.
    """  # fmt: skip
    span = term.hours if hours is None else math.ceil(hours)
    cents = to_cents(term.gpu_hour * gpus * span) * runs if term.gpu_hour else 0
    if term.pays_energy:
        working = busy * span * runs
        held = max(Fraction(term.hours), working)
        cents += energy.cents(draw.watt_hours(gpus, energy.idle, busy_h=working, held_h=held))
    return cents


def guest_cents(
    term: Term, energy: Energy, draw: Draw, *, gpus: int, busy: Fraction, hours: float, runs: int
) -> int:
    """Cents for runs on GPUs that another run holds: started hours, and energy beyond that of waiting GPUs."""
    span = math.ceil(hours)
    cents = to_cents(term.gpu_hour * gpus * span) * runs if term.gpu_hour else 0
    if term.pays_energy:
        working = busy * span * runs
        cents += energy.cents(
            draw.watt_hours(gpus, energy.idle, busy_h=working, held_h=Fraction(0))
        )
    return cents


def own_nodes_cents(term: Term, *, nodes: int, hours: float) -> int:
    """Cents for a job on rented nodes of its own: started hours x price x nodes."""
    return to_cents(term.node_hour * math.ceil(hours) * nodes)
