"""`planner explain TOPIC`: what a diagnostic code means, or what a field of the scenario takes."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import asdict

import click

from planner.cli.terminal import terminal_width
from planner.diagnostics import CODES
from planner.diagnostics.similar import similar
from planner.scenario.describe import FieldDoc, all_docs, describe_path, keys_of
from planner.scenario.schema_base import KINDS


def _topics() -> list[str]:
    return [*CODES, *dict.fromkeys(doc.path for doc in all_docs())]


def complete_topic(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Codes and fields that start with what was typed."""
    return [t for t in _topics() if t.lower().startswith(incomplete.lower())]


@click.command()
@click.argument("topic", required=False, shell_complete=complete_topic)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="Output format.",
)  # fmt: skip
def explain(topic: str | None, form: str) -> None:
    """Explain a diagnostic code (P301) or a scenario field (workloads.demand); without TOPIC, list both."""
    if topic is None:
        click.echo(_overview(form), nl=False)
        return
    code = topic.upper()
    if code in CODES:
        click.echo(_code_text(code, form), nl=False)
        return
    steps = field_steps(topic)
    docs = describe_path(steps)
    if not docs:
        near = similar(".".join(steps), _topics(), 3, 0.5)
        hint = f"; similar: {', '.join(near)}" if near else "; `planner explain` lists all"
        raise click.UsageError(f"nothing is called `{topic}`{hint}")
    if form == "json":
        click.echo(json.dumps([asdict(d) for d in docs], indent=2))
        return
    click.echo(_field_text(docs, steps), nl=False)


def field_steps(topic: str) -> list[str]:
    """Steps of a field path; indices, `scenario.` in front and other ways to write it are accepted.

    >>> field_steps("scenario.workloads[2].demand")
    ['workloads', 'demand']
    """
    steps = [s for s in re.sub(r"\[\w*\]", "", topic).split(".") if s and not s.isdigit()]
    return steps[1:] if len(steps) > 1 and steps[0] == "scenario" else steps


def _wrapped(text: str, indent: str = "") -> str:
    width = min(terminal_width(), 100)
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def _overview(form: str) -> str:
    if form == "json":
        topics = {
            "codes": {n: c.title for n, c in CODES.items()},
            "fields": [d.path for d in all_docs()],
        }
        return json.dumps(topics, indent=2) + "\n"
    lines = ["Codes", *(f"  {name}  {code.title}" for name, code in CODES.items()), "", "Fields"]
    lines += [_key_line(doc, _column(keys_of([]))) for doc in keys_of([])]
    lines += ["", "planner explain P301, planner explain workloads.demand"]
    return "\n".join(lines) + "\n"


def _code_text(name: str, form: str) -> str:
    code = CODES[name]
    if form == "json":
        return json.dumps({"code": name, **code._asdict()}, indent=2) + "\n"
    lines = [f"{name}: {code.title}", "", _wrapped(code.explanation)]
    if code.example:
        lines += ["", "Example", "", textwrap.indent(code.example.rstrip(), "    ")]
        lines += ["", "Instead", "", textwrap.indent(code.instead.rstrip(), "    ")]
    return "\n".join(lines) + "\n"


def _field_text(docs: list[FieldDoc], steps: list[str]) -> str:
    blocks = []
    for doc in docs:
        kinds = (
            ""
            if not doc.kinds or set(doc.kinds) == set(KINDS)
            else f"  (kind {', '.join(doc.kinds)})"
        )
        lines = [f"{doc.path}{kinds}", "", _wrapped(doc.description, "  "), ""]
        lines.append(f"  takes    {doc.type}")
        lines.append(
            f"  default  {'none: it is required' if doc.required else doc.default or 'nothing'}"
        )
        if doc.example:
            line = f"  example  {doc.example}"
            lines += (
                [line] if len(line) <= terminal_width() else ["  example", f"    {doc.example}"]
            )
        blocks.append("\n".join(lines))
    keys = keys_of(steps)
    if keys:
        column = _column(keys)
        blocks.append("\n".join(["Keys", *(_key_line(doc, column) for doc in keys)]))
    return "\n\n".join(blocks) + "\n"


def _column(docs: list[FieldDoc]) -> int:
    return max((len(doc.path.rpartition(".")[2]) for doc in docs), default=0)


def _key_line(doc: FieldDoc, column: int) -> str:
    name = doc.path.rpartition(".")[2]
    kinds = "" if not doc.kinds or set(doc.kinds) == set(KINDS) else f" ({', '.join(doc.kinds)})"
    text = f"{doc.description}{' Required.' if doc.required else ''}{kinds}"
    width = min(terminal_width(), 100) - column - 4
    first, *rest = textwrap.wrap(text, max(width, 30), break_on_hyphens=False) or [""]
    return "\n".join(
        [f"  {name:<{column}}  {first}", *(" " * (column + 4) + line for line in rest)]
    )
