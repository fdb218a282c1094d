"""`planner why` over a horizon: the period asked for, what the plan uses then, and what orders add to a price."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import planner
from planner.api import why
from planner.cli.main import cli
from planner.optimize.why_periods import priced
from planner.options.horizon import parts_of
from planner.options.terms import node_cost_cents

HERE = Path(__file__).parent


def test_the_first_period_a_run_has_gpus_is_told_by_default() -> None:
    found = why(planner.load(HERE / "long_run.yaml"), "second")
    assert found.period == "2026-12"
    assert found.other_periods == ("2026-10", "2026-11", "2027-01")
    assert (found.rows[0].pool, found.rows[0].verdict) == ("cloud", "chosen")


def test_another_period_by_name() -> None:
    found = why(planner.load(HERE / "long_run.yaml"), "chat", period="2026-12")
    assert {r.pool for r in found.rows if r.verdict == "chosen"} == {"cloud"}
    gone = next(r for r in found.rows if r.pool == "own")
    assert gone.verdict == "rejected"


def test_a_bought_node_costs_its_write_off_and_upkeep() -> None:
    """25,000 x (1.07 - 0.20) over 16 quarters, support 3 % a year, upkeep 150 a month: per quarter."""
    scenario = planner.load(HERE / "year.yaml")
    question = priced(scenario, parts_of(scenario)[2])
    term = next(t for t in question.supplier("l40s").terms if t.name == "bought")
    write_off, support, upkeep = 25000 * 0.87 / 16, 25000 * 0.03 / 4, 450
    assert node_cost_cents(term) == pytest.approx(100 * (write_off + support + upkeep), abs=2)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("tests/money/year.yaml", "tune", "--period", "2027-07"), "is not asked for in 2027-07"),
        (("tests/money/year.yaml", "chat", "--period", "2027"), "no period is called `2027`"),
        (
            ("scenarios/lab.yaml", "chat", "--period", "2027-01"),
            "needs a scenario with a `horizon`",
        ),
    ],
)
def test_a_period_that_cannot_be_told_is_a_usage_error(words: tuple[str, ...], text: str) -> None:
    root = HERE.parents[1]
    done = CliRunner().invoke(cli, ["why", str(root / words[0]), *words[1:]])
    assert done.exit_code == 2
    assert text in done.stderr
