"""How a training run is set up: everything that decides its memory besides model, GPU and ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["full", "lora", "dora", "qlora"]
Master = Literal["fp32", "none"]
Precision = Literal["auto", "pure", "autocast", "sharded", "megatron", "deepspeed"]
Recompute = Literal["none", "selective", "full"]
Kernel = Literal["flash", "sdpa", "eager"]
Loss = Literal["auto", "plain", "chunked", "fused"]
Sharding = Literal["none", "ddp", "layers", "fsdp", "zero", "tp"]
Target = Literal["none", "cpu", "nvme"]


@dataclass(frozen=True, slots=True)
class TrainingSetup:
    """One way to train. `auto` values are filled from the framework's profile.

    >>> TrainingSetup(method="qlora", weights="nf4").adapters
    True
    """

    method: Method = "full"
    weights: str = "bf16"
    """Format of the stored weights: of all of them in full training, of the frozen base with adapters."""
    master: Master = "fp32"
    """fp32: the optimizer updates fp32 parameters (or fp32 adapters); none: parameters in 16 bit only."""
    precision: Precision = "auto"
    """pure: one type for everything; autocast: fp32 parameters cast per operator; sharded: FSDP's mixed precision;
    megatron and deepspeed: 16-bit parameters beside fp32 masters."""
    optimizer: str = "adamw"
    """adamw (or adamw-foreach, -fused, -forloop), adamw-8bit, paged-adamw-8bit, adafactor, lion, muon, sgd, ..."""
    sequence: int = 2048
    recompute: Recompute = "none"
    recompute_every: int = 1
    """Layers per recomputed block."""
    attention: Kernel = "flash"
    loss: Loss = "auto"
    fused_kernels: bool = False
    """Fused norm and gated activation (Liger, Apex, Transformer Engine): they keep less for backward."""
    compiled: bool = False
    """torch.compile fuses operators and keeps less for backward."""
    lora_rank: int = 16
    lora_targets: str = "all-linear"
    lora_dtype: Literal["fp32", "16bit"] = "fp32"
    lora_dropout: bool | None = None
    """Whether adapters have dropout (a mask and a copy of each input); None: as the framework's recipes do."""
    sharding: Sharding = "none"
    reshard_after_forward: bool = True
    shard_ranks: int = 0
    """Hybrid sharding: ranks that hold one copy; 0: all data-parallel ranks."""
    optimizer_in_backward: bool = False
    offload_optimizer: Target = "none"
    offload_parameters: Target = "none"
    offload_activations: Target = "none"
    sequence_parallel: bool = False
    interleave: int = 1
    """Virtual pipeline stages per GPU."""

    @property
    def adapters(self) -> bool:
        """Whether the base is frozen and adapters are trained."""
        return self.method != "full"

    @property
    def quantized(self) -> bool:
        """Whether the base is stored in fewer than 16 bits."""
        return self.adapters and self.weights not in ("bf16", "fp16", "fp32")
