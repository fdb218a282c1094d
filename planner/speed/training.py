"""Time of one training step: compute, memory traffic, collectives, pipeline bubble, optimizer, offload."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.catalog.records import Gpu, Model
from planner.catalog.speed_records import TrainingRate, TrainingStack, training_data
from planner.speed.collectives import measured_link
from planner.speed.formats import sixteen_bit_flops
from planner.speed.link_rows import AnyLink, LinkRows, rows_of
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
    """What is trained and how; the layout comes separately. Sequence and recomputation may differ by layout."""

    method: Literal["full", "lora", "qlora"] = "full"
    precision: Precision = "bf16"
    sequence: float | Floats = 4096.0
    recompute: Literal["none", "selective", "full"] | NDArray[np.str_] = "none"
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


@dataclass(frozen=True, slots=True)
class GpuRows:
    """Peaks and efficiencies of the GPU of each layout."""

    peak: Floats
    """Dense FLOP/s of the precision."""
    half: Floats
    """Dense FLOP/s in 16 bit."""
    bytes_s: Floats
    """Memory bandwidth."""
    dense: Floats
    attention: Floats
    experts: Floats
    layer_us: Floats
    spread: Floats
    measured: NDArray[np.bool_]
    """Whether the efficiencies were measured for class and stack."""

    def at(self, rows: ArrayLike) -> GpuRows:
        """The GPUs of these rows."""
        where = np.asarray(rows)
        return GpuRows(*(getattr(self, name)[where] for name in self.__slots__))


def gpu_rows(gpus: Sequence[Gpu], precision: Precision, stack: str) -> GpuRows:
    """GPUs as arrays, one row a GPU."""
    rates = [training_rate(gpu, precision, stack) for gpu in gpus]

    def numbers(values: Iterable[float]) -> Floats:
        return np.array(list(values), np.float64)

    return GpuRows(
        numbers(peak_flops(gpu, precision) for gpu in gpus),
        numbers(sixteen_bit_flops(gpu) for gpu in gpus),
        numbers(gpu.memory.bandwidth_gb_s * 1e9 for gpu in gpus),
        numbers(rate.dense for rate, _ in rates),
        numbers(rate.attention for rate, _ in rates),
        numbers(rate.experts for rate, _ in rates),
        numbers(rate.layer_us for rate, _ in rates),
        numbers(rate.spread for rate, _ in rates),
        np.array([measured for _, measured in rates], np.bool_),
    )


def _passes(setup: TrainingSpeedSetup) -> tuple[Floats, Floats]:
    """Forward passes that a step's work equals: of matrix products, and of attention."""
    dense = 3.0 if setup.method == "full" else 2.0
    whole = np.equal(setup.recompute, "full")
    scores = whole | (np.equal(setup.recompute, "selective") & (setup.attention == "eager"))
    attention = 1.0 + FLASH_BACKWARD
    return np.where(whole, dense + 1.0, dense), np.where(scores, attention + 1.0, attention)


def _compute(
    work: Work, gpu: GpuRows, setup: TrainingSpeedSetup, stack: TrainingStack
) -> dict[str, Floats]:
    """GPU-seconds per token of each operator, over all layers, on one GPU's peaks."""
    dense, attention = _passes(setup)
    peak, half = gpu.peak, gpu.half
    routed = work.expert * work.experts_per_token * work.moe_layers
    pairs = work.attended_causal(setup.sequence)
    scores = 2.0 * work.attention_width * pairs
    kernel = KERNEL_SHARE[setup.attention]
    if stack.full_attention:
        scores = scores * 2.0
    moved = stack.elementwise_bytes * work.layers * work.hidden * (dense / 3.0)
    if setup.method != "full":
        moved = moved + stack.lora_bytes * work.layers * work.hidden * (dense / 2.0)
    moved = moved + (
        stack.routed_bytes * work.moe_layers * work.experts_per_token * work.hidden * (dense / 3.0)
    )
    return {
        "dense": 2.0
        * (work.dense * dense / (peak * gpu.dense) + work.head * dense / (half * gpu.dense)),
        "experts": 2.0 * routed * dense / (peak * gpu.dense * gpu.experts * stack.experts),
        "attention": scores * attention / (half * gpu.attention * kernel),
        "elementwise": moved / gpu.bytes_s,
    }


def _busy(
    work: Work,
    gpu: GpuRows,
    setup: TrainingSpeedSetup,
    stack: TrainingStack,
    shape: Shape,
    tokens: Floats,
) -> dict[str, Floats]:
    """Seconds per step that a GPU computes and moves its own memory, by operator."""
    passes, split = _passes(setup)[0], shape.tp * shape.pp
    per_token = _compute(work, gpu, setup, stack)
    parts = {k: v * tokens / split * shape.accumulation for k, v in per_token.items()}
    launch = gpu.layer_us * 1e-6 * work.layers * passes / shape.pp * shape.accumulation
    parts["launch"] = np.asarray(launch, np.float64)
    if setup.method == "qlora":
        unpack = stack.dequantize_bytes * work.total * passes / gpu.bytes_s
        parts["dequantize"] = unpack / split * shape.accumulation
    return parts


def training_speed(
    model: Model,
    gpu: Gpu | Sequence[Gpu],
    link: AnyLink,
    setup: TrainingSpeedSetup,
    *,
    device: ArrayLike = 0,
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

    Of several GPUs, `device` is each layout's.

    step = (micro-batches + bubble) x stage time + exposed communication + optimizer + offload, with a stage's time
    the sum over operators of FLOPs over achieved FLOP/s, plus what does not overlap.
    """
    numbers = np.broadcast_arrays(
        *[np.asarray(x, np.float64) for x in (micro_batch, tp, pp, dp, cp, ep, zero, accumulation)]
    )
    shape = Shape(*[np.array(n, np.float64) for n in numbers])
    work, data = work_of(model), training_data()
    stack = data.stack(setup.framework)
    chips = [gpu] if isinstance(gpu, Gpu) else gpu
    rates = gpu_rows(chips, setup.precision, stack.rates_of or stack.stack).at(device)
    link = rows_of(link)
    tokens = shape.micro_batch * setup.sequence / shape.cp
    passes = _passes(setup)[0]
    parts = _busy(work, rates, setup, stack, shape, tokens)
    busy = np.asarray(sum(parts.values()), np.float64)
    trainable = _trainable_share(work, setup)
    parts |= traffic_seconds(work, shape, link, stack, busy, tokens, passes, trainable)
    held = work.total / (shape.tp * shape.pp * shape.expert_spread(work))
    parts["optimizer"] = _optimizer(held, shape, setup, rates, trainable)
    targets = OffloadTargets(
        setup.offload_optimizer, setup.offload_parameters, setup.offload_activations
    )
    parts |= offload_seconds(work, shape, link, targets, busy, tokens, passes, trainable)
    stage = busy + parts["tp"] + parts["ep"] + parts["cp"]
    rounds = (shape.pp - 1.0) / (setup.virtual_stages * shape.accumulation)
    parts["bubble"] = stage * rounds
    return _result(work, rates, setup, shape, parts, stack, link)


def _trainable_share(work: Work, setup: TrainingSpeedSetup) -> float:
    """Trainable over all parameters: 1, or LoRA's two thin matrices beside each linear layer."""
    if setup.method == "full":
        return 1.0
    return min(setup.lora_rank * 14.0 * work.layers * work.hidden / work.total, 1.0)


def _optimizer(
    held: Floats, shape: Shape, setup: TrainingSpeedSetup, gpu: GpuRows, trainable: float
) -> Floats:
    """Seconds of the optimizer's own memory traffic on the GPU."""
    if setup.offload_optimizer != "none":
        return np.zeros_like(held)
    sharded = np.where(shape.zero >= 1, shape.dp, 1.0)
    moved = ADAM_BYTES * held * trainable / sharded
    return np.asarray(moved / (0.8 * gpu.bytes_s), np.float64)


def model_flops_per_token(work: Work, setup: TrainingSpeedSetup, *, recomputed: bool) -> Floats:
    """FLOPs per token: 6 per active parameter and causal attention; 4 for LoRA.

    `recomputed` adds the forward passes that activation recomputation repeats.
    """
    dense = 3.0 if setup.method == "full" else 2.0
    extra = np.where(recomputed & np.equal(setup.recompute, "full"), 1.0, 0.0)
    scores = 2.0 * work.attention_width * work.attended_causal(setup.sequence)
    result: Floats = 2.0 * work.active * (dense + extra) + scores * (3.0 + extra)
    return result


_LIMITS: Final = (
    "compute", "hbm", "inside", "network", "host link", "cpu optimizer", "nvme", "bubble",
)  # fmt: skip
_LIMIT_OF: Final = {
    "elementwise": "hbm", "dequantize": "hbm", "optimizer": "hbm", "tp": "inside", "cp": "inside",
    "bubble": "bubble", "cpu optimizer": "cpu optimizer", "host link": "host link", "nvme": "nvme",
}  # fmt: skip
_WIDE: Final = ("ep", "dp", "pp")
"""Traffic that leaves the node where the replica does."""


def _limit(parts: dict[str, Floats], link: LinkRows, shape: Shape) -> NDArray[np.str_]:
    """What most of a step is spent on; traffic inside a node goes by the name of its link."""
    sums = {name: np.zeros_like(shape.gpus) for name in _LIMITS}
    across = shape.gpus > link.width
    apart = bool(np.any(across))
    for part, seconds in parts.items():
        if part not in _WIDE:
            name = _LIMIT_OF.get(part, "compute")
            sums[name] = sums[name] + seconds
            continue
        sums["inside"] = sums["inside"] + (np.where(across, 0.0, seconds) if apart else seconds)
        if apart:
            sums["network"] = sums["network"] + np.where(across, seconds, 0.0)
    words: NDArray[np.str_] = np.asarray(_LIMITS, np.str_)
    chosen = words[np.argmax(np.stack(np.broadcast_arrays(*sums.values())), axis=0)]
    inside = np.where(link.scale_up, "nvlink", "pcie")
    named: NDArray[np.str_] = np.where(chosen == "inside", inside, chosen)
    return named


def _result(
    work: Work,
    gpu: GpuRows,
    setup: TrainingSpeedSetup,
    shape: Shape,
    parts: dict[str, Floats],
    stack: TrainingStack,
    link: LinkRows,
) -> TrainingSpeed:
    step = np.asarray(sum(parts.values()), np.float64)
    batch = shape.micro_batch * setup.sequence * shape.dp * shape.accumulation
    speed = batch / step
    per_gpu = speed / shape.gpus
    peak = gpu.peak
    useful = model_flops_per_token(work, setup, recomputed=False)
    done = model_flops_per_token(work, setup, recomputed=True)
    fitted = gpu.measured & (stack.tag == "fitted")
    beyond = ~measured_link(link, shape.gpus) | ~fitted
    spread = np.hypot(gpu.spread, stack.spread) / np.sqrt(2.0) * np.where(beyond, 2.0, 1.0)
    return TrainingSpeed(
        step_s=step,
        tokens_per_s=speed,
        low=speed / np.exp(spread),
        high=speed * np.exp(spread),
        mfu=per_gpu * useful / peak,
        hfu=per_gpu * done / peak,
        tflops_per_gpu=per_gpu * useful / 1e12,
        limit=_limit(parts, link, shape),
        extrapolated=np.asarray(beyond, np.bool_),
        tag="fitted" if np.all(fitted) else "modelled",
        parts=parts,
    )
