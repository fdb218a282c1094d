"""Tables drawn from a plan over periods: any figure of them changed alone is found by `planner verify`."""

import copy
import json
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

import planner
from planner.cli.main import cli
from planner.plan.schema import Plan
from planner.scenario import Scenario
from planner.verify.plan import verify_plan
from tests.verify.edit import Json, get, leaves, put
from tests.verify.test_leaves import _unlike

YEAR = Path(__file__).parent / "year.yaml"
TABLES = ("unit_costs", "teams", "baselines")
BREAK_EVEN = ("break_even", "crossover_months")


@cache
def solved() -> tuple[Scenario, Plan]:
    scenario = planner.load(YEAR)
    return scenario, planner.solve(scenario)


def data() -> Json:
    return json.loads(solved()[1].to_json())


def problems(changed: Json) -> list[str]:
    found = verify_plan(solved()[0], Plan.model_validate_json(json.dumps(changed)))
    return [str(p) for p in found]


def paths() -> list[str]:
    found = [p for p in leaves(data()) if p.split(".")[0] in TABLES]
    return found + [
        f"orders.{n}.{name}" for n in range(len(data()["orders"])) for name in BREAK_EVEN
    ]


def test_the_plan_with_all_tables_verifies() -> None:
    assert problems(data()) == []
    plan = solved()[1]
    assert len(plan.unit_costs) == 2
    assert len(plan.teams) >= 2
    assert {b.name for b in plan.baselines if b.cost is not None}
    assert {p.rule for p in plan.rule_plans} == {b.name for b in plan.baselines if b.cost}
    assert any(o.break_even for o in plan.orders)


def test_every_figure_of_the_tables_counts() -> None:
    before = data()
    missed = []
    for path in paths():
        changed = copy.deepcopy(before)
        put(path, _unlike)(changed)
        if not problems(changed):
            missed.append(path)
    assert missed == []


@pytest.mark.parametrize("table", [*TABLES, "rule_plans"])
def test_a_row_dropped_is_found(table: str) -> None:
    changed = data()
    # What is printed last may be the rule that fails, which no plan stands behind.
    get(changed, table).pop(0 if table != "baselines" else _priced(changed))
    assert problems(changed)


def _priced(plan: Json) -> int:
    return next(n for n, b in enumerate(plan["baselines"]) if b["cost"] is not None)


def test_a_rule_that_rents_is_not_buying() -> None:
    """The plan of one rule under the name of another does not keep to it."""
    changed = data()
    rent = next(p for p in changed["rule_plans"] if p["rule"] == "all rent")
    row = next(b for b in changed["baselines"] if b["name"] == "all rent")
    changed["rule_plans"] = [{**rent, "rule": "all buy"}]
    changed["baselines"] = [
        {
            **row,
            "name": "all buy",
            "rule": "what is owned, under contract or bought; nothing rented",
        }
    ]
    assert any("uses `rented" in text for text in problems(changed))


def test_money_hidden_in_the_plan_of_a_rule_is_found() -> None:
    """A dearer rule, raised consistently in its row, its total and its period, makes the plan look better."""
    changed = data()
    rule = changed["rule_plans"][0]
    row = next(b for b in changed["baselines"] if b["name"] == rule["rule"])
    for holder, key in (
        (rule["cost"], "total"), (rule["cost"]["periods"][0], "cost"), (rule["periods"][0], "cost"),
        (row, "cost"), (row, "saving"),
    ):  # fmt: skip
        holder[key] = f"{float(holder[key]) + 5000:.2f}"
    assert any("its plan" in text for text in problems(changed))


def test_the_command_names_the_table(tmp_path: Path) -> None:
    changed = data()
    changed["unit_costs"][0]["usd_per_gpu_hour"] *= 0.5
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(changed), "utf-8")
    done = CliRunner().invoke(cli, ["verify", str(path), "--scenario", str(YEAR)])
    assert done.exit_code == 5
    assert "tables: 1 problem" in done.output
    assert "usd_per_gpu_hour" in done.output
