"""Limits: money per month and power stay within what the scenario allows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from planner.units import from_cents, to_cents
from planner.verify.case import Case
from planner.verify.derive import Derived
from planner.verify.prices import bill_of
from planner.verify.problem import Finding, Problem

CHECK = "limits"


def check_limits(case: Case, derived: Derived) -> Finding:
    """The bill against `limits.opex`, TDP of all GPUs in use against `limits.power`, hours against the month."""
    watts = _watts(case)
    cents = bill_of(case, derived).total
    problems = [*_bounds(case, cents, watts), *_month(case, derived)]
    looked = f"{from_cents(cents):,} {case.scenario.spec.currency} a month and {watts:,} W allowed"
    return Finding(CHECK, looked, tuple(problems))


def _watts(case: Case) -> int:
    return sum(
        math.ceil(Fraction(p.facts.gpu.tdp_w or 0) * p.layout.gpus) * p.copies * p.given.replicas
        for p in case.parts
    )


def _bounds(case: Case, cents: int, watts: int) -> Iterator[Problem]:
    limits = case.scenario.spec.limits
    if limits.opex is not None and cents > to_cents(limits.opex[0].amount, up=False):
        text = f"{from_cents(cents):,} a month, `limits.opex` is {limits.opex[0].amount:,}"
        yield Problem(CHECK, "", text)
    if limits.power is not None and watts > limits.power[0]:
        yield Problem(CHECK, "", f"{watts:,} W, `limits.power` is {float(limits.power[0]):,.0f} W")


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
