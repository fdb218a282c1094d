"""Model state of one training rank: parameters, gradients and optimizer states, sharded and offloaded."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from planner.catalog.frameworks import FrameworkMemory, Regime
from planner.catalog.records import Model
from planner.memory.arrays import Floats
from planner.memory.lora import adapter_split
from planner.memory.optimizer_states import (
    Optimizer,
    optimizer,
    section_states,
    state_bytes,
    step_bytes,
)
from planner.memory.ranks import Pieces, Ranks, Role, counts, stage_pieces, stored
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

    parameters: Floats
    gradients: Floats
    """All gradients, sharded as they are kept."""
    optimizer: Floats
    step: Floats
    """What the optimizer step allocates."""
    copies: Floats
    """16-bit weight copies alive from forward to backward."""
    layer_gradient: Floats
    """Gradients of one layer as they are kept."""
    head_gradient: Floats
    """Gradients of head and last norm, the first to be computed."""
    outer_gradient: Floats
    """Gradients of embedding, head and last norm as they are kept."""
    trained: Floats
    """Trained parameters on this rank's tensor- and pipeline-parallel part, unsharded."""
    host: Floats
    """Bytes of states that live in host RAM, before rounding."""
    nvme: Floats


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

    parameter: tuple[Floats, Floats]
    gradient: tuple[Floats, Floats]
    optimizer: tuple[Floats, Floats]


def shards(setup: TrainingSetup, ranks: Ranks) -> Shards:
    """ZeRO stage 1 spreads optimizer states, 2 gradients too, 3 parameters too; FSDP is stage 3."""
    both = (ranks.shards(setup, experts=False), ranks.shards(setup, experts=True))

    def at(stage: int) -> tuple[Floats, Floats]:
        on = np.greater_equal(ranks.zero, stage)
        return (np.where(on, both[0], 1.0), np.where(on, both[1], 1.0))

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
    trained = stage_pieces(model, model_parts, ranks, role, splits)
    parameters = wide.parameter * trained.over(*split.parameter)
    if setup.adapters:
        base = stage_pieces(model, model_parts, ranks, role, stored(model_parts))
        parameters = parameters + base.over(*split.parameter)
    owned = trained.over(*split.optimizer)
    if opt.factored or opt.matrices_only:
        uneven = _state_splits(model_parts, splits, opt, wide.state)
        states = stage_pieces(model, model_parts, ranks, role, uneven).over(*split.optimizer)
    else:
        states = state_bytes(opt, wide.state) * owned
    temporary = (step_bytes(opt, wide.state) + wide.step) * owned
    if opt.temporaries:
        largest = max(s.largest for s in (model_parts.before, *model_parts.layers))
        temporary = temporary + opt.temporaries * 4.0 * largest / ranks.tp
    grad, shard = wide.gradient, split.gradient
    state = State(
        parameters,
        grad * trained.over(*shard),
        states + wide.master * owned,
        temporary,
        wide.copies * _copied(model, model_parts, setup, ranks, role, trained),
        grad * trained.layer_over(*shard),
        grad * trained.head / shard[0],
        grad * trained.outer / shard[0],
        trained.total,
        0.0 * owned,
        0.0 * owned,
    )
    return _placed(state, setup, opt)


def _copied(
    model: Model,
    model_parts: Parts,
    setup: TrainingSetup,
    ranks: Ranks,
    role: Role,
    trained: Pieces,
) -> Floats:
    """Elements whose 16-bit copies autocast keeps: all trained matrices but the embedding table.

    A frozen base in fp32 is copied as well, once per use. Recomputed layers drop their copies, the head keeps its.
    """
    if mixed_base(setup):
        trained = stage_pieces(model, model_parts, ranks, role, counts(model_parts))
    whole = trained.head + trained.layers + trained.experts
    return np.where(ranks.recomputes, trained.head, whole)


def _placed(state: State, setup: TrainingSetup, opt: Optimizer) -> State:
    """Move offloaded states to the host or NVMe: FSDP moves parameters with gradients and states."""
    host, nvme = state.host, state.nvme
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
    kept_back = 1.0 if setup.offload_optimizer == "none" else 0.0
    return replace(
        state,
        parameters=on_gpu["parameters"],
        gradients=kept_back * gradients,
        optimizer=on_gpu["optimizer"],
        step=step,
        layer_gradient=kept_back * state.layer_gradient,
        head_gradient=kept_back * state.head_gradient,
        outer_gradient=kept_back * state.outer_gradient,
        host=host,
        nvme=nvme,
    )
