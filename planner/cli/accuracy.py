"""`planner accuracy FILE...`: score predictions against measurement files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from planner.cli.terminal import terminal_width
from planner.report.table import Column, render_table

if TYPE_CHECKING:
    from planner.accuracy.score import Entry

_QUANTITY: Final = ("QUANTITY", "CASES", "MEDIAN", "P90", "BIAS", "HIGH/BEST", "INSIDE")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "md"]),
    default="text",
    show_default=True,
    help="How to print the scores.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option(
    "--trust",
    type=click.Choice(["ok", "all"]),
    default="ok",
    show_default=True,
    help="Score cases that hold all a prediction needs, or all of them.",
)
@click.option(
    "--by", metavar="KEY", help="Split the scores by a key: engine, gpu, model, weights, ...",
)  # fmt: skip
def accuracy(files: tuple[Path, ...], form: str, as_json: bool, trust: str, by: str | None) -> None:
    """Predict each measured case of FILE... and print how far off the predictions are.

    Memory files are YAML lists, speed files CSV tables; the kind follows from their keys. A prediction sees only what
    was configured, never what was measured.
    """
    from planner.accuracy.read import BadMeasurements, read
    from planner.accuracy.score import score_file, summary

    entries: list[Entry] = []
    for path in files:
        try:
            entries += score_file(read(path))
        except BadMeasurements as error:
            raise click.ClickException(str(error)) from error
    if trust == "ok":
        entries = [e for e in entries if e.trusted]
    if form == "json" or as_json:
        result = {"cases": [e.as_json() for e in entries], "summary": summary(entries, by)}
        click.echo(json.dumps(result, indent=2, allow_nan=False))
        return
    if form == "md":
        from planner.accuracy.markdown import render

        click.echo(render(entries), nl=False)
        return
    click.echo("\n".join(_text(entries, by)))


def _text(entries: Sequence[Entry], by: str | None) -> list[str]:
    from planner.accuracy.score import group_key

    lines: list[str] = []
    for kind in sorted({e.kind for e in entries}):
        mine = [e for e in entries if e.kind == kind]
        lines += [*_block(kind, mine), ""]
        if by is not None:
            for group in sorted({group_key(e, by) for e in mine}):
                chosen = [e for e in mine if group_key(e, by) == group]
                lines += [*_block(f"{kind}, {by} = {group}", chosen, brief=True), ""]
    return lines[:-1] or ["no cases"]


def _block(title: str, entries: Sequence[Entry], *, brief: bool = False) -> list[str]:
    """Verdicts, errors by quantity, worst cases and skip reasons of some entries."""
    from planner.accuracy.score import coverage, summarize, verdicts

    known = list(entries)
    covered, cases, reasons = coverage(known)
    lines = [f"{title}: {cases} cases, {covered} predicted"]
    body = []
    worst: list[str] = []
    for quantity in sorted({e.quantity for e in known if e.quantity}):
        found = summarize([e for e in known if e.quantity == quantity])
        if found is None:
            continue
        body.append(
            [
                quantity, str(found.cases), f"{found.median:.2%}", f"{found.p90:.2%}",
                f"{found.bias:+.2%}", f"{found.sharpness:.3f}", f"{found.inside:.0%}",
            ]
        )  # fmt: skip
        worst += [f"  {e.error or 0:+8.1%}  {quantity:<14} {e.id}" for e in found.worst[:2]]
    lines += _table(body)
    table = verdicts(known)
    for measured in ("fits", "fails"):
        row = table.get(measured)
        if row:
            said = ", ".join(f"{row[p]} called `{p}`" for p in ("fits", "fails") if p in row)
            lines.append(f"  measured `{measured}`: {said}")
    if brief:
        return lines
    if worst:
        lines += ["  worst:", *worst]
    for reason, ids in sorted(reasons.items()):
        lines.append(f"  skipped ({len(ids)}): {reason}: {', '.join(ids)}")
    return lines


def _table(rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    drops = {"HIGH/BEST": 2, "INSIDE": 1}
    columns = [Column(n, ">" if i else "<", drop=drops.get(n, 0)) for i, n in enumerate(_QUANTITY)]
    return ["  " + line for line in render_table(columns, rows, width=terminal_width() - 2)]
