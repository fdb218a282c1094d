"""`planner solve --alternatives N --within P%`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from planner.cli.main import cli

FILE = str(Path(__file__).resolve().parents[2] / "scenarios" / "infeasible" / "budget.yaml")
ROOMY = [
    "--set", "limits.opex=9000 USD/month", "--set", "inventory.cloud-a10g.rent.max_nodes=1",
]  # fmt: skip


def test_alternatives_are_shown_with_what_moves() -> None:
    done = CliRunner().invoke(
        cli, ["solve", FILE, *ROOMY, "--alternatives", "2", "--within", "30 %"]
    )
    assert done.exit_code == 0
    assert "Plans within 30 % that use other GPUs" in done.stdout


def test_json_has_them_with_their_price() -> None:
    words = ["solve", FILE, *ROOMY, "--alternatives", "2", "--within", "30", "--format", "json"]
    plan = json.loads(CliRunner().invoke(cli, words).stdout)
    assert plan["alternatives_within"] == 0.3
    assert float(plan["alternatives"][0]["cost"]) > float(plan["cost"]["total"])


def test_a_narrow_margin_says_that_there_are_none() -> None:
    done = CliRunner().invoke(cli, ["solve", FILE, *ROOMY, "--alternatives", "2"])
    assert "No plan within 3 % of this one uses other GPUs" in done.stdout


@pytest.mark.parametrize("text", ["much", "-3%", "3 USD"])
def test_a_margin_that_is_no_percentage_is_refused(text: str) -> None:
    done = CliRunner().invoke(cli, ["solve", FILE, "--alternatives", "1", f"--within={text}"])
    assert done.exit_code == 2
    assert "is no percentage" in done.stderr
