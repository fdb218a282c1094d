"""How one replica of a workload lies on GPUs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Offload = Literal["none", "cpu", "nvme"]
Recompute = Literal["none", "selective", "full"]
AttentionKernel = Literal["flash", "sdpa", "eager"]
Sharding = Literal["none", "ddp", "layers", "fsdp", "zero", "tp"]


@dataclass(frozen=True, slots=True)
class Layout:
    """One replica on tp x pp x cp x dp GPUs; expert parallelism `ep` divides dp x tp.

    >>> Layout(tp=4, pp=2).gpus
    8
    """

    tp: int = 1
    """Tensor parallel ranks: each matrix is split."""
    pp: int = 1
    """Pipeline stages: the layers are split."""
    dp: int = 1
    """Data parallel ranks: the batch is split (in inference: attention data parallelism)."""
    cp: int = 1
    """Context parallel ranks: the sequence is split."""
    ep: int = 1
    """Expert parallel ranks: whole experts are split."""
    engine: str = ""
    """Engine or framework profile, such as vllm or fsdp."""
    weights: str = "bf16"
    """Weight format as stored: bf16, fp16, fp8, gptq-int4, awq-int4, nf4, mxfp4, gguf-q4_k_m, ..."""
    kv: str = ""
    """KV cache format (inference): bf16, fp16, fp8, int8, q8_0."""
    attention: AttentionKernel = "flash"
    # Training only, from here on.
    sharding: Sharding = "none"
    zero: int = 0
    micro_batch: int = 0
    accumulation: int = 0
    recompute: Recompute = "none"
    offload_optimizer: Offload = "none"
    offload_parameters: Offload = "none"
    offload_activations: Offload = "none"
    offload_weights_gib: float = 0.0
    """Inference: GiB of weights per GPU kept in host RAM."""

    @property
    def gpus(self) -> int:
        """GPUs of one replica."""
        return self.tp * self.pp * self.cp * self.dp
