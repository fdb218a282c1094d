"""Traffic and host work of offloaded training: PCIe or C2C, CPU Adam, NVMe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from planner.catalog.speed_records import link_data
from planner.speed.link_rows import AnyLink, LinkRows, rows_of
from planner.speed.traffic import Shape
from planner.speed.work import Work

Floats = NDArray[np.float64]
Target = Literal["none", "cpu", "nvme"]

ADAM_BYTES: Final = 28.0
"""Bytes per parameter that an AdamW step moves: fp32 master and two moments both ways, gradient, 16-bit copy."""


@dataclass(frozen=True, slots=True)
class OffloadTargets:
    """Where optimizer states, parameters and activations live."""

    optimizer: Target = "none"
    parameters: Target = "none"
    activations: Target = "none"


def offload_seconds(
    work: Work,
    shape: Shape,
    link: AnyLink,
    targets: OffloadTargets,
    busy_s: Floats,
    tokens: Floats,
    passes: Floats,
    trainable: float,
) -> dict[str, Floats]:
    """Exposed seconds of a step: host link, CPU optimizer, NVMe.

    Optimizer on the host: 16-bit gradients down and parameters up, and one CPU Adam update per parameter; its GPUs
    share the cores of a node. On NVMe: 12 bytes per parameter read and written besides. Parameters: read
    once per pass. Activations: out and back once per micro-batch, hidden behind compute where they fit.
    """
    zero = np.zeros_like(busy_s)
    if targets == OffloadTargets():
        return {"host link": zero, "cpu optimizer": zero, "nvme": zero}
    rows = rows_of(link)
    rate = rows.host_gb_s * 1e9
    local = np.minimum(shape.gpus, rows.gpus_per_node)
    link_s, cpu, nvme = zero, zero, zero
    if targets.optimizer != "none":
        held = work.total * trainable / (shape.tp * shape.pp * shape.expert_spread(work))
        owned = held / np.where(shape.zero >= 1, shape.dp, 1.0)
        link_s = link_s + 4.0 * owned / rate
        cpu = _cpu_adam_s(owned, local, rows)
        if targets.optimizer == "nvme":
            nvme = nvme + 24.0 * owned * local / rows.drives_bytes_s
    if targets.parameters != "none":
        read = 2.0 * work.total / (shape.tp * shape.pp) / np.where(shape.zero >= 3, shape.dp, 1.0)
        moved = read * passes * shape.accumulation / rate
        link_s = link_s + _exposed(moved, busy_s)
        if targets.parameters == "nvme":
            nvme = nvme + read * passes * shape.accumulation * local / rows.drives_bytes_s
    if targets.activations != "none":
        per_layer = 2.0 * tokens * work.hidden
        moved = 2.0 * per_layer * work.layers / shape.pp * shape.accumulation / rate
        link_s = link_s + _exposed(moved, busy_s)
    return {"host link": link_s, "cpu optimizer": cpu, "nvme": nvme}


def _exposed(moved_s: Floats, busy_s: Floats) -> Floats:
    """What copies that run beside compute still cost: they hide behind half of it, never wholly."""
    exposed: Floats = np.maximum(moved_s - 0.5 * busy_s, 0.25 * moved_s)
    return exposed


def _cpu_adam_s(owned: Floats, local: Floats, link: LinkRows) -> Floats:
    """Seconds of one CPU Adam update of the parameters each GPU owns, on its share of the node's cores."""
    host = link_data().host
    cores = np.maximum(link.cpu_cores, 1.0)
    compute = owned * host.cpu_adam_ns_per_parameter_core * 1e-9 * local / cores
    memory = owned * ADAM_BYTES * local / (host.cpu_memory_gb_s_per_core * 1e9 * cores)
    slower: Floats = np.maximum(compute, memory)
    return slower
