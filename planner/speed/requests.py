"""Demands of serving passes: a decode step and a prefill, per GPU, for any layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.speed.collectives import group_s
from planner.speed.link_rows import AnyLink, rows_of
from planner.speed.passes import Demand
from planner.speed.work import Work

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Split:
    """How a replica's GPUs share the model; fields may be arrays over layouts.

    tp splits matrices, pp layers, dp the sequences of attention; experts are split over
    max(ep, tp) GPUs, so that ep > tp gathers the tokens of several attention replicas.
    """

    tp: Floats
    pp: Floats
    dp: Floats
    ep: Floats

    @property
    def expert_group(self) -> Floats:
        """GPUs over which one layer's experts lie."""
        return np.maximum(self.ep, self.tp)

    @property
    def gathered(self) -> Floats:
        """Attention replicas whose tokens meet in one expert group."""
        return np.maximum(self.expert_group / self.tp, 1.0)


def split_of(tp: ArrayLike, pp: ArrayLike, dp: ArrayLike, ep: ArrayLike) -> Split:
    """A split of floats, whatever numbers came in."""
    as_float = [np.maximum(np.asarray(x, np.float64), 1.0) for x in (tp, pp, dp, ep)]
    return Split(*as_float)


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes per value of a model as it is served."""

    linear: float
    """Attention and dense layers."""
    expert: float
    head: float
    kv: float


def _comm_s(
    work: Work, split: Split, tokens: Floats, link: AnyLink, all_reduce_s: float | None
) -> Floats:
    """Two all-reduces a layer under tp, dispatch and combine of experts, hand-over of stages."""
    message = 2.0 * tokens * work.hidden
    links = rows_of(link)
    one = group_s("all_reduce", message, split.tp, 1, links)
    fits = (split.tp > 1) & (split.tp <= links.domain) & links.scale_up
    if all_reduce_s is not None and np.any(fits):
        # Engines' own all-reduce: one step for small messages, all ranks read all others.
        wire = np.where(links.scale_up, links.nvlink_gb_s, 1.0) / 2.0 * 1e9 * 0.7
        custom = all_reduce_s + message * (split.tp - 1.0) / wire
        one = np.where(fits, np.minimum(one, custom), one)
    total = 2.0 * work.layers * one
    if work.moe_layers:
        routed = message * work.experts_per_token
        group = split.gathered
        exchange = group_s("all_to_all", routed, group, split.tp, links)
        total = total + 2.0 * work.moe_layers * exchange
    hop = group_s("send_recv", message, np.minimum(split.pp, 2.0), split.tp, links)
    return np.asarray(total + (split.pp - 1.0) * hop, np.float64)


def _expert_bytes(work: Work, split: Split, stored: Stored, tokens: Floats) -> Floats:
    if not work.moe_layers:
        return np.zeros(())
    hit = work.experts_hit(tokens * split.gathered)
    return hit * work.expert * work.moe_layers * stored.expert / split.expert_group


def _expert_flops(work: Work, split: Split, tokens: Floats) -> Floats:
    if not work.moe_layers:
        return np.zeros(())
    routed = 2.0 * work.expert * work.experts_per_token * work.moe_layers
    flops: Floats = routed * tokens * split.gathered / split.expert_group
    return flops


def _placed(
    dense: ArrayLike, expert: Floats, split: Split, host_share: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Bytes of dense weights and experts that a GPU reads from its memory, and of both from the host's."""
    each, host = np.asarray(dense, np.float64), np.asarray(host_share, np.float64)
    if not np.any(host):
        return each / split.tp, expert, np.zeros(())
    here = each * (1.0 - host) / split.tp, expert * (1.0 - host)
    return *here, (each / split.tp + expert) * host


def decode_demand(
    work: Work,
    split: Split,
    stored: Stored,
    link: AnyLink,
    batch: ArrayLike,
    context: ArrayLike,
    *,
    all_reduce_s: float | None = None,
    host_share: ArrayLike = 0.0,
) -> Demand:
    """One decode step of `batch` sequences per attention replica at `context` tokens each.

    With a pipeline each stage works on batch / pp sequences; the demand is that of one token's way through all
    stages. A full pipeline runs at the pace of its slowest stage, the last one with the head, which therefore
    counts once per stage. `host_share` is the share of the weights kept in host memory.
    """
    b = np.maximum(np.asarray(batch, np.float64) / split.pp, 1.0)
    full = np.where(np.asarray(batch, np.float64) >= split.pp, split.pp, 1.0)
    dense = work.dense * stored.linear + work.head * stored.head * full
    heads = np.minimum(split.tp, work.kv_heads) if work.kv_heads else np.ones_like(split.tp)
    seen = work.attended(context)
    kv = b * seen * work.kv_values * stored.kv / heads
    dense_bytes, expert_bytes, host_bytes = _placed(
        dense, _expert_bytes(work, split, stored, b), split, host_share
    )
    return Demand(
        dense_bytes=dense_bytes,
        dense_flops=2.0 * (work.dense + work.head * full) * b / split.tp,
        expert_bytes=expert_bytes,
        expert_flops=_expert_flops(work, split, b),
        kv_bytes=kv,
        attention_flops=2.0 * work.decode_width * seen * b / split.tp,
        comm_s=_comm_s(work, split, np.maximum(b, 1.0), link, all_reduce_s),
        layers=work.layers,
        sequences=b,
        moe_layers=work.moe_layers,
        host_bytes=host_bytes,
    )


def prefill_demand(
    work: Work,
    split: Split,
    stored: Stored,
    link: AnyLink,
    prompt: ArrayLike,
    prompts: ArrayLike = 1.0,
    *,
    cached: ArrayLike = 0.0,
    all_reduce_s: float | None = None,
    host_share: ArrayLike = 0.0,
) -> Demand:
    """One pass over `prompts` prompts of `prompt` tokens, of which `cached` each need no work.

    The demand is that of one way through all stages of a pipeline.
    """
    n = np.asarray(prompts, np.float64)
    length, skipped = np.asarray(prompt, np.float64), np.asarray(cached, np.float64)
    fresh = np.maximum(length - skipped, 1.0)
    tokens = n * fresh
    dense = work.dense * stored.linear + work.head * stored.head
    pairs = n * (length * work.attended_causal(length) - skipped * work.attended_causal(skipped))
    dense_bytes, expert_bytes, host_bytes = _placed(
        dense, _expert_bytes(work, split, stored, tokens), split, host_share
    )
    heads = np.minimum(split.tp, work.kv_heads) if work.kv_heads else np.ones_like(split.tp)
    return Demand(
        dense_bytes=dense_bytes,
        dense_flops=2.0 * (work.dense * tokens + work.head * n) / split.tp,
        expert_bytes=expert_bytes,
        expert_flops=_expert_flops(work, split, tokens),
        kv_bytes=n * length * work.kv_values * stored.kv / heads,
        attention_flops=2.0 * work.attention_width * np.maximum(pairs, 0.0) / split.tp,
        comm_s=_comm_s(work, split, tokens, link, all_reduce_s),
        layers=work.layers,
        sequences=n,
        moe_layers=work.moe_layers,
        host_bytes=host_bytes,
    )
