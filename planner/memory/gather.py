"""Buffers of sharded training: parameters gathered for a layer, unsharded gradients, reduction inputs, buckets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.catalog.frameworks import FrameworkMemory
from planner.catalog.records import Model
from planner.memory.ledger import Number
from planner.memory.lora import adapter_split
from planner.memory.ranks import Ranks, Role, edges, rank_amount
from planner.memory.setup import TrainingSetup
from planner.memory.states import Widths
from planner.memory.trainable import Parts


@dataclass(frozen=True, slots=True)
class Buffers:
    """Bytes of buffers in each phase."""

    loss: Number
    start: Number
    """While the last layer goes backward."""
    middle: Number
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
    sharded = np.greater_equal(ranks.zero, 3)
    root, head, layer, trained_layer = _unsharded(model, model_parts, setup, wide, ranks, role)
    rules = memory.gather
    gathered = np.maximum(waiting_layers(model, memory, ranks), 1.0) * layer
    everything = layers_bytes = 0.0 * layer
    if not setup.reshard_after_forward:
        layers_bytes = layer * np.ceil(model.num_layers / ranks.pp)
        everything = layers_bytes - gathered
    live = np.minimum(rules.live_parameters * wide.compute, layer * model.num_layers)
    root = root if rules.root else 0.0 * root
    head = head if rules.root else 0.0 * head
    grads = trained_layer * (rules.gradient_layers * wide.compute)
    reduced = trained_layer * min(rules.reduce_bytes, int(wide.gradient))
    buckets = np.greater_equal(ranks.zero, 1) * rules.buckets * rules.bucket_elements * 2.0
    if setup.adapters:
        buckets = np.minimum(buckets, trained_layer * model.num_layers * 2.0 * rules.buckets)
    loss = sharded * (root + np.maximum(live, everything)) + buckets
    start = sharded * (root + head + np.maximum(gathered, live) + everything) + buckets
    middle = start + sharded * (grads + reduced)
    return Buffers(loss, start, middle)


def waiting_layers(model: Model, memory: FrameworkMemory, ranks: Ranks) -> Number:
    """Layers gathered at once while one goes backward; 0 where parameters are not sharded."""
    stage = np.ceil(model.num_layers / ranks.pp)
    ahead = np.clip(stage - 1, 1.0, memory.gather.layers)
    return np.greater_equal(ranks.zero, 3) * ahead


def _unsharded(
    model: Model,
    model_parts: Parts,
    setup: TrainingSetup,
    wide: Widths,
    ranks: Ranks,
    role: Role,
) -> tuple[Number, Number, Number, Number]:
    """Bytes of the gathered root, of the head's gradient, of a gathered layer; trained elements of a layer."""
    largest = model_parts.largest_layer
    before, after = model_parts.before, model_parts.after
    if setup.adapters:
        rows = [
            rank_amount(s, model, ranks).total
            for s in (before.stored, after.stored, largest.stored)
        ]
        dora = setup.method == "dora"
        adapter = adapter_split(largest, setup.lora_rank, setup.lora_targets, dora=dora)
        trained = rank_amount(adapter, model, ranks).total
        head = 0.0 * rows[1]
        layer = rows[2]
    else:
        rows = [
            rank_amount(s, model, ranks, head=i == 1).total * wide.compute
            for i, s in enumerate((before.count, after.count, largest.count))
        ]
        trained = rank_amount(largest.count, model, ranks).total
        head, layer = rows[1] if not model_parts.tied else rows[0], rows[2]
    root = edges(rows[0], rows[1], ranks, role, tied=model_parts.tied)
    return root, head, layer, trained


def ddp_buckets(
    model: Model,
    model_parts: Parts,
    setup: TrainingSetup,
    memory: FrameworkMemory,
    gradients: Number,
    ranks: Ranks,
) -> Number:
    """Bucket copies of the gradients under plain data parallelism with more than one rank."""
    plain = setup.sharding in ("ddp", "none", "tp", "layers")
    if not plain:
        return 0.0 * gradients
    many = np.logical_and(np.greater(ranks.dp * ranks.cp, 1), np.equal(ranks.zero, 0))
    return many * memory.ddp_buckets * gradients

