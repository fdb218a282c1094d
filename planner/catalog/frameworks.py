"""What a training framework's profile holds: how it runs, and its memory constants with their evidence.

Profiles are `catalogs/frameworks/<id>.yaml`. Every figure is a best and an upper value; a verdict at default risk takes
the upper one. Serving engines have profiles of their own in `planner.catalog.engines`.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import Field

from planner.catalog.engines import Constant
from planner.catalog.located import load_record
from planner.catalog.lookup import UnknownRecord
from planner.catalog.names import nearest
from planner.catalog.paths import data_dir
from planner.catalog.records import Gpu, Record, Sourced

Regime = Literal["pure", "autocast", "sharded", "megatron", "deepspeed"]
LossKind = Literal["plain", "chunked", "fused"]
StepKind = Literal["foreach", "fused", "forloop"]
ShardingKind = Literal["none", "ddp", "layers", "fsdp", "zero", "tp"]


class LossCost(Record):
    """Bytes of logits and cross entropy per token: x vocabulary, and x hidden size."""

    kept_bytes: float
    """Per token and vocabulary entry, alive after forward."""
    peak_bytes: float
    """Per token and vocabulary entry at the highest point, kept bytes included."""
    hidden_bytes: float = 0.0
    """Per token and hidden element at the highest point."""
    evidence: str = ""


class GatherRules(Record):
    """What a rank holds unsharded while parameters are sharded (FSDP and ZeRO-3)."""

    layers: float = 2.0
    """Gathered layers: the current one and those fetched ahead."""
    gradient_layers: float = 1.0
    """Layers with unsharded gradients."""
    reduce_bytes: int = 4
    """Bytes per parameter of the gradient reduction's input (fp32 or 16 bit)."""
    root: bool = True
    """Embedding, head and last norm stay gathered from forward to the end of backward."""
    live_parameters: float = 0.0
    """Parameters kept gathered for reuse at most (ZeRO-3: max_live_parameters)."""
    bucket_elements: float = 0.0
    """Elements of each communication bucket (ZeRO: reduce and all-gather buckets)."""
    buckets: float = 0.0
    """How many such 16-bit buckets are alive."""


class HostRules(Record):
    """Host RAM of offloading."""

    pinned_rounding: Constant
    """Pinned buffers over what was asked for: allocators round up."""
    gradient_bytes: float
    """Bytes per parameter of gradients kept on the host for the optimizer."""
    staging_bytes: float
    """Bytes per parameter of pinned staging copies."""
    process_gib: Constant
    """A training process without offload: interpreter, libraries, data loader."""


class Envelope(Record):
    """What measured runs of a framework cover; a prediction outside doubles its margins."""

    architectures: tuple[str, ...] = ("ampere", "ada", "hopper", "blackwell")
    kernels: tuple[Literal["flash", "sdpa", "eager"], ...] = ("flash", "sdpa")
    offload: tuple[Literal["optimizer", "parameters", "activations"], ...] = ()
    parallelism: tuple[Literal["tensor", "pipeline", "context", "expert"], ...] = ()
    experts: bool = False
    """Mixtures of experts and latent attention."""


class Support(Record):
    """What a framework can run."""

    methods: tuple[Literal["full", "lora", "dora", "qlora"], ...] = (
        "full",
        "lora",
        "dora",
        "qlora",
    )
    sharding: tuple[ShardingKind, ...] = ("none", "ddp")
    zero: tuple[int, ...] = (0,)
    zero_with_pipeline: tuple[int, ...] = (0, 1)
    quantized_sharding: bool = False
    """Whether a quantized base can be sharded over data-parallel ranks."""
    tensor: bool = False
    pipeline: bool = False
    context: bool = False
    expert: bool = False
    offload: tuple[Literal["optimizer", "parameters", "activations"], ...] = ()
    nvme: bool = False


class FrameworkMemory(Record):
    """Memory constants of one framework."""

    regime: Regime = "autocast"
    """Precision regime with fp32 masters where nothing is sharded."""
    sharded_regime: Regime = "sharded"
    """The same where parameters or states are sharded."""
    adamw_step: StepKind = "foreach"
    losses: dict[LossKind, LossCost]
    default_loss: LossKind = "plain"
    split_embedding: bool = False
    split_logits: bool = False
    pad_vocabulary: bool = False
    repeats_kv: bool = False
    merged_qkv: bool = False
    fused_kernels: bool = False
    """Its own norms and gated activations are fused."""
    quantized_inputs: bool = False
    """Its quantized linear layers keep their inputs for backward."""
    quantized_head: bool = False
    """Whether it quantizes the head too."""
    lora_dropout: bool = False
    adapters_fp32: bool = True
    adapter_autocast: bool = True
    """fp32 adapters run under autocast; if not they keep fp32 copies of their inputs."""
    mixed_base: bool = False
    """With fp32 masters the frozen base is fp32 too, and each linear layer keeps a 16-bit copy."""
    residual_fp32: bool = False
    """The residual stream is fp32 although weights are 16 bit."""
    activations: Constant
    """Kept activations over the reference count."""
    quantized_activations: Constant
    """The same on top where the base is quantized."""
    regathers: bool = False
    """Sequence parallelism gathers inputs again in backward instead of keeping them."""
    compiled: Constant
    """The same under torch.compile."""
    ddp_buckets: float = 1.0
    """Copies of the gradients in data-parallel buckets."""
    gather: GatherRules = GatherRules()
    fixed_gib: Constant
    """Allocated beyond tensors of the model: workspaces, rotary tables, batches."""
    reserved: Constant
    """Reserved over allocated where memory is not short."""
    fragmentation: Constant
    """Share of the allocated peak that can't be used when memory is short."""
    context_gib: dict[str, Constant]
    """CUDA context and kernels by GPU architecture; `default` for the rest."""
    nccl_gib: Constant
    """Communicators of one process with more than one rank."""
    host: HostRules
    envelope: Envelope = Envelope()

    def context(self, gpu: Gpu) -> Constant:
        """CUDA context and loaded kernels on this GPU."""
        return self.context_gib.get(gpu.architecture, self.context_gib["default"])


class TrainingFramework(Sourced):
    """One training framework."""

    name: str
    reported_as: tuple[str, ...] = ()
    """Names in measurement files that this profile stands for, compared by their beginning."""
    memory: FrameworkMemory
    support: Support = Support()
    attention: tuple[Literal["flash", "sdpa", "eager"], ...] = ("flash", "sdpa", "eager")
    preference: int = 100
    """Lower is tried first by `default_framework`."""
    speed: dict[str, float] = Field(default_factory=dict)
    """Speed constants, where a framework has its own."""
    speed_stack: str = ""
    """Stack of catalogs/speed whose measurements stand for it; its own id when empty."""


@cache
def framework_ids() -> tuple[str, ...]:
    """Ids of all training frameworks, sorted."""
    return tuple(sorted(p.stem for p in (data_dir("catalogs") / "frameworks").glob("*.yaml")))


@cache
def training_framework(name: str) -> TrainingFramework:
    """The training framework of that id or alias.

    >>> training_framework("megatron").support.pipeline
    True
    """
    folder = data_dir("catalogs") / "frameworks"
    path = folder / f"{name}.yaml"
    if "/" not in name and path.is_file():
        return load_record(path, TrainingFramework)
    for id_ in framework_ids():
        record = load_record(folder / f"{id_}.yaml", TrainingFramework)
        if name in record.aliases:
            return record
    raise UnknownRecord("training framework", name, nearest(name, framework_ids()))


@cache
def reported_framework(text: str) -> TrainingFramework | None:
    """The profile that a measurement file's framework text means; None if there is none.

    >>> found = reported_framework("deepspeed (Liger fused cross-entropy)")
    >>> found.id if found else None
    'deepspeed'
    """
    lowered = text.lower()
    hits = [
        (len(name), id_)
        for id_ in framework_ids()
        for name in (id_, *training_framework(id_).reported_as)
        if lowered.startswith(name)
    ]
    return training_framework(max(hits)[1]) if hits else None
