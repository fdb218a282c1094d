"""Weight and KV formats as the speed model sees them: bytes moved, arithmetic, and whose efficiencies apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from planner.catalog.formats import kv_bits, weight_format
from planner.catalog.records import Gpu
from planner.catalog.speed_records import serving_data

_NARROW: Final = 5.0
"""Bits per weight up to which a weight-only format counts as 4-bit."""
_ARITHMETIC: Final = {"fp8": "fp8", "w8a8": "int8", "nvfp4": "fp4"}


@dataclass(frozen=True, slots=True)
class SpeedFormat:
    """One weight format."""

    rates: str
    """Family of efficiencies: 16bit, fp8, int8, int4, fp4, mxfp4, gguf."""
    arithmetic: str
    """Type of the matrix products where the GPU has it; else 16 bit."""
    linear_bytes: float
    """Bytes per weight of attention and dense layers."""
    expert_bytes: float
    head_bytes: float


def speed_format(name: str) -> SpeedFormat:
    """The format of that name.

    >>> speed_format("gptq-int4").rates, speed_format("fp8").arithmetic
    ('int4', 'fp8')
    >>> speed_format("mxfp4").linear_bytes, speed_format("mxfp4").expert_bytes
    (2.0, 0.53125)
    """
    fmt = weight_format(name)
    rest = fmt.rest_bits / 8.0
    bits = fmt.bits_per_weight
    if fmt.family == "gguf" and fmt.scope == "gguf":
        bits = serving_data().gguf_mix_bits.get(fmt.name.removeprefix("gguf-"), bits)
        return SpeedFormat("gguf", "16bit", bits / 8.0, bits / 8.0, bits / 8.0)
    stored = bits / 8.0
    if fmt.scope == "all":
        return SpeedFormat("16bit", "16bit", stored, stored, stored)
    if fmt.scope == "experts":
        return SpeedFormat("mxfp4", "16bit", rest, stored, rest)
    family = {"fp8": "fp8", "nvfp4": "fp4"}.get(fmt.family)
    family = family or ("int4" if bits <= _NARROW else "int8")
    return SpeedFormat(family, _ARITHMETIC.get(fmt.family, "16bit"), stored, stored, rest)


def kv_bytes(name: str) -> float:
    """Bytes of one cached value.

    >>> kv_bytes("auto"), kv_bytes("fp8")
    (2.0, 1.0)
    """
    return kv_bits(name) / 8.0


def sixteen_bit_flops(gpu: Gpu, *, accumulate16: bool = False) -> float:
    """Dense FLOP/s of the GPU's 16-bit products, or of fp32 where 16 bit is slower (Pascal).

    `accumulate16`: sums are kept in 16 bit, which GeForce cards do at twice the rate.
    """
    rates = gpu.tflops
    best = max(rates.bf16 or 0.0, rates.fp16 or 0.0, rates.fp32 or 0.0)
    if accumulate16:
        best = max(best, rates.fp16_fp16acc or 0.0)
    return best * 1e12


def arithmetic_flops(
    gpu: Gpu, fmt: SpeedFormat, arithmetic: str = "native", *, accumulate16: bool = False
) -> float:
    """Dense FLOP/s of a format's matrix products; 16 bit where the GPU lacks the type or is told so."""
    if fmt.rates == "gguf" and not gpu.has("fp16") and gpu.tflops.int8:
        # llama.cpp multiplies quantized weights with 8-bit dot products where fp16 is slow.
        return gpu.tflops.int8 * 1e12
    table = {"fp8": gpu.tflops.fp8, "fp4": gpu.tflops.fp4, "int8": gpu.tflops.int8}
    native = table.get(fmt.arithmetic)
    if arithmetic != "16bit" and native and gpu.has(fmt.arithmetic):
        return native * 1e12
    return sixteen_bit_flops(gpu, accumulate16=accumulate16)
