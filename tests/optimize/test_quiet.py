"""Standard output holds results only, whatever a solver's C++ code prints."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import ctypes
from planner.optimize.quiet import quiet_stdout

libc = ctypes.CDLL(None)
print("before")
with quiet_stdout():
    libc.printf(b"noise from C\\n")
print("after")
libc.fflush(None)
"""


def test_what_c_prints_inside_never_reaches_standard_output() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout == "before\nafter\n"


def test_without_it_the_noise_would_be_there() -> None:
    loud = SCRIPT.replace("with quiet_stdout():", "if True:")
    done = subprocess.run([sys.executable, "-c", loud], capture_output=True, text=True, check=True)
    assert "noise from C" in done.stdout
