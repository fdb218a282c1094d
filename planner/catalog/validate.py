"""Check a whole catalog: schema of each record, names across records, and the parameter count of each model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeVar

import yaml
from pydantic import ValidationError

from planner.catalog.located import at, duplicate_keys, locate
from planner.catalog.lookup import KINDS, search_folders
from planner.catalog.names import nearest, words
from planner.catalog.offers import provider_offers, providers, purchase_offers
from planner.catalog.parameters import total_params
from planner.catalog.records import Gpu, Model, NodeType, Sourced
from planner.catalog.yaml_loader import Loader
from planner.diagnostics import Diagnostic, DiagnosticError, Severity, Span

R = TypeVar("R", bound=Sourced)
COUNT_TOLERANCE: Final = 1e-3
"""How far a recount may be from the published count: checkpoints store a few buffers beside the weights."""


def validate_catalog() -> list[Diagnostic]:
    """All problems of the catalogs in use, sorted by file and line; empty when there are none.

    >>> validate_catalog()
    []
    """
    found: list[Diagnostic] = []
    gpus = _read_all("gpus", Gpu, found)
    models = _read_all("models", Model, found)
    nodes = _read_all("nodes", NodeType, found)
    for path, model in models.values():
        found += _check_model(path, model)
    for path, gpu in gpus.values():
        found += _check_gpu(path, gpu)
    for path, node in nodes.values():
        found += _check_node(path, node, {id_: record for id_, (_, record) in gpus.items()})
    for folder, records in (("gpus", gpus), ("models", models), ("nodes", nodes)):
        found += _check_names(folder, records)
    found += _check_offers(set(gpus))
    return sorted(found, key=lambda d: d.span or Span("", 0, 0, 0))


def _read_all(folder: str, cls: type[R], found: list[Diagnostic]) -> dict[str, tuple[Path, R]]:
    """The valid records of a folder by id, a user's before a shipped one; problems go to `found`."""
    records: dict[str, tuple[Path, R]] = {}
    for root in search_folders():
        for path in sorted((root / folder).glob("*.yaml")):
            if path.stem in records:
                continue
            record = _read(path, cls, found)
            if record is not None:
                records[path.stem] = (path, record)
                if record.id != path.stem:
                    found.append(
                        _error("P210", path, "id", f"the id is not the file's name {path.stem}")
                    )
    return records


def _read(path: Path, cls: type[R], found: list[Diagnostic]) -> R | None:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found.append(Diagnostic("P001", Severity.ERROR, str(error), Span(str(path), 1, 1, 2)))
        return None
    try:
        record = cls.model_validate(yaml.load(text, Loader))
    except (yaml.YAMLError, ValidationError) as error:
        found += locate(str(path), text, error)
        return None
    found += duplicate_keys(str(path), text)
    return record


def _error(code: str, path: Path, field: str, message: str, *help_lines: str) -> Diagnostic:
    """An error at a field of a record; `field` may name one inside another with dots."""
    return Diagnostic(code, Severity.ERROR, message, at(path, field), help=help_lines)


def _check_model(path: Path, model: Model) -> Iterator[Diagnostic]:
    counted, published = total_params(model), model.published_params
    if published is not None and abs(counted / published - 1) > COUNT_TOLERANCE:
        yield _error(
            "P210", path, "published_params",
            f"{model.id} counts {counted:,} parameters, published are {published:,} ({counted / published - 1:+.2%})",
        )  # fmt: skip
    if model.layer_pattern and len(model.layer_pattern) != model.num_layers:
        yield _error(
            "P210", path, "layer_pattern",
            f"the pattern has {len(model.layer_pattern)} letters for {model.num_layers} layers",
        )  # fmt: skip
    if set(model.layer_pattern) - set("FSCL"):
        yield _error("P102", path, "layer_pattern", "the pattern has letters other than F, S, C, L")
    if ("L" in model.layer_pattern) != (model.linear_attention is not None):
        yield _error("P210", path, "layer_pattern", "L layers and linear_attention go together")
    if set(model.layer_pattern) & set("SC") and model.sliding_window is None:
        yield _error("P210", path, "layer_pattern", "sliding layers need a sliding_window")
    if model.num_attention_heads % model.num_key_value_heads:
        yield _error(
            "P210", path, "num_key_value_heads",
            f"{model.num_attention_heads} heads are no multiple of {model.num_key_value_heads} key-value heads",
        )  # fmt: skip
    outside = [layer for layer in model.cross_attention_layers if layer >= model.num_layers]
    if outside:
        yield _error("P210", path, "cross_attention_layers", f"there is no layer {outside[0]}")


def _check_gpu(path: Path, gpu: Gpu) -> Iterator[Diagnostic]:
    memory = gpu.memory
    if memory.driver_total_mib is not None and memory.cuda_total_mib > memory.driver_total_mib:
        yield _error("P210", path, "memory.cuda_total_mib", "the CUDA total is above the driver's")
    if memory.cuda_total_low_mib > memory.cuda_total_mib:
        yield _error(
            "P210", path, "memory.cuda_total_low_mib", "the low total is above the best one"
        )
    if memory.cuda_total_mib > memory.marketed_gb * 1024:
        yield _error("P210", path, "memory.cuda_total_mib", "the CUDA total is above the size sold")
    if (gpu.nvlink.total_gb_s > 0) != (gpu.nvlink.topology != "none"):
        yield _error("P210", path, "nvlink", "NVLink needs both a bandwidth and a topology")
    if gpu.nvlink.total_gb_s > 0 and gpu.fabric is not None:
        yield _error("P210", path, "fabric", "a GPU has NVLink or another fabric, not both")
    native = {"bf16": (8, 0), "fp8": (8, 9), "fp4": (10, 0)}
    if gpu.vendor == "nvidia":
        for dtype, least in native.items():
            if gpu.has(dtype) != (gpu.capability >= least):
                yield _error(
                    "P210", path, "dtypes",
                    f"{dtype} needs compute capability {least[0]}.{least[1]}, this is {gpu.compute_capability}",
                )  # fmt: skip


def _check_node(path: Path, node: NodeType, gpus: Mapping[str, Gpu]) -> Iterator[Diagnostic]:
    gpu = gpus.get(node.gpu)
    if gpu is None:
        near = nearest(node.gpu, gpus)
        yield _error(
            "P202",
            path,
            "gpu",
            f"no GPU is called {node.gpu}",
            *(f"did you mean {n}?" for n in near[:1]),
        )
        return
    link = node.link
    # A superchip's NVLink is wired to other GPUs in some systems only, so its own record has none.
    limit = max(gpu.nvlink.total_gb_s, gpu.c2c_gb_s or 0.0)
    if link.nvlink_gb_s > limit:
        yield _error(
            "P210", path, "link.nvlink_gb_s",
            f"{link.nvlink_gb_s:g} GB/s of NVLink is more than a {node.gpu} has ({limit:g})",
        )  # fmt: skip
    if (link.nvlink_gb_s > 0) != (link.topology != "none"):
        yield _error("P210", path, "link", "NVLink needs both a bandwidth and a topology")
    if link.fabric is not None and gpu.fabric is None:
        yield _error("P210", path, "link.fabric", f"a {node.gpu} has no fabric beside PCIe")


def _check_names(folder: str, records: Mapping[str, tuple[Path, Sourced]]) -> Iterator[Diagnostic]:
    """Two records must not answer to the same name, whatever its spelling."""
    seen: dict[frozenset[str], str] = {}
    for id_ in records:
        seen.setdefault(words(id_), id_)
    for id_, (path, record) in records.items():
        if seen[words(id_)] != id_:
            yield _error("P205", path, "id", f"{id_} reads like {seen[words(id_)]}")
        hf_id = record.hf_id if isinstance(record, Model) else ""
        for alias in filter(None, (*record.aliases, hf_id)):
            holder = seen.setdefault(words(alias), id_)
            if holder != id_:
                kind = KINDS[folder]
                field = "hf_id" if alias == hf_id else "aliases"
                yield _error("P205", path, field, f"{alias} already names the {kind} {holder}")


def _check_offers(gpus: set[str]) -> Iterator[Diagnostic]:
    for provider in providers():
        try:
            rows = provider_offers(provider)
        except DiagnosticError as error:
            yield from error.diagnostics
            continue
        for row in rows:
            if row.gpu not in gpus:
                yield _unknown_gpu(row.gpu, row.file, row.line)
    try:
        for offer in purchase_offers():
            if offer.gpu not in gpus:
                yield _unknown_gpu(offer.gpu, offer.file, offer.line)
    except DiagnosticError as error:
        yield from error.diagnostics


def _unknown_gpu(gpu: str, file: str, line: int) -> Diagnostic:
    span = Span(file, line, 1, 2)
    return Diagnostic("P202", Severity.ERROR, f"no GPU is called {gpu}", span)
