"""What happens when planner itself is wrong: exit 70, and one file that holds all a maintainer needs."""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import traceback
from importlib import metadata

import click

EXIT_BUG = 70


def report_crash(error: BaseException) -> int:
    """Write a report file, name it on stderr, and return the exit code."""
    content = {
        "schema": "planner/crash/1",
        "argv": sys.argv[1:],
        "error": "".join(traceback.format_exception(error)),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: _version(name) for name in ("planner", "ortools", "numpy", "pydantic")},
    }
    with tempfile.NamedTemporaryFile(
        "w", prefix="planner-bug-", suffix=".json", delete=False, encoding="utf-8"
    ) as file:
        json.dump(content, file, indent=2)
    click.echo(f"error[P901]: planner has a bug: {type(error).__name__}: {error}", err=True)
    click.echo("  no plan was printed; nothing was written but the report below", err=True)
    click.echo(f"help: send this file with your scenario: {file.name}", err=True)
    return EXIT_BUG


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
