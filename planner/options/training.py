"""Training candidates of one workload on one pool: every recipe, every layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from planner.catalog.frameworks import TrainingFramework, training_framework
from planner.layout import AttentionKernel, Layout
from planner.legality_training import training_illegal
from planner.memory.setup import TrainingSetup
from planner.memory.training import attention_kernel
from planner.options.asks import PoolFacts, TrainingAsk
from planner.options.interconnect import floor_rejection
from planner.options.layouts import Grid, joined, training_grid
from planner.options.recipes import Recipe, model_parallel, recipes
from planner.options.records import Found, Option, Reason, Rejection
from planner.options.training_pass import compute_pass, layout_at, memory_setup
from planner.options.training_records import sort_out


@dataclass(slots=True)
class _Gathered:
    """What one pool has so far."""

    refusals: dict[str, Rejection] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    dominated: int = 0
    rejected: int = 0

    def take(self, found: Found) -> None:
        """Adds what one recipe gave."""
        self.options += found.options
        self.rejections += found.rejections
        self.dominated += found.dominated
        self.rejected += found.rejected

    def found(self) -> Found:
        """All of it; what can't run at all comes first."""
        rejections = (*self.refusals.values(), *self.rejections)
        return Found(tuple(self.options), rejections, self.dominated, self.rejected)


def training_candidates(
    ask: TrainingAsk, pools: Sequence[PoolFacts], *, detail: bool = False
) -> list[Found]:
    """Every candidate of the workload on each pool; with `detail` each as a record of its own.

    Pools on which a recipe runs alike are computed together, as one array of layouts. The records name neither
    workload nor pool.
    """
    gathered = [_Gathered() for _ in pools]
    by_type = {t: list(recipes(ask, t)) for t in {pool.gpu.sixteen_bit for pool in pools}}
    for number in range(len(next(iter(by_type.values()), []))):
        alike: dict[tuple[Recipe, AttentionKernel, str], list[int]] = {}
        for at, pool in enumerate(pools):
            recipe = by_type[pool.gpu.sixteen_bit][number]
            refusal = _capability(ask, pool, recipe)
            if isinstance(refusal, Rejection):
                gathered[at].refusals.setdefault(refusal.message, refusal)
                gathered[at].rejected += 1
                continue
            context = training_framework(recipe.framework).memory.context(pool.gpu)
            alike.setdefault((recipe, refusal, context.tag), []).append(at)
        for (recipe, kernel, _), members in alike.items():
            parts = _one_recipe(ask, [pools[at] for at in members], recipe, kernel, detail=detail)
            for at, part in zip(members, parts, strict=True):
                gathered[at].take(part)
    return [one.found() for one in gathered]


def _capability(ask: TrainingAsk, pool: PoolFacts, recipe: Recipe) -> Rejection | AttentionKernel:
    """The attention kernel that will run, or why the GPU cannot run the recipe at all."""
    gpu = pool.gpu
    layout = Layout(engine=recipe.framework, weights=recipe.weights, sharding=recipe.sharding)

    def refuse(message: str) -> Rejection:
        return Rejection("", "", layout, Reason.CAPABILITY, message, bottleneck="capability")

    if recipe.precision in ("bf16", "fp16") and not gpu.has(recipe.precision):
        return refuse(
            f"{gpu.name} (compute capability {gpu.compute_capability}) has no {recipe.precision}"
        )
    if recipe.precision == "fp16" and not ask.model.fp16_ok:
        return refuse(f"{ask.model.id} overflows in fp16, and {gpu.name} has no bf16")
    choice = attention_kernel(gpu, ask.attention)
    if choice.refused:
        return refuse(f"`attention: {ask.attention}`: {choice.refused}")
    return choice.kernel


def _one_recipe(
    ask: TrainingAsk,
    pools: Sequence[PoolFacts],
    recipe: Recipe,
    kernel: AttentionKernel,
    *,
    detail: bool,
) -> list[Found]:
    """One recipe on pools that run it alike."""
    framework = training_framework(recipe.framework)
    setup = memory_setup(ask, recipe, kernel)
    known: dict[tuple[object, ...], tuple[Grid, Found]] = {}
    legal = []
    for pool in pools:
        key = (pool.node_gpus, pool.nodes, pool.link if ask.floor else None)
        if key not in known:
            grid, refused = _legal(ask, pool, recipe, framework, setup, _grid(ask, pool, recipe))
            known[key] = grid, Found(rejections=_unique(refused), rejected=len(refused))
        legal.append(known[key])
    grid = joined([grid for grid, _ in legal])
    if not len(grid):
        return [found for _, found in legal]
    device = np.repeat(np.arange(len(pools)), [len(grid) for grid, _ in legal])
    run = compute_pass(ask, pools, device, recipe, framework, setup, kernel, grid)
    return [
        found.plus(more)
        for (_, found), more in zip(legal, sort_out(run, detail=detail), strict=True)
    ]


def _unique(rejections: list[Rejection]) -> tuple[Rejection, ...]:
    return tuple({r.dedupe_key(): r for r in reversed(rejections)}.values())


def _grid(ask: TrainingAsk, pool: PoolFacts, recipe: Recipe) -> Grid:
    """Layouts of one replica; a layer split uses its GPUs as stages, the others as data-parallel ranks."""
    most = min(pool.replica_gpus, ask.gpus_max or pool.replica_gpus)
    experts = ask.model.moe.num_experts if ask.model.moe else 0
    layers = recipe.sharding == "layers"
    grid = training_grid(
        most,
        ask.degrees,
        ask.global_batch,
        ask.micro_batch,
        tensor_parallel=layers or model_parallel(ask),
        experts=experts,
        min_gpus=max(ask.gpus_min, most if pool.nodes > 1 else 1),
    ).over_nodes(pool.node_gpus, pool.nodes, tp_across_nodes=ask.degrees.tp_across_nodes)
    if layers:
        return grid.take((grid.tp == 1) & (grid.dp == 1) & (grid.pp > 1))
    if recipe.sharding in ("fsdp", "zero") and not recipe.offloads:
        # On one rank there is nothing to shard: the plain layout says the same.
        return grid.take(grid.dp * grid.cp > 1)
    return grid


def _legal(
    ask: TrainingAsk,
    pool: PoolFacts,
    recipe: Recipe,
    framework: TrainingFramework,
    setup: TrainingSetup,
    grid: Grid,
) -> tuple[Grid, list[Rejection]]:
    """Layouts the framework allows and whose links are fast enough for the user."""
    keep = np.ones(len(grid), bool)
    refused: list[Rejection] = []
    known: dict[tuple[int, ...], Rejection | None] = {}
    for i in range(len(grid)):
        degrees = tuple(int(getattr(grid, n)[i]) for n in ("tp", "pp", "dp", "cp", "ep"))
        if degrees not in known:
            layout = layout_at(recipe, "flash", grid, i, 1)
            known[degrees] = _illegal(ask, pool, framework, setup, layout) or floor_rejection(
                ask, pool, layout
            )
        refusal = known[degrees]
        if refusal is not None:
            refused.append(refusal)
            keep[i] = False
    return grid.take(keep), refused


def _illegal(
    ask: TrainingAsk,
    pool: PoolFacts,
    framework: TrainingFramework,
    setup: TrainingSetup,
    layout: Layout,
) -> Rejection | None:
    problems = training_illegal(
        framework, ask.model, setup, tp=layout.tp, pp=layout.pp, dp=layout.dp, cp=layout.cp,
        ep=layout.ep, zero=layout.zero,
    )  # fmt: skip
    if not problems:
        return None
    first = problems[0]
    return Rejection(
        "", "", layout, Reason.ILLEGAL_LAYOUT, first.message,
        need=first.need, have=first.have, bottleneck=first.code,
    )  # fmt: skip
