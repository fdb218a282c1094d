"""Memory of one GPU in training: the peak phase of a step, component by component, with host RAM and NVMe.

The peak is the maximum over the phases of a step, never their sum. Works on one layout or on arrays of layouts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.catalog.frameworks import Constant, FrameworkMemory, TrainingFramework
from planner.catalog.records import Gpu, Model
from planner.memory.gather import ddp_buckets, gather_buffers, waiting_layers
from planner.memory.kernels import attention_kernel
from planner.memory.kept import step_activations
from planner.memory.ledger import Component, Ledger, Number, combine
from planner.memory.loss import loss_bytes
from planner.memory.offload import Offloaded, offloaded
from planner.memory.overhead import (
    Range,
    context_bytes,
    fragmentation_bytes,
    nccl_bytes,
    reserved_bytes,
)
from planner.memory.phases import PHASES, Peak, Phase, peak_of, step_phases
from planner.memory.ranks import Ranks, Role
from planner.memory.setup import TrainingSetup
from planner.memory.states import (
    State,
    mixed_base,
    model_state,
    shards,
    trained_splits,
    widths,
)
from planner.memory.trainable import Parts, parts, vocab_share
from planner.units import GIB, MIB

__all__ = ["TrainingMemory", "TrainingSetup", "attention_kernel", "training_memory"]

_FORMULAS = {
    "parameters": "model_state", "gradients": "model_state", "optimizer": "model_state",
    "activations": "step_activations", "loss": "loss_bytes", "gather_buffers": "gather_buffers",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrainingMemory:
    """The account of the fullest GPU of a training layout."""

    ledger: Ledger
    phase: str | NDArray[np.int64]
    """Name of the peak phase; for arrays of layouts its index in PHASES."""
    phases: dict[str, Number]
    """Allocated bytes at the highest point of each phase."""
    allocated: Range
    """Live tensors at the peak: torch's max_memory_allocated."""
    reserved: Range
    """What the caching allocator holds: max_memory_reserved, where memory is not short."""
    device: Range
    """What the driver shows: reserved, context and communicators."""
    host_bytes: Range
    """Host RAM of one rank."""
    nvme_bytes: Number
    trainable_params: Number
    """Trained parameters of the whole model."""
    state_bytes_per_param: Number
    """Parameters, gradients and states between steps per trained parameter, unsharded and on the GPU."""
    between: dict[str, Number]
    """What trackers print: parameters and optimizer between steps, gradients after backward, activations after
    forward."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """One pipeline stage's account."""

    state: State
    peak: Peak
    phases: tuple[Phase, ...]
    forward: Number
    """Activations after forward, the loss's kept bytes included."""
    hosted: Number
    """Activations in host RAM."""
    trained: Number


def _axes(
    model: Model,
    memory: FrameworkMemory,
    setup: TrainingSetup,
    micro_batch: Number,
    sizes: tuple[Number, Number, Number, Number, Number, Number],
    accumulation: Number,
) -> Ranks:
    tp, pp, dp, cp, ep, zero = (np.asarray(x, dtype=np.float64) for x in sizes)
    tokens = np.asarray(micro_batch, dtype=np.float64) * setup.sequence / cp
    if setup.sharding == "fsdp":
        zero = np.full_like(zero, 3.0)
    keeps = np.logical_or(np.greater(accumulation, 1), np.greater(pp, 1))
    keeps = keeps & (setup.sharding != "layers") | np.greater(accumulation, 1)
    embedding = vocab_share(model, tp, split=memory.split_embedding, padded=memory.pad_vocabulary)
    head = vocab_share(model, tp, split=True, padded=memory.pad_vocabulary)
    return Ranks(tokens, tp, pp, dp, cp, ep, zero, np.where(keeps, 1.0, 0.0), embedding, head)


def _stage(
    model: Model,
    model_parts: Parts,
    setup: TrainingSetup,
    memory: FrameworkMemory,
    ranks: Ranks,
    role: Role,
) -> _Stage:
    state = model_state(model, model_parts, setup, memory, ranks, role)
    wide = widths(setup, memory)
    kept, hosted = step_activations(model, model_parts, setup, memory, wide, ranks, role)
    kind = memory.default_loss if setup.loss == "auto" else setup.loss
    split = ranks.tp if memory.split_logits else 1.0
    loss = loss_bytes(memory.losses[kind], ranks.tokens, model.vocab_size, model.hidden_size, split)
    if role == "first":
        alone = np.equal(ranks.pp, 1)
        loss = replace(loss, kept=loss.kept * alone, peak=loss.peak * alone)
    buffers = gather_buffers(model, model_parts, setup, memory, wide, ranks, role)
    copies = ddp_buckets(model, model_parts, setup, memory, state.gradients, ranks)
    buffers = replace(
        buffers,
        loss=buffers.loss + copies, start=buffers.start + copies, middle=buffers.middle + copies,
    )  # fmt: skip
    phases = step_phases(
        replace(state, step=state.step + copies), kept, loss, buffers, ranks.accumulates,
        waiting=waiting_layers(model, memory, ranks), in_backward=setup.optimizer_in_backward,
    )  # fmt: skip
    forward = kept.forward + state.copies + loss.kept
    return _Stage(state, peak_of(phases), phases, forward, hosted, state.trained)


def _fuller(one: _Stage, other: _Stage | None, value: tuple[Number, Number | None]) -> Number:
    """A figure of the stage whose peak is higher."""
    if other is None or value[1] is None:
        return value[0]
    return np.where(np.greater_equal(one.peak.total, other.peak.total), value[0], value[1])


def _margins(memory: FrameworkMemory, setup: TrainingSetup) -> dict[str, float]:
    """Upper over best of each component, less one."""

    def margin(constant: Constant) -> float:
        return constant.upper / constant.best - 1.0

    kept = margin(memory.compiled if setup.compiled else memory.activations)
    if setup.quantized:
        kept += margin(memory.quantized_activations)
    return {
        "parameters": 0.0, "gradients": 0.0, "optimizer": 0.0,
        "activations": kept, "loss": kept / 2, "gather_buffers": 0.15,
    }  # fmt: skip


def _components(
    best: dict[str, Number], memory: FrameworkMemory, setup: TrainingSetup
) -> tuple[Component, ...]:
    margins = _margins(memory, setup)
    return tuple(
        Component(
            name, value, value * (1.0 + margins[name]), _FORMULAS[name],
            "modelled" if margins[name] == 0 else "calibrated",
        )
        for name, value in best.items()
    )  # fmt: skip


def _usable(gpu: Gpu) -> tuple[float, float]:
    return float(gpu.memory.cuda_total_mib) * MIB, float(gpu.memory.cuda_total_low_mib) * MIB


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
    >>> round(float(m.allocated.best) / 2**30, 1)
    15.1
    """
    memory = framework.memory
    sizes = (tp, pp, dp, cp, ep, zero)
    ranks = _axes(model, memory, setup, micro_batch, sizes, accumulation)
    base = setup.weights if setup.adapters else "bf16"
    if mixed_base(setup):
        base = "fp32"
    model_parts = parts(model, base)
    first = _stage(model, model_parts, setup, memory, ranks, "first")
    last = None
    if np.any(np.greater(ranks.pp, 1)):
        last = _stage(model, model_parts, setup, memory, ranks, "last")
    return _result(gpu, memory, setup, model_parts, ranks, first, last)


def _result(
    gpu: Gpu,
    memory: FrameworkMemory,
    setup: TrainingSetup,
    model_parts: Parts,
    ranks: Ranks,
    first: _Stage,
    last: _Stage | None,
) -> TrainingMemory:
    """Put both stages together and add what lies outside the tensors."""
    best = {
        name: _fuller(first, last, (value, last.peak.parts[name] if last else None))
        for name, value in first.peak.parts.items()
    }
    fixed = memory.fixed_gib
    live = (
        *_components(best, memory, setup),
        Component(
            "workspace", fixed.best * GIB + 0 * ranks.tokens, fixed.upper * GIB + 0 * ranks.tokens,
            "fixed_gib", fixed.tag,
        ),
    )  # fmt: skip
    allocated = Range(sum((c.best for c in live), np.float64(0)), combine(live))
    context, nccl = context_bytes(memory, gpu), nccl_bytes(memory, ranks.world)
    room = _usable(gpu)[0] - context.best - nccl.best
    reserved = reserved_bytes(memory, allocated, room)
    spare = fragmentation_bytes(memory, allocated.best)
    outside = (
        Component("reserve", spare.best, spare.upper, "fragmentation_bytes", memory.fragmentation.tag),
        Component(
            "context", context.best + 0 * ranks.tokens, context.upper + 0 * ranks.tokens,
            "context_bytes", memory.context(gpu).tag,
        ),
        Component("nccl", nccl.best, nccl.upper, "nccl_bytes", memory.nccl_gib.tag),
    )  # fmt: skip
    usable, usable_low = _usable(gpu)
    outer = _outside(setup, memory, ranks, first, last)
    ledger = Ledger(
        (*live, *outside), usable, usable_low, "cuda_total", outer.host.best, outer.nvme,
        extrapolated=gpu.vendor != "nvidia",
    )  # fmt: skip
    device = Range(
        reserved.best + context.best + nccl.best, reserved.upper + context.upper + nccl.upper
    )
    index = _fuller(first, last, (first.peak.index, last.peak.index if last else None))
    whole = np.asarray(index)
    state = first.state
    return TrainingMemory(
        ledger, PHASES[int(whole)] if whole.ndim == 0 else whole.astype(np.int64),
        {
            name: _fuller(first, last, (phase.total, last.phases[i].total if last else None))
            for i, (name, phase) in enumerate(zip(PHASES, first.phases, strict=True))
        },
        allocated, reserved, device, outer.host, outer.nvme,
        _trained(model_parts, setup), _per_param(state),
        {
            "parameters": state.parameters, "optimizer": state.optimizer,
            "gradients": state.gradients, "activations": first.forward,
        },
    )  # fmt: skip


def _outside(
    setup: TrainingSetup,
    memory: FrameworkMemory,
    ranks: Ranks,
    first: _Stage,
    last: _Stage | None,
) -> Offloaded:
    """Host and NVMe of one rank: the stage that takes more of it."""
    stages = [first] if last is None else [first, last]
    divisor = shards(setup, ranks).optimizer[0]
    each = [
        offloaded(setup, memory.host, s.state, s.hosted, s.trained / divisor) for s in stages
    ]
    most = each[0]
    for other in each[1:]:
        most = Offloaded(
            Range(
                np.maximum(most.host.best, other.host.best),
                np.maximum(most.host.upper, other.host.upper),
            ),
            np.maximum(most.nvme, other.nvme),
        )
    return most


def _trained(model_parts: Parts, setup: TrainingSetup) -> Number:
    splits = trained_splits(model_parts, setup)
    inner = sum(
        g.layers * s.total for g, s in zip(model_parts.layers, splits[2:], strict=True)
    )
    return int(splits[0].total + splits[1].total + inner)


def _per_param(state: State) -> Number:
    total = state.parameters + state.gradients + state.optimizer
    return total / np.maximum(state.trained, 1.0)

