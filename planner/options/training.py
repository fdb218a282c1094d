"""Training candidates: every recipe of each workload on each pool, every layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from planner.catalog.frameworks import TrainingFramework, training_framework
from planner.catalog.records import Gpu
from planner.layout import AttentionKernel, Layout
from planner.legality_training import training_illegal
from planner.memory.setup import TrainingSetup
from planner.memory.training import attention_kernel
from planner.options.asks import PoolFacts, TrainingAsk
from planner.options.interconnect import floor_rejection
from planner.options.layouts import Grid, joined, parts, training_grid
from planner.options.recipes import Recipe, model_parallel, recipes
from planner.options.records import Found, Reason, Rejection
from planner.options.training_pass import (
    Case,
    common,
    compute_pass,
    layout_at,
    memory_setup,
    shared,
)
from planner.options.training_records import sort_out

MOST_ROWS = 4000
"""Layouts computed in one pass: their arrays stay in the processor's cache."""
Questions = Sequence[tuple[TrainingAsk, Sequence[PoolFacts]]]
"""Workloads, each with the pools it is considered on."""


@dataclass(slots=True)
class _Gathered:
    """What is found for one workload on one pool."""

    refusals: dict[str, Rejection] = field(default_factory=dict)
    """Why recipes cannot run at all, by message."""
    refused: int = 0
    found: dict[int, Found] = field(default_factory=dict)
    """By number of the recipe."""

    def whole(self) -> Found:
        """All of it; what can't run at all comes first."""
        parts = [self.found[number] for number in sorted(self.found)]
        return Found(
            tuple(o for part in parts for o in part.options),
            (*self.refusals.values(), *(r for part in parts for r in part.rejections)),
            sum(part.dominated for part in parts),
            self.refused + sum(part.rejected for part in parts),
        )


@dataclass(slots=True)
class _Alike:
    """Cases that are computed together, and where the answer to each belongs."""

    kernel: AttentionKernel
    cases: list[Case] = field(default_factory=list)
    answers: list[tuple[_Gathered, int]] = field(default_factory=list)


def training_candidates(questions: Questions, *, detail: bool = False) -> list[list[Found]]:
    """Every candidate of each workload on each of its pools; with `detail` each as a record of its own.

    Workloads and pools for which recipes run alike are computed together, as one array of layouts. The records name
    neither workload nor pool.
    """
    gathered = [[_Gathered() for _ in pools] for _, pools in questions]
    alike: dict[object, _Alike] = {}
    for (ask, pools), answers in zip(questions, gathered, strict=True):
        _sort_cases(ask, pools, answers, alike)
    for group in alike.values():
        for (answer, number), found in zip(group.answers, _found(group, detail), strict=True):
            answer.found[number] = found
    return [[answer.whole() for answer in answers] for answers in gathered]


def _sort_cases(
    ask: TrainingAsk,
    pools: Sequence[PoolFacts],
    answers: Sequence[_Gathered],
    alike: dict[object, _Alike],
) -> None:
    """Puts each recipe on each pool with those like it; what a GPU cannot run is refused at once."""
    same = shared(ask)
    gpus = {id(pool.gpu): pool.gpu for pool in pools}
    ways = {key: _ways(ask, gpu) for key, gpu in gpus.items()}
    for pool, answer in zip(pools, answers, strict=True):
        for number, (recipe, kernel, kind) in enumerate(ways[id(pool.gpu)]):
            if isinstance(kernel, Rejection):
                answer.refusals.setdefault(kernel.message, kernel)
                answer.refused += 1
                continue
            group = alike.setdefault((same, kind), _Alike(kernel))
            group.cases.append(Case(ask, pool, recipe))
            group.answers.append((answer, number))


def _ways(ask: TrainingAsk, gpu: Gpu) -> list[tuple[Recipe, AttentionKernel | Rejection, object]]:
    """Each recipe on a GPU, the attention kernel or why it cannot run, and what is equal for those that run alike."""
    ways: list[tuple[Recipe, AttentionKernel | Rejection, object]] = []
    for recipe in recipes(ask, gpu.sixteen_bit):
        kernel = _capability(ask, gpu, recipe)
        kind = None
        if not isinstance(kernel, Rejection):
            tag = training_framework(recipe.framework).memory.context(gpu).tag
            kind = (common(recipe, kernel), kernel, tag)
        ways.append((recipe, kernel, kind))
    return ways


def _capability(ask: TrainingAsk, gpu: Gpu, recipe: Recipe) -> Rejection | AttentionKernel:
    """The attention kernel that will run, or why the GPU cannot run the recipe at all."""
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


def _found(group: _Alike, detail: bool) -> list[Found]:
    """What is found in cases that run alike."""
    framework = training_framework(group.cases[0].recipe.framework)
    known: dict[object, tuple[Grid, list[Rejection]]] = {}
    legal = [_legal_grid(case, framework, group.kernel, known) for case in group.cases]
    found = [Found(rejections=_unique(refused), rejected=len(refused)) for _, refused in legal]
    for part in parts([len(grid) for grid, _ in legal], MOST_ROWS):
        grid = joined([legal[n][0] for n in part])
        rows = np.repeat(np.arange(len(part)), [len(legal[n][0]) for n in part])
        run = compute_pass([group.cases[n] for n in part], rows, framework, group.kernel, grid)
        for n, more in zip(part, sort_out(run, detail=detail), strict=True):
            found[n] = found[n].plus(more)
    return found


def _legal_grid(
    case: Case,
    framework: TrainingFramework,
    kernel: AttentionKernel,
    known: dict[object, tuple[Grid, list[Rejection]]],
) -> tuple[Grid, list[Rejection]]:
    """Legal layouts of a case and what is refused, worked out once for cases alike."""
    ask, pool, recipe = case.ask, case.pool, case.recipe
    key = (
        pool.node_gpus, pool.nodes, pool.link if ask.floor else None, ask.floor, ask.degrees,
        ask.gpus_min, ask.gpus_max, ask.global_batch, ask.micro_batch, ask.sequence, recipe,
    )  # fmt: skip
    if key not in known:
        setup = memory_setup(ask, recipe, kernel)
        known[key] = _legal(ask, pool, recipe, framework, setup, _grid(ask, pool, recipe))
    return known[key]


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
