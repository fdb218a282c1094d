"""Re-check of a finished plan from the scenario alone: no optimizer, no options, everything derived anew."""

from __future__ import annotations

from planner.plan.schema import Plan
from planner.scenario.resolved import Scenario
from planner.verify.checks import check_case
from planner.verify.problem import Finding, Problem, VerificationError
from planner.verify.structure import check_structure

__all__ = [
    "Finding",
    "Problem",
    "VerificationError",
    "check_other_plans",
    "check_tables",
    "verify_findings",
    "verify_plan",
]


def verify_plan(scenario: Scenario, plan: Plan) -> list[Problem]:
    """All disagreements between a plan and its scenario; an empty list: the plan is verified."""
    return [p for finding in verify_findings(scenario, plan) for p in finding.problems]


def verify_findings(scenario: Scenario, plan: Plan) -> list[Finding]:
    """What each check looked at and found.

    Checks that need figures of memory and speed run only if the layouts are legal, and those that need figures
    of all assignments only if all could be derived; what keeps them from running is among the problems.
    """
    if scenario.spec.horizon is not None:
        from planner.verify.periods import check_periods

        findings = check_periods(scenario, plan)
        drawn = plan.verified or plan.unit_costs or plan.teams or plan.baselines
        shaped = not any(f.problems for f in findings if f.check in ("structure", "orders"))
        tables = check_tables(scenario, plan) if drawn and shaped else []
        return [
            *findings,
            *tables,
            *check_other_plans(scenario, plan),
            *_uncertainty(scenario, plan),
        ]
    structure, case = check_structure(scenario, plan)
    checked = [] if case is None else check_case(case).findings
    return [structure, *checked, *check_other_plans(scenario, plan), *_uncertainty(scenario, plan)]


def check_other_plans(scenario: Scenario, plan: Plan) -> list[Finding]:
    """What the plan says of other plans, where it says anything."""
    if plan.cost is None or not (plan.instead or plan.alternatives or plan.caution):
        return []
    from planner.verify.compared import check_compared

    return [check_compared(scenario, plan)]


def _uncertainty(scenario: Scenario, plan: Plan) -> list[Finding]:
    """What `--robust` and `--sensitivity` add, where the plan has it."""
    if plan.cost is None or not (plan.robust or plan.sensitivity or plan.break_evens):
        return []
    from planner.verify.uncertainty import check_uncertainty

    return [check_uncertainty(scenario, plan)]


def check_tables(scenario: Scenario, plan: Plan) -> list[Finding]:
    """The tables drawn from a plan over periods: unit costs, teams, break-even points, and simple rules beside it."""
    from planner.verify.economics import check_economics
    from planner.verify.rules import check_rules

    return [check_economics(scenario, plan), check_rules(scenario, plan)]
