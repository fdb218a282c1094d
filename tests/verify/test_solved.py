"""A solved plan verifies, and each check says what it looked at."""

import pytest

from planner.plan.schema import Plan
from planner.verify.plan import VerificationError, verify_findings, verify_plan
from tests.verify.edit import NAMES, plan_of, problems_after, put, scenario_of

CHECKS = [
    "structure", "allowed", "served", "placement", "capacity", "memory", "node memory", "speed",
    "demand", "turns", "money", "limits",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_solved_plan_verifies(name: str) -> None:
    assert verify_plan(scenario_of(name), plan_of(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_saved_plan_verifies(name: str) -> None:
    again = Plan.model_validate_json(plan_of(name).to_json())
    assert verify_plan(scenario_of(name), again) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_check_runs(name: str) -> None:
    findings = verify_findings(scenario_of(name), plan_of(name))
    compared = ["compared"] * (plan_of(name).caution is not None)
    assert [f.check for f in findings] == [*CHECKS, *compared]
    count = sum(len(w.assignment) for w in plan_of(name).workloads)
    looked = {f.check: f.looked for f in findings}
    assert looked["memory"] == f"{count} assignments re-derived, largest difference 0.00 GiB"


def test_plan_of_another_scenario_is_refused() -> None:
    problems = verify_plan(scenario_of("jobs"), plan_of("services"))
    assert {p.check for p in problems} == {"structure"}


def test_plan_without_assignments_has_nothing_to_verify() -> None:
    problems = problems_after("services", put("status", "infeasible"))
    assert any("there is no plan to verify" in p.message for p in problems)


def test_problems_carry_both_numbers() -> None:
    problems = problems_after("services", put("workloads.chat.assignment.0.ledger.total_gib", 1.25))
    assert [p.subject for p in problems] == ["chat"]
    assert "printed as 1.25 GiB, it is " in problems[0].message
    assert str(problems[0]).startswith("memory: chat: box, ")


def test_error_lists_the_first_problems_and_counts_the_rest() -> None:
    problems = problems_after("services", put("workloads.big.assignment", []))
    error = VerificationError(problems)
    assert error.problems == tuple(problems)
    assert "required, and has no GPUs" in str(error)
    assert f"and {len(problems) - 3} more" in str(error)
