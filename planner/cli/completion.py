"""Shell completion: the script for a shell, and the names of models, GPUs and nodes to complete."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, get_args

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

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


def complete_gpus_or_node(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What `--on` takes: GPUs, with or without a count, and node types."""
    found = complete_gpus(ctx, param, incomplete)
    return found if re.match(r"\d+x", incomplete) else [*found, *_names("nodes", incomplete)]


def complete_record(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Everything of the catalog that `planner catalog show` knows by name."""
    folders = ("gpus", "models", "nodes", "engines")
    return [name for folder in folders for name in _names(folder, incomplete)]


def complete_file(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Files, which the shell lists itself."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def complete_format(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Weight formats."""
    from planner.scenario.schema_base import Format

    return _starting(get_args(Format), incomplete)


def complete_engine(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Serving engines."""
    from planner.catalog.engines import serving_engine_ids

    return _starting(serving_engine_ids(), incomplete)


def complete_framework(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Training frameworks."""
    from planner.catalog.frameworks import framework_ids

    return _starting(framework_ids(), incomplete)


def complete_optimizer(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Optimizers."""
    from planner.memory.optimizer_states import OPTIMIZERS

    return _starting(OPTIMIZERS, incomplete)


def complete_workload(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Workloads of the scenario named before; none where it cannot be read."""
    from planner.diagnostics import DiagnosticError
    from planner.scenario import load

    try:
        found = load(str(ctx.params.get("file")))
    except DiagnosticError:
        return []
    return _starting([w.name for w in found.workloads], incomplete)


def _names(folder: str, start: str) -> list[str]:
    from planner.catalog.lookup import ids

    return _starting(ids(folder), start)


def _starting(names: Iterable[str], start: str) -> list[str]:
    return [name for name in names if name.startswith(start.lower())]


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL.

    bash: `eval "$(planner completion bash)"` in ~/.bashrc; zsh: the same in ~/.zshrc; fish:
    `planner completion fish > ~/.config/fish/completions/planner.fish`.
    """
    from click.shell_completion import get_completion_class

    cls = get_completion_class(shell)
    assert cls is not None
    root = ctx.find_root()
    click.echo(cls(root.command, {}, "planner", VARIABLE).source())
