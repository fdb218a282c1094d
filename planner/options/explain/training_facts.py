"""The account of a training workload that does not fit, in sentences with both numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.catalog.parameters import total_params
from planner.memory.training import attention_kernel
from planner.options.asks import PoolFacts, TrainingAsk
from planner.options.consider import consider_one
from planner.options.describe import layout_text
from planner.options.records import Reason, Rejection
from planner.options.refusals import miss
from planner.units import GB, GIB

MIXED_PRECISION_BYTES = 16
"""Weights 2 + gradients 2 + fp32 master 4 + two AdamW moments 8, per parameter (Rajbhandari et al. 2020)."""


def training_facts(
    ask: TrainingAsk, pools: Sequence[PoolFacts], rejections: Sequence[Rejection]
) -> list[str]:
    """Capability first where it rules out everything, then the last test that layouts failed, then memory."""
    capability = [r for r in rejections if r.reason is Reason.CAPABILITY]
    memory = [r for r in rejections if r.reason is Reason.MEMORY]
    refused = list({r.message: r for r in capability}.values())[:3]
    late = _late(rejections)
    facts = [*late, *(f"on `{r.pool}`: {r.message}" for r in refused)]
    facts += _lacks(refused, pools)
    if capability and not memory:
        facts += _without_the_wish(ask, pools)
    if ask.kind == "full" and not any(r.reason is Reason.DEADLINE for r in rejections):
        facts.append(_states(ask, pools))
    if memory:
        near = memory[0]
        lead = "what is faster or leaner lacks memory:" if late else "nearest"
        facts.append(f"{lead} on `{near.pool}`, {layout_text(near.layout)} {near.message}")
    if not facts:
        facts = list(dict.fromkeys(f"`{r.pool}`: {r.message}" for r in rejections))[:3]
    return facts


def _late(rejections: Sequence[Rejection]) -> list[str]:
    """The nearest miss of each test after memory, the last test first."""
    found = []
    for reason in (Reason.DEADLINE, Reason.HOST_RAM, Reason.NVME, Reason.INTERCONNECT):
        best = next((r for r in rejections if r.reason is reason), None)
        if best is not None:
            link = "" if best.message.startswith(("takes", "needs")) else ": "
            found.append(f"on `{best.pool}`, {layout_text(best.layout)}{link or ' '}{best.message}")
    return found


def _lacks(refused: Sequence[Rejection], pools: Sequence[PoolFacts]) -> list[str]:
    """What the GPUs that were refused cannot do at all: bf16 and FlashAttention."""
    names = {r.pool for r in refused}
    facts = []
    for gpu in {p.gpu.id: p.gpu for p in pools if p.name in names}.values():
        lacks = [] if gpu.has("bf16") else ["bf16"]
        if attention_kernel(gpu, "flash").refused:
            lacks.append("FlashAttention")
        if len(lacks) == 2:
            facts.append(
                f"{gpu.id} (compute capability {gpu.compute_capability}) has neither bf16 nor "
                "FlashAttention"
            )
    return facts


def _states(ask: TrainingAsk, pools: Sequence[PoolFacts]) -> str:
    """The states of mixed-precision AdamW against all memory of the largest pool."""
    params = total_params(ask.model)
    needed = params * MIXED_PRECISION_BYTES
    pool = max(pools, key=lambda p: p.max_gpus * p.gpu.memory.cuda_total_mib)
    have = pool.max_gpus * pool.gpu.memory.cuda_total_mib * 2**20
    return (
        f"full training keeps {MIXED_PRECISION_BYTES} bytes per parameter (weights, gradients, fp32 "
        f"master, two AdamW moments): {needed / GB:,.1f} GB = {needed / GIB:,.1f} GiB; "
        f"{pool.max_gpus} x {pool.gpu.name} have {have / GIB:,.1f} GiB"
    )


def _without_the_wish(ask: TrainingAsk, pools: Sequence[PoolFacts]) -> list[str]:
    """What the best layout would lack if the GPU's own kernel and type were allowed."""
    relaxed = replace(ask, attention="auto", precision=("16bit",))
    parts = [consider_one(relaxed, p, detail=True) for p in pools]
    if any(c.options for c in parts):
        return []
    rejections = sorted((r for c in parts for r in c.rejections), key=miss)
    near = next((r for r in rejections if r.reason is Reason.MEMORY), None)
    if near is None:
        return []
    return [
        f"even with the kernel and type the GPU has, {layout_text(near.layout)} on `{near.pool}` "
        f"{near.message}"
    ]
