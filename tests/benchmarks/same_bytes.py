"""Whether the same scenario gives the same bytes every time, on an idle machine and under load.

python -m tests.benchmarks.same_bytes --times 20 scenarios/lab.yaml scenarios/serving-mix.yaml

Solves each scenario `--times` times as it is, and as often beside processes that keep every core busy; the saved plans
are compared byte for byte. Exits with 1 where any two differ.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

BUSY = "while True: pass"


def digests(scenario: str, times: int) -> Counter[str]:
    """Digests of the saved plans and how often each came out; a run that saves none counts as such."""
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(times):
            out = Path(folder) / f"{number}.json"
            command = [sys.executable, "-m", "planner", "solve", scenario, "-q", "--out", str(out)]
            done = subprocess.run(command, capture_output=True, text=True)
            text = out.read_bytes() if out.exists() else f"rc {done.returncode}".encode()
            found[hashlib.sha256(text).hexdigest()[:12]] += 1
    return found


def under_load(scenario: str, times: int, per_core: int) -> Counter[str]:
    """The same while every core has `per_core` busy processes besides."""
    count = per_core * (os.cpu_count() or 1)
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        return digests(scenario, times)
    finally:
        for one in busy:
            one.kill()
            one.wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("scenarios", nargs="+")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--per-core", type=int, default=2, help="busy processes beside each core")
    options = parser.parse_args()
    same = True
    for scenario in options.scenarios:
        idle = digests(scenario, options.times)
        loaded = under_load(scenario, options.times, options.per_core)
        together = idle + loaded
        same = same and len(together) == 1
        words = ", ".join(f"{digest} x {count}" for digest, count in together.items())
        print(f"{scenario}: {options.times} idle, {options.times} under load: {words}", flush=True)
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
