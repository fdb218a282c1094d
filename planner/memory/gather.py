"""Buffers of sharded training: parameters gathered for a layer, unsharded gradients, reduction inputs, buckets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.catalog.frameworks import FrameworkMemory
from planner.catalog.records import Model
from planner.memory.arrays import Floats
from planner.memory.ranks import Ranks, Role, counts, stage_pieces, stored
from planner.memory.setup import TrainingSetup
from planner.memory.states import Widths, trained_splits
from planner.memory.trainable import Parts


@dataclass(frozen=True, slots=True)
class Buffers:
    """Bytes of buffers in each phase."""

    loss: Floats
    start: Floats
    """While the last layer goes backward."""
    middle: Floats
    """While a later layer goes backward and the one before it is reduced."""


def gather_buffers(
    model: Model,
    model_parts: Parts,
    setup: TrainingSetup,
    memory: FrameworkMemory,
    wide: Widths,
    ranks: Ranks,
    role: Role,
) -> Buffers:
    """Buffers of a rank under FSDP, ZeRO or DDP.

    Parameters sharded (stage 3): c P_root from forward on, the head's gradient, and per layer c x (gathered +
    gradients) + reduction input; with 16-bit compute and fp32 reduction 10 P_layer in all (c = 2: 2 gathered layers,
    1 of gradients, 4 bytes of input). Not resharding after forward keeps every layer gathered. ZeRO-1 and -2 hold
    communication buckets; DDP holds bucket copies of the gradients.
    """
    rules = memory.gather
    buckets = np.greater_equal(ranks.zero, 1) * (rules.buckets * rules.bucket_elements * 2.0)
    waiting = waiting_layers(model, memory, ranks)
    if setup.sharding not in ("fsdp", "zero") or not np.any(waiting):
        return Buffers(buckets, buckets, buckets)
    root, head, layer, trained = _unsharded(model, model_parts, setup, wide, ranks, role)
    if setup.adapters:
        buckets = np.minimum(buckets, trained * (model.num_layers * 2.0 * rules.buckets))
    sharded = np.greater_equal(ranks.zero, 3) * 1.0
    gathered = np.maximum(waiting, 1.0) * layer
    stage = layer * np.ceil(model.num_layers / ranks.pp)
    live = np.minimum(rules.live_parameters * wide.compute, stage)
    if not setup.reshard_after_forward:
        live = stage
    if not rules.root:
        root, head = 0.0 * root, 0.0 * head
    moving = trained * (
        rules.gradient_layers * wide.compute + min(rules.reduce_bytes, int(wide.gradient))
    )
    loss = sharded * (root + live) + buckets
    start = sharded * (root + head + np.maximum(gathered, live)) + buckets
    return Buffers(loss, start, start + sharded * moving)


def waiting_layers(model: Model, memory: FrameworkMemory, ranks: Ranks) -> Floats:
    """Layers gathered at once while one goes backward; 0 where parameters are not sharded."""
    stage = np.ceil(model.num_layers / ranks.pp)
    ahead = np.clip(stage - 1, 1.0, memory.gather.layers)
    return np.where(np.greater_equal(ranks.zero, 3), ahead, 0.0)


def _unsharded(
    model: Model,
    model_parts: Parts,
    setup: TrainingSetup,
    wide: Widths,
    ranks: Ranks,
    role: Role,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Bytes of the gathered root, of the head's gradient, of a gathered layer; trained elements of a layer."""
    if setup.adapters:
        base = stage_pieces(model, model_parts, ranks, role, stored(model_parts))
        splits = trained_splits(model_parts, setup)
        adapters = stage_pieces(model, model_parts, ranks, role, splits)
        return base.outer, 0.0 * base.head, base.one_layer, adapters.one_layer
    whole = stage_pieces(model, model_parts, ranks, role, counts(model_parts))
    c = wide.compute
    return c * whole.outer, c * whole.head, c * whole.one_layer, whole.one_layer


def ddp_buckets(
    setup: TrainingSetup, memory: FrameworkMemory, gradients: Floats, ranks: Ranks
) -> Floats | None:
    """Bucket copies of the gradients under plain data parallelism with more than one rank; None if there are none."""
    plain = setup.sharding in ("ddp", "none", "tp", "layers")
    many = np.logical_and(np.greater(ranks.dp * ranks.cp, 1), np.equal(ranks.zero, 0))
    if not plain or not memory.ddp_buckets or not np.any(many):
        return None
    return many * memory.ddp_buckets * gradients
