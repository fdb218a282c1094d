"""One replica of a serving engine: seconds of a decode step and of a prefill, for arrays of layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.catalog.records import Gpu, Model
from planner.catalog.speed_records import (
    ServingEngine,
    ServingRate,
    Tag,
    serving_data,
)
from planner.speed.collectives import measured_link
from planner.speed.formats import (
    SpeedFormat,
    arithmetic_flops,
    kv_bytes,
    sixteen_bit_flops,
    speed_format,
)
from planner.speed.link_rows import AnyLink, LinkRows, rows_of
from planner.speed.passes import Demand, Rates, pass_parts, pass_seconds
from planner.speed.requests import Split, Stored, decode_demand, prefill_demand
from planner.speed.work import Work, speed_classes, work_of

Floats = NDArray[np.float64]

PEAK_SHARE: Final = 0.95
"""No kernel exceeds this share of a dense peak."""


@dataclass(frozen=True, slots=True)
class Server:
    """A model on GPUs of one SKU under one engine, ready to be timed."""

    work: Work
    split: Split
    stored: Stored
    link: LinkRows
    rates: Rates
    prefill_rates: Rates
    engine: ServingEngine
    host_share: Floats
    fitted: NDArray[np.bool_]
    """Whether efficiencies and engine constants were fitted to measurements on the GPU's class."""
    spread: Floats
    """Half width of the 80 % interval, as a logarithm, before any doubling."""
    measured: NDArray[np.bool_]
    """Whether the layout's collectives were measured on such a link."""

    @property
    def tag(self) -> Tag:
        """How good the figures are, over all layouts."""
        return "fitted" if np.all(self.fitted) else "modelled"

    @property
    def extrapolated(self) -> NDArray[np.bool_]:
        """Whether GPU class, format, engine or link lie outside what was measured."""
        return np.asarray(~self.measured | ~self.fitted, np.bool_)

    @property
    def half_width(self) -> Floats:
        """Half width of the interval as a logarithm, doubled outside the measured envelope."""
        return self.spread * np.where(self.extrapolated, 2.0, 1.0)

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


def rate_of(gpu: Gpu, family: str) -> tuple[ServingRate, bool]:
    """Efficiencies of a GPU class for a format, and whether they were measured on that class."""
    for wanted in speed_classes(gpu):
        for rate in serving_data().rates:
            if rate.gpu == wanted and rate.weights == family:
                return rate, wanted != "any" and rate.tag == "fitted"
    raise KeyError(f"no serving rate for {family}")


def build_server(
    model: Model,
    gpu: Gpu | Sequence[Gpu],
    link: AnyLink,
    engine: str,
    split: Split,
    *,
    device: ArrayLike = 0,
    weights: str = "bf16",
    kv: str = "bf16",
    arithmetic: str = "native",
    host_weights_gib: ArrayLike = 0.0,
) -> Server:
    """A server with the efficiencies of this GPU class, format and engine.

    Of several GPUs, `device` is each layout's.
    """
    data = serving_data()
    fmt, profile = speed_format(weights), data.engine(engine)
    chips = [gpu] if isinstance(gpu, Gpu) else gpu
    number, links = np.asarray(device), rows_of(link)
    rates = [rate_of(one, fmt.rates) for one in chips]
    work = work_of(model)
    stored = Stored(fmt.linear_bytes, fmt.expert_bytes, fmt.head_bytes, kv_bytes(kv))
    decode, prefill = _rates(chips, number, fmt, rates, profile, arithmetic, links)
    weights_bytes = work.total * stored.linear / split.tp / split.pp
    share = np.asarray(host_weights_gib, np.float64) * 2**30 / np.maximum(weights_bytes, 1.0)
    spread = np.array([np.hypot(rate.spread, profile.spread) / np.sqrt(2.0) for rate, _ in rates])
    fitted = np.array([measured and profile.tag == "fitted" for _, measured in rates])
    return Server(
        work=work,
        split=split,
        stored=stored,
        link=links,
        rates=decode,
        prefill_rates=prefill,
        engine=profile,
        host_share=np.minimum(share, 1.0),
        fitted=np.asarray(fitted[number], np.bool_),
        spread=np.asarray(spread[number], np.float64),
        measured=measured_link(links, split.tp * split.pp * split.ep),
    )


def _rates(
    gpus: Sequence[Gpu],
    device: NDArray[np.int64],
    fmt: SpeedFormat,
    rates: Sequence[tuple[ServingRate, bool]],
    profile: ServingEngine,
    arithmetic: str,
    links: LinkRows,
) -> tuple[Rates, Rates]:
    """What each layout's GPU achieves in decode steps and in prefills under this engine."""
    each = [
        _rates_of(gpu, fmt, rate, profile, arithmetic)
        for gpu, (rate, _) in zip(gpus, rates, strict=True)
    ]
    figures = np.array(each, np.float64)[device]
    read, compute, expert_read, expert_compute, kv_read, attention, dense, experts = np.moveaxis(
        figures, -1, 0
    )
    decode = Rates(
        read=read,
        compute=compute,
        expert_read=expert_read,
        expert_compute=expert_compute,
        kv_read=kv_read,
        attention=attention,
        step_s=profile.step_us * 1e-6,
        layer_s=(profile.layer_us + profile.format_layer_us.get(fmt.rates, 0.0)) * 1e-6,
        moe_layer_s=profile.moe_layer_us * 1e-6,
        sequence_s=profile.sequence_us * 1e-6,
        sharpness=serving_data().sharpness,
        host=links.host_gb_s * 1e9,
    )
    return decode, replace(decode, compute=dense, expert_compute=experts)


def _rates_of(
    gpu: Gpu, fmt: SpeedFormat, rate: ServingRate, profile: ServingEngine, arithmetic: str
) -> tuple[float, ...]:
    """Reading, computing, the same of experts, reading the cache and attention; then computing of prefills."""
    bandwidth, short = gpu.memory.bandwidth_gb_s * 1e9, profile.fp16_accumulate
    peak = arithmetic_flops(gpu, fmt, arithmetic, accumulate16=short)
    half = sixteen_bit_flops(gpu, accumulate16=short)
    # Formats of experts only leave the other layers in 16 bit.
    dense_peak = half if fmt.linear_bytes > fmt.expert_bytes else peak
    read = profile.read * (profile.quantized_read if fmt.expert_bytes < 2.0 else 1.0)
    return (
        bandwidth * min(rate.read * read, 1.0),
        dense_peak * min(rate.compute, PEAK_SHARE),
        bandwidth * min(rate.expert_read * read, 1.0),
        peak * min(rate.expert_compute, PEAK_SHARE),
        bandwidth * min(rate.kv_read * profile.read, 1.0),
        half * min(rate.attention, PEAK_SHARE),
        dense_peak * min(rate.compute * profile.prefill, PEAK_SHARE),
        peak * min(rate.expert_compute * profile.prefill, PEAK_SHARE),
    )
