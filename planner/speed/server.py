"""One replica of a serving engine: seconds of a decode step and of a prefill, for arrays of layouts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.catalog.records import Gpu, Model
from planner.catalog.speed_records import (
    ServingEngine,
    ServingRate,
    Tag,
    WeightFormat,
    link_data,
    serving_data,
)
from planner.speed.links import Link
from planner.speed.passes import Demand, Rates, pass_parts, pass_seconds
from planner.speed.requests import Split, Stored, decode_demand, prefill_demand
from planner.speed.work import Work, speed_classes, work_of

Floats = NDArray[np.float64]

KV_BYTES = {"fp8": 1.0, "int8": 1.0, "q8_0": 1.0625, "q4_0": 0.5625, "fp32": 4.0}
"""Bytes of one cached value by format; 2 for any 16-bit format."""


@dataclass(frozen=True, slots=True)
class Server:
    """A model on GPUs of one SKU under one engine, ready to be timed."""

    work: Work
    split: Split
    stored: Stored
    link: Link
    rates: Rates
    prefill_rates: Rates
    engine: ServingEngine
    host_share: Floats
    tag: Tag
    spread: float

    @property
    def all_reduce_s(self) -> float | None:
        """Latency of the engine's own all-reduce, if it has one."""
        us = self.engine.all_reduce_us
        return None if us is None else us * 1e-6

    def decode(self, batch: ArrayLike, context: ArrayLike) -> Demand:
        """Demand of one decode step; `batch` counts sequences of the whole replica."""
        return decode_demand(
            self.work,
            self.split,
            self.stored,
            self.link,
            np.maximum(np.asarray(batch, np.float64) / self.split.dp, 1.0),
            context,
            all_reduce_s=self.all_reduce_s,
            host_share=self.host_share,
        )

    def step_s(self, batch: ArrayLike, context: ArrayLike) -> Floats:
        """Seconds from one token of a sequence to its next, without any prefill between."""
        return pass_seconds(self.decode(batch, context), self.rates)

    def step_parts(self, batch: ArrayLike, context: ArrayLike) -> dict[str, Floats]:
        """The same by operator."""
        return pass_parts(self.decode(batch, context), self.rates)

    def prefill_s(
        self, prompt: ArrayLike, prompts: ArrayLike = 1.0, cached: ArrayLike = 0.0
    ) -> Floats:
        """Seconds of one pass over `prompts` prompts on one attention replica, through all stages."""
        demand = prefill_demand(
            self.work,
            self.split,
            self.stored,
            self.link,
            prompt,
            prompts,
            cached=cached,
            all_reduce_s=self.all_reduce_s,
            host_share=self.host_share,
        )
        return pass_seconds(demand, self.prefill_rates)

    def prompt_cost_s(self, prompt: ArrayLike, cached: ArrayLike = 0.0) -> Floats:
        """Seconds of the replica that one more prompt takes when prompts are batched and pipelined."""
        fresh = np.maximum(np.asarray(prompt, np.float64) - np.asarray(cached, np.float64), 1.0)
        together = np.maximum(np.floor(self.engine.max_batched_tokens / fresh), 1.0)
        return self.prefill_s(prompt, together, cached) / together / self.split.pp / self.split.dp


def sixteen_bit_flops(gpu: Gpu, *, accumulate16: bool = False) -> float:
    """Dense FLOP/s of the GPU's 16-bit products, or of fp32 where 16 bit is slower (Pascal).

    `accumulate16`: sums are kept in 16 bit, which GeForce cards do at twice the rate.
    """
    rates = gpu.tflops
    if accumulate16 and rates.fp16_fp16acc:
        return max(rates.fp16_fp16acc, rates.fp16 or 0.0, rates.fp32 or 0.0) * 1e12
    best = max(rates.bf16 or 0.0, rates.fp16 or 0.0, rates.fp32 or 0.0)
    return best * 1e12


def _arithmetic_flops(
    gpu: Gpu, stored: WeightFormat, arithmetic: str, *, accumulate16: bool
) -> float:
    table = {"fp8": gpu.tflops.fp8, "fp4": gpu.tflops.fp4, "int8": gpu.tflops.int8}
    native = table.get(stored.arithmetic)
    if arithmetic != "16bit" and native and gpu.has(stored.arithmetic):
        return native * 1e12
    return sixteen_bit_flops(gpu, accumulate16=accumulate16)


def rate_of(gpu: Gpu, stored: WeightFormat, arithmetic: str) -> tuple[ServingRate, bool]:
    """Efficiencies of a GPU class for a format, and whether they were measured on that class."""
    family = stored.rates
    for wanted in speed_classes(gpu):
        for rate in serving_data().rates:
            if rate.gpu == wanted and rate.weights == family:
                return rate, wanted != "any" and rate.tag == "fitted"
    raise KeyError(f"no serving rate for {family}")


def _stored(fmt: WeightFormat, kv: str) -> Stored:
    value = fmt.bits / 8.0
    whole = fmt.scope == "all"
    return Stored(
        linear=2.0 if fmt.scope == "experts" else value,
        expert=value,
        head=value if whole else 2.0,
        kv=KV_BYTES.get(kv, 2.0),
    )


def build_server(
    model: Model,
    gpu: Gpu,
    link: Link,
    engine: str,
    split: Split,
    *,
    weights: str = "bf16",
    kv: str = "bf16",
    arithmetic: str = "native",
    host_weights_gib: ArrayLike = 0.0,
) -> Server:
    """A server with the efficiencies of this GPU class, format and engine."""
    data = serving_data()
    fmt, profile = data.weight_format(weights), data.engine(engine)
    rate, measured = rate_of(gpu, fmt, arithmetic)
    work, stored = work_of(model), _stored(fmt, kv)
    bandwidth = gpu.memory.bandwidth_gb_s * 1e9
    short = profile.fp16_accumulate
    peak = _arithmetic_flops(gpu, fmt, arithmetic, accumulate16=short)
    half = sixteen_bit_flops(gpu, accumulate16=short)
    expert_only = fmt.scope == "experts"
    dense_peak = half if expert_only else peak
    narrow = 1.0 if fmt.bits < 16 else 0.0
    read = profile.read * (profile.quantized_read if narrow else 1.0)
    decode = Rates(
        read=bandwidth * min(rate.read * read, 1.0),
        compute=dense_peak * rate.compute,
        expert_read=bandwidth * min(rate.expert_read * read, 1.0),
        expert_compute=peak * rate.expert_compute,
        kv_read=bandwidth * min(rate.kv_read * profile.read, 1.0),
        attention=half * rate.attention,
        step_s=profile.step_us * 1e-6,
        layer_s=(profile.layer_us + profile.format_layer_us.get(fmt.rates, 0.0)) * 1e-6,
        moe_layer_s=profile.moe_layer_us * 1e-6,
        sequence_s=profile.sequence_us * 1e-6,
        sharpness=data.sharpness,
        host=_host_bytes_s(gpu, link),
    )
    prefill = _prefill(decode, profile)
    weights_bytes = work.total * stored.linear / split.tp / split.pp
    share = np.asarray(host_weights_gib, np.float64) * 2**30 / np.maximum(weights_bytes, 1.0)
    return Server(
        work=work,
        split=split,
        stored=stored,
        link=link,
        rates=decode,
        prefill_rates=prefill,
        engine=profile,
        host_share=np.minimum(share, 1.0),
        tag="fitted" if measured and profile.tag == "fitted" else "modelled",
        spread=float(np.hypot(rate.spread, profile.spread)),
    )


def _prefill(decode: Rates, profile: ServingEngine) -> Rates:
    return Rates(
        read=decode.read,
        compute=decode.compute * profile.prefill,
        expert_read=decode.expert_read,
        expert_compute=decode.expert_compute * profile.prefill,
        kv_read=decode.kv_read,
        attention=decode.attention,
        step_s=decode.step_s,
        layer_s=decode.layer_s,
        moe_layer_s=decode.moe_layer_s,
        sequence_s=decode.sequence_s,
        sharpness=decode.sharpness,
        host=decode.host,
    )


def _host_bytes_s(gpu: Gpu, link: Link) -> float:
    host = link_data().host
    if link.host_link_gb_s:
        return link.host_link_gb_s * host.c2c_share * 1e9
    return link.pcie_gb_s * host.pcie_share * 1e9
