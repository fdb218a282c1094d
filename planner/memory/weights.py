"""Weights on the fullest GPU of a replica, by tensor, format and tp / pp / ep / dp.

Every function works on one layout or on arrays of them. Layers that hold the same tensors in the same format are one
class; a pipeline stage is a count of layers per class plus what lies before the first and after the last layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from planner.catalog.formats import WeightFormat
from planner.catalog.parameters import layer_groups, mtp_tensors, outer_tensors
from planner.catalog.records import Model
from planner.catalog.tensors import TensorSpec
from planner.memory.formats import bits_per_element, tensor_bytes, variant

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Stages = Literal["even", "vllm", "proportional"]


@dataclass(frozen=True, slots=True)
class WeightRules:
    """How an engine lays weights on ranks; the values of a profile in catalogs/engines/."""

    vocab_multiple: int = 64
    """Embedding and head rows are padded to a multiple of this, then split by tp."""
    quantize_head: bool = False
    vision_split: bool = True
    """Whether tp splits the vision tower, or each rank holds it whole."""
    vision: bool = True
    """Whether the tower is loaded; GGUF files hold the text model, the tower has a file of its own."""
    expert_multiple: int = 1
    """Expert widths are padded to a multiple of this."""
    absorb_latent: Literal["none", "split", "merged"] = "none"
    """What MLA decoding keeps a second time, in 16 bit: the up-projections of keys and values themselves (split),
    or merged into the query and output projections."""
    granularity: int = 0
    """Bytes that large matrices are rounded up to: the allocator's segments; 0: not at all."""
    untied_head: bool = False
    """Tied embeddings are held twice."""
    embedding_on_cpu: bool = False
    stages: Stages = "vllm"


@dataclass(frozen=True, slots=True)
class LayerClass:
    """Layers alike in tensors and format, and the bytes of each piece of one such layer."""

    layers: tuple[int, ...]
    tensors: tuple[TensorSpec, ...]
    sample: int


@lru_cache(maxsize=1024)
def layer_classes(model: Model, fmt: WeightFormat) -> tuple[LayerClass, ...]:
    """Layers grouped by the tensors they hold and the types their format gives them.

    >>> from planner.catalog import model
    >>> from planner.catalog.formats import weight_format
    >>> [len(c.layers) for c in layer_classes(model("deepseek-v3"), weight_format("fp8"))]
    [3, 58]
    """
    classes = []
    for group in layer_groups(model):
        split: dict[str, list[int]] = {}
        for layer in group.layers:
            split.setdefault(variant(fmt, model, layer), []).append(layer)
        classes += [LayerClass(tuple(ls), group.tensors, ls[0]) for ls in split.values()]
    return tuple(classes)


def tensor_share(
    tensor: TensorSpec, model: Model, tp: Ints, world: Ints, rules: WeightRules
) -> Floats:
    """Part of a tensor that one rank holds; `world` is tp x dp, over which experts are spread.

    column, row: 1/tp. kv_column: 1/min(tp, kv heads), as key-value heads are repeated beyond their number. vocab:
    rows padded, then 1/tp. expert: 1/(tp x dp), whole experts under expert parallelism, slices without it.

    >>> import numpy as np
    >>> from planner.catalog import model
    >>> from planner.catalog.parameters import tensors
    >>> m = model("llama-3.1-8b")
    >>> k = next(t for t in tensors(m) if t.name.endswith("k_proj"))
    >>> [float(s) for s in tensor_share(k, m, np.array([1, 4, 16]), np.array([1, 4, 16]), WeightRules())]
    [1.0, 0.25, 0.125]
    """
    one = np.ones(tp.shape)
    if tensor.split in ("column", "row"):
        return one / tp
    if tensor.split == "kv_column":
        return one / np.minimum(tp, model.num_key_value_heads)
    if tensor.split == "vocab":
        rows = tensor.rows or tensor.count
        unit = rules.vocab_multiple
        padded = -(-rows // unit) * unit
        return np.ceil(padded / tp) / rows
    if tensor.split == "expert":
        padding = _expert_padding(tensor, rules)
        return padding / world
    if tensor.kind == "vision" and rules.vision_split:
        return one / tp
    return one


def _expert_padding(tensor: TensorSpec, rules: WeightRules) -> float:
    width = tensor.rows if tensor.expert_split == "column" else tensor.cols
    if not width or rules.expert_multiple <= 1:
        return 1.0
    return -(-width // rules.expert_multiple) * rules.expert_multiple / width


_FUSED: Final = {
    "q_proj": "qkv",
    "k_proj": "qkv",
    "v_proj": "qkv",
    "gate_proj": "gu",
    "up_proj": "gu",
}
"""Matrices that engines hold as one."""
_LARGE: Final = 10 * 2**20
"""Allocations from this size on get segments of their own."""


def _fused_name(tensor: TensorSpec) -> str:
    stem, _, last = tensor.name.rpartition(".")
    return f"{stem}.{_FUSED.get(last, last)}"


def _rank_bytes(
    tensors: tuple[TensorSpec, ...],
    model: Model,
    fmt: WeightFormat,
    layer: int | None,
    axes: tuple[Ints, Ints],
    rules: WeightRules,
) -> Floats:
    tp, world = axes
    fused: dict[str, Floats] = {}
    for tensor in tensors:
        bits = bits_per_element(fmt, tensor, model, layer, quantize_head=rules.quantize_head)
        held = tensor.count * bits / 8 * tensor_share(tensor, model, tp, world, rules)
        name = _fused_name(tensor) if rules.granularity else ""
        fused[name] = fused.get(name, 0.0) + held
        if tensor.name.endswith("kv_b_proj"):
            # Block-scaled fp8 projections were never merged: 636 GiB of DeepSeek-R1 over 8 GPUs.
            kept = replace(rules, absorb_latent="split") if fmt.family == "fp8" else rules
            chosen = rules if rules.absorb_latent == "none" else kept
            fused["absorbed"] = absorbed_bytes(model, chosen) / tp
    if rules.granularity:
        unit = rules.granularity
        for name, held in fused.items():
            fused[name] = np.where(held >= _LARGE, np.ceil(held / unit) * unit, held)
    return sum(fused.values(), np.zeros(tp.shape))


def absorbed_bytes(model: Model, rules: WeightRules) -> float:
    """Bytes of one MLA layer's absorbed projections over all ranks.

    split: heads x rank x (nope + v) x 2; merged: heads x rank x (query input + hidden) x 2.

    >>> from planner.catalog import model
    >>> m = model("deepseek-v2-lite")
    >>> round(27 * absorbed_bytes(m, WeightRules(absorb_latent="merged")) / 2**30, 2)
    1.69
    """
    mla = model.mla
    if mla is None or rules.absorb_latent == "none":
        return 0.0
    wide = mla.qk_nope_head_dim + mla.v_head_dim
    if rules.absorb_latent == "merged":
        wide = (mla.q_lora_rank or model.hidden_size) + model.hidden_size
    return 2.0 * model.num_attention_heads * mla.kv_lora_rank * wide


@lru_cache(maxsize=1 << 14)
def stage_layers(layers: int, stages: int, style: Stages) -> tuple[tuple[int, int], ...]:
    """First and last-plus-one layer of each pipeline stage.

    vLLM and SGLang give each stage layers // stages and spread the rest over the stages before the last; llama.cpp
    cuts layers plus output in proportion to the stages.

    >>> [b - a for a, b in stage_layers(61, 4, "vllm")]
    [15, 15, 16, 15]
    """
    if style == "proportional":
        cuts = [-(-(layers + 1) * i // stages) for i in range(stages + 1)]
        return tuple((min(a, layers), min(b, layers)) for a, b in pairwise(cuts))
    base, rest = divmod(layers, stages)
    sizes = [base] * stages
    for i in range(rest):
        sizes[i if style == "even" else stages - 2 - i if stages > 1 else 0] += 1
    ends = np.cumsum(sizes)
    return tuple((int(e - s), int(e)) for s, e in zip(sizes, ends, strict=True))


@lru_cache(maxsize=1 << 12)
def _class_counts(model: Model, fmt: WeightFormat, stages: int, style: Stages) -> Ints:
    """Layers of each class on each stage: shape (stages, classes)."""
    classes = layer_classes(model, fmt)
    index = np.empty(model.num_layers, dtype=np.int64)
    for number, cls in enumerate(classes):
        index[list(cls.layers)] = number
    spans = stage_layers(model.num_layers, stages, style)
    return np.array([np.bincount(index[a:b], minlength=len(classes)) for a, b in spans])


@dataclass(frozen=True, slots=True)
class StageWeights:
    """Bytes of weights per rank, for each layout and pipeline stage; absent stages hold 0."""

    by_stage: Floats
    """Shape (layouts, most stages)."""
    counts: Ints
    """Number of stages of each layout."""

    @property
    def fullest(self) -> Floats:
        """Bytes of the fullest stage of each layout."""
        result: Floats = self.by_stage.max(axis=1)
        return result


def _ends(
    model: Model, fmt: WeightFormat, axes: tuple[Ints, Ints], rules: WeightRules
) -> tuple[Floats, Floats]:
    """Bytes before the first and after the last layer on one rank."""
    before, after = outer_tensors(model)
    left_out = {"embedding"} if rules.embedding_on_cpu else set()
    left_out |= set() if rules.vision else {"vision"}
    first = tuple(t for t in before if t.kind not in left_out)
    start = _rank_bytes(first, model, fmt, None, axes, rules)
    end = _rank_bytes(after, model, fmt, None, axes, rules)
    return start, end


def _tied_head(
    model: Model, fmt: WeightFormat, axes: tuple[Ints, Ints], rules: WeightRules
) -> Floats:
    """Bytes of the tied embedding used as head, on a stage that does not hold the embedding."""
    if not model.tie_word_embeddings or model.kind == "encoder":
        return np.zeros(axes[0].shape)
    table = next(t for t in outer_tensors(model)[0] if t.kind == "embedding")
    if rules.quantize_head:
        table = replace(table, kind="lm_head")
    return _rank_bytes((table,), model, fmt, None, axes, rules)


def stage_weights(
    model: Model,
    fmt: WeightFormat,
    tp: Ints,
    pp: Ints,
    dp: Ints,
    rules: WeightRules,
) -> StageWeights:
    """Weights of one rank of every pipeline stage.

    stage = sum over its layers of the rank's part of each tensor + embedding (first) + norm and head (last).

    >>> import numpy as np
    >>> from planner.catalog import model
    >>> from planner.catalog.formats import weight_format
    >>> one = np.array([1])
    >>> w = stage_weights(model("llama-65b"), weight_format("fp16"), np.array([4]), one, one, WeightRules())
    >>> round(float(w.fullest[0]) / 2**30, 1)
    30.4
    """
    axes = (tp, tp * dp)
    classes = layer_classes(model, fmt)
    each = np.stack(
        [_rank_bytes(c.tensors, model, fmt, c.sample, axes, rules) for c in classes], axis=1
    )
    start, end = _ends(model, fmt, axes, rules)
    head = _tied_head(model, fmt, axes, rules)
    alone = head if rules.untied_head or rules.embedding_on_cpu else np.zeros(tp.shape)
    most = int(pp.max())
    result = np.zeros((tp.size, most))
    for stages in np.unique(pp):
        rows = np.flatnonzero(pp == stages)
        counts = _class_counts(model, fmt, int(stages), rules.stages)
        part = each[rows] @ counts.T.astype(np.float64)
        part[:, 0] += start[rows]
        part[:, -1] += end[rows] + (head[rows] if stages > 1 else alone[rows])
        result[np.ix_(rows, np.arange(int(stages)))] = part
    return StageWeights(result, pp)


@lru_cache(maxsize=4096)
def checkpoint_bytes(model: Model, fmt: WeightFormat, *, with_mtp: bool = True) -> int:
    """Bytes of the checkpoint on disk: every tensor once, in its format.

    >>> from planner.catalog import model
    >>> from planner.catalog.formats import weight_format
    >>> round(checkpoint_bytes(model("llama-2-13b"), weight_format("fp16")) / 1e9)
    26
    """
    total = 0.0
    for cls in layer_classes(model, fmt):
        one = sum(t.count * bits_per_element(fmt, t, model, cls.sample) for t in cls.tensors)
        total += len(cls.layers) * one / 8
    before, after = outer_tensors(model)
    extra = mtp_tensors(model) if with_mtp else ()
    outer = (t for t in (*before, *after, *extra) if fmt.family != "gguf" or t.kind != "vision")
    return int(total + sum(tensor_bytes(fmt, t, model) for t in outer))
