"""`planner check`: everything wrong at once, on stdout, with exit codes scripts can use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from planner.cli.main import cli

BASE = (Path(__file__).parent.parent / "scenario" / "base.yaml").read_text("utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(BASE, "utf-8")
    bad = BASE.replace("context: 8192", "contxt: 8192").replace("kind: full", "kind: ful")
    (tmp_path / "bad.yaml").write_text(bad, "utf-8")
    (tmp_path / "doubt.yaml").write_text(BASE.replace("context: 8192", "context: 999999"), "utf-8")
    return tmp_path


def run(*args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["check", *args], input=stdin)


def test_clean(folder: Path) -> None:
    result = run("good.yaml")
    assert (result.exit_code, result.output) == (0, "good.yaml: no problems\n")


def test_all_problems(folder: Path) -> None:
    result = run("bad.yaml")
    assert result.exit_code == 1
    assert "error[P101]: unknown key `contxt`" in result.output
    assert "error[P102]: invalid value for `kind`: `ful`" in result.output
    assert "bad.yaml:" in result.output
    assert "Found 2 errors in bad.yaml. Details: planner explain P101" in result.output


def test_warnings_pass_unless_strict(folder: Path) -> None:
    assert run("doubt.yaml").exit_code == 0
    assert "warning[P404]" in run("doubt.yaml").output
    assert run("doubt.yaml", "--strict").exit_code == 1


def test_several_files_and_stdin(folder: Path) -> None:
    result = run("good.yaml", "doubt.yaml", "bad.yaml")
    assert result.exit_code == 1
    assert "Found 2 errors and 1 warning in 3 files." in result.output
    assert run("-", stdin=BASE).output == "<stdin>: no problems\n"


def test_set(folder: Path) -> None:
    result = run("good.yaml", "--set", "workloads.chat.context=8k")
    assert result.exit_code == 1
    assert "--set workloads.chat.context:1:24" in result.output
    assert "^^" in result.output
    assert run("bad.yaml", "--set", "workloads.sft.kind=full").output.count("error[") == 1


def test_json(folder: Path) -> None:
    data = json.loads(run("bad.yaml", "doubt.yaml", "--format", "json").output)
    assert data["summary"] == {"errors": 2, "warnings": 1}
    assert [d["code"] for d in data["diagnostics"]] == ["P101", "P102", "P404"]
    assert data["diagnostics"][0]["fix"]["replacement"] == "context"


def test_unreadable_file_and_usage(folder: Path) -> None:
    assert run("nope.yaml").exit_code == 1
    assert "P001" in run("nope.yaml").output
    assert run().exit_code == 2


def test_colour(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in run("bad.yaml").output
    assert "\x1b[" in run("bad.yaml", "--color", "always").output
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("bad.yaml").output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("bad.yaml").output


@pytest.mark.parametrize("columns", ["60", "80", "100", "200"])
def test_widths(folder: Path, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    rows = run("bad.yaml", "doubt.yaml").output.splitlines()
    assert all(len(row) <= int(columns) for row in rows if not row.startswith("Found"))


def test_check_stays_light(folder: Path) -> None:
    code = (
        "import sys; from click.testing import CliRunner; from planner.cli.main import cli;"
        "r = CliRunner().invoke(cli, ['check', 'good.yaml']); assert r.exit_code == 0, r.output;"
        "heavy = {'ortools', 'pandas', 'numpy', 'rich', 'jsonschema'} & set(sys.modules); print(sorted(heavy))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_hint_explains_the_first_error_though_a_warning_comes_first(folder: Path) -> None:
    text = BASE.replace("gpu: l40s", "gpu: A100-80GB").replace("kind: full", "kind: ful")
    (folder / "both.yaml").write_text(text, "utf-8")
    output = run("both.yaml").output
    assert output.index("warning[P408]") < output.index("error[P102]")
    assert output.endswith("Details: planner explain P102\n")
