"""`planner init [FILE]`: a commented scenario to start from."""

from __future__ import annotations

import io
from pathlib import Path

import click

from planner.cli.completion import complete_gpus, complete_model
from planner.cli.problems import ScenarioProblems, print_diagnostics
from planner.cli.schema import schema_text
from planner.diagnostics import DiagnosticError
from planner.scenario import load

SCHEMA_FILE = "scenario.schema.json"

TEMPLATE = """\
{modeline}# What do you have or may rent, and what must run? `planner check {file}` finds mistakes,
# `planner explain workloads.demand` documents any field, `planner solve {file}` answers.
scenario: {name}
currency: USD
energy: {{price: 0.12 USD/kWh, pue: 1.3}}     # what power costs; remove it to leave energy out

# limits: {{opex: 20000 USD/month, power: 40 kW}}

{inventory}  # - pool: cloud
  #   node: aws-p4de.24xlarge
  #   rent: {{price: 27.44 USD/node-hour, max_nodes: 4, as_of: 2026-07-20}}

workloads:
  - name: chat
    kind: inference
    model: {model}
    precision: [16bit, fp8]                 # in order of preference; nothing else is used
    context: 8192                           # longest prompt and output together that must fit
    demand: {{requests: 2 /s, prompt: 1000, output: 250}}
    slo: {{ttft: 2 s, tpot: 60 ms, percentile: 95}}
  # - name: tune
  #   kind: qlora
  #   model: {model}
  #   dataset: {{samples: 20000, mean_tokens: 600, epochs: 2}}
  #   deadline: 3 d
  # - name: sft
  #   kind: full
  #   model: {model}
  #   zero: [1, 2, 3]
  #   offload: {{optimizer: [none, cpu]}}
  #   sequence: 4096
  #   global_batch: 64 sequences
  #   tokens: 2e8
  #   deadline: 7 d
"""

INVENTORY = """\
inventory:                                  # `planner catalog list gpus` and `... list nodes` show names
  - pool: ours
    gpu: {gpu}
    node:                                   # or the name of a node type: node: onprem-dgx-h100
      gpus: {gpus}
      host_ram: 512 GiB
      nvme: 4 TB
      network: 100 Gbit/s
{link}    owned: {{nodes: 1}}
"""


@click.command()
@click.argument("file", default="scenario.yaml", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--name", help="Name of the scenario; default: the file's.")
@click.option(
    "--gpu", default="l40s", show_default=True, shell_complete=complete_gpus, help="GPU you have."
)
@click.option(
    "--gpus", default=4, show_default=True, type=click.IntRange(1, 10000), help="GPUs in a node."
)
@click.option(
    "--model", default="llama-3.1-8b", show_default=True, shell_complete=complete_model,
    help="Model to serve.",
)  # fmt: skip
@click.option(
    "--from-nvidia-smi", "smi", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE",
    help="Describe the machine that FILE lists; it holds the output of "
    "`nvidia-smi --query-gpu=index,name,memory.total,pcie.link.gen.max,pcie.link.width.current --format=csv`, "
    "and below it that of `nvidia-smi topo -m` if you like.",
)  # fmt: skip
@click.option("-i", "--interactive", is_flag=True, help="Ask for GPU, count and model.")
@click.option(
    "--no-schema", is_flag=True, help=f"Do not write {SCHEMA_FILE} beside it for editors."
)
def init(
    file: str,
    name: str | None,
    gpu: str,
    gpus: int,
    model: str,
    smi: str | None,
    interactive: bool,
    no_schema: bool,
) -> None:
    """Write a commented scenario to FILE (- for standard output); an existing file is never overwritten."""
    path = Path(file)
    if file != "-" and path.exists():
        raise click.UsageError(f"`{file}` exists already; choose another name")
    if interactive:
        gpu = click.prompt("GPU", default=gpu, err=True)
        gpus = click.prompt("GPUs in a node", default=gpus, type=click.IntRange(1), err=True)
        model = click.prompt("Model", default=model, err=True)
    modeline = not no_schema and file != "-"
    inventory = _seen_inventory(smi) if smi else _plain_inventory(gpu, gpus)
    title = name or (path.stem if file != "-" else "mine")
    text = scenario_text(file, title, inventory, model, modeline=modeline)
    _refuse_if_invalid(text, file)
    if file == "-":
        click.echo(text, nl=False)
        return
    _write(path, text)
    if modeline and not (path.parent / SCHEMA_FILE).exists():
        _write(path.parent / SCHEMA_FILE, schema_text())
    click.echo(f"wrote {file}; next: planner solve {file}", err=True)


def scenario_text(
    file: str, name: str, inventory: str, model: str, *, modeline: bool = False
) -> str:
    """The commented scenario."""
    first = f"# yaml-language-server: $schema=./{SCHEMA_FILE}\n" if modeline else ""
    return TEMPLATE.format(modeline=first, file=file, name=name, model=model, inventory=inventory)


def _plain_inventory(gpu: str, gpus: int) -> str:
    return INVENTORY.format(gpu=gpu, gpus=gpus, link=_link_lines(gpu))


def _seen_inventory(path: str) -> str:
    """The machine that nvidia-smi saw; what it left out is said on stderr."""
    from planner.catalog.importers.nvidia_smi import inventory_yaml, read_nvidia_smi

    name = "<stdin>" if path == "-" else path
    try:
        with click.open_file(path, encoding="utf-8") as stream:
            text = stream.read()
        machine = read_nvidia_smi(text, file=name)
    except UnicodeDecodeError:
        raise click.FileError(name, "it is not UTF-8 text") from None
    except DiagnosticError as error:
        raise ScenarioProblems(error, name) from None
    left_out = machine.log.diagnostics()
    if left_out:
        print_diagnostics(left_out, {name: text})
    return inventory_yaml(machine, [name])


def _link_lines(gpu: str) -> str:
    """What the catalog takes the link to be, to confirm or change."""
    from planner.catalog import UnknownRecord
    from planner.catalog import gpu as gpu_record

    try:
        record = gpu_record(gpu)
    except UnknownRecord:
        return ""
    link, speed = record.nvlink, f"{record.nvlink.total_gb_s:g} GB/s"
    if link.topology in ("nvswitch", "mesh"):
        return f"      nvlink: {speed:<33}# of one GPU, both directions summed\n"
    if link.topology == "bridge-pairs":
        return f"      topology: none                        # or bridge-pairs: nvlink: {speed}\n"
    return ""


def _refuse_if_invalid(text: str, file: str) -> None:
    """What the options brought in must be valid: an unknown GPU or model is told now."""
    try:
        load("-", stdin=io.StringIO(text))
    except DiagnosticError as error:
        raise ScenarioProblems(error, f"the scenario for {file}") from None


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise click.FileError(str(path), error.strerror or "") from None
