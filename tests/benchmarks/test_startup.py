"""Start-up as ratios to what Python itself takes: `pytest tests/benchmarks/test_startup.py --benchmark-only -n0`.

The smallest CPU time of each and the ratio of the medians, measured in turns, so that a busy machine weighs on all
alike. Byte code is written, as it is for a user; where PYTHONDONTWRITEBYTECODE is set, planner's own modules would be
compiled anew in each turn, and the installed libraries not. Printed, never judged.
"""

from __future__ import annotations

import os
import resource
import statistics
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
TURNS: Final = 20
ENVIRONMENT: Final = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _once(words: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("name", CASES)
def test_start(name: str, benchmark) -> None:
    benchmark.pedantic(_once, args=(CASES[name],), rounds=5, warmup_rounds=1)


def test_ratios(benchmark, capsys: pytest.CaptureFixture[str]) -> None:
    times: dict[str, list[float]] = {name: [] for name in CASES}

    def turn() -> None:
        for name, words in CASES.items():
            times[name].append(_once(words))

    benchmark.pedantic(turn, rounds=TURNS, warmup_rounds=1)
    names = list(CASES)
    with capsys.disabled():
        for base, ours in zip(names[::2], names[1::2], strict=True):
            least = min(times[ours]), min(times[base])
            median = statistics.median(times[ours]) / statistics.median(times[base])
            print(
                f"\n{ours:<23} {least[0]:6.3f} s  {least[0] / least[1]:5.2f} x `{base}` ({least[1]:.3f} s), "
                f"{median:.2f} x by medians",
                end="",
            )
        print()
