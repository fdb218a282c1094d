"""`planner catalog`: look up, compare, import and check GPUs, models, node types, engines and prices."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import click

from planner.cli.catalog_filters import APPLY, Filters, Range, refuse_idle, to_range
from planner.cli.completion import complete_gpus, complete_record
from planner.cli.terminal import terminal_width, use_color
from planner.diagnostics import Diagnostic, DiagnosticError, Severity, render_text, summary

IMPORT_HELP: Final = """Import FILE: a model's config.json, a checkpoint, a price list, or the output of nvidia-smi.

\b
  config.json             a record for your catalog's models/
  *.safetensors, *.gguf   exact sizes by type
  SkyPilot, gpuhunt CSV   offers for your catalog's offers/rent/
  nvidia-smi              an inventory pool for a scenario
"""
P = ParamSpec("P")
R = TypeVar("R")


class _InOrder(click.Group):
    """Commands in the order they stand in this file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of definition."""
        return list(self.commands)


@click.group(cls=_InOrder)
def catalog() -> None:
    """Look up GPUs, models, nodes, engines and prices, each with its source."""


def shared(function: Callable[P, R]) -> Callable[P, R]:
    """The options every command of the group takes."""
    form = click.option(
        "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="Output format.",
    )  # fmt: skip
    folders = click.option(
        "--catalog", "folders", multiple=True, metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Folder with records of your own (gpus/, models/, ...) that go before the shipped ones; repeatable.",
    )  # fmt: skip
    return form(folders(function))


@contextmanager
def using(folders: tuple[Path, ...]) -> Iterator[None]:
    """Put user catalogs in front for one command, say what they change, and turn errors into exit code 1."""
    from planner.catalog.lookup import only_shipped, use_catalog

    with only_shipped():
        try:
            for folder in folders:
                for override in use_catalog(folder):
                    verb = "replaces the shipped record" if override.replaces else "is added"
                    click.echo(
                        f"note: {override.kind} `{override.id}` {verb}: {override.origin}", err=True
                    )
            yield
        except DiagnosticError as error:
            _print(error.diagnostics, error.sources)
            raise click.exceptions.Exit(1) from None


def _print(diagnostics: list[Diagnostic], sources: dict[str, str] | None = None) -> None:
    colored = use_color(sys.stderr)
    text = render_text(diagnostics, sources or {}, width=terminal_width(), color=colored)
    click.echo(text, err=True, nl=False, color=colored)


def _emit(form: str, text: str, data: object) -> None:
    if form == "json":
        click.echo(json.dumps(data, indent=2))
    else:
        click.echo(text, nl=False)


def _remark(*lines: str) -> None:
    for line in lines:
        if line:
            click.echo(textwrap.fill(line, terminal_width(), subsequent_indent="  "), err=True)


@catalog.command("list")
@click.argument("kind", type=click.Choice(list(APPLY)))
@click.option(
    "--memory", callback=to_range, metavar="RANGE", help="Memory of one GPU in GB, such as 24..48."
)
@click.option(
    "--params", callback=to_range, metavar="RANGE", help="Parameters of a model, such as 10B..100B."
)
@click.option(
    "--vendor", type=click.Choice(["nvidia", "amd", "intel", "google", "huawei"]),
    help="Maker of the GPU.",
)  # fmt: skip
@click.option(
    "--architecture",
    default="",
    help="Of GPUs: hopper, ...; of models: moe, dense, gqa, mla, vision, ...",
)
@click.option("--nvlink", is_flag=True, help="Only GPUs and nodes with NVLink.")
@click.option("--provider", default="", help="Provider of nodes or offers, such as aws.")
@click.option("--gpu", default="", help="GPU of nodes or offers, such as h100-sxm5-80gb.")
@shared
def list_(
    kind: str, memory: Range | None, params: Range | None, vendor: str | None, architecture: str,
    nvlink: bool, provider: str, gpu: str, form: str, folders: tuple[Path, ...],
) -> None:  # fmt: skip
    """List records: gpus, models, nodes, offers or engines."""
    from planner.cli.catalog_find import lookup_errors
    from planner.cli.catalog_list import LISTS

    filters = Filters(memory, params, vendor or "", architecture, nvlink, provider, gpu)
    refuse_idle(kind, filters)
    with using(folders), lookup_errors():
        found = LISTS[kind](filters, terminal_width())
    if found.rows or form == "json":
        _emit(form, found.text, found.rows)
        count = len(found.rows)
        noun = kind[:-1] if count == 1 else kind
        _remark(
            f"{count} {noun}; {found.remark}" if found.remark else f"{count} {noun}", found.warning
        )
    else:
        asked = " ".join(filters.asked())
        _remark(f"no {kind} match{' ' + asked if asked else ''}")


@catalog.command()
@click.argument("name", shell_complete=complete_record)
@click.option(
    "--kind",
    type=click.Choice(["gpu", "model", "node", "engine", "framework"]),
    help="Look for this kind only.",
)
@shared
def show(name: str, kind: str | None, form: str, folders: tuple[Path, ...]) -> None:
    """Show the GPU, model, node type or engine NAME in full."""
    from planner.cli.catalog_find import find, lookup_errors, page_and_data

    with using(folders), lookup_errors():
        found = find(name, kind)
        page, data = page_and_data(found, terminal_width())
    _emit(form, page.render(), data)
    _remark(found.remark, *page.warnings)


@catalog.command()
@click.argument("text")
@shared
def search(text: str, form: str, folders: tuple[Path, ...]) -> None:
    """Find records by words of their name or notes."""
    from planner.cli.catalog_find import search_records
    from planner.cli.catalog_table import Column, table

    with using(folders):
        hits = search_records(text)
    if not hits and form == "text":
        _remark(f"nothing is called `{text}`")
        raise click.exceptions.Exit(1)
    columns = (Column("KIND"), Column("NAME", least=20), Column("WHAT", least=20))
    rows = [[hit.kind, hit.id, hit.what] for hit in hits]
    data = [{"kind": hit.kind, "id": hit.id, "what": hit.what} for hit in hits]
    _emit(form, table(columns, rows, terminal_width()), data)
    _remark(f"{len(hits)} found; planner catalog show NAME")


@catalog.command()
@click.argument("gpus", nargs=-1, required=True, metavar="GPU...", shell_complete=complete_gpus)
@shared
def compare(gpus: tuple[str, ...], form: str, folders: tuple[Path, ...]) -> None:
    """Compare GPUs side by side, per watt and per dollar."""
    from planner.cli.catalog_compare import compare_gpus
    from planner.cli.catalog_find import find, lookup_errors

    with using(folders), lookup_errors():
        found = [find(name, "gpu") for name in dict.fromkeys(gpus)]
        text, data, notes = compare_gpus([f.as_gpu() for f in found], terminal_width())
    _emit(form, text, data)
    _remark(*(f.remark for f in found), *notes)


@catalog.command(
    "import",
    help=IMPORT_HELP,
    short_help="Import a config.json, checkpoint, price list or nvidia-smi.",
)
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--as", "kind",
    type=click.Choice(["hf-config", "safetensors", "gguf", "skypilot", "gpuhunt", "nvidia-smi"]),
    help="What the file is; found out from its content by default.",
)  # fmt: skip
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write here instead of stdout.",
)
@click.option("--provider", default="", help="Whose prices a price list holds, such as aws.")
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of a price list; default: the file's own date.",
)
@click.option("--id", "name", default="", help="Id of an imported model.")
@click.option(
    "--topo",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Output of nvidia-smi topo -m.",
)
@shared
def import_(
    file: Path, kind: str | None, output: Path | None, provider: str, day: object, name: str,
    topo: Path | None, form: str, folders: tuple[Path, ...],
) -> None:  # fmt: skip
    """Import a file: see `IMPORT_HELP`."""
    from planner.cli.catalog_import import Request, detect, run

    when = day.strftime("%Y-%m-%d") if hasattr(day, "strftime") else ""
    with using(folders):
        result = run(kind or detect(file), Request(file, provider, when, name, topo))
        _print(result.problems)
    text = json.dumps(result.data, indent=2) + "\n" if form == "json" else result.text
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, "utf-8")
    where = f" -> {output}" if output is not None else ""
    _remark(f"{result.kind}: {result.remark}{where}")


@catalog.command()
@shared
def validate(form: str, folders: tuple[Path, ...]) -> None:
    """Check every record and recount every model."""
    from planner.catalog.lookup import ids
    from planner.catalog.validate import validate_catalog
    from planner.diagnostics.jsonform import to_json

    with using(folders):
        found = validate_catalog()
        counts = ", ".join(
            f"{len(ids(kind))} {kind}" for kind in ("gpus", "models", "nodes", "engines")
        )
    bad = any(d.severity is Severity.ERROR for d in found)
    if form == "json":
        click.echo(json.dumps(to_json(found), indent=2))
    elif found:
        _print(found)
        _remark(summary(found, "the catalog"))
    else:
        click.echo(f"no problems in {counts}")
    if bad:
        raise click.exceptions.Exit(1)
