"""`planner verify`: exit codes, one line per check, located problems of plan files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from planner.api import load, solve
from planner.cli.verify import verify

SCENARIO = """\
scenario: small
energy: {price: 0.12 USD/kWh}
inventory:
  - pool: box
    gpu: l40s
    node: {gpus: 2, host_ram: 128 GiB}
    owned: {nodes: 1}
workloads:
  - name: chat
    kind: inference
    model: llama-3.1-8b
    context: 4096
    demand: {concurrent: 4, prompt: 500, output: 100}
"""


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A solved plan as it is saved."""
    path = tmp_path_factory.mktemp("solved") / "small.yaml"
    path.write_text(SCENARIO, "utf-8")
    return solve(load(path)).to_json()


@pytest.fixture
def plan(tmp_path: Path, solved: str) -> Path:
    """The plan in a file, its scenario beside it."""
    (tmp_path / "small.yaml").write_text(SCENARIO, "utf-8")
    path = tmp_path / "plan.json"
    path.write_text(solved, "utf-8")
    return path


def run(*words: str | Path, text: str | None = None) -> Result:
    return CliRunner().invoke(verify, [str(w) for w in words], input=text)


def test_solved_plan_is_verified_line_by_line(plan: Path) -> None:
    result = run(plan)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "memory: 1 assignments re-derived, largest difference 0.00 GiB" in lines
    assert [line.partition(":")[0] for line in lines] == [
        "structure", "allowed", "served", "placement", "capacity", "memory", "node memory", "speed",
        "demand", "turns", "money", "limits", "compared", "verified",
    ]  # fmt: skip
    assert result.stderr == ""


def test_scenario_can_be_named(plan: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.yaml"
    (tmp_path / "small.yaml").rename(other)
    assert run(plan, "--scenario", other).exit_code == 0


def test_missing_scenario_is_a_usage_error(plan: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").unlink()
    result = run(plan)
    assert result.exit_code == 2
    assert "pass --scenario FILE" in result.stderr


def test_name_of_the_plan_never_leads_out_of_the_folder(plan: Path, solved: str) -> None:
    data = json.loads(solved) | {"scenario": "../small"}
    plan.write_text(json.dumps(data), "utf-8")
    assert run(plan).exit_code == 2


def test_changed_plan_exits_5_and_names_both_numbers(plan: Path, solved: str) -> None:
    data = json.loads(solved)
    data["workloads"][0]["assignment"][0]["ledger"]["total_gib"] = 1.5
    plan.write_text(json.dumps(data), "utf-8")
    result = run(plan)
    assert result.exit_code == 5
    assert "memory: 1 problem" in result.stdout
    assert "total printed as 1.50 GiB, it is" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("not verified: ")


def test_changed_scenario_exits_5_and_is_noted(plan: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SCENARIO.replace("0.12", "0.24"), "utf-8")
    result = run(plan)
    assert result.exit_code == 5
    assert "money: " in result.stdout
    assert "is not the text this plan was made from" in result.stderr


def test_override_restores_what_the_plan_was_made_with(plan: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SCENARIO.replace("0.12", "0.24"), "utf-8")
    assert run(plan, "--set", "energy.price=0.12 USD/kWh").exit_code == 0


def test_json_form_has_all_checks(plan: Path) -> None:
    data = json.loads(run(plan, "--format", "json").stdout)
    assert data["schema"] == "planner/verify/1"
    assert data["verified"] is True
    assert len(data["checks"]) == 13
    assert all(c["problems"] == [] for c in data["checks"])


def test_plan_from_standard_input(plan: Path, solved: str, tmp_path: Path) -> None:
    result = run("-", "--scenario", tmp_path / "small.yaml", text=solved)
    assert result.exit_code == 0, result.output


def test_infeasible_plan_has_nothing_to_verify(plan: Path, solved: str) -> None:
    data = json.loads(solved) | {"status": "infeasible", "cost": None, "workloads": []}
    plan.write_text(json.dumps(data), "utf-8")
    result = run(plan)
    assert result.exit_code == 5
    assert "there is no plan to verify" in result.stdout


def _text(solved: str, old: str, new: str) -> str:
    assert old in solved
    return solved.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ('"status": "proven"', '"status": "maybe"', "P102", 4),
        ('"status": "proven",', "", "P103", None),
        ('"status"', '"state": 1, "status"', "P101", 4),
        ('"status"', '"scenario": "small", "status"', "P003", 4),
        ('"planner/plan/1"', '"planner/plan/9"', "P102", 2),
        ('"status": "proven"', '"status": proven', "P005", 4),
        ('"gap": 0.0', '"gap": NaN', "P005", None),
    ],
)
def test_bad_plan_file_is_located(
    plan: Path, solved: str, old: str, new: str, code: str, line: int | None
) -> None:
    plan.write_text(_text(solved, old, new), "utf-8")
    result = run(plan)
    assert result.exit_code == 1, result.output
    assert f"error[{code}]" in result.stderr
    if line is not None:
        assert f"plan.json:{line}:" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", "[" * 100_000, '{"schema": "planner/plan/1"}']
)
def test_what_is_no_plan_ends_in_exit_1(plan: Path, text: str) -> None:
    plan.write_text(text, "utf-8")
    result = run(plan)
    assert result.exit_code == 1
    assert "error[P" in result.stderr


def test_missing_plan_file() -> None:
    result = run("no-such-plan.json")
    assert result.exit_code == 1
    assert "error[P001]" in result.stderr


def test_broken_scenario_exits_1(plan: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text("scenario: [", "utf-8")
    result = run(plan)
    assert result.exit_code == 1
    assert "error[P002]" in result.stderr
