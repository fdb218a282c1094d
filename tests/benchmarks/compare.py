"""Planner, default CP-SAT, HiGHS and SCIP side by side on the same generated problems.

    python -m tests.benchmarks.compare --sizes 5x10,20x20 --seeds 0-3 --out results.jsonl

Each solve runs in a process of its own, one after the other, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

from planner.optimize import Progress, SolveLimits, solve
from planner.optimize.backend import run_cp_sat
from planner.optimize.blocks import demands
from planner.optimize.exact import exact_model
from planner.optimize.linear import LinearModel
from planner.optimize.mathopt import MipSolver, run_mip
from planner.optimize.outcome import relative_gap
from tests.benchmarks.instances import generate

SOLVERS = ("planner", "cp-sat", "highs", "scip")
LIMITS_S = {"5x10": 5, "20x20": 15, "50x30": 60, "100x40": 30, "300x40": 45, "1000x40": 45}
MARKS = (0.01, 0.001)


def run_planner(size: tuple[int, int], seed: int, limit_s: float) -> dict[str, object]:
    marks: dict[str, float] = {}

    def progress(event: Progress) -> None:
        for mark in MARKS:
            if event.gap is not None and event.gap <= mark:
                marks.setdefault(str(mark), round(event.wall_s, 2))

    problem = generate(*size, seed)
    started = time.perf_counter()
    limits = SolveLimits(wall_s=limit_s, tie_break=False)
    outcome = solve(problem, limits=limits, progress=progress)
    found = _result(outcome.cost_cents, outcome.bound_cents, started, marks)
    return found | {"status": outcome.status.value}


def run_model(solver: str, size: tuple[int, int], seed: int, limit_s: float) -> dict[str, object]:
    problem = generate(*size, seed)
    started = time.perf_counter()
    model = exact_model(problem, demands(problem)).model
    left = limit_s - (time.perf_counter() - started)
    if solver == "cp-sat":
        answer = run_cp_sat(model, deterministic_limit=1e9, wall_limit_s=left, workers=2)
    else:
        answer = run_mip(model, MipSolver(solver), wall_limit_s=left)
    return _result(_cost(model, answer.values), answer.bound, started, {})


def _cost(model: LinearModel, values: tuple[int, ...] | None) -> int | None:
    return None if values is None else model.evaluate(values)


def _result(
    cost: int | None, bound: int | None, started: float, marks: dict[str, float]
) -> dict[str, object]:
    gap = None if cost is None or bound is None else relative_gap(cost, bound)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "cost": cost,
        "bound": bound,
        "gap": gap,
        "wall_s": round(time.perf_counter() - started, 2),
        "marks": marks,
        "peak_mib": (own + children) // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default=",".join(LIMITS_S))
    parser.add_argument("--seeds", default="0-19")
    parser.add_argument("--solvers", default=",".join(SOLVERS))
    parser.add_argument("--out", default="-")
    parser.add_argument("--one", help="internal: solver/size/seed to solve in this process")
    options = parser.parse_args()
    if options.one:
        solver, name, seed = options.one.split("/")
        size = tuple(int(part) for part in name.split("x"))
        limit_s = LIMITS_S[name]
        if solver == "planner":
            found = run_planner(size, int(seed), limit_s)
        else:
            found = run_model(solver, size, int(seed), limit_s)
        print(json.dumps({"solver": solver, "size": name, "seed": int(seed)} | found))
        return
    first, _, last = options.seeds.partition("-")
    out = open(options.out, "a") if options.out != "-" else sys.stdout  # noqa: SIM115
    for name in options.sizes.split(","):
        for seed in range(int(first), int(last or first) + 1):
            for solver in options.solvers.split(","):
                command = [sys.executable, "-m", "tests.benchmarks.compare"]
                one = f"{solver}/{name}/{seed}"
                done = subprocess.run([*command, "--one", one], capture_output=True, text=True)
                line = done.stdout.strip() or json.dumps(
                    {"solver": solver, "size": name, "seed": seed, "failed": done.stderr[-200:]}
                )
                print(line, file=out, flush=True)


if __name__ == "__main__":
    main()
