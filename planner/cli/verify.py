"""`planner verify PLAN.json`: re-check a saved plan against its scenario."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from planner.cli.completion import complete_file
from planner.cli.exits import EXIT_UNMET
from planner.cli.plan_file import read_plan
from planner.cli.problems import load_scenario
from planner.cli.shipped import scenario_path
from planner.plan.schema import Plan
from planner.scenario import Scenario
from planner.verify.plan import Finding, verify_findings


@click.command()
@click.argument("plan_file", metavar="PLAN.json", shell_complete=complete_file)
@click.option(
    "--scenario", "scenario_file", metavar="FILE",
    help="The scenario; by default NAME.yaml beside the plan, here, or in scenarios/, NAME being the plan's.",
)  # fmt: skip
@click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE",
    help="The changes of the scenario that the plan was made with; repeatable.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="Output format.",
)  # fmt: skip
def verify(
    plan_file: str, scenario_file: str | None, overrides: tuple[str, ...], form: str
) -> None:
    """Derive memory, speed, placement and money of a saved plan anew, without the optimizer, and compare.

    Exit code 0: verified; 1: a file that can't be read; 5: the plan does not agree with the scenario.
    """
    plan = read_plan(plan_file)
    file = scenario_path(scenario_file) if scenario_file else _scenario_of(plan, plan_file)
    scenario = load_scenario(file, overrides, quiet=True)
    _note_changes(plan, scenario, file)
    findings = verify_findings(scenario, plan)
    wrong = sum(len(f.problems) for f in findings)
    if form == "json":
        click.echo(json.dumps(_as_json(plan_file, file, findings), indent=2))
    else:
        _print(findings)
        click.echo(_verdict(plan_file, file, wrong))
    if wrong:
        raise click.exceptions.Exit(EXIT_UNMET)


def _scenario_of(plan: Plan, plan_file: str) -> str:
    """The scenario file that the plan's name leads to."""
    name = f"{plan.scenario}.yaml"
    plain = plan.scenario and "/" not in plan.scenario and "\\" not in plan.scenario
    beside = Path(plan_file).parent / name
    if plain:
        for path in (beside, Path(name)):
            if path.is_file():
                return str(path)
        found = scenario_path(f"scenarios/{name}")
        if Path(found).is_file():
            return found
    raise click.UsageError(
        f"no file of the scenario `{plan.scenario}` beside the plan or here; pass --scenario FILE"
    )


def _note_changes(plan: Plan, scenario: Scenario, file: str) -> None:
    digest = plan.versions.get("scenario")
    if digest is not None and digest != scenario.digest:
        text = f"note: {file} is not the text this plan was made from ({scenario.digest}, {digest})"
        click.echo(text, err=True)


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        if not finding.problems:
            click.echo(f"{finding.check}: {finding.looked}")
            continue
        count = len(finding.problems)
        click.echo(f"{finding.check}: {count} problem{'s' if count != 1 else ''}")
        for problem in finding.problems:
            subject = f"{problem.subject}: " if problem.subject else ""
            click.echo(f"  {subject}{problem.message}")


def _verdict(plan_file: str, scenario_file: str, wrong: int) -> str:
    if not wrong:
        return f"verified: {plan_file} holds for {scenario_file}"
    problems = f"{wrong} problem{'s' if wrong != 1 else ''}"
    return f"not verified: {plan_file} does not hold for {scenario_file}, {problems}"


def _as_json(plan_file: str, scenario_file: str, findings: Sequence[Finding]) -> dict[str, object]:
    return {
        "schema": "planner/verify/1",
        "plan": plan_file,
        "scenario": scenario_file,
        "verified": not any(f.problems for f in findings),
        "checks": [
            {
                "check": f.check,
                "looked": f.looked,
                "problems": [{"subject": p.subject, "message": p.message} for p in f.problems],
            }
            for f in findings
        ],
    }
