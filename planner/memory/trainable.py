"""Parameters of one training rank, by how each tensor is split: what sharding and optimizers count with.

A model is three kinds of section: what lies before the first layer, each group of equal layers, and what lies after
the last one. In each section the elements (and stored bytes) are summed by the way tensor parallelism splits them, so
that a million layouts need a handful of array operations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from planner.catalog.formats import WeightFormat, weight_format
from planner.catalog.parameters import layer_groups, outer_tensors
from planner.catalog.records import Model
from planner.catalog.tensors import TensorSpec, matrix
from planner.memory.arrays import Floats
from planner.memory.formats import bits_per_element

MEGATRON_VOCABULARY_UNIT = 128
"""Megatron pads the vocabulary to a multiple of 128 x tp."""


@dataclass(frozen=True, slots=True)
class Split:
    """Elements (or bytes) of a section by the way they are split; sums of two splits add by field."""

    whole: float = 0.0
    """Held by every tensor-parallel rank."""
    column: float = 0.0
    """Divided by tp."""
    kv: float = 0.0
    """Divided by min(tp, key-value heads)."""
    vocab: float = 0.0
    """Divided by tp after padding."""
    expert: float = 0.0
    """Divided over expert-parallel ranks, or by tp without them."""

    @property
    def total(self) -> float:
        """Everything, unsplit."""
        return self.whole + self.column + self.kv + self.vocab + self.expert

    def dense(self, tp: Floats, kv_heads: int, vocab_share: Floats) -> Floats:
        """One rank's part of everything but experts."""
        kv = self.kv / np.minimum(tp, kv_heads) if self.kv else 0.0
        return self.whole + self.column / tp + kv + self.vocab * vocab_share

    def experts(self, tp: Floats, ep: Floats) -> Floats:
        """One rank's part of the experts: 1/ep with expert parallelism, else 1/tp."""
        if not self.expert:
            return np.zeros_like(tp)
        return self.expert / np.where(np.greater(ep, 1), ep, tp)


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a model: elements and stored bytes by split, and how many layers are like it."""

    count: Split
    """Elements."""
    stored: Split
    """Bytes in the base weights' format."""
    layers: int = 1
    moe: bool = False
    matrices: tuple[tuple[str, int, int, int], ...] = field(default=())
    """Name, outputs, inputs and copies of each matrix (adapters, factored optimizers)."""
    largest: int = 0
    """Elements of the largest tensor (a for-loop optimizer's temporary)."""


_SPLITS = {"column": "column", "row": "column", "kv_column": "kv", "vocab": "vocab", "expert": "expert"}  # fmt: skip


def _split(
    tensors: Iterable[TensorSpec], bits: WeightFormat | None, model: Model, *, head: bool
) -> Split:
    sums: dict[str, float] = {}
    for tensor in tensors:
        name = _SPLITS.get(tensor.split, "whole")
        size: float = tensor.count
        if bits is not None:
            size *= bits_per_element(bits, tensor, model, 0, quantize_head=head) / 8
        sums[name] = sums.get(name, 0.0) + size
    return Split(**sums)


def _section(
    tensors: tuple[TensorSpec, ...],
    fmt: WeightFormat,
    model: Model,
    layers: int = 1,
    *,
    head: bool = False,
) -> Section:
    matrices = tuple((t.name, t.rows, t.cols, t.copies) for t in tensors if t.rows and t.cols)
    return Section(
        _split(tensors, None, model, head=False),
        _split(tensors, fmt, model, head=head or fmt.scope == "all"),
        layers,
        any(t.kind == "expert" for t in tensors),
        matrices,
        max((t.count for t in tensors), default=0),
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """All sections of a model in one weight format."""

    before: Section
    after: Section
    layers: tuple[Section, ...]
    """Groups of equal layers, in order of their first layer."""
    tied: bool

    @property
    def elements(self) -> float:
        """Parameters of the whole model (without multi-token-prediction layers)."""
        inner = sum(g.layers * g.count.total for g in self.layers)
        return self.before.count.total + self.after.count.total + inner

    @property
    def stored_bytes(self) -> float:
        """Bytes of the whole model in its format."""
        inner = sum(g.layers * g.stored.total for g in self.layers)
        return self.before.stored.total + self.after.stored.total + inner

    @property
    def largest_layer(self) -> Section:
        """The layer with most elements."""
        return max(self.layers, key=lambda g: g.count.total)


@lru_cache(maxsize=4096)
def parts(model: Model, weights: str = "bf16", *, quantized_head: bool = False) -> Parts:
    """Sections of a model whose base weights are stored as `weights`.

    `quantized_head`: the head is quantized as well, and where it is tied it is a second, quantized matrix.

    >>> from planner.catalog import model
    >>> p = parts(model("llama-65b"), "nf4-plain")
    >>> int(p.elements), round(parts(model("llama-65b"), "nf4").stored_bytes / 2**30, 1)
    (65285660672, 32.1)
    """
    fmt = weight_format(weights)
    before, after = outer_tensors(model)
    tied = model.tie_word_embeddings
    if quantized_head and tied:
        head = matrix("lm_head", "lm_head", model.vocab_size, model.hidden_size, "vocab")
        after, tied = (*after, head), False
    groups = tuple(_section(g.tensors, fmt, model, len(g.layers)) for g in layer_groups(model))
    outer = _section(after, fmt, model, head=quantized_head)
    return Parts(_section(before, fmt, model), outer, groups, tied)


def vocab_share(model: Model, tp: Floats, *, split: bool, padded: bool) -> Floats:
    """One rank's part of embedding and head: 1, 1/tp, or 1/tp of the vocabulary padded to 128 x tp.

    >>> from planner.catalog import model
    >>> round(float(vocab_share(model("gpt2"), 2, split=True, padded=True)) * 50257)
    25216
    """
    if not split:
        return np.ones_like(np.asarray(tp, dtype=np.float64))
    if not padded:
        return 1.0 / np.asarray(tp, dtype=np.float64)
    unit = MEGATRON_VOCABULARY_UNIT * np.asarray(tp)
    rows = np.ceil(model.vocab_size / unit) * unit
    return rows / (model.vocab_size * np.asarray(tp, dtype=np.float64))
