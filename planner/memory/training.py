"""Memory of one GPU in training: the peak phase of a step, component by component, with host RAM and NVMe.

The peak is the maximum over the phases of a step, never their sum. Works on one layout or on arrays of layouts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engines import Constant
from planner.catalog.frameworks import FrameworkMemory, TrainingFramework
from planner.catalog.records import Gpu, Model
from planner.memory.arrays import Floats
from planner.memory.kernels import attention_kernel
from planner.memory.ledger import Component, Ledger, Number
from planner.memory.offload import Offloaded, offloaded
from planner.memory.overhead import (
    Range,
    constant_bytes,
    context_bytes,
    fragmentation_bytes,
    nccl_bytes,
    reserved_bytes,
)
from planner.memory.phases import PHASES
from planner.memory.ranks import Ranks
from planner.memory.setup import TrainingSetup
from planner.memory.stage import Stage, layout_ranks, stage_account
from planner.memory.states import mixed_base, shards, trained_splits
from planner.memory.trainable import Parts, parts
from planner.units import MIB

__all__ = ["PHASES", "TrainingMemory", "TrainingSetup", "attention_kernel", "training_memory"]

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


def training_memory(
    model: Model,
    gpu: Gpu,
    framework: TrainingFramework,
    setup: TrainingSetup,
    *,
    micro_batch: Number,
    tp: Number = 1,
    pp: Number = 1,
    dp: Number = 1,
    cp: Number = 1,
    ep: Number = 1,
    zero: Number = 0,
    accumulation: Number = 1,
) -> TrainingMemory:
    """Memory of the fullest GPU, and what one rank takes of host RAM and NVMe.

    peak = max over phases of parameters + gradients + optimizer + activations + loss + buffers; device = peak +
    fragmentation + context + NCCL. Both the first and the last pipeline stage are accounted; the fuller one counts.

    >>> from planner.catalog import gpu, model
    >>> from planner.catalog.frameworks import training_framework
    >>> setup = TrainingSetup(sharding="fsdp", recompute="full", optimizer="adamw-fused")
    >>> m = training_memory(model("llama-2-7b"), gpu("a100-sxm4-80gb"), training_framework("fsdp"), setup,
    ...     micro_batch=1, dp=8)
    >>> round(float(m.allocated.best) / 2**30, 2), m.phase
    (15.09, 'gradients complete')
    """
    memory = framework.memory
    ranks = layout_ranks(
        model, memory, setup, micro_batch, (tp, pp, dp, cp, ep, zero), accumulation
    )
    base = "fp32" if mixed_base(setup) else setup.weights if setup.adapters else "bf16"
    model_parts = parts(model, base)
    stages = [stage_account(model, model_parts, setup, memory, ranks, "first")]
    if not ranks.one_stage:
        stages.append(stage_account(model, model_parts, setup, memory, ranks, "last"))
    return _result(gpu, memory, setup, model_parts, ranks, stages)


def _fullest(stages: list[Stage], values: list[Floats]) -> Floats:
    """A figure of the stage whose peak is higher."""
    if len(stages) == 1:
        return values[0]
    first = np.greater_equal(stages[0].peak.total, stages[1].peak.total)
    return np.where(first, values[0], values[1])


def _margin(constant: Constant) -> float:
    return constant.upper / constant.best - 1.0


def _live(
    memory: FrameworkMemory, setup: TrainingSetup, stages: list[Stage]
) -> tuple[Component, ...]:
    """Components of the allocated peak with their margins."""
    kept = _margin(memory.compiled if setup.compiled else memory.activations)
    if setup.quantized:
        kept += _margin(memory.quantized_activations)
    margins = {"activations": kept, "loss": kept / 2, "gather_buffers": _BUFFER_MARGIN}
    components = []
    for name, formula in _FORMULAS.items():
        best = _fullest(stages, [s.peak.parts[name] for s in stages])
        margin = margins.get(name, 0.0)
        upper = best * (1.0 + margin) if margin else best
        components.append(
            Component(name, best, upper, formula, "calibrated" if margin else "modelled")
        )
    fixed = constant_bytes(memory.fixed_gib, np.zeros_like(stages[0].peak.total))
    components.append(
        Component("workspace", fixed.best, fixed.upper, "constant_bytes", memory.fixed_gib.tag)
    )
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


def _result(
    gpu: Gpu,
    memory: FrameworkMemory,
    setup: TrainingSetup,
    model_parts: Parts,
    ranks: Ranks,
    stages: list[Stage],
) -> TrainingMemory:
    """Put the stages together and add what lies outside the tensors."""
    live = _live(memory, setup, stages)
    allocated = _range(live)
    context = context_bytes(memory, gpu, allocated.best)
    nccl = nccl_bytes(memory, ranks.world)
    spare = fragmentation_bytes(memory, allocated.best)
    outside = (
        Component(
            "reserve", spare.best, spare.upper, "fragmentation_bytes", memory.fragmentation.tag
        ),
        Component("context", context.best, context.upper, "context_bytes", memory.context(gpu).tag),
        Component("nccl", nccl.best, nccl.upper, "nccl_bytes", memory.nccl_gib.tag),
    )
    usable = float(gpu.memory.cuda_total_mib) * MIB
    low = float(gpu.memory.cuda_total_low_mib) * MIB
    outer = _outside(setup, memory, ranks, stages)
    ledger = Ledger(
        (*live, *outside), usable, low, "cuda_total", outer.host.best, outer.nvme,
        extrapolated=gpu.vendor != "nvidia",
    )  # fmt: skip
    reserved = reserved_bytes(memory, allocated, usable - context.best - nccl.best)
    device = Range(
        reserved.best + context.best + nccl.best, reserved.upper + context.upper + nccl.upper
    )
    index = np.asarray(_fullest(stages, [s.peak.index.astype(np.float64) for s in stages])).astype(np.int64)
    phases = {
        name: _fullest(stages, [s.phases[i].total for s in stages]) for i, name in enumerate(PHASES)
    }
    state = stages[0].state
    return TrainingMemory(
        ledger, PHASES[int(index)] if index.ndim == 0 else index, phases, allocated, reserved,
        device, outer.host, outer.nvme, _trained(model_parts, setup),
        (state.parameters + state.gradients + state.optimizer) / np.maximum(state.trained, 1.0),
        {
            "parameters": state.parameters, "optimizer": state.optimizer,
            "gradients": state.gradients, "activations": stages[0].forward,
        },
    )  # fmt: skip


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
