"""Load a scenario for a command: problems are rendered on stderr and end in exit code 1."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import IO, Any

import click

from planner.cli.terminal import ColorChoice, terminal_width, use_color
from planner.diagnostics import Diagnostic, DiagnosticError, render_text, summary
from planner.scenario import Scenario, load
from planner.scenario.sources import STDIN, printable


class ScenarioProblems(click.ClickException):
    """A scenario that can't be used; `show` prints every problem."""

    exit_code = 1

    def __init__(self, error: DiagnosticError, file: str, color: ColorChoice = "auto") -> None:
        """Keep the problems and the file they are in."""
        super().__init__(str(error))
        self.error, self.file, self.color = error, file, color

    def show(self, file: IO[Any] | None = None) -> None:
        """Print all problems and a count on stderr."""
        print_diagnostics(self.error.diagnostics, self.error.sources, self.color)
        line = summary(self.error.diagnostics, self.file, "No plan was computed.")
        click.echo("\n" + textwrap.fill(line, terminal_width(), break_on_hyphens=False), err=True)


def print_diagnostics(
    diagnostics: Sequence[Diagnostic], sources: dict[str, str], color: ColorChoice = "auto"
) -> None:
    """Diagnostics as text on stderr."""
    colored = use_color(sys.stderr, color)
    text = render_text(diagnostics, sources, width=terminal_width(), color=colored)
    click.echo(text, err=True, nl=False, color=colored)


def load_scenario(
    path: str, overrides: Sequence[str] = (), color: ColorChoice = "auto", *, quiet: bool = False
) -> Scenario:
    """The scenario in a file (`-`: standard input); warnings go to stderr unless `quiet`.

    Raises:
        ScenarioProblems: It renders itself, with exit code 1.
    """
    try:
        scenario = load(path, overrides)
    except DiagnosticError as error:
        raise ScenarioProblems(error, STDIN if path == "-" else printable(path), color) from None
    if scenario.warnings and not quiet:
        print_diagnostics(scenario.warnings, dict(scenario.sources), color)
        click.echo(err=True)
    return scenario
