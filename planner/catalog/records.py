"""What a catalog record holds: pydantic models of one GPU, one model and one node type.

Units are in the names. GB and GB/s are 10^9, GiB and MiB are 2^30 and 2^20. Every record carries the sources of
its facts, a confidence, and the fields nobody could verify.
"""

from functools import cached_property
from typing import Literal

from pydantic import Field

from planner.catalog.base import Confidence as Confidence
from planner.catalog.base import Record as Record
from planner.catalog.base import Sourced as Sourced
from planner.catalog.model_parts import LinearAttention as LinearAttention
from planner.catalog.model_parts import Mla as Mla
from planner.catalog.model_parts import Moe as Moe
from planner.catalog.model_parts import Vision as Vision

# --------------------------------------------------------------------------------------------- GPUs


class GpuMemory(Record):
    """Three sizes of one memory, never mixed: on the box, in nvidia-smi, and in cudaMemGetInfo."""

    marketed_gb: float
    type: str
    bandwidth_gb_s: float
    driver_total_mib: int | None = None
    """memory.total of nvidia-smi."""
    cuda_total_mib: int
    """What cudaMemGetInfo returns and an engine's memory fraction multiplies: the best value."""
    cuda_total_low_mib: int
    """The lowest CUDA total to expect: a verdict at default risk uses it."""
    cuda_total_tag: Literal["measured", "modelled"]
    """measured: read off such a card; modelled: the driver total less the reserve of its class."""
    cuda_total_source: str = ""


class DenseTflops(Record):
    """Dense tensor rates in TFLOPS (TOPS for int8); never with sparsity. None: no such instruction."""

    fp32: float | None = None
    tf32: float | None = None
    bf16: float | None = None
    fp16: float | None = None
    """fp16 with fp32 accumulation, which is what language-model kernels run."""
    fp16_fp16acc: float | None = None
    fp8: float | None = None
    fp8_fp16acc: float | None = None
    fp4: float | None = None
    int8: float | None = None


class Nvlink(Record):
    """NVLink of one GPU; `total_gb_s` sums both directions over all its links."""

    total_gb_s: float = 0.0
    domain: int = 1
    """GPUs that reach one another over NVLink in the usual chassis."""
    generation: int | None = None
    topology: Literal["nvswitch", "mesh", "bridge-pairs", "none"] = "none"


class Fabric(Record):
    """A scale-up fabric that is not NVLink (xGMI, Gaudi's RoCE, HCCS, ICI); both directions summed."""

    kind: str
    total_gb_s: float | None = None
    domain: int | None = None


class PcieLink(Record):
    """PCIe of one GPU; `p2p` says whether the stock driver lets GPUs reach each other directly."""

    generation: int
    lanes: int
    p2p: bool = True


class Gpu(Sourced):
    """One GPU SKU."""

    name: str
    vendor: Literal["nvidia", "amd", "intel", "huawei", "google"]
    architecture: str
    """pascal, volta, turing, ampere, ada, hopper, blackwell, cdna3, ... in lower case."""
    compute_capability: str | None = None
    memory: GpuMemory
    tflops: DenseTflops
    dtypes: tuple[str, ...]
    """Types with native arithmetic that is worth using: fp32 tf32 fp16 bf16 int8 fp8 fp4."""
    flash_attention: tuple[int, ...] = ()
    """Major versions of FlashAttention that run: (), (2,), (2, 3); 1 on Turing."""
    nvlink: Nvlink = Field(default=Nvlink.model_construct())
    fabric: Fabric | None = None
    c2c_gb_s: float | None = None
    """Coherent link to the CPU (GH200, GB200), both directions summed; never counted as NVLink."""
    pcie: PcieLink | None = None
    tdp_w: float | None = None
    sm_count: int | None = None
    form_factor: str = ""
    launch: str = ""
    conflicts: str = ""

    @property
    def capability(self) -> tuple[int, int]:
        """Compute capability as numbers, (0, 0) where the vendor has none.

        >>> from planner.catalog import gpu
        >>> gpu("v100-sxm2-32gb").capability
        (7, 0)
        """
        if self.compute_capability is None:
            return (0, 0)
        major, minor = self.compute_capability.split(".")
        return (int(major), int(minor))

    def has(self, dtype: str) -> bool:
        """Whether the GPU has native arithmetic of this type."""
        return dtype in self.dtypes

    @property
    def sixteen_bit(self) -> Literal["bf16", "fp16"]:
        """The 16-bit type to run in: bf16 where native, else fp16."""
        return "bf16" if self.has("bf16") else "fp16"


# ------------------------------------------------------------------------------------------- models


class Model(Sourced):
    """The architecture of one language model, complete enough to count each of its tensors."""

    hf_id: str = ""
    family: str = ""
    """Models of one family differ in size only (llama-3.1, qwen2.5): a repair may offer a smaller one."""
    kind: Literal["decoder", "encoder", "whisper"] = "decoder"
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    vocab_size: int
    attention_bias: Literal["none", "qkv", "all"] = "none"
    gated_mlp: bool = True
    mlp_bias: bool = False
    norm: Literal["rms", "layernorm"] = "rms"
    norms_per_layer: int = 2
    qk_norm: Literal["none", "per_head", "full"] = "none"
    tie_word_embeddings: bool = False
    lm_head_bias: bool = False
    embedding_norm: bool = False
    learned_positions: int = 0
    type_vocab_size: int = 0
    attention_sinks: bool = False
    sliding_window: int | None = None
    layer_pattern: str = ""
    """One letter a layer: F full attention, S sliding window, C chunked, L linear; empty: all F (or all S)."""
    cross_attention_layers: tuple[int, ...] = ()
    mla: Mla | None = None
    moe: Moe | None = None
    linear_attention: LinearAttention | None = None
    """The layers that the pattern marks L."""
    attention_gate: bool = False
    """Whether the attention output is multiplied by a gate, which doubles the query projection."""
    vision: Vision | None = None
    mtp_layers: int = 0
    mtp_embeddings: bool = True
    """Whether the checkpoint repeats embedding and head in each MTP layer (GLM-4.6 does not)."""
    encoder_layers: int = 0
    num_mel_bins: int = 0
    extra_params: int = 0
    native_dtype: Literal["fp32", "fp16", "bf16", "fp8", "mxfp4"] = "bf16"
    fp16_ok: bool = True
    """False where 16-bit floats overflow and engines refuse fp16 (Gemma 2 and 3, GLM-4)."""
    max_position_embeddings: int
    served_context: int | None = None
    """max_position_embeddings of the instruction-tuned checkpoint that is served, where it differs."""
    published_params: int | None = None
    published_source: str = ""

    @cached_property
    def attention_kinds(self) -> str:
        """One letter per layer, F (full), S (sliding), C (chunked) or L (linear), always num_layers long."""
        if self.layer_pattern:
            return self.layer_pattern
        return ("S" if self.sliding_window else "F") * self.num_layers

    @property
    def gqa_group(self) -> int:
        """Query heads per key-value head."""
        return self.num_attention_heads // self.num_key_value_heads


# -------------------------------------------------------------------------------------------- nodes


class NodeLink(Record):
    """How the GPUs of a node reach one another; `nvlink_gb_s` is per GPU, both directions summed."""

    nvlink_gb_s: float = 0.0
    nvlink_domain: int = 1
    topology: Literal["nvswitch", "mesh", "bridge-pairs", "none"] = "none"
    fabric: Fabric | None = None


class NodeType(Sourced):
    """A host: n GPUs of one SKU, their link, host RAM, NVMe and network."""

    provider: str
    instance: str = ""
    gpu: str
    gpus: int = Field(ge=1)
    link: NodeLink
    vcpus: int | None = None
    cpu_cores: int | None = None
    host_ram_gib: float | None = None
    host_ram_is_total: bool = False
    """True: the measured MemTotal; False: the label, of which about 0.97 is usable."""
    nvme_tb: float | None = None
    network_gbit_s: float | None = None
    """All NICs together, one direction."""
    network_kind: str = ""
    pcie: PcieLink | None = None
    system_power_kw: float | None = None
