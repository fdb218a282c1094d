"""Makes docs/performance.md from the lines of `compare`.

python -m tests.benchmarks.report results.jsonl [--note "load"] > docs/performance.md
"""

from __future__ import annotations

import argparse
import json
import statistics
import textwrap
from pathlib import Path

from tests.benchmarks.compare import LIMITS_S, SOLVERS

HEAD = """# Performance of the optimizer

Generated fleets (`tests/benchmarks/instances.py`), sizes as workloads x pools. Odd seeds are tight: no rent, and
stocks just large enough for a plan picked at random, plus up to 10 %. Seeds 2 and 3 modulo 4 use replicas of 3,
5, 6 and 12 GPUs. The same exact model goes to CP-SAT with default parameters (2 workers), and to HiGHS and SCIP
through MathOpt; planner gets the problem that the model is made from, without the tie-break. Each solve is a
process of its own, one after the other. Gap = (cost - bound) / cost, bound as each solver proves it. HiGHS and
SCIP do not report on their way, so only planner has times to 1 % and 0.1 %. A fleet proven impossible counts as proven.

Made by `python -m tests.benchmarks.compare --out r.jsonl` and `python -m tests.benchmarks.report r.jsonl`;
only what was run is listed.
"""

WHOLE = """## Whole runs

The command line from the file to the verified plan, options included (`python -m tests.benchmarks.whole`): the least of
several turns for the small ones, one run for large scenarios (`tests/benchmarks/scenario_large.py`, seed 0). The
price of caution (a second answer, see [concepts](concepts.md)) is part of the run of `lab.yaml`.
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("results", nargs="+")
    parser.add_argument("--note", default="")
    parser.add_argument("--whole", help="lines of `whole`")
    options = parser.parse_args()
    rows: dict[tuple[str, str, int], dict] = {}
    for name in options.results:
        for line in Path(name).read_text().splitlines():
            if line.startswith("{"):
                one = json.loads(line)
                if "failed" not in one:
                    rows[one["solver"], one["size"], int(one["seed"])] = one
    print(HEAD)
    if options.note:
        print(textwrap.fill(options.note, 120) + "\n")
    if options.whole:
        _whole([json.loads(line) for line in Path(options.whole).read_text().splitlines()])
    for size, limit_s in LIMITS_S.items():
        _size(size, limit_s, [row for row in rows.values() if row["size"] == size])


def _whole(rows: list[dict]) -> None:
    print(WHOLE)
    print("| run | processor s | wall s | peak MiB | exit | load average |")
    print("|---|---:|---:|---:|---:|---:|")
    for row in rows:
        print(
            f"| {row['run']} | {row['cpu_s']:.2f} | {row['wall_s']:.2f} | {row['peak_mib']:.0f} | "
            f"{row['rc']:.0f} | {row['load']} |"
        )
    print()


def _size(size: str, limit_s: float, rows: list[dict]) -> None:
    if not rows:
        return
    print(f"## {size}, limit {limit_s} s\n")
    print(
        "| solver | seeds | proven | median s | worst s | median gap % | worst gap % | peak MiB |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for solver in SOLVERS:
        mine = [row for row in rows if row["solver"] == solver]
        if not mine:
            continue
        gaps = [_gap_percent(row) for row in mine]
        walls = [row["wall_s"] for row in mine]
        proven = sum(gap == 0 for gap in gaps)
        print(
            f"| {solver} | {len(mine)} | {proven} | {statistics.median(walls):.1f} | "
            f"{max(walls):.1f} | {statistics.median(gaps):.3f} | {max(gaps):.3f} | "
            f"{max(row['peak_mib'] for row in mine)} |"
        )
    print("\n| seed | solver | cost, USD | bound, USD | gap % | s | s to 1 % | s to 0.1 % | MiB |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for row in sorted(rows, key=lambda r: (r["seed"], SOLVERS.index(r["solver"]))):
        gap = "no plan" if row["gap"] is None else f"{100 * row['gap']:.3f}"
        gap = "impossible" if _impossible(row) else gap
        marks = [row["marks"].get(mark, "-") for mark in ("0.01", "0.001")]
        print(
            f"| {row['seed']} | {row['solver']} | {_usd(row['cost'])} | {_usd(row['bound'])} | {gap} | "
            f"{row['wall_s']:.1f} | {marks[0]} | {marks[1]} | {row['peak_mib']} |"
        )
    print()


def _impossible(row: dict) -> bool:
    """Whether it is proven that there is no plan."""
    return row.get("status") == "infeasible"


def _gap_percent(row: dict) -> float:
    """100 without a plan, 0 where there can be none."""
    if _impossible(row):
        return 0.0
    return 100 * row["gap"] if row["gap"] is not None else 100.0


def _usd(cents: int | None) -> str:
    return "-" if cents is None else f"{cents / 100:,.0f}"


if __name__ == "__main__":
    main()
