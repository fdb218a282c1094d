"""Time of one training step: compute, memory traffic, collectives, pipeline bubble, optimizer, offload."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.catalog.records import Gpu, Model
from planner.catalog.speed_records import TrainingRate, TrainingStack, training_data
from planner.speed.collectives import measured_link
from planner.speed.formats import sixteen_bit_flops
from planner.speed.links import Link
from planner.speed.offload import ADAM_BYTES, OffloadTargets, offload_seconds
from planner.speed.traffic import Shape, traffic_seconds
from planner.speed.work import Work, speed_classes, work_of

Floats = NDArray[np.float64]
Precision = Literal["bf16", "fp16", "fp8", "fp4", "fp32"]

FLASH_BACKWARD: Final = 2.5
"""Backward over forward of a fused attention kernel, which recomputes its scores once."""
KERNEL_SHARE: Final = {"flash": 1.0, "sdpa": 0.6, "eager": 0.3}
"""Attention kernels relative to FlashAttention; memory-efficient and eager ones by its paper (arXiv 2205.14135)."""


@dataclass(frozen=True, slots=True)
class TrainingSpeedSetup:
    """What is trained and how; the layout comes separately."""

    method: Literal["full", "lora", "qlora"] = "full"
    precision: Precision = "bf16"
    sequence: float = 4096.0
    recompute: Literal["none", "selective", "full"] = "none"
    attention: Literal["flash", "sdpa", "eager"] = "flash"
    optimizer: str = "adamw"
    framework: str = "fsdp"
    offload_optimizer: Literal["none", "cpu", "nvme"] = "none"
    offload_parameters: Literal["none", "cpu", "nvme"] = "none"
    offload_activations: Literal["none", "cpu", "nvme"] = "none"
    lora_rank: int = 16
    virtual_stages: int = 1
    """Model chunks per pipeline rank in an interleaved schedule."""
    packed: bool = True


@dataclass(frozen=True, slots=True)
class TrainingSpeed:
    """Speed of one replica; every array is over the layouts that were asked for."""

    step_s: Floats
    tokens_per_s: Floats
    """Of the whole replica."""
    low: Floats
    high: Floats
    """80 % interval of tokens_per_s."""
    mfu: Floats
    """Model FLOPs (6 per parameter and token, causal attention) over the peak of the precision."""
    hfu: Floats
    """The same with recomputed work."""
    tflops_per_gpu: Floats
    limit: NDArray[np.str_]
    """compute, hbm, nvlink, pcie, network, host link, nvme, cpu optimizer or bubble."""
    extrapolated: NDArray[np.bool_]
    tag: str
    parts: dict[str, Floats] = field(default_factory=dict)
    """Seconds of a step by part; they add up to step_s."""


def training_rate(gpu: Gpu, precision: Precision, stack: str) -> tuple[TrainingRate, bool]:
    """Efficiencies of a GPU class and precision under a stack, and whether they were measured.

    The same stack on the class, else any stack on it, else any class.
    """
    rates = training_data().rates
    wanted = "bf16" if precision in ("fp16", "fp32") else precision
    for g in speed_classes(gpu):
        for s in (stack, "any"):
            for rate in rates:
                if (rate.gpu, rate.precision, rate.stack) == (g, wanted, s):
                    return rate, g != "any" and s == stack and rate.tag == "fitted"
    raise KeyError(f"no training rate for {wanted}")


def peak_flops(gpu: Gpu, precision: Precision) -> float:
    """Dense FLOP/s of the precision, of 16 bit where the GPU lacks it."""
    table = gpu.tflops
    narrow = {"fp8": table.fp8, "fp4": table.fp4}.get(precision)
    if narrow and gpu.has("fp8" if precision == "fp8" else "fp4"):
        return narrow * 1e12
    if precision == "fp32":
        return (table.tf32 or table.fp32 or 1.0) * 1e12
    return sixteen_bit_flops(gpu)


def _passes(setup: TrainingSpeedSetup) -> tuple[float, float]:
    """Forward passes that a step's work equals: of matrix products, and of attention."""
    dense = 3.0 if setup.method == "full" else 2.0
    attention = 1.0 + FLASH_BACKWARD
    if setup.recompute == "full":
        return dense + 1.0, attention + 1.0
    if setup.recompute == "selective" and setup.attention == "eager":
        return dense, attention + 1.0
    return dense, attention


def _compute(
    work: Work, gpu: Gpu, setup: TrainingSpeedSetup, rate: TrainingRate, stack: TrainingStack
) -> dict[str, float]:
    """GPU-seconds per token of each operator, over all layers, on one GPU's peaks."""
    dense, attention = _passes(setup)
    peak, half = peak_flops(gpu, setup.precision), sixteen_bit_flops(gpu)
    routed = work.expert * work.experts_per_token * work.moe_layers
    pairs = float(work.attended_causal(setup.sequence))
    scores = 2.0 * work.attention_width * pairs
    kernel = KERNEL_SHARE[setup.attention]
    if stack.full_attention:
        scores *= 2.0
    bandwidth = gpu.memory.bandwidth_gb_s * 1e9
    moved = stack.elementwise_bytes * work.layers * work.hidden * (dense / 3.0)
    if setup.method != "full":
        moved += stack.lora_bytes * work.layers * work.hidden * (dense / 2.0)
    moved += (
        stack.routed_bytes * work.moe_layers * work.experts_per_token * work.hidden * (dense / 3.0)
    )
    return {
        "dense": 2.0
        * (work.dense * dense / (peak * rate.dense) + work.head * dense / (half * rate.dense)),
        "experts": 2.0 * routed * dense / (peak * rate.dense * rate.experts * stack.experts),
        "attention": scores * attention / (half * rate.attention * kernel),
        "elementwise": moved / bandwidth,
    }


def _busy(
    work: Work,
    gpu: Gpu,
    setup: TrainingSpeedSetup,
    rate: TrainingRate,
    stack: TrainingStack,
    shape: Shape,
    tokens: Floats,
) -> dict[str, Floats]:
    """Seconds per step that a GPU computes and moves its own memory, by operator."""
    passes, split = _passes(setup)[0], shape.tp * shape.pp
    per_token = _compute(work, gpu, setup, rate, stack)
    parts = {k: v * tokens / split * shape.accumulation for k, v in per_token.items()}
    launch = rate.layer_us * 1e-6 * work.layers * passes / shape.pp * shape.accumulation
    parts["launch"] = np.asarray(launch, np.float64)
    if setup.method == "qlora":
        unpack = stack.dequantize_bytes * work.total * passes / (gpu.memory.bandwidth_gb_s * 1e9)
        parts["dequantize"] = unpack / split * shape.accumulation
    return parts


def training_speed(
    model: Model,
    gpu: Gpu,
    link: Link,
    setup: TrainingSpeedSetup,
    *,
    micro_batch: ArrayLike = 1,
    tp: ArrayLike = 1,
    pp: ArrayLike = 1,
    dp: ArrayLike = 1,
    cp: ArrayLike = 1,
    ep: ArrayLike = 1,
    zero: ArrayLike = 0,
    accumulation: ArrayLike = 1,
) -> TrainingSpeed:
    """Time of one optimizer step on tp x pp x cp x dp GPUs; the layout arguments broadcast.

    step = (micro-batches + bubble) x stage time + exposed communication + optimizer + offload, with a stage's time
    the sum over operators of FLOPs over achieved FLOP/s, plus what does not overlap.
    """
    numbers = np.broadcast_arrays(
        *[np.asarray(x, np.float64) for x in (micro_batch, tp, pp, dp, cp, ep, zero, accumulation)]
    )
    shape = Shape(*[np.array(n, np.float64) for n in numbers])
    work, data = work_of(model), training_data()
    stack = data.stack(setup.framework)
    rate, measured = training_rate(gpu, setup.precision, stack.rates_of or stack.stack)
    tokens = shape.micro_batch * setup.sequence / shape.cp
    passes = _passes(setup)[0]
    parts = _busy(work, gpu, setup, rate, stack, shape, tokens)
    busy = np.asarray(sum(parts.values()), np.float64)
    trainable = _trainable_share(work, setup)
    parts |= traffic_seconds(work, shape, link, stack, busy, tokens, passes, trainable)
    held = work.total / (shape.tp * shape.pp * shape.expert_spread(work))
    parts["optimizer"] = _optimizer(held, shape, setup, gpu, trainable)
    targets = OffloadTargets(
        setup.offload_optimizer, setup.offload_parameters, setup.offload_activations
    )
    parts |= offload_seconds(work, shape, link, targets, busy, tokens, passes, trainable)
    stage = busy + parts["tp"] + parts["ep"] + parts["cp"]
    rounds = (shape.pp - 1.0) / (setup.virtual_stages * shape.accumulation)
    parts["bubble"] = stage * rounds
    return _result(work, gpu, setup, shape, parts, rate, stack, measured, link)


def _trainable_share(work: Work, setup: TrainingSpeedSetup) -> float:
    """Trainable over all parameters: 1, or LoRA's two thin matrices beside each linear layer."""
    if setup.method == "full":
        return 1.0
    return min(setup.lora_rank * 14.0 * work.layers * work.hidden / work.total, 1.0)


def _optimizer(
    held: Floats, shape: Shape, setup: TrainingSpeedSetup, gpu: Gpu, trainable: float
) -> Floats:
    """Seconds of the optimizer's own memory traffic on the GPU."""
    if setup.offload_optimizer != "none":
        return np.zeros_like(held)
    sharded = np.where(shape.zero >= 1, shape.dp, 1.0)
    moved = ADAM_BYTES * held * trainable / sharded
    return np.asarray(moved / (0.8 * gpu.memory.bandwidth_gb_s * 1e9), np.float64)


def model_flops_per_token(work: Work, setup: TrainingSpeedSetup, *, recomputed: bool) -> float:
    """FLOPs per token: 6 per active parameter and causal attention; 4 for LoRA.

    `recomputed` adds the forward passes that activation recomputation repeats.
    """
    dense = 3.0 if setup.method == "full" else 2.0
    extra = 1.0 if recomputed and setup.recompute == "full" else 0.0
    scores = 2.0 * work.attention_width * float(work.attended_causal(setup.sequence))
    return 2.0 * work.active * (dense + extra) + scores * (3.0 + extra)


def _limit(parts: dict[str, Floats], names: dict[str, str]) -> NDArray[np.str_]:
    sums: dict[str, Floats] = {}
    for part, seconds in parts.items():
        name = names.get(part, "compute")
        sums[name] = sums.get(name, np.zeros_like(seconds)) + seconds
    words: NDArray[np.str_] = np.asarray(list(sums), np.str_)
    chosen: NDArray[np.str_] = words[np.argmax(np.stack(list(sums.values())), axis=0)]
    return chosen


def _result(
    work: Work,
    gpu: Gpu,
    setup: TrainingSpeedSetup,
    shape: Shape,
    parts: dict[str, Floats],
    rate: TrainingRate,
    stack: TrainingStack,
    measured: bool,
    link: Link,
) -> TrainingSpeed:
    step = np.asarray(sum(parts.values()), np.float64)
    batch = shape.micro_batch * setup.sequence * shape.dp * shape.accumulation
    speed = batch / step
    per_gpu = speed / shape.gpus
    peak = peak_flops(gpu, setup.precision)
    useful = model_flops_per_token(work, setup, recomputed=False)
    done = model_flops_per_token(work, setup, recomputed=True)
    fitted = measured and stack.tag == "fitted"
    beyond = ~measured_link(link, shape.gpus) | (not fitted)
    spread = float(np.hypot(rate.spread, stack.spread) / np.sqrt(2.0)) * np.where(beyond, 2.0, 1.0)
    inside = "nvlink" if link.scale_up else "pcie"
    wide = "network" if np.any(shape.gpus > max(link.gpus_per_node, link.domain)) else inside
    names = {
        "elementwise": "hbm", "dequantize": "hbm", "optimizer": "hbm", "tp": inside, "cp": inside,
        "ep": wide, "dp": wide, "pp": wide, "bubble": "bubble", "cpu optimizer": "cpu optimizer",
        "host link": "host link", "nvme": "nvme",
    }  # fmt: skip
    return TrainingSpeed(
        step_s=step,
        tokens_per_s=speed,
        low=speed / np.exp(spread),
        high=speed * np.exp(spread),
        mfu=per_gpu * useful / peak,
        hfu=per_gpu * done / peak,
        tflops_per_gpu=per_gpu * useful / 1e12,
        limit=_limit(parts, names),
        extrapolated=np.asarray(beyond, np.bool_),
        tag="fitted" if fitted else "modelled",
        parts=parts,
    )
