"""Whether an engine runs a weight format, a KV format and an attention kernel on a GPU, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from planner.catalog.engines import ServingEngine, SupportRow, serving_engine, serving_engine_ids
from planner.catalog.formats import weight_format
from planner.catalog.records import Gpu, Model

How = Literal["native", "weight-only", "no"]
_SIXTEEN: Final = ("", "auto", "16bit")


@dataclass(frozen=True, slots=True)
class Support:
    """How a combination runs: natively, stored narrow but computed in 16 bit, or not at all."""

    how: How
    reason: str = ""
    """Why not, or what is lost; empty when native."""
    arithmetic: str = "bf16"
    """Type the matrix products run in: what speed depends on."""
    attention: str = "flash"
    """Kernel that really runs."""

    @property
    def runs(self) -> bool:
        """Whether it runs at all."""
        return self.how != "no"


def sixteen_bit(weights: str, gpu: Gpu) -> str:
    """`16bit` as the GPU has it: bf16 where native, else fp16; other names unchanged.

    >>> from planner.catalog import gpu
    >>> sixteen_bit("16bit", gpu("v100-sxm2-32gb")), sixteen_bit("bf16", gpu("v100-sxm2-32gb"))
    ('fp16', 'bf16')
    """
    return gpu.sixteen_bit if weights in _SIXTEEN else weights


def _capability(gpu: Gpu) -> str:
    if gpu.vendor != "nvidia":
        return gpu.vendor
    return f"compute capability {gpu.capability[0]}.{gpu.capability[1]}"


def _row(rows: tuple[SupportRow, ...], name: str, gpu: Gpu) -> SupportRow | None:
    for row in rows:
        enough = gpu.vendor != "nvidia" or gpu.capability >= row.min_capability
        if name in row.formats and gpu.vendor in row.vendors and enough:
            return row
    return None


def _least(rows: tuple[SupportRow, ...], name: str, gpu: Gpu) -> str:
    found = [r.min_capability for r in rows if name in r.formats and gpu.vendor in r.vendors]
    if not found:
        return f"it has no {name} on {gpu.vendor} GPUs"
    major, minor = min(found)
    return f"it needs compute capability {major}.{minor}, the {gpu.name} has {_capability(gpu)}"


def _no(reason: str) -> Support:
    return Support("no", reason)


def _model_refusal(engine: ServingEngine, weights: str, model: Model, gpu: Gpu) -> str:
    """Why the engine cannot hold this model in this format on this GPU at all; empty: it can."""
    if model.kind not in engine.kinds:
        return f"{engine.name} does not run {model.kind} models"
    if model.family in engine.not_families:
        return f"{engine.name} does not run the {model.family} family"
    computes = weight_format(weights).arithmetic
    halves = computes != "fp32" and not gpu.has("bf16")
    if not model.fp16_ok and (weights == "fp16" or halves):
        return (
            f"{model.id} overflows in fp16, and {gpu.name} has no bf16"
            if halves
            else (f"{model.id} overflows in fp16")
        )
    return ""


def attention_kernel(engine: ServingEngine, attention: str, gpu: Gpu) -> str:
    """Kernel that runs: the one asked for where GPU and engine have it, else an empty string.

    FlashAttention 2 needs compute capability 8.0 and 3 needs 9.0; elsewhere PyTorch's memory-efficient SDPA runs.

    >>> from planner.catalog import gpu
    >>> from planner.catalog.engines import serving_engine
    >>> [attention_kernel(serving_engine("vllm"), "auto", gpu(g)) for g in ("v100-sxm2-32gb", "h800-sxm5-80gb")]
    ['sdpa', 'flash']
    """
    flash = max(gpu.flash_attention, default=0) >= 2 or gpu.vendor != "nvidia" or engine.own_flash
    available = [a for a in engine.attention if a != "flash" or flash]
    if attention == "auto":
        usual = engine.memory.activations.kernel
        return usual if usual in available else (available[0] if available else "")
    return attention if attention in available else ""


def support(
    engine: ServingEngine, weights: str, kv: str, attention: str, model: Model, gpu: Gpu
) -> Support:
    """How the combination runs.

    >>> from planner.catalog import gpu, model
    >>> from planner.catalog.engines import serving_engine
    >>> e, m, a100 = serving_engine("vllm"), model("llama-3.1-70b"), gpu("a100-sxm4-80gb")
    >>> support(e, "fp8", "auto", "auto", m, a100).how
    'weight-only'
    >>> support(e, "awq-int4", "auto", "auto", m, gpu("v100-sxm2-32gb")).reason
    'vLLM 0.21 and later cannot load awq-int4: it needs compute capability 7.5, the ... has ... 7.0'
    """
    stored = sixteen_bit(weights, gpu)
    fmt = weight_format(stored)
    if refusal := _model_refusal(engine, stored, model, gpu):
        return _no(refusal)
    family = fmt.rest_bits == 16 and fmt.scope == "all" and fmt.family != "gguf" and stored
    row = _row(engine.weights, family or fmt.family, gpu)
    if row is None or (gpu.capability < engine.min_capability and gpu.vendor == "nvidia"):
        why = _least(engine.weights, family or fmt.family, gpu)
        return _no(f"{engine.name} cannot load {stored}: {why}")
    cache = gpu.sixteen_bit if kv in _SIXTEEN else kv
    cache_row = _row(engine.kv, cache, gpu)
    if cache_row is None:
        why = _least(engine.kv, cache, gpu)
        return _no(f"{engine.name} has no {cache} cache here: {why}")
    kernel = attention_kernel(engine, attention, gpu)
    if not kernel:
        return _no(f"{engine.name} has no {attention} attention on {gpu.name} ({_capability(gpu)})")
    arithmetic = fmt.arithmetic if row.how == "native" else "16bit"
    runs_in = gpu.sixteen_bit if arithmetic in ("16bit", "weight-only") else arithmetic
    if stored in ("bf16", "fp16"):
        runs_in = "bf16" if stored == "bf16" else "fp16"
    reason = row.reason if row.how == "weight-only" else ""
    return Support(row.how, reason, runs_in, kernel)


def default_engine(model: Model, weights: str, gpu: Gpu, kv: str = "auto") -> ServingEngine | None:
    """The first profile, by preference, that runs the model in this format on this GPU; None: none does.

    >>> from planner.catalog import gpu, model
    >>> default_engine(model("llama-3.1-8b"), "gguf-q4_k_m", gpu("p40")).id
    'llama.cpp'
    """
    for name in serving_engine_ids():
        engine = serving_engine(name)
        if engine.preference > 0 and support(engine, weights, kv, "auto", model, gpu).runs:
            return engine
    return None
