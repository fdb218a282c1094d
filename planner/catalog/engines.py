"""Profiles of serving engines: their memory constants as data, each with its evidence, and what they support.

A profile covers a span of versions. Constants that changed inside the span are `revisions` of it: partial overrides
that hold before or from a version on.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias

import yaml
from pydantic import Field

from planner.catalog.lookup import UnknownRecord
from planner.catalog.paths import data_dir
from planner.catalog.records import Gpu, Record, Sourced

Version: TypeAlias = tuple[int, ...]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
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
    default_context: int | None = Field(default=None)

    def runs_on(self, gpu: Gpu) -> bool:
        """Whether any weight format runs on the GPU's vendor and capability."""
        return gpu.capability >= self.min_capability and any(
            gpu.vendor in row.vendors and gpu.capability >= row.min_capability
            for row in self.weights
        )


def parse_version(text: str) -> Version | None:
    """Leading numbers of the first thing that looks like a version, or None.

    >>> parse_version("0.10.2/0.11 (Sep 2025)"), parse_version("0.8.x (May 2025)")
    ((0, 10, 2), (0, 8))
    >>> parse_version("nightly May 2026") is None
    True
    """
    match = re.search(r"(?<![\d.])(\d{1,2}(?:\.\d+)+)", text)
    return tuple(int(p) for p in match[1].split(".")) if match else None


_MONTHS: Final = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]


def parse_month(text: str) -> str | None:
    """Year and month a text names, or None.

    >>> parse_month("main Dec-2024 (PR 10511)"), parse_month("main 2025-04-16"), parse_month("late 2023")
    ('2024-12', '2025-04', '2023-12')
    """
    if match := re.search(r"(20\d\d)-(\d\d)", text):
        return f"{match[1]}-{match[2]}"
    match = re.search(r"\b([a-z]{3})[a-z]*[-. ]+(20\d\d)", text.lower())
    if match and match[1] in _MONTHS:
        return f"{match[2]}-{_MONTHS.index(match[1]) + 1:02d}"
    match = re.search(r"\b(20\d\d)\b", text)
    return f"{match[1]}-12" if match else None


def _merge(base: Raw, over: Raw) -> Raw:
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict) and "best" not in value
        result[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return result


@cache
def _raw() -> dict[str, Raw]:
    """Serving profiles as written, by id; other kinds of engine records are left out."""
    found: dict[str, Raw] = {}
    for path in sorted(Path(data_dir("catalogs") / "engines").glob("*.yaml")):
        raw = yaml.load(path.read_text("utf-8"), _LOADER)
        if raw.get("kind") == "serving":
            found[raw["id"]] = raw
    return found


def serving_engine_ids() -> tuple[str, ...]:
    """Ids of all serving profiles, the preferred ones first."""
    return tuple(sorted(_raw(), key=lambda i: (serving_engine(i).preference, i)))


@cache
def serving_engine(name: str, version: str = "") -> ServingEngine:
    """The profile of that id, revised for an engine version where one is given.

    >>> serving_engine("vllm").memory.budget.fraction
    0.9
    """
    raw = _raw().get(name)
    if raw is None:
        import difflib

        nearest = tuple(difflib.get_close_matches(name, list(_raw()), 3))
        raise UnknownRecord("serving engine", name, nearest)
    base = ServingEngine.model_validate(raw)
    number = profile_version(base, version)
    if number is None:
        return base
    memory = raw["memory"]
    assert isinstance(memory, dict)
    for revision in base.revisions:
        if _version(revision.since) <= number < _version(revision.before):
            memory = _merge(memory, revision.memory)
    return base.model_copy(update={"memory": Memory.model_validate(memory)})


def _version(text: str) -> Version:
    return tuple(int(p) for p in text.split("."))


def profile_version(engine: ServingEngine, text: str) -> Version | None:
    """Version number a text names, directly or by a month through the profile's releases."""
    number = parse_version(text)
    if number is not None:
        return number
    month = parse_month(text)
    if month is None or not engine.releases:
        return None
    known = [m for m in engine.releases if m <= month]
    return _version(engine.releases[max(known)]) if known else (0,)


def profile_for(name: str, version: str, gpu: Gpu | None) -> ServingEngine | None:
    """The profile that stands for a reported engine, version and GPU; None if there is none.

    >>> profile_for("vllm", "0.6.4", None).id, profile_for("vllm", "0.10.2", None).id
    ('vllm-v0', 'vllm-v1')
    >>> profile_for("vllm", "", None).id
    'vllm'
    """
    candidates = [serving_engine(i) for i in serving_engine_ids()]
    named = [e for e in candidates if name == e.id or name in e.reported_as]
    fitting = []
    for engine in named:
        number = profile_version(engine, version)
        if number is not None and not _version(engine.since) <= number < _version(engine.before):
            continue
        if gpu is not None and gpu.vendor == "nvidia" and gpu.capability < engine.min_capability:
            continue
        fitting.append(engine)
    tagged = [e for e in fitting if e.tag and re.search(rf"\b{e.tag}\b", version)]
    if not fitting:
        return None
    best = max(tagged or fitting, key=lambda e: _version(e.since))
    return serving_engine(best.id, version)
