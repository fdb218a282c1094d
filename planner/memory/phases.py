"""The phases of a training step and their maximum: what peaks together, and what does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.memory.arrays import Floats
from planner.memory.gather import Buffers
from planner.memory.loss import LossBytes
from planner.memory.states import State

PHASES = (
    "loss",
    "backward of the last layer",
    "backward between",
    "gradients complete",
    "optimizer step",
)
COMPONENTS = ("parameters", "gradients", "optimizer", "activations", "loss", "gather_buffers")


@dataclass(frozen=True, slots=True)
class Activations:
    """Bytes of activations on one rank in a step's phases."""

    forward: Floats
    """Of all layers and micro-batches in flight, after forward, without the loss."""
    start: Floats
    """While the last layer goes backward: with its recomputed tensors."""
    between: Floats
    """While the layer before the last goes backward, sharded: what is left of it and of earlier layers."""
    end: Floats
    """While the first layer goes backward."""


ABSENT: Final[Floats] = np.zeros(())
"""A component that does not exist in a phase."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Bytes by component in one phase, in the order of COMPONENTS, and their sum."""

    parts: tuple[Floats, ...]
    total: Floats


def phase_of(*parts: Floats) -> Phase:
    """A phase from its components."""
    present = [part for part in parts if part is not ABSENT]
    total = present[0] + present[1]
    for part in present[2:]:
        total = total + part
    return Phase(parts, total)


def step_phases(
    state: State,
    kept: Activations,
    loss: LossBytes,
    buffers: Buffers,
    accumulates: Floats,
    *,
    waiting: Floats,
    in_backward: bool,
) -> tuple[Phase, ...]:
    """Bytes of each phase of a step.

    loss: P + O + A + loss peak. backward of the last layer: P + O + its gradients + A + one recomputed block.
    between (parameters sharded): one layer's gradients reduced, the next one's buffers. gradients complete: P + O + G
    with the first layer's activations. optimizer step: P + O + G + temporaries. Gradients of earlier micro-batches
    live throughout where they accumulate. `waiting` is the number of layers gathered while one goes backward, 0 where
    parameters are not sharded.
    """
    grads = state.gradients
    full = state.layer_gradient + state.outer_gradient if in_backward else grads
    early = accumulates * full
    first = np.maximum(early, state.head_gradient if not in_backward else early)
    p, o = state.parameters, state.optimizer
    between = np.maximum(early, state.layer_gradient)
    # Sharded, the root is reduced last, and while a layer goes backward those before it wait, already gathered.
    sharded = np.greater(waiting, 0)
    missing = np.maximum(waiting, 1.0) * state.layer_gradient + sharded * state.outer_gradient
    nearly = np.maximum(full - missing, early)
    step_grads = ABSENT if in_backward else grads
    return (
        phase_of(p, early, o, kept.forward + state.copies, loss.peak, buffers.loss),
        phase_of(p, first, o, kept.start + state.copies, ABSENT, buffers.start),
        phase_of(p, between, o, kept.between + state.copies, ABSENT, buffers.middle),
        phase_of(p, nearly, o, kept.end, ABSENT, buffers.middle),
        phase_of(p, step_grads, o + state.step, ABSENT, ABSENT, ABSENT),
    )


@dataclass(frozen=True, slots=True)
class Peak:
    """The largest phase of each layout and its components."""

    index: NDArray[np.int64]
    parts: dict[str, Floats]
    total: Floats
    """Allocated bytes at the peak."""


def peak_of(phases: tuple[Phase, ...]) -> Peak:
    """The maximum over the phases, with what is alive in it.

    >>> one = phase_of(*(np.float64(x) for x in (4, 0, 2, 9, 1, 0)))
    >>> two = phase_of(*(np.float64(x) for x in (4, 4, 2, 0, 0, 0)))
    >>> int(peak_of((one, two)).index), float(peak_of((one, two)).total)
    (0, 16.0)
    """
    totals = tuple(p.total for p in phases)
    best = np.asarray(totals[0], dtype=np.float64)
    index = np.zeros(best.shape, dtype=np.int64)
    parts = list(phases[0].parts)
    for number, phase in enumerate(phases[1:], start=1):
        above = np.greater(totals[number], best)
        if not np.any(above):
            continue
        best = np.where(above, totals[number], best)
        index = np.where(above, number, index)
        parts = [
            old if new is old else np.where(above, new, old)
            for new, old in zip(phase.parts, parts, strict=True)
        ]
    return Peak(index, dict(zip(COMPONENTS, parts, strict=True)), best)
