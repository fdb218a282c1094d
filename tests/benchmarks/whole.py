"""Whole runs of the command line: time, work and peak memory, each in a process of its own.

python -m tests.benchmarks.whole --turns 5 --workloads 100,1000 --out whole.jsonl

Small runs take turns, so that a busy machine weighs on all alike, and the least of each counts; large scenarios
(`scenario_large`) run once. `report --whole whole.jsonl` prints them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.scenario_large import scenario

PLANNER = (sys.executable, "-m", "planner")
SMALL = {
    "`from ortools.sat.python import cp_model`": (
        sys.executable, "-c", "from ortools.sat.python import cp_model",
    ),
    "`planner solve scenarios/lab.yaml`": (*PLANNER, "solve", "scenarios/lab.yaml", "-q"),
}  # fmt: skip


def once(command: tuple[str, ...]) -> dict[str, float]:
    """One run: seconds of wall clock and of processors, peak MiB, exit status."""
    started = time.perf_counter()
    child = os.posix_spawn(
        command[0], command, os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0o600) for fd in (1, 2)],
    )  # fmt: skip
    _, status, usage = os.wait4(child, 0)
    return {
        "wall_s": round(time.perf_counter() - started, 3),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_mib": usage.ru_maxrss // 1024,
        "rc": os.waitstatus_to_exitcode(status),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument(
        "--workloads", default="100,1000", help="sizes of large scenarios; empty: none"
    )
    parser.add_argument("--work", default="60", help="work limit of the large ones")
    parser.add_argument("--out", default="-")
    options = parser.parse_args()
    out = open(options.out, "a") if options.out != "-" else sys.stdout  # noqa: SIM115
    best: dict[str, dict[str, float]] = {}
    for _ in range(options.turns):
        for name, command in SMALL.items():
            run = once(command)
            best[name] = {k: min(v, best.get(name, run)[k]) for k, v in run.items()}
    rows = [{"run": name} | run for name, run in best.items()]
    for size in (int(n) for n in options.workloads.split(",") if n):
        with tempfile.TemporaryDirectory() as folder:
            file, plan = Path(folder) / "large.yaml", str(Path(folder) / "plan.json")
            file.write_text(scenario(size))
            words = ("solve", str(file), "-q", "--work", options.work, "--out", plan)
            rows.append({"run": f"{size:,} workloads x 40 pools"} | once((*PLANNER, *words)))
    for row in rows:
        print(json.dumps(row | {"load": round(os.getloadavg()[0], 1)}), file=out, flush=True)


if __name__ == "__main__":
    main()
