"""Bytes of a tensor in a weight format: what the quantizer touches, and what stays in 16 bit."""

from __future__ import annotations

from typing import Final

from planner.catalog.formats import GGUF_BITS, WeightFormat, kv_bits, weight_format
from planner.catalog.records import Model
from planner.catalog.tensors import TensorSpec

__all__ = ["bits_per_element", "kv_bits", "tensor_bytes", "variant", "weight_format"]

_BLOCK_SCALE_BITS: Final = 32
"""Bits of one scale of a block-scaled or row-scaled matrix."""


def bits_per_element(
    fmt: WeightFormat,
    tensor: TensorSpec,
    model: Model,
    layer: int | None = None,
    *,
    quantize_head: bool = False,
) -> float:
    """Stored bits per element of one tensor.

    Quantized matrices hold bits + (scale + zero point) / group; embeddings, head, norms and router stay at
    `rest_bits`. mxfp4 quantizes experts only. GGUF mixes types by tensor and layer (`layer` counts from 0).

    >>> from planner.catalog import model
    >>> from planner.catalog.parameters import tensors
    >>> m = model("llama-3-70b")
    >>> [bits_per_element(weight_format("awq-int4"), t, m) for t in tensors(m)[:2]]
    [16.0, 4.15625]
    """
    if fmt.scope == "gguf":
        return _gguf_bits(fmt, tensor, model, tensor.layer if layer is None else layer)
    if fmt.scope == "all" or not _quantized(fmt, tensor, model, quantize_head=quantize_head):
        return float(fmt.rest_bits)
    if fmt.group or not tensor.cols:
        return fmt.bits_per_weight
    if fmt.block:
        return fmt.bits + _BLOCK_SCALE_BITS / fmt.block**2
    return fmt.bits + _BLOCK_SCALE_BITS / tensor.cols


def _quantized(fmt: WeightFormat, tensor: TensorSpec, model: Model, *, quantize_head: bool) -> bool:
    if tensor.kind == "lm_head" and tensor.cols:
        return quantize_head
    if not tensor.linear or (fmt.scope == "experts" and tensor.kind != "expert"):
        return False
    latent = model.mla is not None and tensor.kind == "attention"
    return fmt.latent_attention or not latent


def tensor_bytes(
    fmt: WeightFormat, tensor: TensorSpec, model: Model, *, quantize_head: bool = False
) -> float:
    """Bytes of a whole tensor, unsplit.

    >>> from planner.catalog import model
    >>> from planner.catalog.parameters import tensors
    >>> m = model("llama-65b")
    >>> gib = sum(tensor_bytes(weight_format("fp16"), t, m) for t in tensors(m)) / 2**30
    >>> round(gib, 1)
    121.6
    """
    return tensor.count * bits_per_element(fmt, tensor, model, quantize_head=quantize_head) / 8


def variant(fmt: WeightFormat, model: Model, layer: int) -> str:
    """A key equal for layers that the format treats alike; only GGUF mixes tell layers apart."""
    if fmt.scope != "gguf":
        return ""
    n = model.num_layers
    first = f"{layer < 2}{layer < 4}{layer < n // 16}{layer < n // 8}{layer >= 7 * n // 8}"
    return f"{_more_bits(layer, n)}{first}"


# ----------------------------------------------------------------------------------- GGUF's mixes


def _more_bits(layer: int, layers: int) -> bool:
    """Layers that the _M mixes store wider: the first and last eighth, and each third between."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def _gguf_bits(fmt: WeightFormat, tensor: TensorSpec, model: Model, layer: int | None) -> float:
    """Bits per element as llama.cpp's quantizer picks types (llama_tensor_get_type)."""
    if not tensor.cols or tensor.kind in ("norm", "bias", "router", "position"):
        return 32.0 if tensor.kind != "vision" else 16.0
    file_type = fmt.name.removeprefix("gguf-").removesuffix("-mix")
    base = next((k for k, v in GGUF_BITS.items() if v == fmt.bits and file_type.startswith(k)), "")
    kind = base or {"iq2_m": "iq2_s", "iq3_xs": "iq3_s", "iq3_m": "iq3_s"}[file_type]
    if tensor.kind == "lm_head" or (tensor.kind == "embedding" and model.tie_word_embeddings):
        kind = kind if kind in ("q8_0", "q6_k") else "q6_k"
    elif layer is not None:
        kind = _layer_type(file_type, kind, tensor, model, layer)
    return GGUF_BITS[_fallback(kind, tensor.cols)]


def _layer_type(file_type: str, kind: str, tensor: TensorSpec, model: Model, layer: int) -> str:
    """Type of a matrix inside a layer: value and down projections are stored wider in mixes."""
    n = model.num_layers
    more = _more_bits(layer, n)
    grouped = model.mla is None and model.gqa_group >= 4
    eight_experts = model.moe is not None and model.moe.num_experts == 8
    if tensor.name.endswith(("v_proj", "k_proj")) and eight_experts:
        return "q8_0"
    if tensor.name.endswith("v_proj"):
        wide = _value_type(file_type, kind, more=more, grouped=grouped, layer=layer)
        seventy = n == 80 and model.gqa_group == 8
        return "q5_k" if seventy and wide in ("q3_k", "q4_k") else wide
    if tensor.name.endswith("down_proj"):
        return _down_type(file_type, kind, more=more, layer=layer, layers=n)
    if tensor.name.endswith("o_proj"):
        wider = {"q2_k": "q3_k", "q3_k_m": "q4_k", "q3_k_l": "q5_k", "iq3_m": "q4_k"}
        return "q5_k" if eight_experts and kind == "q4_k" else wider.get(file_type, kind)
    middle = n // 8 <= layer < 7 * n // 8
    narrow = tensor.name.endswith(("q_proj", "k_proj")) or (tensor.kind != "attention" and middle)
    return "iq3_xxs" if file_type == "iq3_xs" and narrow else kind


def _value_type(file_type: str, kind: str, *, more: bool, grouped: bool, layer: int) -> str:
    if file_type in ("q4_k_m", "q5_k_m"):
        return "q6_k" if more else kind
    if file_type in ("iq4_xs", "iq4_nl"):
        return "q5_k" if grouped else kind
    return {
        "q2_k": "q4_k" if grouped else "q3_k",
        "q3_k_m": "q5_k" if layer < 2 else "q4_k",
        "q3_k_l": "q5_k",
        "iq3_m": "q4_k",
        "q4_k_s": "q5_k" if layer < 4 else kind,
    }.get(file_type, kind)


def _down_type(file_type: str, kind: str, *, more: bool, layer: int, layers: int) -> str:
    if file_type in ("q4_k_m", "q5_k_m"):
        return "q6_k" if more else kind
    if file_type in ("q4_k_s", "iq4_xs", "iq4_nl"):
        return "q5_k" if layer < layers // 8 else kind
    return {
        "q2_k": "q3_k",
        "q3_k_m": "q5_k" if layer < layers // 16 else "q4_k",
        "q3_k_l": "q5_k",
        "iq3_m": "q4_k" if layer < layers // 8 else kind,
    }.get(file_type, kind)


def _fallback(kind: str, cols: int) -> str:
    """K-quants pack 256 inputs; other widths get the nearest type that packs 32."""
    if cols % 256 == 0 or not kind.endswith(("_k", "_xs", "_s", "_xxs", "_m")):
        return kind
    if kind == "q6_k":
        return "q8_0"
    return "q5_1" if kind == "q5_k" else ("iq4_nl" if GGUF_BITS[kind] < 4.4 else "q5_0")
