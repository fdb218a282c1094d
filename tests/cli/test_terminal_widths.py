"""No line is wider than the terminal from 60 to 200 columns, whatever the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.terminal_runs import ROOT, run
from planner.cli.main import COMMANDS, cli
from planner.plan.schema import Plan
from planner.report.text import render_text

WIDTHS = (60, 80, 200)
COMMAND_LINES = [
    ["fit", "llama-65b", "--on", "4xv100-sxm2-32gb"],
    ["fit", "qwen2.5-32b", "--on", "8xa100-sxm4-80gb", "--rules", "--kind", "full", "--offload", "cpu"],
    ["check", "scenarios/lab.yaml"],
    ["why", "scenarios/65b-on-4xv100.yaml", "serve-65b"],
    ["explain"],
    ["explain", "P301"],
    ["explain", "workloads.demand"],
    ["catalog", "list", "gpus"],
    ["catalog", "list", "models", "--params", "60B..80B"],
    ["catalog", "list", "nodes", "--provider", "aws"],
    ["catalog", "list", "offers", "--gpu", "h100-sxm5-80gb"],
    ["catalog", "list", "engines"],
    ["catalog", "show", "llama-3.1-8b"],
    ["catalog", "show", "h100-sxm5-80gb"],
    ["catalog", "show", "aws-p5.48xlarge"],
    ["catalog", "show", "vllm"],
    ["catalog", "search", "hopper"],
    ["catalog", "compare", "l40s", "h100-sxm5-80gb", "a100-sxm4-80gb"],
    ["solve", "scenarios/65b-on-4xv100.yaml"],
    ["solve", "tests/scenario/base.yaml", "--set", "nonsense.in.a.rather.long.path=1"],
    ["accuracy", "tests/measurements/training-speed.csv"],
]  # fmt: skip


def too_wide(text: str, width: int) -> list[str]:
    """Lines wider than the terminal, but for a word or an address that can't be broken."""
    wide = [x for x in text.splitlines() if len(x) > width]
    return [x for x in wide if len(x.split()) > 1 and not x.split()[-1].startswith("https://")]


@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_no_line_is_wider_than_the_terminal(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        done = CliRunner().invoke(cli, words)
        assert done.exception is None or isinstance(done.exception, SystemExit)
        assert not too_wide(done.output, width), f"at {width} columns"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_narrow_terminal(name: str) -> None:
    assert not too_wide(run(name, "--help", COLUMNS="60").stdout.decode(), 60)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The plan of the mixed lab."""
    path: Path = tmp_path_factory.mktemp("plan") / "lab.json"
    CliRunner().invoke(cli, ["solve", str(ROOT / "scenarios" / "lab.yaml"), "-q", "-o", str(path)])
    return Plan.model_validate(json.loads(path.read_text()))


@pytest.mark.parametrize("width", [60, 67, 80, 99, 140, 200])
def test_a_plan_fits_any_width_and_keeps_its_prices(lab: Plan, width: int) -> None:
    text = render_text(lab, width=width)
    assert not too_wide(text, width)
    assert lab.cost is not None
    assert f"{lab.cost.total:,.2f}" in text
    for workload in lab.workloads:
        for part in workload.assignment:
            assert f"{part.cost:,.2f}" in text
