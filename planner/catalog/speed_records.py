"""Speed constants as data: how links, kernels and engines fall short of a GPU's peaks, with evidence.

Every share is a fraction of a vendor's dense peak (TFLOPS, HBM bandwidth, link bandwidth). `spread` is the natural
logarithm of the ratio that covers nine predictions in ten on one side: an 80 % interval is best / exp(spread) to
best x exp(spread).
"""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeVar

import yaml
from pydantic import Field

from planner.catalog.paths import data_dir
from planner.catalog.records import Record
from planner.catalog.validator import validate
from planner.catalog.yaml_loader import Loader

Tag = Literal["fitted", "modelled"]
"""fitted: to published measurements of this class; modelled: carried over from a neighbouring class."""

Collective = Literal["all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv"]


class Evidenced(Record):
    """A group of constants and where they come from."""

    evidence: str
    tag: Tag = "fitted"
    spread: float = 0.3


class LinkCurve(Evidenced):
    """Collective time over one kind of link: latency, then a bandwidth that grows with the message.

    time = latency_us + latency_per_rank_us (n - 1) + traffic / (share x (1 - small_group / n) x link)
    + ramp_us S / (S + ramp_bytes), S the message, n the ranks, traffic what one rank sends.
    """

    kind: str
    latency_us: float
    latency_per_rank_us: float = 0.0
    ramp_us: float = 0.0
    ramp_bytes: float = 1e6
    share: dict[Collective, float]
    """Large-message bus bandwidth as a share of the link's one-direction bandwidth."""
    small_group: dict[Collective, float] = Field(default_factory=dict)
    """Loss on few ranks; negative where few ranks do better (PCIe, where many share switch uplinks)."""
    in_network: dict[Collective, float] = Field(default_factory=dict)
    """Shares where the switch reduces (NVLS, SHARP), from `in_network_ranks` ranks on."""
    in_network_ranks: int = 6
    measured_gb_s: tuple[float, ...] = ()
    """Link totals (both directions) that were measured; others are scaled. Empty: any."""


class HostLinks(Evidenced):
    """What moves over the host: PCIe copies, CPU Adam and NVMe."""

    pcie_share: float
    """Pinned host-device copies as a share of the PCIe signalling rate in one direction."""
    c2c_share: float
    nvme_read_gb_s: dict[int, float]
    """Sequential read of one drive by PCIe generation, GB/s."""
    nvme_write_gb_s: dict[int, float]
    hbm_copy_share: float
    """STREAM copy and triad as a share of HBM bandwidth."""
    cpu_adam_ns_per_parameter_core: float
    """Core-nanoseconds of one vectorized CPU Adam update of one parameter."""
    cpu_memory_gb_s_per_core: float


class LinkData(Record):
    """catalogs/speed/links.yaml."""

    curves: tuple[LinkCurve, ...]
    host: HostLinks

    def curve(self, kind: str) -> LinkCurve:
        """The curve of one link kind."""
        for curve in self.curves:
            if curve.kind == kind:
                return curve
        raise KeyError(kind)


class TrainingRate(Evidenced):
    """Shares of peak that training kernels of one GPU class, precision and stack reach."""

    gpu: str
    """Speed class, such as hopper-hbm."""
    precision: Literal["bf16", "fp8", "fp4"]
    stack: str
    dense: float
    """Matrix products, share of the dense peak of the precision."""
    attention: float
    """Attention kernel, share of the 16-bit peak, counting causal work."""
    experts: float = 0.5
    """Grouped products of experts, relative to dense ones."""
    layer_us: float = 0.0
    """Host time per layer and pass that nothing hides (eager frameworks)."""


class TrainingStack(Evidenced):
    """A training framework: what it hides behind compute, and what it adds."""

    stack: str
    aliases: tuple[str, ...] = ()
    rates_of: str = ""
    """Stack whose rates it runs at, where it has none of its own."""
    experts: float = 1.0
    """Gain of this release over the rates' grouped products."""
    overlap_tp: float = 0.0
    """Share of tensor-parallel traffic hidden behind matrix products; negative where blocking collectives
    cost more than their bare time."""
    overlap_cp: float = 0.5
    overlap_ep: float = 0.0
    overlap_pp: float = 0.5
    overlap_dp: float = 0.6
    """Share of a step's compute that gradient and parameter traffic can hide behind."""
    exposed_dp: float = 0.05
    """Least share of data-parallel traffic that stays visible."""
    elementwise_bytes: float = 0.0
    """Bytes per token, layer and hidden unit moved by kernels that are not matrix products."""
    routed_bytes: float = 0.0
    """Bytes per token, chosen expert and hidden unit moved to sort tokens by expert and back."""
    lora_bytes: float = 60.0
    """Bytes per token, layer and hidden unit that adapters move besides."""
    dequantize_bytes: float = 4.6
    """Bytes moved per 4-bit weight and pass; 4.6 = read 0.5, write and read 2 as 16 bit."""
    full_attention: bool = False
    """Whether its kernels compute the whole score square."""
    counts_full_attention: bool = False
    """Whether its reported FLOPs and MFU count the whole score square."""


class TrainingData(Record):
    """catalogs/speed/training.yaml."""

    rates: tuple[TrainingRate, ...]
    stacks: tuple[TrainingStack, ...]

    def stack(self, name: str) -> TrainingStack:
        """The stack of that name or alias; KeyError where there is none."""
        for stack in self.stacks:
            if name == stack.stack or name in stack.aliases:
                return stack
        raise KeyError(name)


class ServingRate(Evidenced):
    """Shares of peak of serving kernels for one GPU class and weight format."""

    gpu: str
    """Speed class such as hopper-hbm."""
    weights: str
    """Family: 16bit, fp8, int8, int4, fp4, mxfp4 or gguf."""
    read: float
    """Reading weights at small batch, share of HBM bandwidth."""
    compute: float
    """Matrix products at large batch, share of the arithmetic's dense peak."""
    expert_read: float
    """Reading experts' weights, share of HBM bandwidth."""
    expert_compute: float
    """Grouped products of experts, share of the arithmetic's dense peak."""
    kv_read: float = 0.6
    """Reading KV cache, share of HBM bandwidth."""
    attention: float = 0.3
    """Attention in prefill, share of the 16-bit peak."""


class ServingEngine(Evidenced):
    """One serving engine: overheads nothing hides, batch limits and how prompts wait."""

    engine: str
    aliases: tuple[str, ...] = ()
    step_us: float
    layer_us: float
    sequence_us: float = 0.0
    moe_layer_us: float = 0.0
    """Further time per layer with experts and pass: engines that launch each expert by itself."""
    format_layer_us: dict[str, float] = Field(default_factory=dict)
    """Further time per layer and pass by family of weight format."""
    fp16_accumulate: bool = False
    """Whether its 16-bit products accumulate in 16 bit, twice as fast on GeForce cards."""
    layer_split: bool = False
    """Whether it spreads a model over several GPUs by layers unless told otherwise."""
    prefill: float = 1.0
    """Prefill compute relative to the class's share."""
    read: float = 1.0
    """Weight and KV reading relative to the class's share."""
    quantized_read: float = 1.0
    """The same for formats below 16 bit, on top."""
    all_reduce_us: float | None = None
    """Latency of a custom all-reduce within one node; None: NCCL's."""
    interference: float = 1.0
    """Share of a prompt's prefill time that delays the tokens of running requests."""
    first_token_ms: float = 10.0
    """Closed loop: tokenizer, scheduler and transport before the first token."""
    first_prefill: float = 1.0
    """Closed loop: prefills of its own length that a prompt takes."""
    first_steps: float = 1.5
    """Closed loop: decode steps that pass before the first token."""
    first_steps_moe: float = 1.5
    """The same for models with experts."""
    queue: float = 0.15
    """Closed loop: share of the other prompts in flight that a new prompt waits for."""
    queue_ms: float = 0.2
    """Closed loop: further wait per other request in flight."""
    queue_power: float = 0.95
    """Closed loop: power of the other requests in flight."""
    ttft_spread: float = 0.5
    """Further spread of the first token under load."""
    max_sequences: int = 256
    max_batched_tokens: int = 8192
    prefill_spread: float = 0.4
    """Spread of a prefill alone."""


class ServingData(Record):
    """catalogs/speed/serving.yaml."""

    gguf_mix_bits: dict[str, float]
    """Mean bits per weight of GGUF file types that mix block types."""
    rates: tuple[ServingRate, ...]
    engines: tuple[ServingEngine, ...]
    sharpness: float = Field(gt=0)
    """Exponent of the smooth maximum of reading and computing; large is a hard roofline."""

    def engine(self, name: str) -> ServingEngine:
        """The engine of that name or alias; KeyError where there is none."""
        for engine in self.engines:
            if name == engine.engine or name in engine.aliases:
                return engine
        raise KeyError(name)


D = TypeVar("D", bound=Record)


def _load(name: str, cls: type[D]) -> D:
    path = data_dir("catalogs") / "speed" / f"{name}.yaml"
    return validate(cls, yaml.load(path.read_text("utf-8"), Loader))


@cache
def link_data() -> LinkData:
    """Curves of all link kinds."""
    return _load("links", LinkData)


@cache
def training_data() -> TrainingData:
    """Training efficiencies."""
    return _load("training", TrainingData)


@cache
def serving_data() -> ServingData:
    """Serving efficiencies."""
    return _load("serving", ServingData)
