"""Shell completion: the script for a shell, and the names of models, GPUs and nodes to complete."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_PLANNER_COMPLETE"


def complete_model(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Models of the catalog that start with what was typed."""
    return _names("models", incomplete)


def complete_gpus(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """GPUs of the catalog, after a count and an `x` as in `4xv100-sxm2-32gb` if there is one."""
    count, times, name = incomplete.partition("x")
    if times and count.isdigit():
        return [f"{count}x{found}" for found in _names("gpus", name)]
    return _names("gpus", incomplete)


def complete_node(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Node types of the catalog that start with what was typed."""
    return _names("nodes", incomplete)


def _names(folder: str, start: str) -> list[str]:
    from planner.catalog.lookup import ids

    return [name for name in ids(folder) if name.startswith(start.lower())]


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL.

    bash: `eval "$(planner completion bash)"` in ~/.bashrc; zsh: the same in ~/.zshrc; fish:
    `planner completion fish > ~/.config/fish/completions/planner.fish`.
    """
    cls = get_completion_class(shell)
    assert cls is not None
    root = ctx.find_root()
    click.echo(cls(root.command, {}, "planner", VARIABLE).source())
