"""Shipped example scenarios: `scenarios/lab.yaml` works from any folder, with a word about which file it is."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click

from planner.catalog.paths import data_dir


def scenario_path(name: str) -> str:
    """The file a user means: their own if it exists, else the shipped example of that name."""
    if name == "-" or Path(name).exists():
        return name
    parts = PurePosixPath(name).parts
    if parts[:1] == ("scenarios",):
        shipped = data_dir("scenarios").joinpath(*parts[1:])
        if shipped.is_file():
            click.echo(f"note: {name} is not in this folder; using the shipped example", err=True)
            return str(shipped)
    return name
