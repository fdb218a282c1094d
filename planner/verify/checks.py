"""All checks of one plan laid beside its scenario, in the order in which they build on one another."""

from __future__ import annotations

from dataclasses import dataclass

from planner.verify.allowed import check_allowed
from planner.verify.capacity import check_capacity
from planner.verify.case import Case
from planner.verify.demand import check_demand, check_served
from planner.verify.derive import Derived, derive_all
from planner.verify.limits import check_limits
from planner.verify.memory import check_memory
from planner.verify.money import check_money
from planner.verify.node_memory import check_node_memory
from planner.verify.placement import check_placement
from planner.verify.problem import Finding
from planner.verify.speed import check_speed
from planner.verify.turns import check_turns


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks found, and the figures they derived; None where not all could be."""

    findings: tuple[Finding, ...]
    derived: Derived | None


def check_case(case: Case) -> Checked:
    """Every check of a case whose structure holds."""
    allowed = check_allowed(case)
    findings = [allowed, check_served(case), check_placement(case), check_capacity(case)]
    if allowed.problems:
        return Checked(tuple(findings), None)
    derived, failures = derive_all(case)
    if failures:
        findings.append(Finding("memory", f"{len(derived)} assignments re-derived", failures))
        return Checked(tuple(findings), None)
    findings += [
        check_memory(case, derived),
        check_node_memory(case, derived),
        check_speed(case, derived),
        check_demand(case, derived),
        check_turns(case, derived),
        check_money(case, derived),
        check_limits(case, derived),
    ]
    return Checked(tuple(findings), derived)
