"""Limits: money per month, power and rack units stay within what the scenario allows."""

from __future__ import annotations

import math
from collections.abc import Iterator

from planner.scenario.resolved import ResolvedPool
from planner.units import from_cents, to_cents
from planner.verify.case import Case
from planner.verify.derive import Derived
from planner.verify.energy import gpu_watts
from planner.verify.prices import bill_of
from planner.verify.problem import Finding, Problem

CHECK = "limits"


def check_limits(case: Case, derived: Derived) -> Finding:
    """The bill against `opex`, one's own nodes against `power` and `rack_units`, hours against the month."""
    watts = sum(pool_watts(case, p) for p in case.scenario.pools)
    cents = bill_of(case, derived).total
    problems = [*_bounds(case, cents, watts), *_month(case, derived)]
    looked = f"{from_cents(cents):,} {case.scenario.spec.currency} a month and {watts:,} W allowed"
    return Finding(CHECK, looked, tuple(problems))


def pool_watts(case: Case, pool: ResolvedPool) -> int:
    """Nodes in use at full load where that is known, else the GPUs in use at TDP; rented nodes stand elsewhere."""
    own = [s for s in case.supplies if s.owned and s.pool == pool.name]
    if pool.node.power_w is not None:
        return math.ceil(pool.node.power_w) * sum(len(case.nodes_of(s)) for s in own)
    each = gpu_watts(pool)
    return sum(
        math.ceil(each * p.layout.gpus) * p.copies * p.given.replicas
        for s in own
        for p in case.on_supply(s)
        if p.host is None
    )


def pool_rack_units(case: Case, pool: ResolvedPool) -> int:
    """Owned nodes in use, and bought ones used or not."""
    own = [s for s in case.supplies if s.owned and s.pool == pool.name]
    nodes = sum((s.nodes or 0) if s.acquired else len(case.nodes_of(s)) for s in own)
    return (pool.node.rack_units or 0) * nodes


def _bounds(case: Case, cents: int, watts: int) -> Iterator[Problem]:
    limits = case.scenario.spec.limits
    if limits.opex is not None and cents > to_cents(limits.opex[0].amount, up=False):
        text = f"{from_cents(cents):,} a month, `limits.opex` is {limits.opex[0].amount:,}"
        yield Problem(CHECK, "", text)
    if limits.power is not None and watts > limits.power[0]:
        yield Problem(CHECK, "", f"{watts:,} W, `limits.power` is {float(limits.power[0]):,.0f} W")
    units = sum(pool_rack_units(case, p) for p in case.scenario.pools)
    if limits.rack_units is not None and units > limits.rack_units[0]:
        text = f"{units} rack units, `limits.rack_units` is {limits.rack_units[0]}"
        yield Problem(CHECK, "", text)


def _month(case: Case, derived: Derived) -> Iterator[Problem]:
    """A job on a node rented for the month must end within it."""
    for number, part in enumerate(case.parts):
        hours = derived[number].speed.hours
        shared = part.supply.node_hour and not part.own_nodes
        if hours is not None:
            hours = part.hours_here(hours)
        if hours is not None and shared and hours > part.supply.hours:
            text = f"{part.where}: runs {hours:,.0f} h on a node rented for {part.supply.hours} h"
            yield Problem(CHECK, part.name, text)
