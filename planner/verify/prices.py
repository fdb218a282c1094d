"""What nodes and replicas cost, from the scenario's own prices, in exact cents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from planner.scenario.resolved import Scenario
from planner.units import to_cents
from planner.verify.case import Case, Part
from planner.verify.demand import WHOLE, units_alone
from planner.verify.derive import Derived
from planner.verify.energy import BUSY_PARTS, replica_energy
from planner.verify.figures import Speed
from planner.verify.supply import Supply


@dataclass(frozen=True, slots=True)
class Bill:
    """Cents by where they arise."""

    running: Mapping[int, int]
    """Position of an assignment -> energy, rent per GPU, and rent of nodes for the run alone."""
    nodes: Mapping[Supply, int]
    """Term -> nodes held for the hours paid for."""
    held: Mapping[Supply, int]
    """Term -> how many nodes these are."""

    @property
    def total(self) -> int:
        """All cents of the plan."""
        return sum(self.running.values()) + sum(self.nodes.values())


def bill_of(case: Case, derived: Derived) -> Bill:
    """The bill of a plan whose assignments were all derived."""
    running = {
        n: running_cents(case.scenario, part, derived[n].speed) for n, part in enumerate(case.parts)
    }
    used = {s: len(case.nodes_of(s, own=False)) for s in case.supplies}
    nodes = {s: s.node_cents * count + s.fixed_cents for s, count in used.items()}
    held = {s: (s.nodes or 0) if s.acquired else count for s, count in used.items()}
    return Bill(running, nodes, held)


def running_cents(scenario: Scenario, part: Part, speed: Speed) -> int:
    """Cents of all replicas of an assignment and all its runs in the month, each rounded up."""
    if part.own_nodes:
        hours = math.ceil(_hours_on_own_nodes(part, speed))
        each = to_cents(part.supply.node_hour * hours * max(1, part.whole_nodes)) * part.runs
        return each * part.given.replicas
    hours = part.supply.hours
    if speed.hours is not None:
        hours = math.ceil(part.hours_here(speed.hours))
    each = to_cents(part.supply.gpu_hour * part.layout.gpus * hours) * part.runs
    if part.supply.owned:
        working = Fraction(part.given.busy, BUSY_PARTS) * hours * part.runs
        each += replica_energy(
            scenario, part.pool, part.layout.gpus, working, part.supply.hours,
            guest=part.host is not None,
        )  # fmt: skip
    return each * part.given.replicas


def _hours_on_own_nodes(part: Part, speed: Speed) -> float:
    """Hours of one run; a batch that fills its nodes with copies may need fewer than its deadline has."""
    assert speed.hours is not None
    if part.ask.kind not in ("batch", "embedding"):
        return part.hours_here(speed.hours)
    share = units_alone(speed) * part.copies
    return speed.hours * WHOLE / (share * math.ceil(WHOLE / share))
