"""Training candidates of one workload on one pool: every recipe, every layout."""

from __future__ import annotations

import numpy as np

from planner.catalog.frameworks import TrainingFramework, training_framework
from planner.layout import AttentionKernel, Layout
from planner.legality_training import training_illegal
from planner.memory.setup import TrainingSetup
from planner.memory.training import attention_kernel
from planner.options.asks import PoolFacts, TrainingAsk
from planner.options.interconnect import floor_rejection
from planner.options.layouts import Grid, training_grid
from planner.options.recipes import Recipe, model_parallel, recipes
from planner.options.records import Found, Option, Reason, Rejection
from planner.options.training_pass import compute_pass, layout_at, memory_setup
from planner.options.training_records import sort_out


def training_candidates(ask: TrainingAsk, pool: PoolFacts, *, detail: bool = False) -> Found:
    """Every candidate of the workload on the pool; with `detail` each as a record of its own."""
    options: list[Option] = []
    rejections: list[Rejection] = []
    dominated = rejected = 0
    refusals: dict[str, Rejection] = {}
    for recipe in recipes(ask, pool.gpu):
        refusal = _capability(ask, pool, recipe)
        if isinstance(refusal, Rejection):
            refusals.setdefault(refusal.message, refusal)
            rejected += 1
            continue
        found = _one_recipe(ask, pool, recipe, refusal, detail=detail)
        options += found.options
        rejections += found.rejections
        dominated += found.dominated
        rejected += found.rejected
    return Found(tuple(options), (*refusals.values(), *rejections), dominated, rejected)


def _capability(ask: TrainingAsk, pool: PoolFacts, recipe: Recipe) -> Rejection | AttentionKernel:
    """The attention kernel that will run, or why the GPU cannot run the recipe at all."""
    gpu = pool.gpu
    layout = Layout(engine=recipe.framework, weights=recipe.weights, sharding=recipe.sharding)

    def refuse(message: str) -> Rejection:
        return Rejection(
            ask.name, pool.name, layout, Reason.CAPABILITY, message, bottleneck="capability"
        )

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
    ask: TrainingAsk, pool: PoolFacts, recipe: Recipe, kernel: AttentionKernel, *, detail: bool
) -> Found:
    framework = training_framework(recipe.framework)
    setup = memory_setup(ask, recipe, kernel)
    grid = _grid(ask, pool, recipe)
    grid, refused = _legal(ask, pool, recipe, framework, setup, grid)
    if not len(grid):
        return Found(rejections=_unique(refused), rejected=len(refused))
    run = compute_pass(ask, pool, recipe, framework, setup, kernel, grid)
    options, rejections, dominated, rejected = sort_out(run, detail=detail)
    return Found(
        tuple(options), (*_unique(refused), *rejections), dominated, rejected + len(refused)
    )


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
        ask.name, pool.name, layout, Reason.ILLEGAL_LAYOUT, first.message,
        need=first.need, have=first.have, bottleneck=first.code,
    )  # fmt: skip
