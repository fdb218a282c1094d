"""Memory and speed of one training run, from the workload, the pool and the layout alone."""

from __future__ import annotations

import numpy as np

from planner.catalog.frameworks import training_framework
from planner.layout import Layout
from planner.memory.setup import TrainingSetup
from planner.memory.training import TrainingMemory, training_memory
from planner.options.asks import PoolFacts, TrainingAsk
from planner.speed.training import Precision, TrainingSpeed, TrainingSpeedSetup, training_speed
from planner.units import GIB, HOUR_S
from planner.verify.figures import Figures, Memory, Speed, ledger_lines, one

AXES = ("tp", "pp", "dp", "cp", "ep", "micro_batch")


def derive_training(
    ask: TrainingAsk, pool: PoolFacts, layout: Layout, arithmetic: Precision
) -> Figures:
    """The figures of a run whose matrix products are in `arithmetic`."""
    axes = {n: np.array([getattr(layout, n)]) for n in AXES}
    memory = training_memory(
        ask.model, pool.gpu, training_framework(layout.engine), memory_setup(ask, layout),
        zero=layout.zero, accumulation=np.array([layout.accumulation]), **axes,
    )  # fmt: skip
    # A layer split has no pipeline: one micro-batch walks through all GPUs before the next starts.
    walks = layout.sharding == "layers"
    passes = 1 if walks else layout.accumulation
    speed = training_speed(
        ask.model, pool.gpu, pool.link, _speed_setup(ask, layout, arithmetic),
        zero=layout.zero, accumulation=np.array([passes]), **axes,
    )  # fmt: skip
    repeats = layout.accumulation if walks else 1
    return Figures(_account(ask, layout, memory), _speed(ask, speed, repeats))


def memory_setup(ask: TrainingAsk, layout: Layout) -> TrainingSetup:
    """How the run is set up, as far as memory and legality care."""
    return TrainingSetup(
        method="dora" if ask.dora and ask.kind == "lora" else ask.kind,  # type: ignore[arg-type]
        weights=layout.weights,
        master=ask.master,
        optimizer=ask.optimizer,
        sequence=ask.sequence,
        recompute=layout.recompute,
        attention=layout.attention,
        loss=ask.loss,
        lora_rank=ask.lora_rank,
        lora_targets=",".join(ask.lora_targets),
        sharding=layout.sharding,
        offload_optimizer=layout.offload_optimizer,
        offload_parameters=layout.offload_parameters,
        offload_activations=layout.offload_activations,
    )


def _speed_setup(ask: TrainingAsk, layout: Layout, arithmetic: Precision) -> TrainingSpeedSetup:
    profile = training_framework(layout.engine)
    return TrainingSpeedSetup(
        method=ask.kind,  # type: ignore[arg-type]
        precision=arithmetic,
        sequence=float(ask.sequence),
        recompute=layout.recompute,
        attention=layout.attention,
        optimizer=ask.optimizer,
        framework=profile.speed_stack or profile.id,
        offload_optimizer=layout.offload_optimizer,
        offload_parameters=layout.offload_parameters,
        offload_activations=layout.offload_activations,
        lora_rank=ask.lora_rank,
    )


def _account(ask: TrainingAsk, layout: Layout, memory: TrainingMemory) -> Memory:
    ledger = memory.ledger
    need = one(ledger.upper if ask.careful else ledger.best) / GIB
    have = one(ledger.usable_low if ask.careful else ledger.usable) / GIB
    host = memory.host_bytes.upper if ask.careful else memory.host_bytes.best
    return Memory(
        components=ledger_lines(ledger),
        total_gib=one(ledger.best) / GIB,
        upper_gib=one(ledger.upper) / GIB,
        usable_gib=one(ledger.usable) / GIB,
        need_gib=need,
        have_gib=have,
        fits=need <= have,
        host_gib=one(ledger.host_bytes) / GIB,
        nvme_gib=one(ledger.nvme_bytes) / GIB,
        host_bytes=one(host) * layout.gpus,
        nvme_bytes=one(memory.nvme_bytes) * layout.gpus,
        extrapolated=bool(ledger.extrapolated),
    )


def _speed(ask: TrainingAsk, speed: TrainingSpeed, repeats: int) -> Speed:
    rate, low = one(speed.tokens_per_s), one(speed.low)
    counted = low if ask.careful else rate
    return Speed(
        rate=rate,
        rate_low=low,
        rate_high=one(speed.high),
        counted=counted,
        demand=ask.tokens,
        hours=ask.tokens / max(counted, 1e-9) / HOUR_S,
        step_s=one(speed.step_s) * repeats,
        mfu=one(speed.mfu),
        extrapolated=bool(np.any(speed.extrapolated)),
    )
