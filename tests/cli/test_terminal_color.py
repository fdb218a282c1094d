"""Colour only adds: who asks for none gets none, and without it every word is still there."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess

import pytest

from cli.terminal_runs import PLANNER, ROOT, environment, run
from planner.cli.paint import paint

SGR = re.compile(r"\x1b\[[0-9;]*[mK]")
SOLVE = ["solve", "scenarios/65b-on-4xv100.yaml"]
FIT = ["fit", "llama-3.1-8b", "--on", "l40s", "--kind", "inference"]


def on_terminal(*words: str, **extra: str) -> str:
    """What a terminal receives on both streams."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PLANNER, *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=environment(**extra),
    ) as process:
        os.close(theirs)
        received = b""
        while True:
            ready, _, _ = select.select([ours], [], [], 60)
            try:
                chunk = os.read(ours, 65536) if ready else b""
            except OSError:
                break
            if not chunk:
                break
            received += chunk
        process.wait(timeout=60)
    os.close(ours)
    return received.decode("utf-8").replace("\r\n", "\n")


@pytest.mark.parametrize("words", [FIT, ["check", "scenarios/lab.yaml"], SOLVE], ids=" ".join)
@pytest.mark.parametrize("extra", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}], ids=str)
def test_a_terminal_that_wants_no_colour_gets_no_escape(
    words: list[str], extra: dict[str, str]
) -> None:
    assert "\x1b" not in on_terminal(*words, COLUMNS="100", **extra)


def test_a_terminal_gets_colour_and_the_same_words() -> None:
    seen = on_terminal(*FIT, TERM="xterm-256color", COLUMNS="100")
    assert "\x1b[1;32m" in seen
    assert SGR.sub("", seen) == run(*FIT, COLUMNS="100").stdout.decode()


@pytest.mark.parametrize("words", [FIT, SOLVE], ids=" ".join)
def test_a_pipe_gets_none_unless_asked(words: list[str]) -> None:
    plain = run(*words, COLUMNS="100").stdout.decode()
    asked = run(*words, "--color", "always", COLUMNS="100").stdout.decode()
    assert "\x1b" not in plain
    assert asked != plain
    assert SGR.sub("", asked) == plain


def test_json_is_never_coloured() -> None:
    done = run(*FIT, "--format", "json", "--color", "always")
    assert b"\x1b" not in done.stdout


def test_paint_changes_nothing_else() -> None:
    text = (
        "WORKLOAD  GPUS\nProved cheapest: 1.00\nerror[P302]: x\n1 | a\n  |   ^^^ label\nhelp: y\n"
    )
    assert SGR.sub("", paint(text, color=True)) == text
    assert paint(text, color=False) == text


def test_quiet_prints_one_line_and_verbose_tells_how() -> None:
    done = run(*SOLVE, "--quiet")
    assert done.stdout == b"infeasible\n"
    assert not done.stderr
    told = run(*SOLVE, "--quiet", "--verbose").stderr.decode()
    assert "options" in told
    assert "infeasible" in told
