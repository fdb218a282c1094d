"""`planner why FILE WORKLOAD`: every layout considered, with both numbers of each no."""

from __future__ import annotations

import sys

import click

from planner.cli.completion import complete_file, complete_workload
from planner.cli.paint import paint
from planner.cli.problems import load_scenario
from planner.cli.shipped import scenario_path
from planner.cli.terminal import ColorChoice, color_option, terminal_width, use_color
from planner.scenario import Scenario


@click.command()
@click.argument("file", metavar="FILE", shell_complete=complete_file)
@click.argument("workload", shell_complete=complete_workload)
@click.option("--pool", "pools", multiple=True, help="Show this pool only; repeatable.")
@click.option(
    "--period", metavar="PERIOD",
    help="Over a horizon: the period to tell of, such as 2027-01; default: the first the workload runs in.",
)  # fmt: skip
@click.option(
    "--all", "every", is_flag=True, help="Show every layout, dominated ones too, none folded."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE",
    help="Change a value before solving; repeatable.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="Output format.",
)  # fmt: skip
@color_option
def why(
    file: str,
    workload: str,
    pools: tuple[str, ...],
    period: str | None,
    every: bool,
    overrides: tuple[str, ...],
    form: str,
    color: ColorChoice,
) -> None:
    """Show what was considered for WORKLOAD of a scenario FILE: pool, layout, cost, verdict.

    The chosen rows are ticked with *; x marks rejections, nearest misses first.
    """
    scenario = load_scenario(scenario_path(file), overrides, color, quiet=True)
    names = [w.name for w in scenario.workloads]
    _known(workload, names, "workload")
    for pool in pools:
        _known(pool, [p.name for p in scenario.pools], "pool")
    if period is not None:
        _known_period(scenario, period)
    from planner.api import why as explain_workload

    try:
        result = explain_workload(scenario, workload, pools=pools, every=every, period=period)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if form == "json":
        click.echo(result.to_json(), nl=False)
        return
    from planner.report.why import render_why

    colored = use_color(sys.stdout, color)
    text = render_why(result, width=terminal_width(), every=every)
    click.echo(paint(text, color=colored), nl=False, color=colored)


def _known_period(scenario: Scenario, period: str) -> None:
    if scenario.spec.horizon is None:
        raise click.UsageError("--period needs a scenario with a `horizon`")
    from planner.scenario.periods import periods_of

    _known(period, [p.name for p in periods_of(scenario)], "period")


def _known(name: str, names: list[str], what: str) -> None:
    if name not in names:
        raise click.BadParameter(f"no {what} is called `{name}`: {', '.join(names)}")
