"""Re-check of a finished plan from the scenario alone: no optimizer, no options, everything derived anew."""

from __future__ import annotations

from planner.plan.schema import Plan
from planner.scenario.resolved import Scenario
from planner.verify.allowed import check_allowed
from planner.verify.capacity import check_capacity
from planner.verify.demand import check_demand, check_served
from planner.verify.derive import derive_all
from planner.verify.limits import check_limits
from planner.verify.memory import check_memory
from planner.verify.money import check_money
from planner.verify.node_memory import check_node_memory
from planner.verify.placement import check_placement
from planner.verify.problem import Finding, Problem, VerificationError
from planner.verify.speed import check_speed
from planner.verify.structure import check_structure

__all__ = ["Finding", "Problem", "VerificationError", "verify_findings", "verify_plan"]


def verify_plan(scenario: Scenario, plan: Plan) -> list[Problem]:
    """All disagreements between a plan and its scenario; an empty list: the plan is verified."""
    return [p for finding in verify_findings(scenario, plan) for p in finding.problems]


def verify_findings(scenario: Scenario, plan: Plan) -> list[Finding]:
    """What each check looked at and found.

    Checks that need figures of memory and speed run only if the layouts are legal, and those that need figures
    of all assignments only if all could be derived; what keeps them from running is among the problems.
    """
    structure, case = check_structure(scenario, plan)
    findings = [structure]
    if case is None:
        return findings
    allowed = check_allowed(case)
    findings += [allowed, check_served(case), check_placement(case), check_capacity(case)]
    if allowed.problems:
        return findings
    derived, failures = derive_all(case)
    if failures:
        return [*findings, Finding("memory", f"{len(derived)} assignments re-derived", failures)]
    return [
        *findings,
        check_memory(case, derived),
        check_node_memory(case, derived),
        check_speed(case, derived),
        check_demand(case, derived),
        check_money(case, derived),
        check_limits(case, derived),
    ]
