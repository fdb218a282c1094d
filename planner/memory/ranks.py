"""The layout axis of a training run as arrays: tokens, ranks and sharding divisors of every layout at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from planner.catalog.records import Model
from planner.memory.ledger import Number
from planner.memory.setup import TrainingSetup
from planner.memory.trainable import Parts, Section, Split

Role = Literal["first", "last"]


@dataclass(frozen=True, slots=True)
class Ranks:
    """Sizes of the groups of each layout, and what follows from them."""

    tokens: Number
    """Tokens of one micro-batch on one rank."""
    tp: Number
    pp: Number
    dp: Number
    cp: Number
    ep: Number
    zero: Number
    accumulates: Number
    """1.0 where gradients outlive a micro-batch (accumulation or a pipeline), else 0.0."""
    embedding_share: Number
    """A rank's part of the embedding table."""
    head_share: Number
    """A rank's part of the head."""

    @property
    def world(self) -> Number:
        """GPUs of the run."""
        return self.tp * self.pp * self.cp * self.dp

    def shards(self, setup: TrainingSetup, *, experts: bool) -> Number:
        """Ranks over which sharded states are spread: dp x cp; for experts dp x cp x tp / ep."""
        dense = self.dp * self.cp
        if setup.shard_ranks:
            dense = np.minimum(dense, setup.shard_ranks)
        if not experts:
            return dense
        spread = np.maximum(dense * self.tp / self.ep, 1)
        return np.where(np.greater(self.ep, 1), spread, dense)


def layers_of_stage(total: int, ranks: Ranks) -> Number:
    """Layers of the fullest pipeline stage.

    >>> import numpy as np
    >>> one = np.ones(3)
    >>> r = Ranks(one, one, np.array([1, 2, 3]), one, one, one, one, one, one, one)
    >>> layers_of_stage(32, r).tolist()
    [32.0, 16.0, 11.0]
    """
    return np.ceil(total / ranks.pp)


def stage_sum(model_parts: Parts, ranks: Ranks, values: tuple[Number, ...]) -> Number:
    """Sum of a per-layer value over the fullest stage: the costliest layers first."""
    total = sum(g.layers for g in model_parts.layers)
    left = layers_of_stage(total, ranks)
    if len(values) == 1:
        return left * values[0]
    order = np.argsort([-float(np.max(v)) for v in values])
    result: Number = 0.0
    for index in order:
        taken = np.minimum(left, model_parts.layers[index].layers)
        result = result + taken * values[index]
        left = left - taken
    return result


@dataclass(frozen=True, slots=True)
class Amount:
    """Something counted on one rank, dense tensors and experts apart (they are sharded differently)."""

    dense: Number
    expert: Number

    def over(self, dense: Number, expert: Number) -> Number:
        """Sum after dividing each part by its shards."""
        return self.dense / dense + self.expert / expert

    def __add__(self, other: Amount) -> Amount:
        """Both."""
        return Amount(self.dense + other.dense, self.expert + other.expert)

    def scaled(self, factor: Number) -> Amount:
        """Times a factor."""
        return Amount(self.dense * factor, self.expert * factor)

    @property
    def total(self) -> Number:
        """Dense and experts together."""
        return self.dense + self.expert


def rank_amount(split: Split, model: Model, ranks: Ranks, *, head: bool = False) -> Amount:
    """One rank's part of a section; `head` for what lies after the layers."""
    share = ranks.head_share if head else ranks.embedding_share
    dense = split.dense(ranks.tp, model.num_key_value_heads, share)
    return Amount(dense, split.experts(ranks.tp, ranks.ep))


def edges(before: Number, after: Number, ranks: Ranks, role: Role, *, tied: bool) -> Number:
    """What a stage holds outside its layers: the first stage the embedding, the last norm and head.

    A tied head repeats the embedding on the last of several stages.
    """
    single = np.equal(ranks.pp, 1)
    if role == "first":
        return before + np.where(single, after, 0.0)
    return after + np.where(single, before, before if tied else 0.0)


def stage_amount(
    model: Model, model_parts: Parts, ranks: Ranks, role: Role, splits: tuple[Split, ...]
) -> Amount:
    """A stage's part of a whole model; `splits` are before, after and one per layer group."""
    rows = [rank_amount(s, model, ranks, head=i == 1) for i, s in enumerate(splits)]
    inner_dense = stage_sum(model_parts, ranks, tuple(r.dense for r in rows[2:]))
    inner_expert = stage_sum(model_parts, ranks, tuple(r.expert for r in rows[2:]))
    outer = edges(rows[0].dense, rows[1].dense, ranks, role, tied=model_parts.tied)
    return Amount(inner_dense + outer, inner_expert)


def counts(model_parts: Parts) -> tuple[Split, ...]:
    """Elements of before, after and each layer group."""
    return tuple(s.count for s in _sections(model_parts))


def stored(model_parts: Parts) -> tuple[Split, ...]:
    """Stored bytes of before, after and each layer group."""
    return tuple(s.stored for s in _sections(model_parts))


def _sections(model_parts: Parts) -> tuple[Section, ...]:
    return (model_parts.before, model_parts.after, *model_parts.layers)


def in_flight(setup: TrainingSetup, ranks: Ranks, role: Role) -> Number:
    """Micro-batches whose activations a stage holds at once, in units of its own layers.

    1F1B: p on the first stage, 1 on the last. Interleaved with v chunks: (v p + p - 1)/v on the first, ((v - 1) p +
    1)/v on the last (Korthikanti et al. 2022, section 4.2.3).

    >>> import numpy as np
    >>> one = np.ones(1)
    >>> r = Ranks(one, one, 4 * one, one, one, one, one, one, one, one)
    >>> float(in_flight(TrainingSetup(interleave=2), r, "first")[0])
    5.5
    """
    v = setup.interleave
    if setup.sharding == "layers":
        return np.ones_like(np.asarray(ranks.pp, dtype=np.float64))
    if v > 1:
        warm = (
            (v * ranks.pp + ranks.pp - 1) / v if role == "first" else ((v - 1) * ranks.pp + 1) / v
        )
        return np.where(np.greater(ranks.pp, 1), warm, 1.0)
    return (
        np.asarray(ranks.pp, dtype=np.float64)
        if role == "first"
        else np.ones_like(np.asarray(ranks.pp, dtype=np.float64))
    )
