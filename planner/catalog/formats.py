"""Weight and KV-cache formats: bits, groups, and which tensors a quantizer touches.

Bits are per element with scales and zero points included. Names are those people write: `gptq-int4-g32`, `nf4`,
`gguf-q4_k_m`. What a format costs for one tensor is in `planner.memory.formats`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

Scope = Literal["all", "linear", "experts", "gguf"]
Arithmetic = Literal["fp32", "16bit", "fp8", "int8", "fp4", "weight-only"]


class UnknownFormat(ValueError):  # noqa: N818 - reads as what it is at the call site
    """A format name nobody knows; `nearest` holds names that look like it."""

    def __init__(self, what: str, name: str, nearest: tuple[str, ...]) -> None:
        """Keep what kind of format, its name and the nearest names."""
        super().__init__(f"`{name}` is not a {what} format")
        self.name, self.nearest = name, nearest


@dataclass(frozen=True, slots=True)
class WeightFormat:
    """How the weights of a checkpoint are stored."""

    name: str
    family: str
    """Name of the quantizer, as engines' support tables call it: fp8, awq, gptq, bnb, mxfp4, gguf, ..."""
    scope: Scope
    """all: every tensor; linear: matrices inside layers; experts: only experts; gguf: a mix by tensor."""
    bits: float
    """Bits per element of a quantized matrix, without group scales."""
    group: int = 0
    """Input features that share one scale; 0: one scale per output row (or per tensor)."""
    scale_bits: float = 0.0
    zero_bits: float = 0.0
    rest_bits: int = 16
    """Bits of everything that is not quantized: embeddings, head, norms, router."""
    arithmetic: Arithmetic = "weight-only"
    """What the matrix products need to run natively; weight-only formats compute in 16 bit."""
    block: int = 0
    """Both dimensions of a block-scaled format (128 for DeepSeek's fp8); 0 for all others."""
    latent_attention: bool = True
    """Whether the attention of MLA models is quantized too; their AWQ and NVFP4 checkpoints keep it in 16 bit."""

    @property
    def bits_per_weight(self) -> float:
        """Bits per element of a quantized matrix, scales and zero points of its groups included.

        bits = bits + (scale bits + zero bits) / group

        >>> weight_format("awq-int4").bits_per_weight
        4.15625
        >>> weight_format("mxfp4").bits_per_weight, weight_format("nvfp4").bits_per_weight
        (4.25, 4.5)
        >>> round(weight_format("nf4").bits_per_weight, 3)
        4.127
        """
        if not self.group:
            return self.bits
        return self.bits + (self.scale_bits + self.zero_bits) / self.group


_NF4: Final = WeightFormat("nf4", "bnb", "linear", 4, 64, 8 + 32 / 256)
"""Double quantization: 8-bit scales of 64 weights, themselves scaled in fp32 by 256 (QLoRA, section 3)."""

_FORMATS: Final[dict[str, WeightFormat]] = {
    f.name: f
    for f in (
        WeightFormat("fp32", "fp32", "all", 32, rest_bits=32, arithmetic="fp32"),
        WeightFormat("bf16", "bf16", "all", 16, arithmetic="16bit"),
        WeightFormat("fp16", "fp16", "all", 16, arithmetic="16bit"),
        WeightFormat("fp8", "fp8", "linear", 8, arithmetic="fp8"),
        WeightFormat("fp8-block", "fp8", "linear", 8, arithmetic="fp8", block=128),
        WeightFormat("int8", "int8", "linear", 8, arithmetic="int8"),
        WeightFormat("int8-w8a8", "w8a8", "linear", 8, arithmetic="int8"),
        WeightFormat("int8-smoothquant", "w8a8", "linear", 8, arithmetic="int8"),
        WeightFormat("int8-weight-only", "int8", "linear", 8),
        WeightFormat("int4-weight-only", "int4", "linear", 4, 128, 16),
        _NF4,
        replace(_NF4, name="nf4-double-quant"),
        replace(_NF4, name="nf4-plain", scale_bits=32),
        replace(_NF4, name="fp4-double-quant"),
        replace(_NF4, name="fp4-plain", scale_bits=32),
        WeightFormat("mxfp4", "mxfp4", "experts", 4, 32, 8, arithmetic="fp4"),
        WeightFormat(
            "nvfp4", "nvfp4", "linear", 4, 16, 8, arithmetic="fp4", latent_attention=False
        ),
    )
}

_ALIASES: Final = {
    "16bit": "bf16", "float16": "fp16", "bfloat16": "bf16", "float32": "fp32", "half": "fp16",
    "bnb-nf4": "nf4", "bnb-4bit": "nf4", "fp4": "fp4-plain", "w8a8": "int8-w8a8", "awq": "awq-int4",
    "gptq": "gptq-int4", "w4a16": "gptq-int4", "fp8-e4m3": "fp8",
}  # fmt: skip

_GROUPED = re.compile(
    r"(?P<family>awq|gptq|autoround|hqq)-int(?P<bits>[2348])(?:-g(?P<group>-?\d+))?(?:-act)?$"
)
_EXL = re.compile(r"(?P<family>exl[23])-(?P<bits>\d+(?:\.\d+)?)bpw$")

GGUF_BITS: Final[dict[str, float]] = {
    "f32": 32.0, "f16": 16.0, "bf16": 16.0,
    "q4_0": 4.5, "q4_1": 5.0, "q5_0": 5.5, "q5_1": 6.0, "q8_0": 8.5,
    "q2_k": 2.625, "q3_k": 3.4375, "q4_k": 4.5, "q5_k": 5.5, "q6_k": 6.5625,
    "iq1_s": 1.5625, "iq1_m": 1.75, "iq2_xxs": 2.0625, "iq2_xs": 2.3125, "iq2_s": 2.5625,
    "iq3_xxs": 3.0625, "iq3_s": 3.4375, "iq4_nl": 4.5, "iq4_xs": 4.25, "mxfp4": 4.25,
    "iq2_k": 2.375, "iq3_k": 3.4375, "iq4_k": 4.5, "iq5_k": 5.5, "iq6_k": 6.625, "iq4_ks": 4.25,
}  # fmt: skip
"""Bits per weight of ggml's block types: block bytes x 8 / block elements (ggml-common.h)."""


@lru_cache(maxsize=512)
def weight_format(name: str) -> WeightFormat:
    """The weight format of that name.

    >>> weight_format("gptq-int4-g32").bits_per_weight
    4.625
    >>> weight_format("gptq-int8").bits_per_weight
    8.1875
    >>> weight_format("gguf-q8_0").bits
    8.5
    """
    low = name.lower()
    low = _ALIASES.get(low, low)
    if low in _FORMATS:
        return _FORMATS[low]
    if low.startswith("gguf-"):
        return _gguf(low)
    if match := _GROUPED.match(low):
        return _grouped(low, match["family"], int(match["bits"]), int(match["group"] or 128))
    if match := _EXL.match(low):
        return WeightFormat(low, match["family"], "linear", float(match["bits"]))
    known = [*_FORMATS, *_ALIASES, "awq-int4", "gptq-int4", "gptq-int8", *GGUF_MIX_NAMES]
    raise UnknownFormat("weight", name, tuple(difflib.get_close_matches(low, known, 3)))


def _grouped(name: str, family: str, bits: int, group: int) -> WeightFormat:
    """AWQ, GPTQ and their kin: fp16 scale and a zero point as wide as a weight, per group."""
    whole = 0 if group < 0 else group
    latent = family != "awq"
    return WeightFormat(name, family, "linear", bits, whole, 16, bits, latent_attention=latent)


_GGUF_MIXES: Final[dict[str, str]] = {
    "q2_k": "q2_k", "q2_k_s": "q2_k", "q3_k_s": "q3_k", "q3_k_m": "q3_k", "q3_k_l": "q3_k",
    "q4_k_s": "q4_k", "q4_k_m": "q4_k", "q5_k_s": "q5_k", "q5_k_m": "q5_k",
    "iq2_m": "iq2_s", "iq3_xs": "iq3_s", "iq3_m": "iq3_s", "iq4_xs-mix": "iq4_xs", "q4_k": "q4_k",
}  # fmt: skip
"""Base type of the file types that mix several."""

GGUF_MIX_NAMES: Final = tuple(f"gguf-{n}" for n in sorted({*GGUF_BITS, *_GGUF_MIXES}))


def _gguf(name: str) -> WeightFormat:
    kind = name.removeprefix("gguf-")
    base = _GGUF_MIXES.get(kind, kind)
    if base not in GGUF_BITS:
        nearest = difflib.get_close_matches(name, GGUF_MIX_NAMES, 3)
        raise UnknownFormat("weight", name, tuple(nearest))
    plain = base in ("f16", "bf16", "f32")
    scope: Scope = "all" if plain else "gguf"
    rest = 32 if base == "f32" else 16
    arithmetic: Arithmetic = "16bit" if rest == 16 and plain else "weight-only"
    return WeightFormat(name, "gguf", scope, GGUF_BITS[base], rest_bits=rest, arithmetic=arithmetic)


KV_BITS: Final[dict[str, float]] = {
    "fp32": 32.0, "bf16": 16.0, "fp16": 16.0, "fp8": 8.0, "fp8_e4m3": 8.0, "fp8_e5m2": 8.0,
    "int8": 8.0, "int4": 4.0, "nvfp4": 4.5, "fp4": 4.5,
    "q8_0": 8.5, "q5_1": 6.0, "q5_0": 5.5, "q4_1": 5.0, "q4_0": 4.5, "iq4_nl": 4.5,
}  # fmt: skip
"""Bits per cached element; llama.cpp's types carry their block scales (q8_0: 34 bytes per 32)."""


def kv_bits(name: str) -> float:
    """Bits per element of a KV-cache format; `auto` and `16bit` are 16 bit.

    >>> kv_bits("auto"), kv_bits("q8_0") / 8
    (16.0, 1.0625)
    """
    low = name.lower()
    if low in ("", "auto", "16bit", "float16", "bfloat16", "f16"):
        return 16.0
    if low not in KV_BITS:
        raise UnknownFormat("KV", name, tuple(difflib.get_close_matches(low, [*KV_BITS, "auto"])))
    return KV_BITS[low]
