"""Energy of one's own nodes, from the scenario's words: W / 1000 x hours x PUE x price."""

from __future__ import annotations

import math
from fractions import Fraction

from planner.scenario.resolved import ResolvedPool, Scenario

BUSY_PARTS = 2000
"""The plan states how busy a replica is in this many parts."""


def money_cents(scenario: Scenario, watt_hours: Fraction) -> int:
    """Cents of what machines take in a month or the scenario's period, rounded up; 0 where no price is given."""
    spec = scenario.spec.energy
    if spec is None:
        return 0
    price = spec.price[0]
    per_kwh = Fraction(price.amount) / (1000 if price.per == "MWh" else 1)
    return math.ceil(100 * per_kwh * Fraction(spec.pue) * watt_hours / 1000)


def gpu_watts(pool: ResolvedPool) -> Fraction:
    """One GPU at full load: its TDP, at most its share of the node's power."""
    tdp = Fraction(str(pool.gpu.tdp_w or 0))
    node = pool.node.power_w
    return tdp if node is None else min(tdp, node / pool.node.gpus)


def idle_watts(scenario: Scenario, pool: ResolvedPool) -> Fraction:
    """One GPU that waits for work."""
    spec = scenario.spec.energy
    return gpu_watts(pool) * (spec.idle if spec is not None else 0)


def node_energy(scenario: Scenario, pool: ResolvedPool, hours: int) -> int:
    """Cents of a node in use whose GPUs all wait; 0 where nothing but its GPUs is known."""
    node = pool.node.power_w
    if node is None:
        return 0
    waiting = gpu_watts(pool) - idle_watts(scenario, pool)
    return money_cents(scenario, (node - pool.node.gpus * waiting) * hours)


def replica_energy(
    scenario: Scenario,
    pool: ResolvedPool,
    gpus: int,
    working_h: Fraction,
    hours: int,
    *,
    guest: bool = False,
) -> int:
    """Cents of a replica: its GPUs at full load in the hours it works, idle in the others it holds them.

    The idle part is the node's where its power is known, and the host's where a run is a guest on its GPUs.
    """
    full, idle = gpu_watts(pool), idle_watts(scenario, pool)
    watt_hours = (full - idle) * working_h
    if pool.node.power_w is None and not guest:
        watt_hours += idle * max(working_h, Fraction(hours))
    return money_cents(scenario, gpus * watt_hours)
