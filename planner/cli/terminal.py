"""What the terminal can do: its width, and whether to colour."""

from __future__ import annotations

import os
from typing import Final, Literal, TextIO

import click

ColorChoice = Literal["auto", "always", "never"]
NARROWEST: Final = 60
WIDEST: Final = 200


def terminal_width(default: int = 100) -> int:
    """Columns to print in: COLUMNS, else the terminal's, else `default`; between 60 and 200."""
    import shutil  # here, as it is slow to load

    columns = shutil.get_terminal_size((default, 24)).columns
    return min(max(columns, NARROWEST), WIDEST)


def use_color(stream: TextIO, choice: ColorChoice = "auto") -> bool:
    """Whether to colour what goes to `stream`: the user's choice, else NO_COLOR, FORCE_COLOR, TERM and isatty."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


color_option: Final = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True,
    help="When to colour; auto: on a terminal, unless NO_COLOR is set.",
)  # fmt: skip
"""The option of every command that colours its output."""
