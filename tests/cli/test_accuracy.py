"""`planner accuracy`: text and JSON, trust and grouping."""

import json
from pathlib import Path

from click.testing import CliRunner

from planner.cli.accuracy import accuracy

FILE = str(Path(__file__).parents[1] / "measurements" / "inference-memory.yaml")


def test_text_names_cases_errors_and_verdicts() -> None:
    result = CliRunner().invoke(accuracy, [FILE])
    assert result.exit_code == 0
    assert "inference-memory: 160 cases, 160 predicted" in result.output
    assert "weights_gib" in result.output
    assert "measured `fails`: 16 called `fails`" in result.output
    assert max(map(len, result.output.splitlines())) <= 100


def test_json_has_one_entry_per_case_and_figure() -> None:
    result = CliRunner().invoke(accuracy, [FILE, "--format", "json", "--by", "engine"])
    data = json.loads(result.output)
    figures = [c for c in data["cases"] if "skipped" not in c]
    assert {"id", "quantity", "measured", "predicted", "low", "high", "error"} == set(figures[0])
    numbers = [c for c in figures if c["quantity"] == "total_gib"]
    for case in numbers:
        assert case["low"] <= case["predicted"] <= case["high"]
        assert abs(case["error"] - (case["predicted"] / case["measured"] - 1)) < 1e-4
    summary = data["summary"]["inference-memory"]
    assert summary["cases"] == 160
    assert set(summary["by"]) >= {"vllm", "transformers", "llama.cpp"}
    assert summary["quantities"]["weights_gib"]["median"] < 0.01


def test_doubtful_cases_are_shown_on_request() -> None:
    result = CliRunner().invoke(accuracy, [FILE, "--trust", "all"])
    assert "inference-memory: 273 cases" in result.output
    assert "skipped" in result.output


def test_a_file_that_is_none_is_a_located_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(accuracy, [str(tmp_path / "none.yaml")])
    assert result.exit_code == 1
    assert "is no file" in result.output
