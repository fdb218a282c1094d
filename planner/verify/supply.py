"""What the scenario's pools can give and at which price, read from the scenario itself."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from planner.scenario.resolved import ResolvedPool, Scenario
from planner.units import HOUR_S, HOURS_PER_MONTH, to_cents
from planner.verify.energy import node_energy


@dataclass(frozen=True, slots=True)
class Supply:
    """Nodes of one pool under one price term."""

    pool: str
    term: str
    """`owned`, `rented`, `spot`, or `rented 2` where a pool has several rents."""
    nodes: int | None
    """Most nodes; None where the scenario sets no limit."""
    kept_free: int = 0
    """Of these, nodes the scenario wants kept free."""
    node_hour: Decimal = Decimal(0)
    gpu_hour: Decimal = Decimal(0)
    upkeep: Decimal = Decimal(0)
    """Per node and month."""
    owned: bool = False
    """Owned nodes pay for their energy; rent includes it."""
    hours: int = HOURS_PER_MONTH
    """Hours the plan pays for: a month in steady state, else a period."""
    acquired: bool = False
    """Nodes bought, committed to, or under contract: there whether used or not."""
    fixed_cents: int = 0
    """What these cost in all, used or not."""
    interruption: Fraction | None = None
    """Share of hours lost on spot nodes; None: no spot nodes."""
    energy_cents: int = 0
    """Energy of one node in use, apart from what its GPUs take for their work."""

    @property
    def held_cents(self) -> int:
        """Cents for using one node for these hours, energy apart."""
        return to_cents(self.node_hour * self.hours + self.upkeep * self.hours / HOURS_PER_MONTH)

    @property
    def node_cents(self) -> int:
        """Cents for using one node for these hours."""
        return self.held_cents + self.energy_cents


def supplies_of(scenario: Scenario) -> tuple[Supply, ...]:
    """Every term of every pool; spare nodes are kept from the first term of their pool."""
    hours = int(scenario.horizon_s / HOUR_S)
    return tuple(s for pool in scenario.pools for s in _terms(scenario, pool, hours))


def _terms(scenario: Scenario, pool: ResolvedPool, hours: int) -> list[Supply]:
    found = []
    spare = pool.spec.spare_nodes
    if pool.available_nodes:
        upkeep = pool.spec.owned.upkeep if pool.spec.owned else None
        money = upkeep.amount if upkeep else Decimal(0)
        found.append(
            Supply(
                pool.name,
                "owned",
                pool.available_nodes,
                spare,
                upkeep=money,
                owned=True,
                hours=hours,
                energy_cents=node_energy(scenario, pool, hours),
            )
        )
    several = len(pool.spec.rent) > 1
    for number, rent in enumerate(pool.spec.rent, start=1):
        price = rent.price[0]
        most = None if rent.max_nodes is None else rent.max_nodes[0]
        if most == 0:
            continue
        by_gpu = price.per == "GPU-hour"
        kind = "rented" if rent.interruption is None else "spot"
        found.append(
            Supply(
                pool.name,
                f"{kind} {number}" if several else kind,
                most,
                0 if found else spare,
                node_hour=Decimal(0) if by_gpu else price.amount,
                gpu_hour=price.amount if by_gpu else Decimal(0),
                hours=hours,
                interruption=rent.interruption,
            )
        )
    return found
