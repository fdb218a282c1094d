"""Run planner as a user does, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLANNER = [sys.executable, "-m", "planner"]


def environment(**extra: str) -> dict[str, str]:
    """The environment without what changes colours and widths, then `extra`."""
    dropped = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM"}
    kept = {k: v for k, v in os.environ.items() if k not in dropped}
    return {**kept, **extra}


def run(
    *words: str, stdin: bytes = b"", folder: Path = ROOT, **extra: str
) -> subprocess.CompletedProcess[bytes]:
    """The finished process."""
    return subprocess.run(
        [*PLANNER, *words], input=stdin, capture_output=True, cwd=folder, env=environment(**extra),
        check=False, timeout=120,
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[bytes], code: int) -> str:
    """The message of a refusal: right code, no traceback, no report of a bug."""
    message = (done.stderr + done.stdout).decode("utf-8", "replace")
    assert done.returncode == code, message
    assert "Traceback" not in message
    assert "P901" not in message
    assert "error" in message.lower()
    return message
