"""Generated pages are current."""

import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize("page", ["scenario-reference.md", "diagnostics.md"])
def test_generated_page_is_current(page: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", str(DOCS / page)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, f"run: cog -r docs/{page}"
