"""`planner solve FILE`: the cheapest plan, or why there is none."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from planner.cli.completion import complete_file
from planner.cli.exits import EXIT_BY_STATUS, EXIT_UNMET
from planner.cli.paint import paint
from planner.cli.problems import load_scenario
from planner.cli.progress import progress_line
from planner.cli.shipped import scenario_path
from planner.cli.terminal import ColorChoice, color_option, terminal_width, use_color
from planner.plan.schema import Plan, Status


class Percent(click.ParamType[float]):
    """A share written as percent, with or without the sign: `3%`, `3 %` or `3`."""

    name = "percent"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The share: 0.03 for `3%`."""
        try:
            number = float(str(value).strip().removesuffix("%"))
        except ValueError:
            number = -1.0
        if not 0 <= number <= 1000:
            self.fail(f"`{value}` is no percentage such as 3%", param, ctx)
        return number / 100


PERCENT = Percent()


@click.command()
@click.argument("file", metavar="FILE", shell_complete=complete_file)
@click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE",
    help="Change a value before solving, such as workloads.chat.context=16384; repeatable.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="Output format.",
)  # fmt: skip
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False), help="Also save the plan as JSON to this file."
)
@click.option(
    "--work", type=click.FloatRange(min=0.1), default=60.0, show_default=True,
    help="Work limit in deterministic seconds: the same answer on a slow machine.",
)  # fmt: skip
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0.1),
    help="Wall-clock limit in seconds; gives up determinism.",
)
@click.option(
    "--gap",
    type=click.FloatRange(0, 100),
    default=0.0,
    show_default=True,
    help="Stop at this gap in percent.",
)
@click.option(
    "--require-proof", is_flag=True, help="Exit with 5 unless the plan is proven cheapest."
)
@click.option(
    "--alternatives", type=click.IntRange(min=0), default=0, metavar="N",
    help="Also show up to N plans that cost little more and use other GPUs.",
)  # fmt: skip
@click.option(
    "--within", type=PERCENT, default="3%", show_default=True,
    help="How much dearer an alternative may be.",
)  # fmt: skip
@color_option
@click.option("-q", "--quiet", is_flag=True, help="Print the total only.")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Tell on standard error how the search goes and how long it took.",
)
@click.option(
    "--robust", is_flag=True,
    help="Test the orders with low and high demand and prices and late deliveries (needs a horizon).",
)  # fmt: skip
@click.option(
    "--sensitivity", is_flag=True,
    help="Tell what one more node or a larger limit is worth, and at which prices the plan changes.",
)  # fmt: skip
def solve(
    file: str,
    overrides: tuple[str, ...],
    form: str,
    out: str | None,
    work: float,
    time_limit: float | None,
    gap: float,
    require_proof: bool,
    alternatives: int,
    within: float,
    color: ColorChoice,
    quiet: bool,
    verbose: bool,
    robust: bool,
    sensitivity: bool,
) -> None:
    """Find the cheapest GPUs for the workloads of a scenario FILE (- for standard input).

    Exit code 0: a verified plan; 1: bad scenario; 3: proven that no plan exists; 4: nothing found within the limit;
    5: --require-proof unmet; 70: a bug of planner; 130: interrupted.
    """
    if out:
        refuse_unwritable(out)
    clock = time.monotonic()
    scenario = load_scenario(scenario_path(file), overrides, color, quiet=quiet or form == "json")
    if robust and scenario.spec.horizon is None:
        raise click.UsageError("--robust needs a scenario with a `horizon`")
    from planner.api import SolveLimits, solve_fully, with_alternatives, with_uncertainty

    limits = SolveLimits(
        deterministic_time=work, wall_s=time_limit, gap=gap / 100, second_process=True
    )
    on_terminal = sys.stderr.isatty() and not quiet
    with progress_line(enabled=on_terminal, verbose=verbose) as report:
        found = solve_fully(scenario, limits=limits, progress=report)
        if alternatives:
            found = with_alternatives(scenario, found, count=alternatives, within=within)
        if robust or sensitivity:
            found = with_uncertainty(
                scenario, found, robust=robust, sensitivity=sensitivity, limits=limits,
                progress=report,
            )  # fmt: skip
    plan = found.plan
    if verbose:
        _tell(plan, time.monotonic() - clock)
    if out:
        _save(plan, out)
    text = _render(plan, form, quiet=quiet)
    colored = form == "text" and use_color(sys.stdout, color)
    click.echo(paint(text, color=colored), nl=False, color=colored)
    if require_proof and plan.status is Status.FEASIBLE:
        raise click.exceptions.Exit(EXIT_UNMET)
    raise click.exceptions.Exit(EXIT_BY_STATUS[plan.status])


def _tell(plan: Plan, seconds: float) -> None:
    """How the answer was found, on standard error."""
    stats = plan.solve
    click.echo(f"{stats.options:,} options, {stats.rejected:,} rejected", err=True)
    for name, value, bound in stats.rounds:
        click.echo(f"round {name}: value {value:,}, bound {bound:,}", err=True)
    route = f" by {stats.route}" if stats.route else ""
    click.echo(f"{plan.status}{route} in {seconds:.1f} s", err=True)


def _render(plan: Plan, form: str, *, quiet: bool) -> str:
    if form == "json":
        return plan.to_json()
    if quiet:
        return f"{plan.cost.total:.2f} {plan.cost.currency}\n" if plan.cost else f"{plan.status}\n"
    from planner.report.text import render_text

    return render_text(plan, width=terminal_width())


def refuse_unwritable(path: str) -> None:
    """A place that can't be written is told before the work, not after it."""
    folder = Path(path).parent
    reason = ""
    if not folder.is_dir():
        reason = "no such folder" if not folder.exists() else f"{folder} is not a folder"
    elif not os.access(folder, os.W_OK):
        reason = "permission denied"
    if reason:
        raise click.ClickException(f"cannot write {path}: {reason}")


def _save(plan: Plan, path: str) -> None:
    """Write beside the target and rename: a cut-off write leaves the old file whole."""
    target = Path(path)
    draft = target.with_name(target.name + ".part")
    try:
        draft.write_text(plan.to_json(), "utf-8")
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from error
