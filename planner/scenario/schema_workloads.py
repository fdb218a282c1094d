"""The demand side of the scenario file: what serving workloads say."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from planner.scenario.formats import GrowthRate
from planner.scenario.numbers import (
    AUTO_OR_LIST,
    ONE_OR_LIST,
    Count,
    Counts,
    Multiple,
    Percentile,
    PositiveCount,
    Share,
    Tokens,
)
from planner.scenario.quantities import Bandwidth, ByteSizeOrZero, Duration, Rate
from planner.scenario.schema_base import Attention, Flag, Format, KvFormat, Part, Text
from planner.scenario.schema_requests import Bucket, Throughput


class Gpus(Part):
    """Bounds on the GPUs of a workload."""

    min: PositiveCount | None = Field(default=None, examples=[2])
    """Fewest GPUs."""
    max: PositiveCount | None = Field(default=None, examples=[8])
    """Most GPUs."""


class Interconnect(Part):
    """A least bandwidth between GPUs, beyond what the speed model demands."""

    min: Bandwidth = Field(examples=["200 GB/s"])
    """Least bandwidth of one GPU, both directions summed."""
    between: Literal["tp", "replica", "nodes"] = Field(default="tp", examples=["tp"])
    """Within each tensor-parallel group, among all GPUs of a replica, or between its nodes."""


class Parallel(Part):
    """Degrees of parallelism a layout may take."""

    tp: Counts = Field(default=None, examples=[[1, 2, 4, 8]])
    """Tensor parallel degrees."""
    pp: Counts = Field(default=None, examples=[[1, 2]])
    """Pipeline parallel degrees."""
    dp: Counts = Field(default=None, examples=[[1, 2, 4]])
    """Data parallel degrees inside one replica."""
    ep: Counts = Field(default=None, examples=[[1, 8]])
    """Expert parallel degrees."""
    cp: Counts = Field(default=None, examples=[[1]])
    """Context parallel degrees."""
    tp_across_nodes: Flag = Field(default=False, examples=[False])
    """Whether a tensor-parallel group may leave its NVLink or PCIe domain."""


class Base(Part):
    """What every workload has."""

    name: Text = Field(examples=["chat"])
    """Name of the workload."""
    model: Text = Field(examples=["llama-3.1-8b"])
    """Model of the catalog, or one declared under `models`."""
    team: Text | None = Field(default=None, examples=["research"])
    """Who asks for it; for allocation and chargeback."""
    priority: PositiveCount = Field(default=1, examples=[2])
    """The lower number wins when not all workloads fit."""
    required: Flag = Field(default=True, examples=[False])
    """`false`: the workload may be left unserved."""
    pools: Annotated[tuple[Text, ...] | None, ONE_OR_LIST] = Field(
        default=None, examples=[["v100-box"]]
    )
    """Pools the workload may use; absent: all."""
    exclude_pools: Annotated[tuple[Text, ...], ONE_OR_LIST] = Field(default=(), examples=[["home"]])
    """Pools the workload must not use."""
    spot: Flag | None = Field(default=None, examples=[True])
    """Whether it may use spot nodes (rents with an `interruption`); absent: jobs may, services may not."""
    gpus: Gpus = Field(default=Gpus.model_construct(), examples=[{"max": 8}])
    """Bounds on the GPUs the workload takes in all."""
    parallel: Parallel = Field(default=Parallel.model_construct(), examples=[{"tp": [1, 2, 4]}])
    """Degrees of parallelism to consider."""
    attention: Attention = Field(default="auto", examples=["auto"])
    """Attention kernel; `flash` insists on FlashAttention."""
    interconnect: Interconnect | None = Field(default=None, examples=[{"min": "200 GB/s"}])
    """A least bandwidth between GPUs, beyond what the speed model demands."""
    risk: Literal["upper", "best"] = Field(default="upper", examples=["upper"])
    """Memory estimate a verdict rests on: `upper` is careful, `best` takes the risk."""


# ------------------------------------------------------------------------------------------ serving


class ServiceDemand(Part):
    """Load of a service: a request rate, or requests in flight."""

    requests: Rate | None = Field(default=None, examples=["5 /s"])
    """Requests per unit of time."""
    concurrent: PositiveCount | None = Field(default=None, examples=[32])
    """Requests in flight over all replicas, instead of a rate."""
    prompt: Tokens | None = Field(default=None, examples=[1500])
    """Mean prompt tokens of a request."""
    output: Tokens | None = Field(default=None, examples=[300])
    """Mean output tokens of a request."""
    sizes: tuple[Bucket, ...] = Field(
        default=(), examples=[[{"prompt": 1500, "output": 300, "share": "100 %"}]]
    )
    """Histogram of request sizes, instead of means; its shares add up to 100 %."""
    growth: GrowthRate | None = Field(default=None, examples=["+20 %/quarter"])
    """Growth of the demand from the first period on; needs a `horizon`."""
    periods: Annotated[tuple[Multiple, ...] | None, ONE_OR_LIST] = Field(
        default=None, examples=[["100 %", "120 %", "150 %", "150 %"]]
    )
    """Demand of each period as a share of the stated one; `0 %` where the service does not run."""


class Slo(Part):
    """Latency objectives of a service."""

    ttft: Duration | None = Field(default=None, examples=["2 s"])
    """Time to first token."""
    tpot: Duration | None = Field(default=None, examples=["50 ms"])
    """Time per output token after the first."""
    percentile: Percentile = Field(default=95, examples=[95])
    """Percentile of requests that must meet them."""


class Replicas(Part):
    """How many copies of a service."""

    min: PositiveCount = Field(default=1, examples=[2])
    """Fewest replicas."""
    max: PositiveCount | None = Field(default=None, examples=[8])
    """Most replicas."""
    spare: Count = Field(default=0, examples=[1])
    """Replicas that may fail while the rest still meets the demand."""
    distinct_nodes: Flag = Field(default=False, examples=[True])
    """`true`: no node holds two replicas, so that the loss of a node costs one replica."""
    same_pool: Flag = Field(default=False, examples=[True])
    """`true`: all replicas are on one pool."""


class Serving(Base):
    """What workloads that run an inference engine have in common."""

    engine: Text | None = Field(default=None, examples=["vllm"])
    """Engine profile; default: the first that supports model, format and GPU."""
    precision: Annotated[tuple[Format, ...], ONE_OR_LIST] = Field(
        default=("16bit",), examples=[["16bit", "fp8"]]
    )
    """Weight formats in order of preference; none is used that is not listed."""
    memory_fraction: Share | None = Field(default=None, examples=[0.9])
    """Share of GPU memory the engine may take; default: the engine's own."""
    weight_offload: ByteSizeOrZero = Field(default=0, examples=["10 GiB"])
    """Weights of each GPU that are kept in host RAM."""
    max_batch: PositiveCount | None = Field(default=None, examples=[256])
    """Most sequences in a batch (max_num_seqs); default: the engine's own."""
    max_batch_tokens: PositiveCount | None = Field(default=None, examples=[8192])
    """Most tokens in one step (max_num_batched_tokens); default: the engine's own."""
    cuda_graphs: Flag = Field(default=True, examples=[True])
    """Whether the engine captures CUDA graphs."""


class Generating(Serving):
    """Serving workloads that generate text and so hold a KV cache."""

    kv: Annotated[tuple[KvFormat, ...] | None, AUTO_OR_LIST] = Field(
        default=None, examples=["auto", "fp8"]
    )
    """KV cache formats in order of preference; `auto` is 16-bit."""
    prefix_cache: Share = Field(default=Fraction(0), examples=["30 %"])
    """Share of the prompt tokens that a prefix cache saves."""


class InferenceWorkload(Generating):
    """A service that answers requests as they come."""

    kind: Literal["inference"] = Field(examples=["inference"])
    """`inference`: a service with latency."""
    context: Tokens = Field(examples=[8192])
    """Longest sequence, prompt and output together, that must fit."""
    demand: ServiceDemand = Field(examples=[{"requests": "5 /s", "prompt": 1500, "output": 300}])
    """The load: a request rate with sizes, or requests in flight."""
    slo: Slo = Field(default=Slo.model_construct(), examples=[{"ttft": "2 s", "tpot": "50 ms"}])
    """Latency objectives; absent: throughput alone counts."""
    replicas: Replicas = Field(
        default=Replicas.model_construct(), examples=[{"min": 2, "spare": 1}]
    )
    """How many copies of the service."""
    throughput: Throughput = Field(
        default=Throughput.model_construct(),
        examples=[{"measured": [{"gpu": "a10g", "rates": ["2 /s"]}]}],
    )
    """Throughput you measured, and how requests may be shared out; absent: the speed model."""


class BatchDemand(Part):
    """Work of a batch run: requests with their sizes."""

    requests: PositiveCount = Field(examples=["2e6"])
    """Requests of one run."""
    prompt: Tokens = Field(examples=[900])
    """Mean prompt tokens of a request."""
    output: Tokens = Field(examples=[200])
    """Mean output tokens of a request."""


class BatchWorkload(Generating):
    """Offline generation: throughput before a deadline, no latency."""

    kind: Literal["batch"] = Field(examples=["batch"])
    """`batch`: offline generation."""
    context: Tokens | None = Field(default=None, examples=[4096])
    """Longest sequence that must fit; default: twice the mean prompt and output, rounded up to 1024."""
    demand: BatchDemand = Field(examples=[{"requests": "2e6", "prompt": 900, "output": 200}])
    """The requests of one run."""
    deadline: Duration = Field(examples=["8 h"])
    """Time in which a run must finish."""
    every: Duration | None = Field(default=None, examples=["1 d"])
    """Time from one run to the next; absent: a single run."""


class EmbeddingDemand(Part):
    """Work of an embedding run."""

    tokens: Tokens = Field(examples=["3e9"])
    """Tokens to embed."""


class EmbeddingWorkload(Serving):
    """Embedding of a corpus: throughput before a deadline."""

    kind: Literal["embedding"] = Field(examples=["embedding"])
    """`embedding`: vectors for a corpus."""
    context: Tokens = Field(default=512, examples=[512])
    """Longest text in tokens."""
    demand: EmbeddingDemand = Field(examples=[{"tokens": "3e9"}])
    """The tokens to embed."""
    deadline: Duration = Field(examples=["2 d"])
    """Time in which a run must finish."""
    every: Duration | None = Field(default=None, examples=["1 d"])
    """Time from one run to the next; absent: a single run."""
