"""The account that every serving scheme fills in, and helpers they share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engines import ServingEngine
from planner.catalog.formats import WeightFormat
from planner.catalog.records import Gpu, Model
from planner.memory.formats import kv_bits
from planner.memory.grid import Grid
from planner.memory.kv_cache import KvRules
from planner.memory.ledger import Component, Ledger, Tag
from planner.memory.serving_parts import Span
from planner.memory.serving_setup import ServingSetup
from planner.memory.weights import WeightRules
from planner.units import GIB, MIB

Floats = NDArray[np.float64]

WEIGHT_MARGIN: Final[dict[str, float]] = {
    "all": 0.005,
    "linear": 0.02,
    "experts": 0.03,
    "gguf": 0.03,
}
"""Upper over best of weights by scope: 16-bit sizes are exact but for segments; mixes of quantized layers vary."""


@dataclass(frozen=True, slots=True)
class Part:
    """A component before it is spread over the layouts."""

    name: str
    span: Span
    formula: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class Account:
    """One scheme's result over the distinct layouts."""

    parts: tuple[Part, ...]
    usable: Floats
    usable_low: Floats
    usable_formula: str
    pool: Floats
    pool_low: Floats
    tokens: Floats
    token_bytes: Floats
    sequences: Floats
    sequences_low: Floats
    weights_total: Floats
    reported: Floats
    host_bytes: Floats
    """Host RAM of the replica."""
    extrapolated: bool = False
    forced: NDArray[np.bool_] | None = None
    """Layouts that fail for a reason beyond the ledger, such as graphs that no longer fit beside the fraction."""
    notes: tuple[str, ...] = field(default=())

    @property
    def upper(self) -> Floats:
        """Root-sum-square combination of the parts' margins on top of their best sum."""
        best = sum((p.span.best for p in self.parts), np.zeros(self.usable.shape))
        margins = [(p.span.upper - p.span.best) ** 2 for p in self.parts]
        result: Floats = best + np.sqrt(sum(margins, np.zeros(self.usable.shape)))
        return result

    @property
    def best(self) -> Floats:
        """Sum of the parts."""
        return sum((p.span.best for p in self.parts), np.zeros(self.usable.shape))

    @property
    def runs(self) -> NDArray[np.bool_]:
        """Fits at upper values."""
        return np.asarray((self.upper <= self.usable_low) & ~self._fails())

    @property
    def runs_best(self) -> NDArray[np.bool_]:
        """Fits at best values."""
        return np.asarray((self.best <= self.usable) & ~self._fails())

    def _fails(self) -> NDArray[np.bool_]:
        return np.zeros(self.usable.shape, dtype=bool) if self.forced is None else self.forced

    def widened(self) -> Account:
        """The same with every interval doubled: for hardware and settings that were never measured."""
        parts = tuple(
            replace(p, span=Span(p.span.best, 2 * p.span.upper - p.span.best)) for p in self.parts
        )
        low = 2 * self.pool_low - self.pool
        with np.errstate(divide="ignore", invalid="ignore"):
            shrunk = np.where(self.pool_low > 0, low / self.pool_low, 0.0)
        fewer = np.floor(np.clip(self.sequences_low * shrunk, 0.0, self.sequences_low))
        return replace(self, parts=parts, pool_low=low, sequences_low=fewer, extrapolated=True)

    def ledger(self, g: Grid) -> Ledger:
        """The account as a ledger over the layouts."""
        components = tuple(
            Component(p.name, g.spread(p.span.best), g.spread(p.span.upper), p.formula, p.tag)
            for p in self.parts
        )
        return Ledger(
            components=components,
            usable=g.spread(self.usable),
            usable_low=g.spread(self.usable_low),
            usable_formula=self.usable_formula,
            host_bytes=g.spread(self.host_bytes),
            extrapolated=self.extrapolated,
            notes=self.notes,
        )


def totals(gpu: Gpu, g: Grid) -> tuple[Floats | float, Floats | float]:
    """CUDA total of each layout's GPU in bytes: best and the least to expect."""
    if g.totals is not None:
        return g.totals
    return gpu.memory.cuda_total_mib * float(MIB), gpu.memory.cuda_total_low_mib * float(MIB)


def is_extrapolated(engine: ServingEngine, gpu: Gpu, setup: ServingSetup) -> bool:
    """Whether the constants of a profile were never checked on such hardware, or with such a setting."""
    on = gpu.vendor == "nvidia" and gpu.capability in engine.measured_on
    return not on or setup.offload_weights_bytes > 0 or setup.context_parallel > 1


def weight_rules(engine: ServingEngine, fmt: WeightFormat, gpu: Gpu) -> WeightRules:
    """Weight rules of a profile for a format on a GPU."""
    profile = engine.memory.weights
    multiple = profile.expert_multiple.get(fmt.family, 1)
    if gpu.capability < profile.expert_multiple_capability:
        multiple = 1
    return WeightRules(
        vocab_multiple=profile.vocab_multiple,
        quantize_head=profile.quantize_head,
        vision_split=profile.vision_split,
        vision=fmt.family != "gguf",
        expert_multiple=multiple,
        absorb_latent=profile.absorb_latent,
        granularity=int(profile.granularity_mib * MIB) if fmt.scope == "all" else 0,
        untied_head="all" in profile.untied or fmt.family in profile.untied,
        embedding_on_cpu=profile.embedding_on_cpu,
        stages=profile.stages,
    )


def cache_rules(
    engine: ServingEngine, setup: ServingSetup, fmt: WeightFormat, step: int = 0
) -> KvRules:
    """Cache rules of a profile under a setup."""
    profile = engine.memory.kv
    return KvRules(
        bits=kv_bits(setup.kv),
        block=setup.block_size or profile.block_size,
        sliding=profile.sliding,
        latent_multiple=profile.latent_multiple,
        expand_latent=profile.expand_latent,
        context_parallel=setup.context_parallel,
        step_tokens=step,
        factor=profile.factor.get(fmt.family, 1.0),
    )


def beside_weights(engine: ServingEngine, model: Model) -> float:
    """What an engine's log counts as weights beside them, once per rank.

    Table of cosines and sines of every position in 16 bit, and handles where weights are read off the driver.
    """
    handles = engine.memory.weights.handles
    fixed = handles.best * GIB if handles is not None else 0.0
    if not engine.memory.weights.rotary_table or model.learned_positions:
        return fixed
    width = model.mla.qk_rope_head_dim if model.mla is not None else model.head_dim
    return fixed + float(model.max_position_embeddings * width * 2)


def weight_span(best: Floats, fmt: WeightFormat, tag_margin: float = 0.0) -> Span:
    """Weights with their margin."""
    margin = WEIGHT_MARGIN[fmt.scope] + tag_margin
    return Span(best, best * (1 + margin))


def take(values: Floats, stage: NDArray[np.int64]) -> Floats:
    """Each layout's value at its chosen stage."""
    return values[np.arange(values.shape[0]), stage]
