"""Records of serving engines: their memory constants as data, each with its evidence, and what they support.

A profile covers a span of versions. Constants that changed inside the span are `revisions` of it: partial overrides
that hold before or from a version on.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from planner.catalog.records import Gpu, Record, Sourced

Raw: TypeAlias = dict[str, object]


class Constant(Record):
    """A figure of an engine: best value, upper value (about the 90th percentile), and why."""

    best: float
    upper: float
    tag: Literal["measured", "calibrated", "modelled"] = "calibrated"
    evidence: str


class Rule(Record):
    """A default of an engine; the first rule that matches the GPU holds."""

    value: int
    min_memory_gib: float = 0.0
    not_gpus: tuple[str, ...] = ()
    """Ids that begin with one of these are not meant."""

    def matches(self, memory_gib: float, gpu: str) -> bool:
        """Whether the rule holds on a GPU of this size and id."""
        return memory_gib >= self.min_memory_gib and not gpu.startswith(self.not_gpus or ("\0",))


class Chunking(Record):
    """Which number of tokens a prefill step takes, and so what the profiling run allocates."""

    above_context: int | None = None
    """Prefill is cut into chunks from this context on (0: always); None: never."""
    tokens: tuple[Rule, ...] = ()
    """Tokens of one step when chunked."""
    unchunked_least: int = 2048
    """Without chunks a step takes the context, and at least this."""
    most: int = 0
    """The most tokens of one step without chunks; 0: as many as the context."""


class Activations(Record):
    """The allocator's peak above weights and cache in one step.

    per token: 16 bit x (ffn x intermediate / tp + hidden x (base + extra where tp > 1 + extra without flash)).
    """

    ffn: float = 3.0
    hidden: float = 3.0
    hidden_tp: float = 0.0
    hidden_no_flash: float = 0.0
    token_bytes: float = 0.0
    expert: float = 0.0
    """Copies of a token's routed rows, each `moe_intermediate_size` wide, beyond the dense terms."""
    score_bytes: float = 0.0
    """Bytes per attention score where the engine has no fused kernel; 0: fused."""
    sampler: Constant | None = None
    """Bytes per logit (sequences x vocabulary) of sampling at the most sequences."""
    sampler_chunked: bool = True
    """Whether the profiling run samples when prefill is chunked."""
    logits: float = 0.0
    """Bytes per logit of the last token of each sequence, where there is no sampler profile."""
    kernel: Literal["auto", "flash", "sdpa", "eager"] = "auto"
    """Attention kernel when none is asked for; auto: the best that engine and GPU have."""
    in_peak: bool = True
    """Whether the published peak contains the prefill."""
    upper: float = 1.15
    """Upper over best of the token term."""
    fixed: Constant | None = None
    evidence: str


class Multimodal(Record):
    """Profiling with the largest image: patches x vision width x 16 bit x `hidden`."""

    hidden: float
    patches: int
    """Patches of the largest image, where the record of the model does not say."""
    width: int
    """Width of the vision tower, where the record of the model does not say."""
    upper: float = 1.5
    evidence: str


class NonTorch(Record):
    """Memory outside the allocator, by tensor-parallel size (the largest key not above tp holds)."""

    single: Constant
    pcie: dict[int, Constant] = Field(default_factory=dict)
    nvlink: dict[int, Constant] = Field(default_factory=dict)


class Graphs(Record):
    """CUDA graphs: base + per_layer x layers; `inside`: reserved within the memory fraction."""

    base: Constant
    per_layer: Constant
    tensor_parallel: float = 0.0
    inside: bool


class KvProfile(Record):
    """How an engine stores keys and values."""

    block_size: int = 16
    sliding: Literal["full", "window", "hybrid"] = "full"
    """full: every layer keeps the whole context; window: its window; hybrid: vLLM's grouped pool."""
    printed_tokens: Literal["blocks", "concurrency"] = "blocks"
    """What a log calls cache tokens for hybrid models: pool / groups, or concurrency x context."""
    latent_multiple: int = 1
    """Elements of an MLA entry are padded to a multiple of this."""
    expand_latent: bool = False
    """MLA without a latent cache: full keys and values of every head."""
    factor: dict[str, float] = Field(default_factory=dict)
    """Multiplier by weight family, where measured peaks hold more than the cache."""


class WeightProfile(Record):
    """How an engine lays weights out; see planner.memory.weights.WeightRules."""

    vocab_multiple: int = 64
    quantize_head: bool = False
    vision_split: bool = True
    absorb_latent: Literal["none", "split", "merged"] = "none"
    """MLA decoding keeps up-projections in 16 bit: split (its own two), or merged into query and output."""
    untied: tuple[str, ...] = ()
    """Weight families whose checkpoints hold tied embeddings twice (`all` for every one)."""
    embedding_on_cpu: bool = False
    stages: Literal["even", "vllm", "proportional"] = "vllm"
    expert_multiple: dict[str, int] = Field(default_factory=dict)
    """Padding of expert widths by weight family."""
    expert_multiple_capability: tuple[int, int] = (0, 0)
    """Compute capability from which that padding holds."""
    rotary_table: bool = False
    """Keeps cosines and sines of every position in 16 bit."""
    formats: dict[str, str] = Field(default_factory=dict)
    """What this engine means by a format name, such as nf4 without double quantization."""
    handles: Constant | None = None
    """GiB that the engine counts as weights because it reads them off the driver's free memory."""
    granularity_mib: float = 0.0
    """Segments a tensor is rounded up to when the engine reads its weights off the driver."""
    load: Literal["none", "tied-head", "fused-qkv"] = "none"
    """What exists twice while loading: the tied head, or all query/key/value matrices being fused."""
    load_families: tuple[str, ...] = ()
    dequantized: dict[str, float] = Field(default_factory=dict)
    """Copies of the largest quantized matrix in 16 bit, by weight family."""


class Budget(Record):
    """What the engine allows itself of a GPU."""

    fraction: float = 1.0
    fraction_of: Literal["total", "available", "free"] = "total"
    """The CUDA total; what is available once context and libraries are set up; or what is free after loading."""
    context: Constant
    """CUDA context and library handles of one process."""
    context_inside: bool = False
    """Whether context and non-torch memory count against the fraction."""
    total: Literal["allocator", "device", "sum"] = "device"
    """What published totals of this engine are: allocator peak, nvidia-smi, or the printed parts."""


class Memory(Record):
    """All memory constants of an engine."""

    budget: Budget
    weights: WeightProfile = WeightProfile()
    kv: KvProfile = KvProfile()
    activations: Activations
    multimodal: Multimodal | None = None
    chunking: Chunking = Chunking()
    max_num_seqs: tuple[Rule, ...] = (Rule(value=256),)
    non_torch: NonTorch
    graphs: Graphs | None = None


class Parallelism(Record):
    """Which kinds of parallelism exist, and how splits must divide."""

    tensor: bool = True
    pipeline: bool = True
    expert: bool = True
    data: bool = True
    layer_split: bool = False
    """GPUs hold layers one after another (llama.cpp): any count up to layers + 1."""
    max_gpus: int | None = None


class SupportRow(Record):
    """One line of the support table; the first that matches format, vendor and capability holds."""

    formats: tuple[str, ...]
    how: Literal["native", "weight-only"]
    min_capability: tuple[int, int] = (0, 0)
    vendors: tuple[str, ...] = ("nvidia",)
    reason: str = ""


class Revision(Record):
    """Overrides for a part of the versions a profile covers."""

    since: str = "0"
    before: str = "9999"
    memory: Raw
    evidence: str


class ServingEngine(Sourced):
    """One engine profile, in catalogs/engines/."""

    kind: Literal["serving"]
    name: str
    scheme: Literal["pool", "static", "layers"]
    """pool: cache pool sized at start-up; static: grows with the sequences; layers: llama.cpp."""
    preference: int = 100
    """Lower is tried first by `default_engine`; 0 and below are never chosen by default."""
    reported_as: tuple[str, ...] = ()
    """Engine names in measurement files that this profile stands for."""
    since: str = "0"
    before: str = "9999"
    min_capability: tuple[int, int] = (0, 0)
    tag: str = ""
    """A word in version texts that names this profile, such as V0."""
    releases: dict[str, str] = Field(default_factory=dict)
    """Year-month to the version current in it."""
    memory: Memory
    parallelism: Parallelism = Parallelism()
    weights: tuple[SupportRow, ...]
    kv: tuple[SupportRow, ...]
    kinds: tuple[str, ...] = ("decoder",)
    not_families: tuple[str, ...] = ()
    attention: tuple[Literal["flash", "sdpa", "eager"], ...] = ("flash", "sdpa")
    own_flash: bool = False
    """Brings flash kernels of its own that need no FlashAttention support of the GPU."""
    revisions: tuple[Revision, ...] = ()
    measured_on: tuple[tuple[int, int], ...] = ()
    """Compute capabilities that the constants were checked on; elsewhere intervals are doubled."""
    default_context: int | None = Field(default=None)

    def runs_on(self, gpu: Gpu) -> bool:
        """Whether any weight format runs on the GPU's vendor and capability."""
        return gpu.capability >= self.min_capability and any(
            gpu.vendor in row.vendors and gpu.capability >= row.min_capability
            for row in self.weights
        )
