"""The account of one pipeline stage: state, activations, loss and buffers put into the phases of a step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from planner.catalog.frameworks import FrameworkMemory
from planner.catalog.records import Model
from planner.memory.arrays import Floats, floats
from planner.memory.gather import ddp_buckets, gather_buffers, waiting_layers
from planner.memory.kept import step_activations
from planner.memory.ledger import Number
from planner.memory.loss import LossBytes, loss_bytes
from planner.memory.phases import Peak, Phase, peak_of, step_phases
from planner.memory.ranks import Ranks, Role
from planner.memory.setup import TrainingSetup
from planner.memory.states import State, model_state, widths
from planner.memory.trainable import Parts, vocab_share


@dataclass(frozen=True, slots=True)
class Stage:
    """One pipeline stage's account."""

    state: State
    peak: Peak
    phases: tuple[Phase, ...]
    forward: Floats
    """Activations after forward, the loss's kept bytes included."""
    hosted: Floats
    """Activations in host RAM."""


def layout_ranks(
    model: Model,
    memory: FrameworkMemory,
    setup: TrainingSetup,
    micro_batch: Number,
    sizes: tuple[Number, Number, Number, Number, Number, Number],
    accumulation: Number,
    sequence: Number,
    recomputes: Number,
) -> Ranks:
    """The layout axis: `sizes` are tp, pp, dp, cp, ep and the ZeRO stage, as numbers or arrays."""
    tp, pp, dp, cp, ep, zero, micro, steps = np.broadcast_arrays(
        *(floats(x) for x in (*sizes, micro_batch, accumulation))
    )
    length = floats(sequence)
    if setup.sharding == "fsdp":
        zero = np.full_like(zero, 3.0)
    keeps = np.greater(steps, 1)
    if setup.sharding != "layers":
        keeps = np.logical_or(keeps, np.greater(pp, 1))
    embedding = vocab_share(model, tp, split=memory.split_embedding, padded=memory.pad_vocabulary)
    head = vocab_share(model, tp, split=True, padded=memory.pad_vocabulary)
    return Ranks(
        micro * (length / cp), tp, pp, dp, cp, ep, zero, keeps * 1.0, embedding, head,
        not bool(np.any(np.greater(pp, 1))), length, np.greater(recomputes, 0),
    )  # fmt: skip


def _loss(
    model: Model, setup: TrainingSetup, memory: FrameworkMemory, ranks: Ranks, role: Role
) -> LossBytes:
    """The loss, on the stage that computes it."""
    kind = memory.default_loss if setup.loss == "auto" else setup.loss
    split = ranks.tp if memory.split_logits else 1.0
    loss = loss_bytes(memory.losses[kind], ranks.tokens, model.vocab_size, model.hidden_size, split)
    if setup.quantized and memory.quantized_head:
        # The head is dequantized for its product and once more for its backward pass.
        head = 2.0 * model.vocab_size * model.hidden_size / split
        loss = LossBytes(loss.kept, loss.peak + head)
    if role == "first" and not ranks.one_stage:
        alone = np.equal(ranks.pp, 1) * 1.0
        loss = LossBytes(loss.kept * alone, loss.peak * alone)
    return loss


def stage_account(
    model: Model,
    model_parts: Parts,
    setup: TrainingSetup,
    memory: FrameworkMemory,
    ranks: Ranks,
    role: Role,
) -> Stage:
    """All phases of one stage and their maximum."""
    wide = widths(setup, memory)
    state = model_state(model, model_parts, setup, memory, ranks, role)
    kept, hosted = step_activations(model, model_parts, setup, memory, wide, ranks, role)
    loss = _loss(model, setup, memory, ranks, role)
    buffers = gather_buffers(model, model_parts, setup, memory, wide, ranks, role)
    copies = ddp_buckets(setup, memory, state.gradients, ranks)
    if copies is not None:
        buffers = replace(
            buffers, loss=buffers.loss + copies, start=buffers.start + copies,
            middle=buffers.middle + copies,
        )  # fmt: skip
        state = replace(state, step=state.step + copies)
    phases = step_phases(
        state, kept, loss, buffers, ranks.accumulates,
        waiting=waiting_layers(model, memory, ranks), in_backward=setup.optimizer_in_backward,
    )  # fmt: skip
    forward = kept.forward + state.copies + loss.kept
    return Stage(state, peak_of(phases), phases, forward, hosted)
