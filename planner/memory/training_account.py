"""Assemble the account of a training run: the fuller stage's tensors, their margins, and what lies outside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engines import Constant
from planner.catalog.frameworks import FrameworkMemory
from planner.memory.arrays import Floats
from planner.memory.devices import DeviceRows
from planner.memory.envelope import Extrapolation
from planner.memory.ledger import Component, Ledger, Tag
from planner.memory.offload import Offloaded, offloaded
from planner.memory.overhead import (
    Range,
    constant_bytes,
    context_bytes,
    fragmentation_bytes,
    nccl_bytes,
    reserved_bytes,
)
from planner.memory.phases import ABSENT, COMPONENTS, PHASES
from planner.memory.ranks import Ranks
from planner.memory.setup import TrainingSetup
from planner.memory.stage import Stage
from planner.memory.states import shards, trained_splits
from planner.memory.trainable import Parts

_FORMULAS = {
    "parameters": "model_state", "gradients": "model_state", "optimizer": "model_state",
    "activations": "step_activations", "loss": "loss_bytes", "gather_buffers": "gather_buffers",
}  # fmt: skip
_BUFFER_MARGIN = 0.15
"""Buffers of communication overlap differently from run to run."""


@dataclass(frozen=True, slots=True)
class TrainingMemory:
    """The account of the fullest GPU of a training layout."""

    ledger: Ledger
    phase: str | NDArray[np.int64]
    """Name of the peak phase; for arrays of layouts its index in PHASES."""
    phases: dict[str, Floats]
    """Allocated bytes at the highest point of each phase."""
    allocated: Range
    """Live tensors at the peak: torch's max_memory_allocated."""
    reserved: Range
    """What the caching allocator holds: max_memory_reserved, where memory is not short."""
    device: Range
    """What the driver shows: reserved, context and communicators."""
    host_bytes: Range
    """Host RAM of one rank."""
    nvme_bytes: Floats
    trainable_params: int
    """Trained parameters of the whole model."""
    state_bytes_per_param: Floats
    """Parameters, gradients and states that one GPU keeps between steps, per trained parameter of its stage."""
    between: dict[str, Floats]
    """What trackers print: parameters and optimizer between steps, gradients after backward, activations after
    forward."""


def _fullest(stages: list[Stage], values: list[Floats]) -> Floats:
    """A figure of the stage whose peak is higher."""
    if len(stages) == 1:
        return values[0]
    first = np.greater_equal(stages[0].peak.total, stages[1].peak.total)
    return np.where(first, values[0], values[1])


def _margin(constant: Constant) -> float:
    return constant.upper / constant.best - 1.0


def _component(name: str, value: Range, formula: str, tag: Tag, wider: float | Floats) -> Component:
    """A component whose margin grows where nothing was measured."""
    upper = value.upper
    if upper is not value.best and not (isinstance(wider, float) and wider == 1.0):
        upper = np.where(np.equal(wider, 1.0), upper, value.best + wider * (upper - value.best))
    return Component(name, value.best, upper, formula, tag)


def _margins(
    memory: FrameworkMemory, setup: TrainingSetup, ranks: Ranks
) -> dict[str, float | Floats]:
    """Upper over best, less one, of the components that are not exact."""
    kept = _margin(memory.compiled if setup.compiled else memory.activations)
    unsure = _margin(memory.quantized_activations) if setup.quantized else 0.0
    # Of recomputed blocks the inputs are certain; only the block being recomputed is not.
    margin = np.where(ranks.recomputes, kept / 2, kept + unsure)
    return {"activations": margin, "loss": margin / 2, "gather_buffers": _BUFFER_MARGIN}


def _highest(stages: list[Stage], margins: dict[str, float | Floats]) -> Floats:
    """The largest upper value over all phases: a phase below the peak may have the wider margin."""
    highest = np.zeros_like(stages[0].peak.total)
    for stage in stages:
        for phase in stage.phases:
            parts = [(m, phase.parts[COMPONENTS.index(n)]) for n, m in margins.items()]
            present = [np.square(m * part) for m, part in parts if part is not ABSENT]
            square = sum(present[1:], present[0]) if present else ABSENT
            highest = np.maximum(highest, phase.total + np.sqrt(square))
    return highest


def _live(
    memory: FrameworkMemory,
    setup: TrainingSetup,
    ranks: Ranks,
    stages: list[Stage],
    wider: float | Floats,
) -> tuple[Component, ...]:
    """Components of the allocated peak with their margins.

    The margin of activations is what lifts the total to the highest upper value of any phase.
    """
    margins = _margins(memory, setup, ranks)
    best = {n: _fullest(stages, [s.peak.parts[n] for s in stages]) for n in _FORMULAS}
    others = np.square(margins["loss"] * best["loss"])
    others = others + np.square(margins["gather_buffers"] * best["gather_buffers"])
    above = _highest(stages, margins) - _fullest(stages, [s.peak.total for s in stages])
    lift = np.sqrt(np.maximum(np.square(above) - others, 0.0))
    components = []
    for name, formula in _FORMULAS.items():
        value, margin = best[name], margins.get(name, 0.0)
        upper = value + lift if name == "activations" else value * (1.0 + margin)
        exact = not np.any(margin)
        tag: Tag = "modelled" if exact else "calibrated"
        whole = Range(value, value if exact else upper)
        components.append(_component(name, whole, formula, tag, wider))
    constant = memory.fixed_gib
    fixed = constant_bytes(constant, np.zeros_like(stages[0].peak.total))
    components.append(_component("workspace", fixed, "constant_bytes", constant.tag, wider))
    return tuple(components)


def _range(components: tuple[Component, ...]) -> Range:
    """Best and upper of a sum: the margins add as the root of their squares."""
    best = np.zeros_like(np.asarray(components[0].best, dtype=np.float64))
    square = best
    for c in components:
        best = best + c.best
        if c.upper is not c.best:
            square = square + np.square(np.subtract(c.upper, c.best))
    return Range(best, best + np.sqrt(square))


def assemble(
    devices: DeviceRows,
    memory: FrameworkMemory,
    setup: TrainingSetup,
    model_parts: Parts,
    ranks: Ranks,
    stages: list[Stage],
    beyond: Extrapolation,
) -> TrainingMemory:
    """Put the stages together and add what lies outside the tensors."""
    live = _live(memory, setup, ranks, stages, beyond.factor)
    allocated = _range(live)
    context = context_bytes(devices, allocated.best)
    nccl = nccl_bytes(memory, ranks.world)
    spare = fragmentation_bytes(memory, allocated.best)
    wider = beyond.factor
    outside = (
        _component("reserve", spare, "fragmentation_bytes", memory.fragmentation.tag, wider),
        _component("context", context, "context_bytes", devices.context_tag, wider),
        _component("nccl", nccl, "nccl_bytes", memory.nccl_gib.tag, wider),
    )
    usable = devices.usable
    outer = _outside(setup, memory, ranks, stages)
    ledger = Ledger(
        (*live, *outside),
        usable,
        devices.usable_low,
        "cuda_total",
        outer.host.best,
        outer.nvme,
        extrapolated=beyond.rows,
        notes=beyond.reasons,
    )
    reserved = reserved_bytes(memory, allocated, usable - context.best - nccl.best)
    device = Range(
        reserved.best + context.best + nccl.best, reserved.upper + context.upper + nccl.upper
    )
    return TrainingMemory(
        ledger,
        _phase(stages),
        _phases(stages),
        allocated,
        reserved,
        device,
        outer.host,
        outer.nvme,
        _trained(model_parts, setup),
        _per_parameter(stages),
        _between(stages),
    )


def _phase(stages: list[Stage]) -> str | NDArray[np.int64]:
    """Name of the peak phase; its index for arrays of layouts."""
    found = _fullest(stages, [s.peak.index.astype(np.float64) for s in stages])
    index = np.asarray(found).astype(np.int64)
    return PHASES[int(index)] if index.ndim == 0 else index


def _phases(stages: list[Stage]) -> dict[str, Floats]:
    return {
        name: _fullest(stages, [s.phases[i].total for s in stages]) for i, name in enumerate(PHASES)
    }


def _per_parameter(stages: list[Stage]) -> Floats:
    state = stages[0].state
    kept: Floats = state.parameters + state.gradients + state.optimizer
    return kept / np.maximum(state.trained, 1.0)


def _between(stages: list[Stage]) -> dict[str, Floats]:
    state = stages[0].state
    return {
        "parameters": state.parameters,
        "optimizer": state.optimizer,
        "gradients": state.gradients,
        "activations": stages[0].forward,
    }


def _outside(
    setup: TrainingSetup, memory: FrameworkMemory, ranks: Ranks, stages: list[Stage]
) -> Offloaded:
    """Host and NVMe of one rank: of the stage that takes more."""
    divisor = shards(setup, ranks).optimizer[0]
    each = [
        offloaded(setup, memory.host, s.state, s.hosted, s.state.trained / divisor) for s in stages
    ]
    if len(each) == 1:
        return each[0]
    one, two = each
    return Offloaded(
        Range(np.maximum(one.host.best, two.host.best), np.maximum(one.host.upper, two.host.upper)),
        np.maximum(one.nvme, two.nvme),
    )


def _trained(model_parts: Parts, setup: TrainingSetup) -> int:
    splits = trained_splits(model_parts, setup)
    pairs = zip(model_parts.layers, splits[2:], strict=True)
    inner = sum(group.layers * split.total for group, split in pairs)
    return int(splits[0].total + splits[1].total + inner)
