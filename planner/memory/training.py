"""Memory of one GPU in training: the peak phase of a step, component by component, with host RAM and NVMe.

The peak is the maximum over the phases of a step, never their sum. Works on one layout or on arrays of layouts.
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.catalog.frameworks import TrainingFramework
from planner.catalog.records import Gpu, Model
from planner.memory.chunks import in_chunks, joined
from planner.memory.devices import device_rows
from planner.memory.envelope import extrapolation
from planner.memory.kernels import attention_kernel
from planner.memory.ledger import Number
from planner.memory.phases import PHASES
from planner.memory.setup import TrainingSetup
from planner.memory.stage import layout_ranks, stage_account
from planner.memory.states import mixed_base
from planner.memory.trainable import parts
from planner.memory.training_account import TrainingMemory, assemble

__all__ = ["PHASES", "TrainingMemory", "TrainingSetup", "attention_kernel", "training_memory"]


def training_memory(
    model: Model,
    gpu: Gpu | Sequence[Gpu],
    framework: TrainingFramework,
    setup: TrainingSetup,
    *,
    device: Number = 0,
    micro_batch: Number,
    tp: Number = 1,
    pp: Number = 1,
    dp: Number = 1,
    cp: Number = 1,
    ep: Number = 1,
    zero: Number = 0,
    accumulation: Number = 1,
    sequence: Number | None = None,
    recomputes: Number | None = None,
    beside: Number | None = None,
) -> TrainingMemory:
    """Memory of the fullest GPU, and what one rank takes of host RAM and NVMe.

    peak = max over phases of parameters + gradients + optimizer + activations + loss + buffers; device = peak +
    fragmentation + context + NCCL. Of several GPUs, `device` is each layout's. Both the first and the last
    pipeline stage are accounted; the fuller one counts.

    Where they differ by layout, `sequence` is its length and `recomputes` 1 where all blocks are recomputed; else both
    are the setup's. `beside` numbers the layouts that are read side by side, and so are extrapolated together; without
    it those of one GPU are.

    >>> from planner.catalog import gpu, model
    >>> from planner.catalog.frameworks import training_framework
    >>> setup = TrainingSetup(sharding="fsdp", recompute="full", optimizer="adamw-fused")
    >>> m = training_memory(model("llama-2-7b"), gpu("a100-sxm4-80gb"), training_framework("fsdp"), setup,
    ...     micro_batch=1, dp=8)
    >>> round(float(m.allocated.best) / 2**30, 2), m.phase
    (15.09, 'gradients complete')
    """
    length = setup.sequence if sequence is None else sequence
    full = int(setup.recompute == "full") if recomputes is None else recomputes
    groups = device if beside is None else beside
    axes = (
        tp, pp, dp, cp, ep, zero, micro_batch, accumulation, device, length, full, groups,
    )  # fmt: skip
    chips = [gpu] if isinstance(gpu, Gpu) else gpu
    chunks, shape = in_chunks(axes)
    return joined([_account(model, chips, framework, setup, chunk) for chunk in chunks], shape)


def _account(
    model: Model,
    gpus: Sequence[Gpu],
    framework: TrainingFramework,
    setup: TrainingSetup,
    axes: tuple[Number, ...],
) -> TrainingMemory:
    """The account of one chunk of layouts."""
    memory = framework.memory
    tp, pp, dp, cp, ep, zero, micro_batch, accumulation, number, sequence, full, groups = axes
    ranks = layout_ranks(
        model, memory, setup, micro_batch, (tp, pp, dp, cp, ep, zero), accumulation, sequence, full
    )
    base = "fp32" if mixed_base(setup) else setup.weights if setup.adapters else "bf16"
    head = setup.quantized and memory.quantized_head
    model_parts = parts(model, base, quantized_head=head)
    stages = [stage_account(model, model_parts, setup, memory, ranks, "first")]
    if not ranks.one_stage:
        stages.append(stage_account(model, model_parts, setup, memory, ranks, "last"))
    devices = device_rows(gpus, memory, number)
    beyond = extrapolation(model, devices, memory, setup, ranks, groups)
    return assemble(devices, memory, setup, model_parts, ranks, stages, beyond)
