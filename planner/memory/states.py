"""Model state of one training rank: parameters, gradients and optimizer states, sharded and offloaded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.catalog.frameworks import FrameworkMemory, Regime
from planner.catalog.records import Model
from planner.memory.ledger import Number
from planner.memory.lora import adapter_split
from planner.memory.optimizer_states import (
    Optimizer,
    optimizer,
    section_states,
    step_bytes,
)
from planner.memory.ranks import Amount, Ranks, Role, counts, stage_amount, stored
from planner.memory.setup import TrainingSetup
from planner.memory.trainable import Parts, Split

SIXTEEN_BIT = 2


@dataclass(frozen=True, slots=True)
class Widths:
    """Bytes per trained parameter: parameter, gradient, optimizer (master included), and the step's temporary."""

    parameter: float
    gradient: float
    master: float
    state: int
    """Bytes of one state of the optimizer."""
    compute: int
    """Bytes of the type that matrix products run in."""
    copies: float = 0.0
    """16-bit copies of the weights that autocast caches."""
    step: float = 0.0
    """fp32 copy of the gradients that the step makes (ZeRO)."""


def regime(setup: TrainingSetup, memory: FrameworkMemory) -> Regime:
    """Precision regime of a setup: what `auto` means for this framework and sharding.

    Without fp32 masters it is pure; FSDP and ZeRO have regimes of their own.
    """
    if setup.precision != "auto":
        return setup.precision
    if setup.master == "none" or setup.weights == "fp32":
        return "pure"
    sharded = setup.sharding in ("fsdp", "zero")
    return memory.sharded_regime if sharded else memory.regime


def mixed_base(setup: TrainingSetup) -> bool:
    """Whether adapters sit on a frozen base that is fp32 too and cast per operator."""
    return setup.adapters and setup.precision == "autocast"


def widths(setup: TrainingSetup, memory: FrameworkMemory) -> Widths:
    """Bytes per trained parameter of the regime.

    pure b + b + states of b; autocast and FSDP 4 + 4 + states of 4; Megatron 2 + 4 + 4 + 8 = 18; DeepSpeed 2 + 2 +
    4 + 8 = 16 and an fp32 copy of the rank's gradients in the step. Adapters are fp32 or 16-bit tensors of their own.
    """
    if setup.adapters:
        wide = 4 if setup.lora_dtype == "fp32" else SIXTEEN_BIT
        cast = wide == 4 and memory.adapter_autocast
        return Widths(wide, wide, 0.0, wide, SIXTEEN_BIT, copies=2.0 if cast else 0.0)
    kind = regime(setup, memory)
    if kind == "pure":
        wide = 4 if setup.weights == "fp32" else SIXTEEN_BIT
        return Widths(wide, wide, 0.0, wide, wide)
    if kind == "megatron":
        return Widths(2, 4, 4, 4, SIXTEEN_BIT)
    if kind == "deepspeed":
        return Widths(2, 2, 4, 4, SIXTEEN_BIT, step=4)
    copies = 2.0 if kind == "autocast" else 0.0
    return Widths(4, 4, 0.0, 4, SIXTEEN_BIT, copies=copies)


@dataclass(frozen=True, slots=True)
class State:
    """Bytes of model state on one GPU and, where offloaded, what leaves it."""

    parameters: Number
    gradients: Number
    """All gradients, sharded as they are kept."""
    optimizer: Number
    step: Number
    """What the optimizer step allocates."""
    copies: Number
    """16-bit weight copies alive from forward to backward."""
    layer_gradient: Number
    """Gradients of one layer as they are kept."""
    head_gradient: Number
    """Gradients of head and last norm, the first to be computed."""
    outer_gradient: Number
    """Gradients of embedding, head and last norm as they are kept."""
    trained: Number
    """Trained parameters on this rank's tensor- and pipeline-parallel part, unsharded."""
    host: Number = 0.0
    """Bytes of states that live in host RAM, before rounding."""
    nvme: Number = 0.0


def trained_splits(model_parts: Parts, setup: TrainingSetup) -> tuple[Split, ...]:
    """Trained elements of before, after and each layer group: everything, or the adapters."""
    if not setup.adapters:
        return counts(model_parts)
    dora = setup.method == "dora"
    rank, targets = setup.lora_rank, setup.lora_targets
    inner = tuple(adapter_split(g, rank, targets, dora=dora) for g in model_parts.layers)
    return (Split(), adapter_split(model_parts.after, rank, targets, dora=dora), *inner)


def _scaled(split: Split, factor: float) -> Split:
    return Split(*(factor * getattr(split, name) for name in Split.__slots__))


def _state_splits(
    model_parts: Parts, splits: tuple[Split, ...], opt: Optimizer, width: int
) -> tuple[Split, ...]:
    sections = (model_parts.before, model_parts.after, *model_parts.layers)
    return tuple(
        _scaled(split, section_states(opt, section, width))
        for split, section in zip(splits, sections, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Shards:
    """Divisors of parameters, gradients and optimizer states, for dense tensors and experts."""

    parameter: tuple[Number, Number]
    gradient: tuple[Number, Number]
    optimizer: tuple[Number, Number]


def shards(setup: TrainingSetup, ranks: Ranks) -> Shards:
    """ZeRO stage 1 spreads optimizer states, 2 gradients too, 3 parameters too; FSDP is stage 3."""
    both = (ranks.shards(setup, experts=False), ranks.shards(setup, experts=True))

    def at(stage: int) -> tuple[Number, Number]:
        on = np.greater_equal(ranks.zero, stage)
        return (np.where(on, both[0], 1), np.where(on, both[1], 1))

    return Shards(at(3), at(2), at(1))


def model_state(
    model: Model,
    model_parts: Parts,
    setup: TrainingSetup,
    memory: FrameworkMemory,
    ranks: Ranks,
    role: Role,
) -> State:
    """Parameters, gradients and optimizer states of a stage's rank.

    parameters = trained x width / shards + frozen base bytes / shards; gradients and states alike; offloaded parts
    leave the GPU. Adapters leave the base frozen: it has neither gradients nor states.
    """
    wide, split = widths(setup, memory), shards(setup, ranks)
    opt = optimizer(setup.optimizer, memory.adamw_step)
    splits = trained_splits(model_parts, setup)
    trained = stage_amount(model, model_parts, ranks, role, splits)
    states = stage_amount(
        model, model_parts, ranks, role, _state_splits(model_parts, splits, opt, wide.state)
    )
    parameters = trained.scaled(wide.parameter).over(*split.parameter)
    if setup.adapters:
        base = stage_amount(model, model_parts, ranks, role, stored(model_parts))
        parameters = parameters + base.over(*split.parameter)
    master = trained.scaled(wide.master).over(*split.optimizer)
    optimizer_bytes = states.over(*split.optimizer) + master
    gradients = trained.scaled(wide.gradient).over(*split.gradient)
    layer, head, outer = _gradient_parts(model, model_parts, ranks, role, splits)
    temporary = trained.scaled(step_bytes(opt, wide.state) + wide.step).over(*split.optimizer)
    if opt.temporaries:
        largest = max(s.largest for s in (model_parts.before, *model_parts.layers))
        temporary = temporary + opt.temporaries * 4.0 * largest / ranks.tp
    return _placed(
        State(
            parameters, gradients, optimizer_bytes, temporary,
            wide.copies * _copied(model, model_parts, setup, ranks, role),
            layer.scaled(wide.gradient).over(*split.gradient),
            head.scaled(wide.gradient).over(*split.gradient),
            outer.scaled(wide.gradient).over(*split.gradient),
            trained.total,
        ),
        setup, opt,
    )  # fmt: skip


def _gradient_parts(
    model: Model, model_parts: Parts, ranks: Ranks, role: Role, splits: tuple[Split, ...]
) -> tuple[Amount, Amount, Amount]:
    """Trained elements of the largest layer, of the head, and of all that lies outside the layers."""
    kv = model.num_key_value_heads
    largest = max(splits[2:], key=lambda s: s.total)
    layer = Amount(largest.dense(ranks.tp, kv, 1.0), largest.experts(ranks.tp, ranks.ep))
    empty = tuple(Split() for _ in splits[2:])
    first = splits[0] if model_parts.tied else Split()
    head = stage_amount(model, model_parts, ranks, role, (first, splits[1], *empty))
    return layer, head, stage_amount(model, model_parts, ranks, role, (*splits[:2], *empty))


def _copied(
    model: Model, model_parts: Parts, setup: TrainingSetup, ranks: Ranks, role: Role
) -> Number:
    """Elements whose 16-bit copies autocast keeps: all trained matrices but the embedding table.

    A frozen base in fp32 is copied as well, once per use. Recomputed layers drop their copies, the head keeps its.
    """
    splits = counts(model_parts)
    if setup.adapters and not mixed_base(setup):
        splits = trained_splits(model_parts, setup)
    elif not model_parts.tied:
        splits = (Split(), *splits[1:])
    if setup.recompute == "full":
        splits = (*splits[:2], *(Split() for _ in splits[2:]))
    return stage_amount(model, model_parts, ranks, role, splits).total


def _placed(state: State, setup: TrainingSetup, opt: Optimizer) -> State:
    """Move offloaded states to the host or NVMe: FSDP moves parameters with gradients and states."""
    host, nvme = 0.0 * state.trained, 0.0 * state.trained
    on_gpu = {"parameters": state.parameters, "optimizer": state.optimizer}
    gradients, step = state.gradients, state.step
    targets = {"parameters": setup.offload_parameters, "optimizer": setup.offload_optimizer}
    if setup.sharding == "fsdp" and setup.offload_parameters != "none":
        targets["optimizer"] = setup.offload_parameters
        host = host + gradients
        gradients = 0.0 * gradients
    if opt.paged and targets["optimizer"] == "none":
        targets["optimizer"] = "cpu"
    for name, target in targets.items():
        if target == "none":
            continue
        host = host + (on_gpu[name] if target == "cpu" else 0.0)
        nvme = nvme + (on_gpu[name] if target == "nvme" else 0.0)
        on_gpu[name] = 0.0 * on_gpu[name]
    if targets["optimizer"] != "none":
        step = 0.0 * step
    layer = state.layer_gradient if setup.offload_optimizer == "none" else 0.0 * gradients
    if setup.offload_optimizer != "none":
        gradients = 0.0 * gradients
    return State(
        on_gpu["parameters"], gradients, on_gpu["optimizer"], step, state.copies,
        layer, *(
            g if setup.offload_optimizer == "none" else layer
            for g in (state.head_gradient, state.outer_gradient)
        ),
        state.trained, host, nvme,
    )  # fmt: skip
