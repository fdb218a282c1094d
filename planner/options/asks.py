"""What one workload asks and what one pool offers, in base units: the input of fitting and timing.

`planner fit` builds these from flags, `from_scenario` from a scenario; nothing further down knows the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from planner.catalog.records import Gpu, Model
from planner.layout import Offload, Recompute, Sharding
from planner.memory.setup import Loss, Master, Method
from planner.speed.links import Between, Link

Attention = Literal["auto", "flash", "sdpa", "eager"]
_METHODS: dict[str, Method] = {"full": "full", "lora": "lora", "qlora": "qlora"}


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """One pool, as far as fitting and timing care."""

    name: str
    gpu: Gpu
    link: Link
    node_gpus: int
    max_nodes: int
    """Most nodes the plan may hold, owned and rented together."""
    host_bytes: int | None
    """Usable host RAM of one node; None: unknown, so nothing may be offloaded to it."""
    nvme_bytes: int | None
    nodes: int = 1
    """Whole nodes that one replica is to take; above 1, all of their GPUs."""
    interruption: Fraction | None = None
    """Where all its nodes are spot: the least share of hours lost on any of them."""

    @property
    def replica_gpus(self) -> int:
        """Most GPUs of one replica: those of one node, or exactly those of several."""
        return self.node_gpus * self.nodes

    @property
    def max_gpus(self) -> int:
        """Most GPUs of the pool."""
        return self.node_gpus * self.max_nodes


@dataclass(frozen=True, slots=True)
class Degrees:
    """Allowed degrees of parallelism; None: any."""

    tp: tuple[int, ...] | None = None
    pp: tuple[int, ...] | None = None
    dp: tuple[int, ...] | None = None
    ep: tuple[int, ...] | None = None
    cp: tuple[int, ...] | None = None
    tp_across_nodes: bool = False


@dataclass(frozen=True, slots=True)
class LinkFloor:
    """A least bandwidth the user demands, GB/s with both directions summed."""

    min_gb_s: float
    between: Between


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What every workload asks."""

    name: str
    model: Model
    kind: str
    degrees: Degrees = Degrees()
    gpus_min: int = 1
    gpus_max: int | None = None
    attention: Attention = "auto"
    floor: LinkFloor | None = None
    risk: str = "upper"
    """`upper`: upper memory and lower speed decide; `best`: the best values do."""
    precision: tuple[str, ...] = ("16bit",)
    """Formats in the user's order of preference."""
    pools: tuple[str, ...] | None = None
    exclude_pools: tuple[str, ...] = ()
    deadline_s: float | None = None
    spot: bool = True
    """Whether it may run on spot nodes; true as well where there are none."""

    @property
    def careful(self) -> bool:
        """Whether upper memory and lower speed decide."""
        return self.risk == "upper"


@dataclass(frozen=True, slots=True)
class RequestSize:
    """One bar of a histogram of request sizes."""

    prompt: float
    output: float
    share: float
    """Of all requests; the shares of a histogram add up to 1."""


@dataclass(frozen=True, slots=True)
class MeasuredRates:
    """Requests per second of one replica on `gpus` GPUs, for each request size; 0 where it can't serve it."""

    gpu: str
    gpus: int
    rates: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingAsk(Ask):
    """Inference, batch generation or embedding."""

    engine: str | None = None
    kv: tuple[str, ...] = ("auto",)
    context: int
    prompt: float
    """Mean prompt tokens of a request."""
    output: float
    """Mean output tokens of a request."""
    sizes_stated: bool = True
    """False: no request sizes were given, so sequences count as `context` tokens."""
    rate: float | None = None
    """Requests per second over all replicas."""
    concurrent: int | None = None
    """Requests in flight over all replicas."""
    ttft_s: float | None = None
    tpot_s: float | None = None
    percentile: float = 95
    replicas_min: int = 1
    replicas_max: int | None = None
    spare: int = 0
    memory_fraction: float | None = None
    max_batch: int | None = None
    max_batch_tokens: int | None = None
    cuda_graphs: bool = True
    weight_offload_bytes: int = 0
    prefix_cached: float = 0.0
    """Share of prompt tokens that a prefix cache saves."""
    sizes: tuple[RequestSize, ...] = ()
    """Histogram of request sizes; `prompt` and `output` are its means."""
    measured: tuple[MeasuredRates, ...] = ()
    """The user's own rates, which replace the speed model."""
    whole_sizes: bool = False
    """Requests of one size all go to one GPU type."""
    distinct_nodes: bool = False
    same_pool: bool = False

    @property
    def by_size(self) -> bool:
        """Whether requests are shared out by size: each kind of replica takes those it is good at."""
        return bool(self.sizes or self.measured or self.whole_sizes)

    @property
    def buckets(self) -> tuple[RequestSize, ...]:
        """The histogram; one bar where only means were given."""
        return self.sizes or (RequestSize(self.prompt, self.output, 1.0),)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAsk(Ask):
    """Full fine-tuning, LoRA or QLoRA."""

    framework: str | None = None
    base: str | None = None
    """Format of a frozen quantized base (QLoRA)."""
    master: Master = "fp32"
    optimizer: str = "adamw"
    zero: tuple[int, ...] | None = None
    sharding: tuple[Sharding, ...] | None = None
    offload_optimizer: tuple[Offload, ...] = ("none",)
    offload_parameters: tuple[Offload, ...] = ("none",)
    offload_activations: tuple[Offload, ...] = ("none",)
    recompute: tuple[Recompute, ...] | None = None
    loss: Loss = "plain"
    sequence: int
    global_batch: int
    """Sequences of one optimizer step."""
    micro_batch: tuple[int, ...] | None = None
    lora_rank: int = 16
    lora_targets: tuple[str, ...] = ("all-linear",)
    dora: bool = False
    tokens: float = 0.0
    """Tokens to process, padding included."""

    @property
    def method(self) -> Method:
        """Method of the memory model: DoRA is LoRA with magnitudes."""
        return "dora" if self.dora and self.kind == "lora" else _METHODS[self.kind]


def is_job(ask: Ask) -> bool:
    """Whether the workload ends: training, batch generation, embedding."""
    return ask.kind != "inference"


def own_format(model: Model) -> tuple[str, ...]:
    """The format of a checkpoint that is published quantized; () for one in 16 or 32 bits.

    >>> from planner.catalog import model
    >>> own_format(model("gpt-oss-120b")), own_format(model("llama-7b"))
    (('mxfp4',), ())
    """
    return (model.native_dtype,) if model.native_dtype in ("fp8", "mxfp4") else ()


def free_replicas(ask: Ask) -> bool:
    """Whether any number of replicas may stand anywhere in the pool, so that many small ones may beat a large one."""
    return (
        isinstance(ask, ServingAsk)
        and ask.replicas_max is None
        and ask.gpus_max is None
        and not ask.distinct_nodes
        and not ask.by_size
    )
