"""Every command, option and field is documented, and the generated pages are current."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from docs.pages import ROOT
from planner.cli.main import COMMANDS, cli
from planner.scenario.describe import all_docs

REFERENCE = ROOT / "docs" / "cli-reference.md"


def commands() -> Iterator[tuple[str, click.Command]]:
    """All commands with their full names."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", below) for sub, below in command.commands.items())


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_command_and_option_says_what_it_does(name: str, command: click.Command) -> None:
    assert command.help
    page = REFERENCE.read_text("utf-8")
    assert f"## planner {name}\n" in page
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name}"
            assert parameter.opts[-1] in page


def test_every_field_has_a_description_a_type_and_a_place_in_the_reference() -> None:
    page = (ROOT / "docs" / "scenario-reference.md").read_text("utf-8")
    for doc in all_docs():
        assert doc.description, doc.path
        assert doc.type, doc.path
        assert doc.path.rpartition(".")[2] in page, doc.path


def test_the_cli_reference_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "docs/cli-reference.md"],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, "run: cog -r docs/cli-reference.md"
