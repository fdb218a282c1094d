"""Standard streams: input that is no text, output that is closed, full or cut off, and an interrupt."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from cli.terminal_runs import PLANNER, ROOT, environment, refused, run

LATIN = "scenario: caf\u00e9\n".encode("latin-1")
SMALL = (ROOT / "scenarios" / "65b-on-4xv100.yaml").read_bytes()


@pytest.mark.parametrize(
    "words", [["solve", "-"], ["check", "-"], ["verify", "-"], ["why", "-", "x"]]
)
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_input_that_is_not_utf8_is_refused(words: list[str], locale: str) -> None:
    message = refused(run(*words, stdin=LATIN, LC_ALL=locale), 1)
    assert "standard input is not UTF-8 text (line 1)" in message


@pytest.mark.parametrize("words", [["solve", "-"], ["check", "-"], ["verify", "-"]])
def test_closed_input_is_refused(words: list[str]) -> None:
    command = ["bash", "-c", 'exec "$@" <&-', "-", *PLANNER, *words]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env=environment(), check=False)
    assert "standard input is closed" in refused(done, 1)


def test_standard_input_is_read_once() -> None:
    assert "only once" in refused(run("check", "-", "-", stdin=SMALL), 2)


def test_a_scenario_comes_from_standard_input() -> None:
    done = run("check", "-", stdin=SMALL)
    assert done.returncode == 0
    assert done.stdout == b"<stdin>: no problems\n"


def test_an_override_that_is_no_text_is_refused() -> None:
    command = [
        "bash",
        "-c",
        "exec \"$@\" --set $'scenario=\\xff'",
        "-",
        *PLANNER,
        "check",
        "scenarios/lab.yaml",
    ]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env=environment(), check=False)
    assert "not UTF-8" in refused(done, 1)


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_a_file_name_that_is_no_text_can_be_told(tmp_path: Path, locale: str) -> None:
    command = ["bash", "-c", "exec \"$@\" $'gone-\\xff.yaml'", "-", *PLANNER, "check"]
    done = subprocess.run(
        command, capture_output=True, cwd=tmp_path, env=environment(LC_ALL=locale), check=False
    )
    assert "does not exist" in refused(done, 1)


LONG = [
    ["schema"],
    ["explain"],
    ["catalog", "list", "models"],
    ["fit", "llama-65b", "--on", "l40s"],
    ["--help"],
]


@pytest.mark.parametrize("words", LONG, ids=" ".join)
def test_a_reader_that_leaves_ends_it_quietly(words: list[str]) -> None:
    with subprocess.Popen(
        [*PLANNER, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        message = process.stderr.read().decode()
    assert "Traceback" not in message
    assert "Exception ignored" not in message
    assert "error" not in message.lower()


@pytest.mark.parametrize("words", LONG, ids=" ".join)
def test_a_full_disk_is_said(words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*PLANNER, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=environment(),
            check=False,
        )
    message = done.stderr.decode()
    assert done.returncode == 1, message
    assert "cannot write the output" in message
    assert "Exception ignored" not in message
    assert "P901" not in message


def test_ctrl_c_while_solving_ends_with_130_or_a_plan() -> None:
    with subprocess.Popen(
        [*PLANNER, "solve", "scenarios/lab.yaml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=ROOT, env=environment(),
    ) as process:  # fmt: skip
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    # 4: while the solver runs and has no plan yet.
    assert process.returncode in (0, 4, 130)
    assert b"Traceback" not in err
    assert b"P901" not in err
    if process.returncode == 130:
        assert not out
        assert b"interrupted" in err
