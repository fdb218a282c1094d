"""`planner schema`: the JSON Schema of scenario files."""

from __future__ import annotations

import json

import click

from planner.scenario.json_schema import scenario_schema


def schema_text() -> str:
    """The schema as it is published."""
    return json.dumps(scenario_schema(), indent=1, ensure_ascii=False) + "\n"


@click.command()
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False), metavar="FILE",
    help="Write to FILE instead of standard output.",
)  # fmt: skip
def schema(out: str | None) -> None:
    """Print the JSON Schema (draft-07) of scenario files.

    Editors with YAML support complete and validate with it: put
    `# yaml-language-server: $schema=./scenario.schema.json` on the first line of a scenario.
    """
    if out is None:
        click.echo(schema_text(), nl=False)
        return
    try:
        with open(out, "w", encoding="utf-8") as file:
            file.write(schema_text())
    except OSError as error:
        raise click.FileError(out, error.strerror or "") from None
