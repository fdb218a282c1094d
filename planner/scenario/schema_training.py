"""The demand side of the scenario file: what training workloads say."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from planner.scenario.formats import BatchSize, GlobalBatch
from planner.scenario.numbers import AUTO_OR_LIST, ONE_OR_LIST, Counts, PositiveCount, Tokens
from planner.scenario.quantities import Duration
from planner.scenario.schema_base import (
    Flag,
    Loss,
    Master,
    OptimizerName,
    Part,
    RecomputeMode,
    ShardingMode,
    Short,
    Target,
    Text,
    TrainingFormat,
)
from planner.scenario.schema_workloads import Base

Targets: TypeAlias = Annotated[tuple[Target, ...], ONE_OR_LIST]
ZeroStages: TypeAlias = Annotated[tuple[Literal[0, 1, 2, 3], ...] | None, AUTO_OR_LIST]


class Dataset(Part):
    """A data set and how often it is read."""

    samples: PositiveCount = Field(examples=[120000])
    """Samples of one epoch."""
    mean_tokens: Tokens = Field(examples=[780])
    """Mean tokens of a sample."""
    epochs: PositiveCount = Field(default=1, examples=[3])
    """Times the data set is read."""
    packing: Flag = Field(default=True, examples=[True])
    """Whether samples are packed into full sequences; `false` pads each to the sequence length."""


class Offload(Part):
    """Where training state that does not fit on the GPUs may go."""

    optimizer: Targets = Field(default=("none",), examples=[["none", "cpu"]])
    """Optimizer states and fp32 master weights."""
    parameters: Targets = Field(default=("none",), examples=["none"])
    """Parameters (ZeRO stage 3 only)."""
    activations: Targets = Field(default=("none",), examples=["none"])
    """Activations."""


class Lora(Part):
    """The adapter of a LoRA or QLoRA run."""

    rank: PositiveCount = Field(default=16, examples=[16])
    """Rank of the adapter."""
    targets: Annotated[
        tuple[
            Literal[
                "all-linear", "attention", "q", "k", "v", "o", "gate", "up", "down",
            ],
            ...,
        ],
        ONE_OR_LIST,
    ] = Field(default=("all-linear",), examples=["all-linear"])  # fmt: skip
    """Layers that get an adapter."""
    dora: Flag = Field(default=False, examples=[False])
    """Whether magnitudes are trained as well (DoRA)."""


class Training(Base):
    """What training workloads have in common."""

    framework: Text | None = Field(default=None, examples=["deepspeed"])
    """Framework profile; default: fsdp, or megatron where tp or pp above 1 is allowed."""
    precision: Annotated[tuple[TrainingFormat, ...], ONE_OR_LIST] = Field(
        default=("16bit",), examples=["16bit"]
    )
    """Arithmetic types in order of preference; `bf16` alone insists."""
    recompute: Annotated[tuple[RecomputeMode, ...] | None, AUTO_OR_LIST] = Field(
        default=None, examples=["auto"]
    )
    """Activation recomputation."""
    master: Master = Field(default="fp32", examples=["fp32"])
    """Master weights: fp32 (mixed precision) or none (states in 16 bits)."""
    micro_batch: Counts = Field(default=None, examples=["auto"])
    """Sequences of one GPU in one pass; the rest of the batch is accumulated."""
    loss: Loss = Field(default="plain", examples=["plain"])
    """How the loss is computed: all logits at once, in chunks, or by a fused kernel."""
    tokens: Tokens | None = Field(default=None, examples=["2e9"])
    """Tokens to train on; or give `dataset`."""
    dataset: Dataset | None = Field(
        default=None, examples=[{"samples": 120000, "mean_tokens": 780}]
    )
    """Data set to train on; or give `tokens`."""
    deadline: Duration | None = Field(default=None, examples=["14 d"])
    """Time in which the run must finish; absent: whenever it does."""
    every: Duration | None = Field(default=None, examples=["1 month"])
    """Time from one run to the next; absent: a single run."""

    @property
    def total_tokens(self) -> int:
        """Tokens the run must process, padding not counted."""
        if self.dataset is not None:
            return self.dataset.samples * self.dataset.mean_tokens * self.dataset.epochs
        return self.tokens or 0


class FullWorkload(Training):
    """Full fine-tuning or pre-training: every parameter is trained."""

    kind: Literal["full"] = Field(examples=["full"])
    """`full`: every parameter is trained."""
    zero: ZeroStages = Field(default=None, examples=[[1, 2, 3]])
    """ZeRO stages to consider (FSDP full sharding counts as 3)."""
    offload: Annotated[Offload, Short(None)] = Field(
        default=Offload.model_construct(), examples=[{"optimizer": ["none", "cpu"]}]
    )
    """Where training state may go that does not fit."""
    optimizer: OptimizerName = Field(default="adamw", examples=["adamw"])
    """Optimizer."""
    sequence: Tokens = Field(examples=[4096])
    """Tokens of a sequence."""
    global_batch: GlobalBatch = Field(examples=["128 sequences"])
    """Sequences, or tokens, of one optimizer step over all GPUs."""


class AdapterTraining(Training):
    """What LoRA and QLoRA have in common."""

    lora: Lora = Field(default=Lora.model_construct(), examples=[{"rank": 16}])
    """The adapter."""
    sharding: Annotated[tuple[ShardingMode, ...] | None, AUTO_OR_LIST] = Field(
        default=None, examples=["auto"]
    )
    """How the frozen base lies on the GPUs: whole on each, by layers, sharded, or split by tp."""
    sequence: Tokens = Field(default=2048, examples=[2048])
    """Tokens of a sequence."""
    global_batch: GlobalBatch = Field(default=BatchSize(16, "sequences"), examples=["16 sequences"])
    """Sequences, or tokens, of one optimizer step over all GPUs."""


class LoraWorkload(AdapterTraining):
    """LoRA: adapters are trained on a frozen 16-bit base."""

    kind: Literal["lora"] = Field(examples=["lora"])
    """`lora`: adapters on a 16-bit base."""
    optimizer: OptimizerName = Field(default="adamw", examples=["adamw"])
    """Optimizer of the adapters."""


class QloraWorkload(AdapterTraining):
    """QLoRA: adapters are trained on a frozen 4-bit base."""

    kind: Literal["qlora"] = Field(examples=["qlora"])
    """`qlora`: adapters on a 4-bit base."""
    optimizer: OptimizerName = Field(default="paged-adamw-8bit", examples=["paged-adamw-8bit"])
    """Optimizer of the adapters."""
    base: Literal["nf4", "nf4-double-quant", "fp4", "int8"] = Field(default="nf4", examples=["nf4"])
    """Format of the frozen base."""
