"""One training recipe over its grid of layouts: fitted and timed in one vectorized pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from planner.catalog.frameworks import TrainingFramework
from planner.layout import AttentionKernel, Layout
from planner.memory.ledger import Ledger
from planner.memory.setup import Method, TrainingSetup
from planner.memory.training import training_memory
from planner.options.asks import PoolFacts, TrainingAsk
from planner.options.layouts import Grid
from planner.options.recipes import Recipe
from planner.speed.link_rows import link_rows
from planner.speed.training import TrainingSpeed, TrainingSpeedSetup, training_speed
from planner.units import HOUR_S

Floats = NDArray[np.float64]
SpeedMethod = Literal["full", "lora", "qlora"]
_SPEED_METHOD: dict[Method, SpeedMethod] = {
    "full": "full", "lora": "lora", "dora": "lora", "qlora": "qlora",
}  # fmt: skip
"""DoRA's magnitudes cost next to nothing in time: it is timed as LoRA."""


@dataclass(frozen=True, slots=True)
class Case:
    """One workload on one pool by one recipe."""

    ask: TrainingAsk
    pool: PoolFacts
    recipe: Recipe


def shared(ask: TrainingAsk) -> tuple[object, ...]:
    """Equal for asks that may be computed together: alike in all but batch, sequence, tokens, limits and recipes."""
    return (
        id(ask.model), ask.method, ask.master, ask.optimizer, ask.loss, ask.lora_rank,
        ask.lora_targets, ask.careful,
    )  # fmt: skip


def common(recipe: Recipe, kernel: AttentionKernel) -> Recipe:
    """Equal for recipes that may be computed together: recomputation in full is a matter of each layout.

    What is recomputed of the scores alone matters in eager attention only, and there it decides what is kept.
    """
    scores = recipe.recompute == "selective" and kernel == "eager"
    return replace(recipe, preference=0, recompute="selective" if scores else "none")


@dataclass(frozen=True, slots=True)
class TrainingPass:
    """Layouts computed together."""

    ask: TrainingAsk
    """One of the asks: what is `shared` holds for all of them."""
    recipe: Recipe
    """What the recipes have in common."""
    cases: Sequence[Case]
    case: NDArray[np.int64]
    """Number of each row's case."""
    kernel: AttentionKernel
    grid: Grid
    ledger: Ledger
    speed: TrainingSpeed
    accumulation: NDArray[np.int64]
    need: Floats
    have: Floats
    host: Floats
    nvme: Floats
    hours: Floats

    def of(self, i: int) -> Case:
        """The case of row `i`."""
        return self.cases[int(self.case[i])]

    def layout(self, i: int) -> Layout:
        """Layout of row `i`."""
        recipe = self.of(i).recipe
        return layout_at(recipe, self.kernel, self.grid, i, int(self.accumulation[i]))

    def per_case(self, value: Callable[[Case], float]) -> Floats:
        """A figure of each row's case."""
        return per_case(self.cases, self.case, value)


def per_case(
    cases: Sequence[Case], case: NDArray[np.int64], value: Callable[[Case], float]
) -> Floats:
    """A figure of each row's case."""
    return np.array([value(one) for one in cases], np.float64)[case]


def memory_setup(ask: TrainingAsk, recipe: Recipe, kernel: AttentionKernel) -> TrainingSetup:
    """The memory side of an ask under a recipe."""
    return TrainingSetup(
        method=ask.method,
        weights=recipe.weights,
        master=ask.master,
        optimizer=ask.optimizer,
        sequence=ask.sequence,
        recompute=recipe.recompute,
        attention=kernel,
        loss=ask.loss,
        lora_rank=ask.lora_rank,
        lora_targets=",".join(ask.lora_targets),
        sharding=recipe.sharding,
        offload_optimizer=recipe.offload_optimizer,
        offload_parameters=recipe.offload_parameters,
        offload_activations=recipe.offload_activations,
    )


def _speed_setup(
    ask: TrainingAsk, recipe: Recipe, kernel: AttentionKernel, stack: str
) -> TrainingSpeedSetup:
    return TrainingSpeedSetup(
        method=_SPEED_METHOD[ask.method],
        precision=recipe.precision,
        sequence=float(ask.sequence),
        recompute=recipe.recompute,
        attention=kernel,
        optimizer=ask.optimizer,
        framework=stack,
        offload_optimizer=recipe.offload_optimizer,
        offload_parameters=recipe.offload_parameters,
        offload_activations=recipe.offload_activations,
        lora_rank=ask.lora_rank,
    )


def layout_at(
    recipe: Recipe, kernel: AttentionKernel, grid: Grid, i: int, accumulation: int
) -> Layout:
    """Layout of row `i` of a grid."""
    return Layout(
        tp=int(grid.tp[i]),
        pp=int(grid.pp[i]),
        dp=int(grid.dp[i]),
        cp=int(grid.cp[i]),
        ep=int(grid.ep[i]),
        engine=recipe.framework,
        weights=recipe.weights,
        attention=kernel,
        sharding=recipe.sharding,
        zero=recipe.zero,
        micro_batch=int(grid.micro_batch[i]),
        accumulation=accumulation,
        recompute=recipe.recompute,
        offload_optimizer=recipe.offload_optimizer,
        offload_parameters=recipe.offload_parameters,
        offload_activations=recipe.offload_activations,
    )


def compute_pass(
    cases: Sequence[Case],
    case: NDArray[np.int64],
    framework: TrainingFramework,
    kernel: AttentionKernel,
    grid: Grid,
) -> TrainingPass:
    """Fit and time all layouts of the grid, each of its case.

    The asks agree in what is `shared`, the recipes in what they have in `common`.
    """
    ask, recipe = cases[0].ask, common(cases[0].recipe, kernel)
    pools = list({id(one.pool): one.pool for one in cases}.values())
    number = {id(pool): at for at, pool in enumerate(pools)}
    device = np.array([number[id(one.pool)] for one in cases])[case]
    batch = np.array([one.ask.global_batch for one in cases])[case]
    sequence = per_case(cases, case, lambda one: one.ask.sequence)
    axes = {n: getattr(grid, n) for n in ("tp", "pp", "dp", "cp", "ep", "micro_batch")}
    accumulation = batch // (grid.dp * grid.micro_batch)
    memory = training_memory(
        ask.model, [pool.gpu for pool in pools], framework, memory_setup(ask, recipe, kernel),
        device=device, zero=recipe.zero, accumulation=accumulation, sequence=sequence, beside=case,
        recomputes=per_case(cases, case, lambda one: one.recipe.recompute == "full"), **axes,
    )  # fmt: skip
    # A layer split has no pipeline: one micro-batch walks through all GPUs before the next starts.
    passes = np.ones_like(accumulation) if recipe.sharding == "layers" else accumulation
    setup = replace(
        _speed_setup(ask, recipe, kernel, framework.speed_stack or framework.id),
        sequence=sequence,
        recompute=np.array([one.recipe.recompute for one in cases], np.str_)[case],
    )
    speed = training_speed(
        ask.model, [pool.gpu for pool in pools], link_rows(tuple(p.link for p in pools)).at(device),
        setup, device=device, zero=recipe.zero, accumulation=passes, **axes,
    )  # fmt: skip
    ledger = memory.ledger
    shape = grid.tp.shape

    def spread(value: object) -> Floats:
        return np.broadcast_to(np.asarray(value, np.float64), shape)

    on_node = grid.gpus / per_case(cases, case, lambda one: one.pool.nodes)
    rate = speed.low if ask.careful else speed.tokens_per_s
    tokens = per_case(cases, case, lambda one: one.ask.tokens)
    return TrainingPass(
        ask, recipe, cases, case, kernel, grid, ledger, speed, accumulation,
        need=spread(ledger.upper if ask.careful else ledger.best),
        have=spread(ledger.usable_low if ask.careful else ledger.usable),
        host=spread(memory.host_bytes.upper if ask.careful else memory.host_bytes.best) * on_node,
        nvme=spread(memory.nvme_bytes) * on_node,
        hours=tokens / np.maximum(spread(rate), 1e-9) / HOUR_S,
    )  # fmt: skip
