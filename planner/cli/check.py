"""`planner check FILE...`: all problems of scenario files at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from planner.cli.completion import complete_file
from planner.cli.terminal import ColorChoice, color_option, terminal_width, use_color
from planner.diagnostics import Diagnostic, DiagnosticError, Severity, render_text, summary
from planner.diagnostics.places import STDIN, printable


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_file)
@click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE",
    help="Change a value before checking, such as workloads.chat.context=16384; repeatable.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="Output format.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit with 1 on warnings as well.")
@color_option
@click.option("-q", "--quiet", is_flag=True, help="Print problems only, no summary.")
def check(
    files: tuple[str, ...],
    overrides: tuple[str, ...],
    form: str,
    strict: bool,
    color: ColorChoice,
    quiet: bool,
) -> None:
    """Check scenario FILEs (- for standard input) and report every problem with its place.

    Exit code 0: no errors (warnings are allowed without --strict); 1: at least one error.
    """
    if files.count("-") > 1:
        raise click.UsageError("standard input can be read only once")
    found: list[Diagnostic] = []
    sources: dict[str, str] = {}
    for file in files:
        problems, texts = _problems(file, overrides)
        found += problems
        sources.update(texts)
    if form == "json":
        import json

        from planner.diagnostics.jsonform import to_json

        click.echo(json.dumps(to_json(found), indent=2))
    else:
        _print(found, sources, files, color, quiet)
    bad = any(d.severity is Severity.ERROR or strict for d in found)
    if bad:
        raise click.exceptions.Exit(1)


def _problems(file: str, overrides: Sequence[str]) -> tuple[Sequence[Diagnostic], dict[str, str]]:
    from planner.scenario import load

    try:
        scenario = load(file, overrides)
    except DiagnosticError as error:
        return error.diagnostics, error.sources
    return scenario.warnings, dict(scenario.sources)


def _print(
    found: Sequence[Diagnostic],
    sources: dict[str, str],
    files: Sequence[str],
    color: ColorChoice,
    quiet: bool,
) -> None:
    colored = use_color(sys.stdout, color)
    if found:
        text = render_text(found, sources, width=terminal_width(), color=colored)
        click.echo(text, nl=False, color=colored)
    if quiet:
        return
    names = [STDIN if f == "-" else printable(f) for f in files]
    where = names[0] if len(names) == 1 else f"{len(names)} files"
    if found:
        first = min(found, key=lambda d: d.severity is not Severity.ERROR)
        click.echo(f"\n{summary(found, where)} Details: planner explain {first.code}")
    else:
        click.echo(f"{where}: no problems")
