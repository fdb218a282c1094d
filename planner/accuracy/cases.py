"""Read a memory case's configuration: model, GPU, numbers."""

from __future__ import annotations

import json
from functools import cache
from typing import Final

from planner.accuracy.read import Config, Skip
from planner.catalog import UnknownRecord
from planner.catalog import gpu as catalog_gpu
from planner.catalog import ids as catalog_ids
from planner.catalog import model as catalog_model
from planner.catalog.importers.hf_config import parse_config
from planner.catalog.records import Gpu, Model
from planner.diagnostics import DiagnosticError

_SAME: Final = 0.004
"""Two totals this close (relative) are one card's."""
_RECENT: Final = "a100-sxm4-80gb"
_OLD: Final = "rtx-2080-ti-22gb"
"""Stand-ins for a card that is not named: from Ampere on, and before."""


def text(config: Config, key: str) -> str | None:
    """A text field, None where it is not stated."""
    value = config.get(key)
    return None if value in (None, "") else str(value)


def number(config: Config, key: str) -> float | None:
    """A numeric field, None where it is not stated."""
    value = config.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def integer(config: Config, key: str) -> int | None:
    """A whole-number field, None where it is not stated."""
    value = number(config, key)
    return None if value is None else int(value)


def device_of(config: Config) -> float | None:
    """Total memory that driver or engine printed, GiB."""
    return number(config, "device_gib")


def model_of(config: Config) -> Model:
    """The model of a case: from `architecture` (HF config keys) where it is given, else the catalog."""
    name = text(config, "model")
    shape = config.get("architecture")
    if name is None and shape is None:
        raise Skip("model is not stated")
    try:
        return catalog_model(name or "")
    except UnknownRecord:
        if not isinstance(shape, dict):
            raise Skip(f"model {name} is not in the catalog and its shape is not stated") from None
    try:
        return parse_config(json.dumps(shape), file=f"architecture of {name}", model_id=name or "")
    except DiagnosticError as error:
        raise Skip(f"architecture of {name} can't be read: {error}") from error


@cache
def _same_total(device_gib: float, *, bf16: bool | None) -> str | None:
    """The catalog's card whose CUDA total is nearest to a printed total, if any is close.

    `bf16` narrows them to cards with or without bf16 arithmetic; None: either.
    """
    totals = {i: catalog_gpu(i).memory.cuda_total_mib / 1024 for i in catalog_ids("gpus")}
    close = [i for i, total in totals.items() if abs(total / device_gib - 1) <= _SAME]
    alike = [i for i in close if bf16 is None or catalog_gpu(i).has("bf16") == bf16]
    return min(alike, key=lambda i: (abs(totals[i] - device_gib), i), default=None)


def _has_bf16(config: Config, model: Model) -> bool | None:
    """Whether the card of a case has bf16, as its formats tell: fp16 weights of a bf16 model say no."""
    if text(config, "weights") != "fp16":
        return True
    return False if model.native_dtype == "bf16" else None


def known_gpu(config: Config, model: Model) -> tuple[Gpu, bool]:
    """The GPU of a case and whether its memory is known: named, or a printed total.

    >>> from planner.catalog import model
    >>> g, known = known_gpu({"device_gib": 31.74, "weights": "fp16"}, model("qwen2.5-7b"))
    >>> g.capability, known
    ((7, 0), True)
    """
    name, device = text(config, "gpu"), device_of(config)
    if name is None:
        bf16 = _has_bf16(config, model)
        found = _same_total(device, bf16=bf16) if device is not None else None
        gpu = catalog_gpu(found or (_OLD if bf16 is False else _RECENT))
    else:
        try:
            gpu = catalog_gpu(name)
        except UnknownRecord:
            if device is None:
                raise Skip(
                    f"GPU {name} is not in the catalog and its total is not stated"
                ) from None
            gpu = catalog_gpu(_OLD if _has_bf16(config, model) is False else _RECENT)
    if device is None:
        return gpu, name is not None
    mib = round(device * 1024)
    memory = gpu.memory.model_copy(update={"cuda_total_mib": mib, "cuda_total_low_mib": mib})
    return gpu.model_copy(update={"memory": memory}), True
