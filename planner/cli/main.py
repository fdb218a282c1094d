"""Entry point: a click group whose commands are imported only when they run."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import signal
import sys
from typing import Final

import click

from planner import __version__

COMMANDS: Final[dict[str, tuple[str, str, str]]] = {
    "solve": ("planner.cli.solve", "solve", "Find the cheapest plan for a scenario, or say why there is none."),
    "fit": ("planner.cli.fit", "fit", "Account for the memory and speed of one model on given GPUs."),
    "why": ("planner.cli.why", "why", "Show every layout considered for a workload, nearest misses first."),
    "check": ("planner.cli.check", "check", "Check scenario files and report all problems at once."),
    "verify": ("planner.cli.verify", "verify", "Re-check a saved plan against its scenario."),
    "catalog": ("planner.cli.catalog", "catalog", "Look up GPUs, models, nodes, engines and prices."),
    "accuracy": ("planner.cli.accuracy", "accuracy", "Score predictions against measurement files."),
    "explain": ("planner.cli.explain", "explain", "Explain a diagnostic code or a scenario field."),
    "schema": ("planner.cli.schema", "schema", "Print the JSON Schema of scenario files."),
    "init": ("planner.cli.init", "init", "Write a commented scenario to start from."),
    "completion": ("planner.cli.completion", "completion", "Print the completion script of a shell."),
}  # fmt: skip
"""Command -> (module, attribute, one-line help); the help stands here so that `--help` imports nothing."""


class LazyGroup(click.Group):
    """Lists commands from `COMMANDS` and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of a user's work, not the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where the typed one does not exist."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, 1)
            hint = f"; a command with a similar name exists: `{near[0]}`" if near else ""
            raise click.UsageError(f"no command is called `{name}`{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `planner solve scenarios/lab.yaml` or `planner fit llama-65b --on 4xv100-sxm2-32gb`.",
)
@click.version_option(__version__, prog_name="planner")
def cli() -> None:
    """Plan GPU capacity for LLM workloads: the cheapest proven mix that fits, or why there is none."""


def main() -> None:
    """Run the command line; a bug of ours ends in exit code 70 with a file to send."""
    # pydantic would look through every installed distribution for plugins of its own.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal's encoding lacks must not cost the answer.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli(prog_name="planner", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        # All is said: a Ctrl-C from here on has nothing to stop.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OSError as error:
        sys.exit(_output_failure(error))
    except Exception as error:
        if _interrupted(error):
            click.echo("interrupted", err=True)
            sys.exit(130)
        sys.exit(_crash(error))
    finally:
        # On its way out the interpreter would search all objects for garbage, several times over.
        gc.freeze()


def _interrupted(error: BaseException) -> bool:
    """Whether a Ctrl-C is behind an error: one that comes while a module loads surfaces as its ImportError."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, KeyboardInterrupt):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def _output_failure(error: OSError) -> int:
    """Exit code when the reader of our output has left (0, quietly) or the disk is full (1)."""
    if error.errno not in {errno.EPIPE, *_NO_ROOM}:
        return _crash(error)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return 0
    click.echo(f"Error: cannot write the output: {error.strerror}", err=True)
    return 1


def _crash(error: Exception) -> int:
    from planner.cli.crash import report_crash

    return report_crash(error)


if __name__ == "__main__":
    main()
