"""Activations of one rank in a step: all layers and micro-batches in flight, and recomputed blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalog.frameworks import FrameworkMemory
from planner.catalog.records import Model
from planner.memory.activations import KeepRules, Kept, layer_kept
from planner.memory.arrays import Floats
from planner.memory.gather import waiting_layers
from planner.memory.lora import dora_bytes
from planner.memory.phases import Activations
from planner.memory.ranks import Ranks, Role, in_flight, layers_of_stage, stage_sum
from planner.memory.setup import TrainingSetup
from planner.memory.states import Widths, mixed_base, regime
from planner.memory.trainable import Parts


def keep_rules(setup: TrainingSetup, memory: FrameworkMemory, wide: Widths) -> KeepRules:
    """What this setup's operators keep; see `planner.memory.activations`."""
    selective = setup.recompute == "selective"
    kernel = "flash" if selective and setup.attention == "eager" else setup.attention
    dropout = memory.lora_dropout if setup.lora_dropout is None else setup.lora_dropout
    adapters = setup.adapters
    mixed = mixed_base(setup)
    return KeepRules(
        compute_bytes=wide.compute,
        autocast=(not adapters and regime(setup, memory) == "autocast") or mixed,
        kernel=kernel,
        targets=setup.lora_targets if adapters else "",
        rank=setup.lora_rank if adapters else 0,
        adapter_bytes=_adapter_bytes(setup, memory),
        dropout=adapters and dropout,
        fused=setup.fused_kernels or memory.fused_kernels,
        repeats_kv=memory.repeats_kv or setup.attention == "sdpa",
        merged_qkv=memory.merged_qkv,
        quantized_inputs=setup.quantized and memory.quantized_inputs,
    )


def _adapter_bytes(setup: TrainingSetup, memory: FrameworkMemory) -> int:
    """Bytes of the copy an fp32 adapter makes of its input; none for 16-bit adapters."""
    if not setup.adapters or setup.lora_dtype != "fp32":
        return 0
    return 2 if memory.adapter_autocast else 4


def _bytes(kept: Kept, ranks: Ranks, setup: TrainingSetup, memory: FrameworkMemory) -> Floats:
    """Bytes of one layer on one rank; sequence parallelism divides what tp leaves whole."""
    whole: Floats | float = kept.whole
    gathered: Floats | float = kept.gathered
    if setup.sequence_parallel:
        whole = whole / ranks.tp
        gathered = gathered / ranks.tp if memory.regathers else gathered
    scores = kept.scores * ranks.sequence
    return ranks.tokens * (whole + gathered + (kept.split + scores) / ranks.tp)


def _block(
    model: Model,
    model_parts: Parts,
    rules: KeepRules,
    ranks: Ranks,
    setup: TrainingSetup,
    memory: FrameworkMemory,
) -> tuple[Floats, ...]:
    """Bytes per layer of each group of layers, with what the framework keeps beyond the reference."""
    factor = memory.compiled.best if setup.compiled else memory.activations.best
    if setup.quantized:
        factor *= memory.quantized_activations.best
    result = []
    for group in model_parts.layers:
        kept = layer_kept(model, rules, moe=group.moe).times(factor)
        fixed = 0.0
        if setup.method == "dora":
            fixed, token = dora_bytes(group, setup.lora_targets)
            kept = kept + Kept(0.0, token)
        result.append(_bytes(kept, ranks, setup, memory) + fixed / ranks.tp)
    return tuple(result)


def _residual(model: Model, setup: TrainingSetup, memory: FrameworkMemory, wide: Widths) -> float:
    """Bytes per token of a block's input: 2h, or 4h where the residual stream is fp32."""
    cast = mixed_base(setup) or (not setup.adapters and regime(setup, memory) == "autocast")
    fp32 = memory.residual_fp32 or cast
    return (4 if fp32 else wide.compute) * model.hidden_size


def step_activations(
    model: Model,
    model_parts: Parts,
    setup: TrainingSetup,
    memory: FrameworkMemory,
    wide: Widths,
    ranks: Ranks,
    role: Role,
) -> tuple[Activations, Floats]:
    """Activations of a stage by phase, and those kept in host RAM.

    Without recomputation: layers x kept x micro-batches in flight. With full recomputation: layers / k x block input,
    plus k layers in full while their block is recomputed. Add 8h for the last norm and 4d for rotary tables.
    """
    rules = keep_rules(setup, memory, wide)
    per_layer = _block(model, model_parts, rules, ranks, setup, memory)
    widest = per_layer[0]
    for other in per_layer[1:]:
        widest = np.maximum(widest, other)
    shared = ranks.tp if setup.sequence_parallel else 1.0
    sizes = _Sizes(
        widest,
        ranks.tokens * _residual(model, setup, memory, wide) / shared,
        _outer(model, rules, ranks, role, adapters=setup.adapters),
        _left_of_layer(model, rules, ranks, widest),
        in_flight(setup, ranks, role),
    )
    ways = []
    if not np.all(ranks.recomputes):
        stored = stage_sum(model_parts, ranks, per_layer) * sizes.flight
        extra = _workspace(model, rules, wide, ranks, setup)
        ways.append(_in_full(model, setup, ranks, sizes, stored, extra))
    if np.any(ranks.recomputes):
        ways.append(_recomputed(model, setup, memory, ranks, sizes))
    one = ways[0] if len(ways) == 1 else _either(ranks.recomputes, ways[1], ways[0])
    end = np.where(np.greater_equal(ranks.zero, 3), one.waiting, one.kept.end)
    result = Activations(one.kept.forward, one.kept.start, one.kept.between, end)
    if setup.offload_activations == "none":
        return result, 0.0 * ranks.tokens
    return _hosted(result, one.stored, one.unit)


@dataclass(frozen=True, slots=True)
class _Sizes:
    """What both ways are made of, in bytes."""

    layer: Floats
    """All that the largest layer keeps."""
    entry: Floats
    """A block's input."""
    outer: Floats
    """Kept outside the layers."""
    left: Floats
    """Of a layer whose feed-forward block went backward."""
    flight: Floats
    """Micro-batches in flight."""


@dataclass(frozen=True, slots=True)
class _Way:
    """What a stage keeps with or without recomputation."""

    stored: Floats
    """Of all layers and micro-batches in flight."""
    unit: Floats
    """Of one layer or block, as transfers move it."""
    kept: Activations
    waiting: Floats
    """At the end where parameters are sharded and layers wait, gathered."""


def _in_full(
    model: Model,
    setup: TrainingSetup,
    ranks: Ranks,
    sizes: _Sizes,
    stored: Floats,
    workspace: Floats,
) -> _Way:
    """Without recomputation of blocks."""
    if setup.adapters:
        stored = stored - 4.0 * model.hidden_size * ranks.tokens
    kept = Activations(
        stored + sizes.outer,
        stored + workspace,
        np.maximum(stored - 2 * sizes.layer, 0.0) + sizes.left + sizes.entry,
        sizes.layer + sizes.entry,
    )
    return _Way(stored, sizes.layer, kept, sizes.left + sizes.layer)


def _recomputed(
    model: Model, setup: TrainingSetup, memory: FrameworkMemory, ranks: Ranks, sizes: _Sizes
) -> _Way:
    """With each block's input kept, and one block at a time in full."""
    every = setup.recompute_every
    entries = np.ceil(layers_of_stage(model.num_layers, ranks) / every)
    stored = entries * sizes.entry * sizes.flight
    block = every * sizes.layer
    kept = Activations(
        stored + sizes.outer,
        stored + block,
        stored - sizes.entry + sizes.left,
        block + sizes.entry,
    )
    waiting = sizes.left + waiting_layers(model, memory, ranks) * sizes.entry
    return _Way(stored, sizes.entry, kept, waiting)


def _either(recomputes: NDArray[np.bool_], yes: _Way, no: _Way) -> _Way:
    """Row by row the one or the other."""

    def pick(a: Floats, b: Floats) -> Floats:
        return np.where(recomputes, a, b)

    return _Way(
        pick(yes.stored, no.stored),
        pick(yes.unit, no.unit),
        Activations(
            pick(yes.kept.forward, no.kept.forward),
            pick(yes.kept.start, no.kept.start),
            pick(yes.kept.between, no.kept.between),
            pick(yes.kept.end, no.kept.end),
        ),
        pick(yes.waiting, no.waiting),
    )


def _outer(model: Model, rules: KeepRules, ranks: Ranks, role: Role, *, adapters: bool) -> Floats:
    """Last norm (8h; 10h under autocast; 4h with a frozen base), rotary tables (4d), and an eager mask."""
    last = np.equal(ranks.pp, 1) if role == "first" else True
    wide = rules.autocast or model.family.startswith("gemma")
    norm = 4.0 if adapters else 10.0 if wide else 8.0
    mask = rules.compute_bytes * ranks.sequence**2 if rules.kernel == "eager" else 0.0
    tables = 2.0 * rules.compute_bytes * model.head_dim
    return ranks.tokens * (norm * model.hidden_size * last + tables) + mask


def _left_of_layer(model: Model, rules: KeepRules, ranks: Ranks, widest: Floats) -> Floats:
    """What is left of a layer once its feed-forward block went backward, and the gradient that flows on."""
    b = rules.compute_bytes
    mlp = (4 if model.gated_mlp else 2) * b * model.intermediate_size / ranks.tp
    gone = np.minimum(mlp * ranks.tokens, 0.6 * widest)
    return widest - gone + b * model.hidden_size * ranks.tokens


def _workspace(
    model: Model, rules: KeepRules, wide: Widths, ranks: Ranks, setup: TrainingSetup
) -> Floats:
    """What the last layer's backward holds in eager attention: three score matrices and the block's gradients.

    The feed-forward block's activations are gone by then.
    """
    if rules.kernel != "eager":
        return 0.0 * ranks.tokens
    scores = 6.0 * model.num_attention_heads * ranks.sequence / ranks.tp
    freed = 8.0 * model.intermediate_size / ranks.tp + 10.0 * model.hidden_size
    block = (3 if model.gated_mlp else 2) * model.hidden_size * model.intermediate_size
    gradients = 0.0 if setup.adapters else wide.gradient * block / ranks.tp
    return np.maximum(ranks.tokens * (scores - freed) + gradients, 0.0)


def _hosted(kept: Activations, stored: Floats, entry: Floats) -> tuple[Activations, Floats]:
    """Kept activations go to the host; two blocks' worth stays for the transfers."""
    stays = np.minimum(2 * entry, stored)
    moved = stored - stays
    return (
        Activations(
            kept.forward - moved,
            kept.start - moved,
            np.maximum(kept.between - moved, stays),
            kept.end,
        ),
        moved,
    )
