"""Start-up as ratios to what Python itself takes: `pytest tests/benchmarks/test_startup.py --benchmark-only -n0`.

The smallest CPU time of each, measured in turns, so that a busy machine weighs on all alike. Printed, never judged.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANNER = [sys.executable, "-m", "planner"]
CASES: Final = {
    "import click": [sys.executable, "-c", "import click"],
    "planner --help": [*PLANNER, "--help"],
    "import click, pydantic, yaml": [sys.executable, "-c", "import click, pydantic, yaml"],
    "planner check lab": [*PLANNER, "check", "scenarios/lab.yaml"],
    "import ortools' CP-SAT": [sys.executable, "-c", "from ortools.sat.python import cp_model"],
    "planner solve lab": [*PLANNER, "solve", "scenarios/lab.yaml", "--quiet"],
}
TURNS: Final = 15


def _once(words: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("name", CASES)
def test_start(name: str, benchmark) -> None:
    benchmark.pedantic(_once, args=(CASES[name],), rounds=5, warmup_rounds=1)


def test_ratios(benchmark, capsys: pytest.CaptureFixture[str]) -> None:
    best = dict.fromkeys(CASES, float("inf"))

    def turn() -> None:
        for name, words in CASES.items():
            best[name] = min(best[name], _once(words))

    benchmark.pedantic(turn, rounds=TURNS, warmup_rounds=1)
    names = list(CASES)
    with capsys.disabled():
        for base, ours in zip(names[::2], names[1::2], strict=True):
            ratio = best[ours] / best[base]
            print(
                f"\n{ours:<23} {best[ours]:6.3f} s  {ratio:5.2f} x `{base}` ({best[base]:.3f} s)",
                end="",
            )
        print()
