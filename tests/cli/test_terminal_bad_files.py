"""Files that hold no scenario, plan or measurement, and places that can't be written: a message, never a traceback."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.terminal_runs import ROOT
from planner.cli.main import cli

BAD = {
    "empty": b"",
    "comments": b"# only\n# comments\n",
    "binary": bytes(range(256)) * 8,
    "latin-1": "scenario: caf\u00e9\n".encode("latin-1"),
    "utf-16": "scenario: x\n".encode("utf-16"),
    "zeros": b"\0\0\0",
    "number": b"42\n",
    "list": b"[1, 2]\n",
    "text": b"hello\n",
    "json": b"{}",
    "deep": b"[" * 5000,
    "cut off": b"scenario: {a: [1,\n",
    "csv": b"a,b\n1,2\n",
}
READERS = {
    "check": ["check", "FILE"],
    "solve": ["solve", "FILE"],
    "why": ["why", "FILE", "chat"],
    "verify": ["verify", "FILE"],
    "accuracy": ["accuracy", "FILE"],
    "import": ["catalog", "import", "FILE"],
    "init": ["init", "--from-nvidia-smi", "FILE", "-"],
}
SMALL = str(ROOT / "scenarios" / "65b-on-4xv100.yaml")


def told(words: list[str], codes: tuple[int, ...] = (1, 2)) -> str:
    """The message of a refusal."""
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in codes, done.output
    assert "error" in done.output.lower()
    return done.output


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_a_file_of_another_kind_is_refused(
    reader: list[str], content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.yaml").write_bytes(content)
    assert "file.yaml" in told([w.replace("FILE", "file.yaml") for w in reader])


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"id,mfu\n", b"mfu\n0.4\n", b"id,mfu\nx,often\n"]
)
def test_a_table_that_is_no_measurement_table_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "speed.csv"
    path.write_bytes(content)
    done = CliRunner().invoke(cli, ["accuracy", str(path)])
    assert done.exit_code in (0, 1)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("name", ["gone.yaml", "folder"])
def test_a_missing_file_or_a_folder_is_refused(
    reader: list[str], name: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    assert name in told([w.replace("FILE", str(tmp_path / name)) for w in reader])


@pytest.mark.parametrize("target", ["gone/plan.json", "folder", "file/plan.json"])
def test_out_is_refused_before_the_work_is_done(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")

    def no_solve(*_: object, **__: object) -> None:
        raise AssertionError("solved before --out was looked at")

    monkeypatch.setattr("planner.api.solve_fully", no_solve)
    told(["solve", SMALL, "--out", str(tmp_path / target)])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(
    "words",
    [
        ["schema", "-o", "gone/x.json"],
        ["init", "gone/x.yaml"],
        ["schema", "-o", "."],
        ["init", "."],
    ],
)
def test_a_place_that_cannot_be_written_is_told(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told(words)
    assert not list(tmp_path.iterdir())


def test_a_saved_plan_replaces_the_old_one_whole(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    target.write_text("old")
    done = CliRunner().invoke(cli, ["solve", SMALL, "--quiet", "--out", str(target)])
    assert done.exit_code == 3
    assert target.read_text().startswith("{")
    assert [p.name for p in tmp_path.iterdir()] == ["plan.json"]


FIT = ["fit", "llama-3.1-8b", "--on", "l40s"]
WRONG = {
    "precision": ([*FIT, "--precision", "fp9"], "fp8"),
    "kv": ([*FIT, "--kv", "fp9"], "fp8"),
    "engine": ([*FIT, "--engine", "vlm"], "vllm"),
    "framework": ([*FIT, "--framework", "deepspeeed"], "deepspeed"),
    "optimizer": ([*FIT, "--optimizer", "adamv"], "adamw"),
    "not a number": ([*FIT, "--requests", "nan"], "nan"),
    "infinite": ([*FIT, "--tokens", "inf"], "inf"),
    "negative tokens": ([*FIT, "--tokens", "-5"], "-5"),
    "zero GPUs": (["fit", "llama-3.1-8b", "--on", "0xl40s"], "0"),
    "a million GPUs": (["fit", "llama-3.1-8b", "--on", "1000000xl40s"], "1000000"),
    "unknown model": (["fit", "llama-3.1-9b", "--on", "l40s"], "llama-3.1-8b"),
    "unknown model, nothing near": (["fit", "zzzz", "--on", "l40s"], "planner catalog list models"),
    "unknown GPU": (["fit", "llama-3.1-8b", "--on", "4xl40z"], "l40s"),
    "no GPU": (["fit", "llama-3.1-8b", "--on", "4x"], "4xv100-sxm2-32gb"),
    "bare bandwidth": ([*FIT, "--nvlink", "300"], "GB/s"),
    "bare size": ([*FIT, "--host-ram", "256"], "GiB"),
    "huge context": ([*FIT, "--context", "1" + "0" * 30], "1" + "0" * 30),
    "huge rank": ([*FIT, "--rank", "1" + "0" * 30], "1" + "0" * 30),
    "huge tensor parallel degree": ([*FIT, "--tp", "1" + "0" * 30], "1" + "0" * 30),
}


@pytest.mark.parametrize(("words", "named"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_of_fit_names_what_is_valid(words: list[str], named: str) -> None:
    assert named in told(words, (2,))


def test_the_refusals_are_clicks_own() -> None:
    with pytest.raises(click.UsageError):
        cli(WRONG["engine"][0], standalone_mode=False)
