"""`planner catalog import`: find out what a file is, read it, and write a record, offers or a pool."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import click

from planner.catalog.importers.problems import problem, read_head, read_text
from planner.diagnostics import Diagnostic, DiagnosticError

KINDS: Final = ("hf-config", "safetensors", "gguf", "skypilot", "gpuhunt", "nvidia-smi")
"""What can be imported."""


_LAST: Final = ("sources", "notes")
"""Fields that stand at the foot of a record."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The result as text, as an object for programs, and what was left out."""

    kind: str
    text: str
    data: dict[str, object]
    remark: str
    problems: list[Diagnostic] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Request:
    """What to import and what the file itself does not say."""

    path: Path
    provider: str = ""
    day: str = ""
    name: str = ""
    topology: Path | None = None


def detect(path: Path) -> str:
    """The kind of a file by its content, or error P005 that says how to name it."""
    if path.is_dir():
        if (path / "config.json").is_file():
            return "hf-config"
        return "safetensors"
    head = read_head(path, 4096)
    if head.startswith(b"GGUF"):
        return "gguf"
    if path.suffix == ".safetensors":
        return "safetensors"
    text = head.decode("utf-8-sig", "replace")
    first = text.split("\n", 1)[0]
    if text.lstrip().startswith("{"):
        return "safetensors" if path.name.endswith(".index.json") else "hf-config"
    names = {name.strip().split(" [")[0] for name in first.split(",")}
    if {"InstanceType", "AcceleratorName"} <= names:
        return "skypilot"
    if {"instance_name", "gpu_name"} <= names:
        return "gpuhunt"
    if "memory.total" in names or "GPU0" in first:
        return "nvidia-smi"
    ways = (f"name it with --as: {', '.join(KINDS)}",)
    raise DiagnosticError([problem("P005", "no known kind of file", str(path), help=ways)])


def run(kind: str, request: Request) -> Imported:
    """Import a file as the given kind."""
    readers = {
        "hf-config": _config, "safetensors": _safetensors, "gguf": _gguf, "skypilot": _offers,
        "gpuhunt": _offers, "nvidia-smi": _machine,
    }  # fmt: skip
    return readers[kind](kind, request)


def _config(kind: str, request: Request) -> Imported:
    import yaml

    from planner.catalog.importers.hf_config import load_config
    from planner.catalog.parameters import total_params

    record = load_config(request.path, model_id=request.name)
    data = record.model_dump(mode="json", exclude_defaults=True)
    data = {
        **{k: v for k, v in data.items() if k not in _LAST},
        **{k: data[k] for k in _LAST if k in data},
    }
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
    remark = (
        f"model {record.id}: {total_params(record):,} parameters; save as models/{record.id}.yaml"
    )
    return Imported(kind, text, data, remark)


def _safetensors(kind: str, request: Request) -> Imported:
    from planner.catalog.importers.safetensors import read_safetensors

    found = read_safetensors(request.path)
    files = len({t.file for t in found.tensors})
    return _sizes(
        kind,
        found.bytes_by_dtype(),
        found.elements_by_dtype(),
        len(found.tensors),
        f"{files} files",
    )


def _gguf(kind: str, request: Request) -> Imported:
    from dataclasses import replace

    from planner.catalog.importers.gguf import read_gguf

    header = read_gguf(request.path)
    found = header.tensors
    layers = header.size("block_count")
    depth = f", {layers} layers" if layers else ""
    about = f"architecture {header.architecture or 'unknown'}{depth}, GGUF {header.version}"
    sizes = _sizes(
        kind, found.bytes_by_dtype(), found.elements_by_dtype(), len(found.tensors), about
    )
    shape = {k: v for k, v in header.metadata.items() if k.startswith(f"{header.architecture}.")}
    return replace(sizes, data={**sizes.data, "architecture": header.architecture, "shape": shape})


def _sizes(
    kind: str, n_bytes: dict[str, int], elements: dict[str, int], tensors: int, about: str
) -> Imported:
    from planner.cli.catalog_table import Column, table

    total, count = sum(n_bytes.values()), sum(elements.values())
    columns = (
        Column("TYPE"), Column("ELEMENTS", "right"), Column("BYTES", "right"), Column("GiB", "right"),
        Column("BITS EACH", "right"),
    )  # fmt: skip
    parts = [(name, elements[name], size) for name, size in n_bytes.items()]
    rows = [
        [name, f"{n:,}", f"{size:,}", f"{size / 2**30:,.2f}", f"{8 * size / max(n, 1):.2f}"]
        for name, n, size in [*parts, ("total", count, total)]
    ]
    data: dict[str, object] = {
        "total_bytes": total, "elements": count, "tensors": tensors, "bytes_by_type": n_bytes,
    }  # fmt: skip
    return Imported(kind, table(columns, rows, 100), data, f"{tensors:,} tensors, {about}")


def _offers(kind: str, request: Request) -> Imported:
    from planner.catalog.importers.gpuhunt import read_gpuhunt
    from planner.catalog.importers.offer_rows import Origin, offers_csv
    from planner.catalog.importers.skypilot import read_skypilot

    provider = request.provider or _provider(request.path)
    if not provider:
        raise click.UsageError(
            "the file does not say whose prices it holds: give --provider, such as aws"
        )
    file, text = str(request.path), read_text(request.path)
    if kind == "skypilot":
        sky = read_skypilot(text, provider=provider, file=file)
        offers, log = sky.offers, sky.log
    else:
        hunt = read_gpuhunt(text, provider=provider, file=file)
        offers, log = hunt.offers, hunt.log
    day = request.day or date.fromtimestamp(request.path.stat().st_mtime).isoformat()
    origin = Origin(provider, day, f"{kind} {request.path.name}")
    data = [
        {"provider": o.provider, "region": o.region, "instance": o.instance, "gpu": o.gpu, "gpus": o.gpus,
         "on_demand_usd_h": str(o.on_demand_usd_h) if o.on_demand_usd_h else None,
         "spot_usd_h": str(o.spot_usd_h) if o.spot_usd_h else None}
        for o in offers
    ]  # fmt: skip
    dated = "" if request.day else f", dated {day} as the file is (--date if the prices are older)"
    remark = (
        f"{len(offers)} offers of {provider} from {log.rows} rows, {len(log.skipped)} left out{dated}; "
        f"save as offers/rent/{provider}.csv"
    )
    listed: dict[str, object] = {"provider": provider, "date": day, "offers": data}
    return Imported(kind, offers_csv(offers, origin), listed, remark, log.diagnostics())


def _provider(path: Path) -> str:
    """The provider a file's or folder's name tells, as in `aws/vms.csv`, `aws.csv` or `skypilot_aws_vms.csv`."""
    import re

    from planner.catalog.offers import providers

    words = set(re.split(r"[^a-z0-9]+", f"{path.resolve().parent.name}_{path.stem}".lower()))
    found = [name for name in providers() if name in words]
    return found[0] if len(found) == 1 else ""


def _machine(kind: str, request: Request) -> Imported:
    from dataclasses import asdict

    from planner.catalog.importers.nvidia_smi import inventory_yaml, read_nvidia_smi

    topology = read_text(request.topology) if request.topology is not None else ""
    machine = read_nvidia_smi(
        read_text(request.path),
        file=str(request.path),
        topology=topology,
        topology_file=str(request.topology or ""),
    )
    sources = [p.name for p in (request.path, request.topology) if p is not None]
    pools = ", ".join(f"{p.gpus} x {p.gpu}" for p in machine.pools)
    data: dict[str, object] = {"pools": [asdict(pool) for pool in machine.pools]}
    remark = f"this machine: {pools}; paste the pool into a scenario"
    return Imported(kind, inventory_yaml(machine, sources), data, remark, machine.log.diagnostics())
