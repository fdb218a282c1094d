"""Communication of a training step, by kind of parallelism, less what hides behind compute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalog.speed_records import TrainingStack
from planner.speed.collectives import group_s
from planner.speed.link_rows import AnyLink
from planner.speed.work import Work

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shape:
    """A training layout; arrays of equal shape. Ranks are ordered tp, cp, dp, pp, nearest first."""

    micro_batch: Floats
    tp: Floats
    pp: Floats
    dp: Floats
    cp: Floats
    ep: Floats
    zero: Floats
    accumulation: Floats

    @property
    def gpus(self) -> Floats:
        """GPUs of the replica."""
        return self.tp * self.pp * self.dp * self.cp

    @property
    def gradient_rounds(self) -> Floats:
        """Times a step reduces its gradients: once, or per micro-batch where they are sharded."""
        return np.where(self.zero >= 2, self.accumulation, 1.0)

    def expert_spread(self, work: Work) -> Floats:
        """By how much expert parallelism divides the parameters a GPU holds, on average."""
        if not work.moe_layers:
            return np.ones_like(self.ep)
        experts = work.expert * work.experts * work.moe_layers / work.total
        return 1.0 / (1.0 - experts + experts / self.ep)


def traffic_seconds(
    work: Work,
    shape: Shape,
    link: AnyLink,
    stack: TrainingStack,
    busy_s: Floats,
    tokens: Floats,
    passes: Floats,
    trainable: float,
) -> dict[str, Floats]:
    """Exposed seconds per step of tp, cp, ep, dp and pp traffic.

    tp: two all-reduces per layer and pass (their equal in sequence parallelism). cp: keys and values round the ring.
    ep: dispatch and combine per MoE layer and pass. dp: gradients once per step, and under ZeRO-3 the parameters
    once per pass of each micro-batch. pp: activations at stage borders.
    """
    layers = work.layers / shape.pp
    message = 2.0 * tokens * work.hidden
    rounds = shape.accumulation
    one = group_s("all_reduce", message, shape.tp, 1, link)
    tp = 2.0 * layers * passes * one * rounds * (1.0 - stack.overlap_tp)
    ring = 2.0 * tokens * work.kv_values / np.maximum(np.minimum(shape.tp, work.kv_heads or 1), 1.0)
    hop = group_s("all_gather", ring * shape.cp, shape.cp, shape.tp, link) / shape.pp
    cp = hop * passes * rounds * (1.0 - stack.overlap_cp)
    ep = np.zeros_like(tp)
    if work.moe_layers:
        routed = message * work.experts_per_token / shape.tp
        exchange = group_s("all_to_all", routed, shape.ep, shape.tp, link)
        moe = work.moe_layers / shape.pp
        ep = 2.0 * moe * passes * exchange * rounds * (1.0 - stack.overlap_ep)
    border = group_s("send_recv", message, np.minimum(shape.pp, 2.0), shape.gpus / shape.pp, link)
    pp = np.where(shape.pp > 1, 2.0 * border * rounds, 0.0) * (1.0 - stack.overlap_pp)
    dp = _data_parallel(work, shape, link, passes, trainable)
    return {
        "tp": tp,
        "cp": np.where(shape.cp > 1, cp, 0.0),
        "ep": ep,
        "pp": pp,
        "dp": np.maximum(dp - stack.overlap_dp * busy_s, dp * stack.exposed_dp),
    }


def _data_parallel(
    work: Work, shape: Shape, link: AnyLink, passes: Floats, trainable: float
) -> Floats:
    """Seconds of gradient and parameter traffic of a step, before overlap."""
    stride = shape.tp * shape.cp
    total = np.zeros_like(shape.dp)
    dense = work.dense + 2.0 * work.head
    experts = work.expert * work.experts * work.moe_layers
    replicas = np.maximum(shape.dp * shape.tp / np.maximum(shape.ep, shape.tp), 1.0)
    for size, ranks, step in (
        (dense / shape.tp, shape.dp * shape.cp, shape.tp),
        (experts / np.maximum(shape.ep, shape.tp), replicas, stride * shape.dp / replicas),
    ):
        held = 2.0 * size / shape.pp
        gradient = held * trainable * shape.gradient_rounds
        reduce = group_s("all_reduce", gradient, ranks, step, link)
        scatter = group_s("reduce_scatter", gradient, ranks, step, link)
        gather = group_s("all_gather", held, ranks, step, link)
        sharded = scatter + gather * trainable
        rounds = np.where(passes > 2, passes - 1.0, passes) * shape.accumulation
        full = scatter + gather * rounds
        total = total + np.where(shape.zero >= 3, full, np.where(shape.zero >= 1, sharded, reduce))
    return total
