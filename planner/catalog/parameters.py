"""Count the parameters of an architecture tensor by tensor.

Nothing is estimated: the sum over all tensors equals the number of elements in the published checkpoint. What a model
holds is described in `planner.catalog.tensors`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from planner.catalog.records import Model
from planner.catalog.tensors import (
    WHISPER_TARGET_POSITIONS,
    TensorSpec,
    decoder_layer,
    is_moe,
    matrix,
    mtp_layer,
    norm,
    vector,
    whisper_decoder_layer,
    whisper_encoder,
)

_MEMO = 4096


@dataclass(frozen=True, slots=True)
class LayerGroup:
    """Layers that hold the same tensors; `tensors` are those of one layer (their layer is None)."""

    layers: tuple[int, ...]
    tensors: tuple[TensorSpec, ...]

    @property
    def count(self) -> int:
        """Parameters of one of the layers."""
        return sum(t.count for t in self.tensors)


@lru_cache(maxsize=_MEMO)
def layer_groups(model: Model) -> tuple[LayerGroup, ...]:
    """The layers of a model, grouped by what they hold; without MTP layers.

    >>> from planner.catalog import model
    >>> [len(g.layers) for g in layer_groups(model("deepseek-v3"))]
    [3, 58]
    """
    signatures: dict[tuple[bool, bool, bool], list[int]] = {}
    cross = set(model.cross_attention_layers)
    for layer, kind in enumerate(model.attention_kinds):
        held_in = (is_moe(model, layer), layer in cross, kind == "L")
        signatures.setdefault(held_in, []).append(layer)
    groups = []
    for (experts, crossed, linear), layers in signatures.items():
        if model.kind == "whisper":
            held = whisper_decoder_layer(model)
        else:
            held = decoder_layer(model, experts=experts, cross=crossed, linear=linear)
        groups.append(LayerGroup(tuple(layers), tuple(held)))
    return tuple(groups)


def _before(model: Model) -> Iterator[TensorSpec]:
    """What lies before the first layer: vision tower or audio encoder, embeddings, positions."""
    hidden = model.hidden_size
    if model.vision is not None:
        yield vector("vision_tower", "vision", model.vision.params)
    if model.kind == "whisper":
        yield from whisper_encoder(model)
    yield matrix("embed_tokens", "embedding", model.vocab_size, hidden, "vocab", linear=False)
    if model.extra_params:
        yield vector("extra", "other", model.extra_params)
    positions = WHISPER_TARGET_POSITIONS if model.kind == "whisper" else model.learned_positions
    if positions:
        yield vector("embed_positions", "position", positions * hidden)
    if model.type_vocab_size:
        yield vector("embed_token_types", "embedding", model.type_vocab_size * hidden)
    if model.embedding_norm or model.kind == "encoder":
        yield from norm(model, "embed_norm", hidden)


def _after(model: Model) -> Iterator[TensorSpec]:
    """What lies after the last layer: the last norm and the head, or an encoder's pooler."""
    hidden = model.hidden_size
    if model.kind == "encoder":
        yield matrix("pooler", "pooler", hidden, hidden, "replicated", linear=False)
        yield vector("pooler.bias", "bias", hidden)
        return
    yield from norm(model, "norm", hidden)
    if not model.tie_word_embeddings:
        yield matrix("lm_head", "lm_head", model.vocab_size, hidden, "vocab", linear=False)
    if model.lm_head_bias:
        yield vector("lm_head.bias", "bias", model.vocab_size, "vocab")


@lru_cache(maxsize=_MEMO)
def outer_tensors(model: Model) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Tensors before the first layer and after the last one: of the first and last pipeline stage."""
    return tuple(_before(model)), tuple(_after(model))


@lru_cache(maxsize=_MEMO)
def mtp_tensors(model: Model) -> tuple[TensorSpec, ...]:
    """Tensors of the multi-token-prediction layers, all of kind `mtp`; empty for most models."""
    return tuple(
        replace(tensor, kind="mtp", layer=model.num_layers + index)
        for index in range(model.mtp_layers)
        for tensor in mtp_layer(model)
    )


@lru_cache(maxsize=_MEMO)
def tensors(model: Model) -> tuple[TensorSpec, ...]:
    """Every tensor of a model, in the order of the forward pass.

    >>> from planner.catalog import model
    >>> sum(t.count for t in tensors(model("llama-3.1-8b")))
    8030261248
    """
    before, after = outer_tensors(model)
    by_layer = {layer: g.tensors for g in layer_groups(model) for layer in g.layers}
    inner = tuple(
        replace(tensor, layer=layer) for layer in sorted(by_layer) for tensor in by_layer[layer]
    )
    return before + inner + after + mtp_tensors(model)


def layer_params(model: Model, layer: int) -> int:
    """Parameters of one decoder layer; `layer` counts from 0, MTP layers follow the last.

    >>> from planner.catalog import model
    >>> layer_params(model("llama-65b"), 0)
    809517056
    """
    for group in layer_groups(model):
        if layer in group.layers:
            return group.count
    extra = [t.count for t in mtp_tensors(model) if t.layer == layer]
    if not extra:
        raise IndexError(f"{model.id} has no layer {layer}")
    return sum(extra)


@lru_cache(maxsize=_MEMO)
def text_params(model: Model) -> int:
    """Parameters without vision tower and MTP layers (Whisper's audio encoder is included).

    >>> from planner.catalog import model
    >>> text_params(model("deepseek-v3"))
    671026419200
    """
    before, after = outer_tensors(model)
    outside = sum(t.count for t in before + after if t.kind != "vision")
    return outside + sum(len(g.layers) * g.count for g in layer_groups(model))


@lru_cache(maxsize=_MEMO)
def total_params(model: Model) -> int:
    """All parameters of the checkpoint, with vision tower and MTP layers.

    >>> from planner.catalog import model
    >>> total_params(model("deepseek-v3"))
    684489845504
    """
    vision = model.vision.params if model.vision is not None else 0
    return text_params(model) + vision + sum(t.count for t in mtp_tensors(model))


@lru_cache(maxsize=_MEMO)
def active_params(model: Model) -> int:
    """Parameters a token passes through, embeddings and head included: all but the idle experts.

    active = text - MoE layers x (experts - experts per token) x parameters of an expert.

    >>> from planner.catalog import model
    >>> round(active_params(model("mixtral-8x7b")) / 1e9, 2)
    12.88
    """
    if model.moe is None:
        return text_params(model)
    n, used = model.moe.num_experts, model.moe.experts_per_token
    idle = 0
    for group in layer_groups(model):
        experts = sum(t.count for t in group.tensors if t.kind == "expert")
        idle += len(group.layers) * (experts // n) * (n - used)
    return text_params(model) - idle


def embedding_params(model: Model) -> int:
    """Elements of the token embedding; with tied embeddings it is the head too.

    >>> from planner.catalog import model
    >>> embedding_params(model("llama-3.1-8b"))
    525336576
    """
    return model.vocab_size * model.hidden_size


def lm_head_params(model: Model) -> int:
    """Elements of an output head of its own: 0 when it is tied to the embedding or absent.

    >>> from planner.catalog import model
    >>> lm_head_params(model("llama-3.1-8b")), lm_head_params(model("llama-3.2-1b"))
    (525336576, 0)
    """
    return sum(t.count for t in outer_tensors(model)[1] if t.name in ("lm_head", "lm_head.bias"))
