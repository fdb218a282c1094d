"""Ctrl-C while modules are still being loaded ends like any other Ctrl-C."""

import subprocess
import sys

import pytest

from tests.cli.terminal_runs import ROOT, environment

PRESSED = """
import runpy, sys
class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
sys.argv = ["planner", "check", "scenarios/lab.yaml"]
runpy.run_module("planner", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["click", "planner.cli.main", "pydantic", "planner.scenario"])
def test_no_traceback(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRESSED.format(module=module)], cwd=ROOT, env=environment(),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\ninterrupted\n")
