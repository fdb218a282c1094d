"""`planner explain`, `schema`, `completion`: every topic answers."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from planner.cli.completion import SHELLS
from planner.cli.main import cli
from planner.cli.schema import schema_text
from planner.diagnostics import CODES
from planner.scenario.describe import all_docs
from tests.cli.terminal_runs import ROOT


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, list(args), prog_name="planner")


@pytest.mark.parametrize("code", CODES)
def test_every_code(code: str) -> None:
    result = run("explain", code.lower())
    assert result.exit_code == 0
    assert result.output.startswith(f"{code}: {CODES[code].title}\n")


@pytest.mark.parametrize("path", sorted({d.path for d in all_docs()}))
def test_every_field(path: str) -> None:
    result = run("explain", path)
    assert result.exit_code == 0
    assert result.output.startswith(path)
    assert "takes" in result.output


def test_field_with_type_unit_default_and_example() -> None:
    text = run("explain", "workloads.slo.tpot").output
    assert "time with a unit" in text
    assert "example  tpot: 50 ms" in text
    assert "default  nothing" in text
    text = run("explain", "workloads.optimizer").output
    assert "(kind qlora)" in text
    assert "paged-adamw-8bit" in text


def test_mapping_lists_its_keys() -> None:
    text = run("explain", "inventory").output
    for key in ("pool", "gpu", "node", "owned", "rent"):
        assert f"\n  {key} " in text


@pytest.mark.parametrize(
    "topic",
    [
        "scenario.workloads.demand",
        "workloads[2].demand",
        "workloads.0.demand",
        "workloads[].demand",
    ],
)
def test_other_ways_to_write_a_path(topic: str) -> None:
    assert run("explain", topic).output.startswith("workloads.demand")


def test_unknown_topic_names_similar_ones() -> None:
    result = run("explain", "workloads.demnd")
    assert result.exit_code == 2
    assert "workloads.demand" in result.output


def test_overview_and_json() -> None:
    text = run("explain").output
    assert all(code in text for code in CODES)
    assert "workloads" in text
    assert json.loads(run("explain", "P110", "--format", "json").output)["code"] == "P110"
    assert json.loads(run("explain", "workloads.context", "--format", "json").output)[0][
        "kinds"
    ] == ["inference"]
    assert set(json.loads(run("explain", "--format", "json").output)["codes"]) == set(CODES)


@pytest.mark.parametrize("columns", ["60", "100", "200"])
def test_widths(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for topic in ("P210", "workloads", "inventory.node"):
        rows = run("explain", topic).output.splitlines()
        prose = [r for r in rows if not r.startswith(("    ", "  takes", "  example"))]
        assert all(len(row) <= int(columns) for row in prose)


def test_schema(tmp_path: Path) -> None:
    assert run("schema").output == schema_text()
    target = tmp_path / "s.json"
    assert run("schema", "-o", str(target)).output == ""
    assert json.loads(target.read_text("utf-8"))["title"] == "planner scenario"
    assert run("schema", "-o", str(tmp_path / "no" / "s.json")).exit_code == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_scripts(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert "_PLANNER_COMPLETE" in result.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("planner explain P20", "P201"),
        ("planner explain workloads.dem", "workloads.demand"),
        ("planner init --gpu l40", "l40s"),
        ("planner init --model llama-3.1-8", "llama-3.1-8b"),
        ("planner fit llama-3.1-8", "llama-3.1-8b"),
        ("planner fit llama-7b --on 4xh100-n", "4xh100-nvl-94gb"),
        ("planner fit llama-7b --on aws-p4de", "aws-p4de.24xlarge"),
        ("planner fit llama-7b --precision gptq", "gptq-int4"),
        ("planner fit llama-7b --engine vl", "vllm"),
        ("planner fit llama-7b --framework deep", "deepspeed"),
        ("planner fit llama-7b --optimizer paged", "paged-adamw-8bit"),
        ("planner catalog show l40", "l40s"),
        ("planner catalog compare l40", "l40s"),
        (f"planner why {ROOT}/scenarios/tutorial.yaml ass", "assistant"),
        ("planner why no.yaml ass", ""),
        ("planner solve scen", "scen"),
        ("planner check scen", "scen"),
        ("planner verify pl", "pl"),
    ],
)
def test_completion_answers(words: str, expected: str) -> None:
    env = {
        "_PLANNER_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    result = CliRunner().invoke(cli, [], env=env, prog_name="planner")
    found = [line.partition(",")[2] for line in result.output.splitlines()]
    assert expected in found if expected else not any(found)
