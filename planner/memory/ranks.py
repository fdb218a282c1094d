"""The layout axis of a training run as arrays: tokens, ranks and sharding divisors of every layout at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from planner.catalog.records import Model
from planner.memory.arrays import Floats
from planner.memory.setup import TrainingSetup
from planner.memory.trainable import Parts, Section, Split

Role = Literal["first", "last"]


@dataclass(frozen=True, slots=True)
class Ranks:
    """Sizes of the groups of each layout, and what follows from them."""

    tokens: Floats
    """Tokens of one micro-batch on one rank."""
    tp: Floats
    pp: Floats
    dp: Floats
    cp: Floats
    ep: Floats
    zero: Floats
    accumulates: Floats
    """1.0 where gradients outlive a micro-batch (accumulation or a pipeline), else 0.0."""
    embedding_share: Floats
    """A rank's part of the embedding table."""
    head_share: Floats
    """A rank's part of the head."""
    one_stage: bool
    """Whether no layout has a pipeline."""
    sequence: Floats
    """Tokens of a sequence."""
    recomputes: NDArray[np.bool_]
    """Whether all blocks are recomputed in backward."""

    @property
    def world(self) -> Floats:
        """GPUs of the run."""
        return self.tp * self.pp * self.cp * self.dp

    def shards(self, setup: TrainingSetup, *, experts: bool) -> Floats:
        """Ranks over which sharded states are spread: dp x cp; for experts dp x cp x tp / ep."""
        dense = self.dp * self.cp
        if setup.shard_ranks:
            dense = np.minimum(dense, setup.shard_ranks)
        if not experts:
            return dense
        spread = np.maximum(dense * self.tp / self.ep, 1)
        return np.where(np.greater(self.ep, 1), spread, dense)


def layers_of_stage(total: int, ranks: Ranks) -> Floats:
    """Layers of the fullest pipeline stage.

    >>> import numpy as np
    >>> one = np.ones(3)
    >>> r = Ranks(one, one, np.array([1, 2, 3]), one, one, one, one, one, one, one, False, one, one < 0)
    >>> layers_of_stage(32, r).tolist()
    [32.0, 16.0, 11.0]
    """
    return np.ceil(total / ranks.pp)


def stage_sum(model_parts: Parts, ranks: Ranks, values: tuple[Floats, ...]) -> Floats:
    """Sum of a per-layer value over the fullest stage: the costliest layers first."""
    total = sum(g.layers for g in model_parts.layers)
    left = layers_of_stage(total, ranks)
    if len(values) == 1:
        return left * values[0]
    order = np.argsort([-float(np.max(v)) for v in values])
    result: Floats = np.zeros_like(left)
    for index in order:
        taken = np.minimum(left, model_parts.layers[index].layers)
        result = result + taken * values[index]
        left = left - taken
    return result


@dataclass(frozen=True, slots=True)
class Pieces:
    """Something counted on one rank of a stage: outside the layers, in the layers, in experts, in one layer."""

    outer: Floats
    """Embedding, head and last norm, as far as the stage holds them."""
    head: Floats
    """The head's part of it: the first gradients to come, and 16-bit copies that live longest."""
    layers: Floats
    """All layers of the stage without experts."""
    experts: Floats
    """All experts of the stage."""
    layer: Floats
    """The largest layer without experts."""
    layer_experts: Floats
    """Its experts."""

    def over(self, dense: Floats, expert: Floats) -> Floats:
        """Everything, dense tensors and experts divided by their shards."""
        return (self.outer + self.layers) / dense + self.experts / expert

    def layer_over(self, dense: Floats, expert: Floats) -> Floats:
        """The largest layer, divided alike."""
        return self.layer / dense + self.layer_experts / expert

    @property
    def total(self) -> Floats:
        """Everything, undivided."""
        return self.outer + self.layers + self.experts

    @property
    def one_layer(self) -> Floats:
        """The largest layer, undivided."""
        return self.layer + self.layer_experts


def edges(before: Floats, after: Floats, ranks: Ranks, role: Role, *, tied: bool) -> Floats:
    """What a stage holds outside its layers: the first stage the embedding, the last norm and head.

    A tied head repeats the embedding on the last of several stages.
    """
    if ranks.one_stage:
        return before + after
    single = np.equal(ranks.pp, 1)
    if role == "first":
        return before + np.where(single, after, 0.0)
    return after + np.where(single, before, before if tied else 0.0)


def stage_pieces(
    model: Model, model_parts: Parts, ranks: Ranks, role: Role, splits: tuple[Split, ...]
) -> Pieces:
    """A stage's part of a whole model; `splits` are before, after and one per layer group."""
    kv, tp = model.num_key_value_heads, ranks.tp
    before = splits[0].dense(tp, kv, ranks.embedding_share)
    after = splits[1].dense(tp, kv, ranks.head_share)
    dense = tuple(s.dense(tp, kv, ranks.head_share) for s in splits[2:])
    experts = tuple(s.experts(tp, ranks.ep) for s in splits[2:])
    largest = max(range(len(dense)), key=lambda i: splits[2 + i].total)
    outer = edges(before, after, ranks, role, tied=model_parts.tied)
    head = outer if model_parts.tied else edges(0.0 * before, after, ranks, role, tied=False)
    return Pieces(
        outer,
        head,
        stage_sum(model_parts, ranks, dense),
        stage_sum(model_parts, ranks, experts),
        dense[largest],
        experts[largest],
    )


def counts(model_parts: Parts) -> tuple[Split, ...]:
    """Elements of before, after and each layer group."""
    return tuple(s.count for s in _sections(model_parts))


def stored(model_parts: Parts) -> tuple[Split, ...]:
    """Stored bytes of before, after and each layer group."""
    return tuple(s.stored for s in _sections(model_parts))


def _sections(model_parts: Parts) -> tuple[Section, ...]:
    return (model_parts.before, model_parts.after, *model_parts.layers)


def in_flight(setup: TrainingSetup, ranks: Ranks, role: Role) -> Floats:
    """Micro-batches whose activations a stage holds at once, in units of its own layers.

    1F1B: p on the first stage, 1 on the last. Interleaved with v chunks: (v p + p - 1)/v on the first, ((v - 1) p +
    1)/v on the last (Korthikanti et al. 2022, section 4.2.3).

    >>> import numpy as np
    >>> one = np.ones(1)
    >>> r = Ranks(one, one, 4 * one, one, one, one, one, one, one, one, False, one, one < 0)
    >>> float(in_flight(TrainingSetup(interleave=2), r, "first")[0])
    5.5
    """
    v, one = setup.interleave, np.ones_like(ranks.pp)
    if setup.sharding == "layers" or ranks.one_stage:
        return one
    if v > 1:
        first = (v * ranks.pp + ranks.pp - 1) / v
        warm = first if role == "first" else ((v - 1) * ranks.pp + 1) / v
        return np.where(np.greater(ranks.pp, 1), warm, one)
    return ranks.pp if role == "first" else one
