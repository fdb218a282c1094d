"""Training candidates: every recipe of each workload on each pool, every layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from planner.catalog.frameworks import TrainingFramework, training_framework
from planner.catalog.records import Gpu
from planner.layout import AttentionKernel, Layout
from planner.legality_training import training_illegal
from planner.memory.setup import TrainingSetup
from planner.memory.training import attention_kernel
from planner.options.asks import PoolFacts, TrainingAsk
from planner.options.fitting import Sorted
from planner.options.interconnect import floor_rejection
from planner.options.layouts import Grid, joined, parts, training_grid
from planner.options.recipes import Recipe, model_parallel, recipes
from planner.options.records import Found, Reason, Rejection
from planner.options.select import written
from planner.options.training_pass import (
    Case,
    common,
    compute_pass,
    layout_at,
    memory_setup,
    shared,
)
from planner.options.training_records import sort_out
from planner.options.works import Batch, Work

MOST_ROWS = 4000
"""Layouts computed in one pass: their arrays stay in the processor's cache."""
Questions = Sequence[tuple[TrainingAsk, Sequence[PoolFacts]]]
"""Workloads, each with the pools it is considered on."""


Legal = tuple[Grid, list[Rejection]]
"""Layouts that are allowed, and the others with their reasons."""


@dataclass(slots=True)
class _Way:
    """A recipe of a workload on a kind of GPU."""

    recipe: Recipe
    kernel: AttentionKernel | Rejection
    """The attention kernel that will run, or why the recipe cannot."""
    kind: object
    """Equal for those that run alike."""
    grids: dict[object, Legal]
    """By what decides of a pool which layouts there are; shared by workloads that ask the same of them."""
    twin: int | None
    """Number of a recipe that comes to the same and is preferred."""


@dataclass(slots=True)
class _Gathered:
    """What is found for one workload on one pool."""

    refusals: dict[str, Rejection] = field(default_factory=dict)
    """Why recipes cannot run at all, by message."""
    refused: int = 0
    found: dict[int, Sorted] = field(default_factory=dict)
    """By number of the recipe."""
    twins: list[tuple[int, int]] = field(default_factory=list)
    """Recipes that come to the same as another, and that one."""

    def whole(self, pool: PoolFacts, *, detail: bool) -> Found:
        """All of it; what can't run at all comes first."""
        for number, other in self.twins:
            self.found[number] = _twin(self.found[other])
        unable = Sorted(rejections=list(self.refusals.values()), rejected=self.refused)
        parts = [self.found[number] for number in sorted(self.found)]
        return written([unable, *parts], pool, multiples=False, detail=detail)


def _twin(found: Sorted) -> Sorted:
    """The same with scores recomputed, which come to nothing here: all that fits is beaten by the other."""

    def scores(layout: Layout) -> Layout:
        return replace(layout, recompute="selective")

    return replace(found, fitting=[], rejections=[r.on(scores) for r in found.rejections])


@dataclass(slots=True)
class _Alike:
    """Cases that are computed together, and where the answer to each belongs."""

    kernel: AttentionKernel
    cases: list[Case] = field(default_factory=list)
    legal: list[Legal] = field(default_factory=list)
    answers: list[tuple[_Gathered, int]] = field(default_factory=list)


def training_candidates(questions: Questions, *, detail: bool = False) -> Batch:
    """Every candidate of each workload on each of its pools; with `detail` each as a record of its own.

    Workloads and pools for which recipes run alike are computed together, as one array of layouts. The records name
    neither workload nor pool.
    """
    gathered = [[_Gathered() for _ in pools] for _, pools in questions]
    alike: dict[object, _Alike] = {}
    grids: dict[object, dict[object, Legal]] = {}
    for (ask, pools), answers in zip(questions, gathered, strict=True):
        gpus = {id(pool.gpu): pool.gpu for pool in pools}
        ways = {key: _ways(ask, gpu, grids, twins=not detail) for key, gpu in gpus.items()}
        for pool, answer in zip(pools, answers, strict=True):
            _sort_cases(ask, pool, ways[id(pool.gpu)], answer, alike)
    works = [
        Work(len(group.cases), partial(_found, group, detail), partial(_take, group))
        for group in alike.values()
    ]

    def findings() -> list[list[Found]]:
        return [
            [answer.whole(pool, detail=detail) for answer, pool in zip(row, pools, strict=True)]
            for row, (_, pools) in zip(gathered, questions, strict=True)
        ]

    return Batch(works, findings)


def _take(group: _Alike, found: Sequence[Sorted]) -> None:
    for (answer, number), part in zip(group.answers, found, strict=True):
        answer.found[number] = part


def _ways(
    ask: TrainingAsk, gpu: Gpu, grids: dict[object, dict[object, Legal]], *, twins: bool
) -> list[_Way]:
    """Each recipe on a GPU; with `twins` those that come to the same as another are told apart."""
    ways: list[_Way] = []
    same, limits = shared(ask), _limits(ask)
    numbers: dict[Recipe, int] = {}
    for number, recipe in enumerate(recipes(ask, gpu.sixteen_bit)):
        numbers[recipe] = number
        kernel = _capability(ask, gpu, recipe)
        kind, twin = None, None
        if not isinstance(kernel, Rejection):
            tag = training_framework(recipe.framework).memory.context(gpu).tag
            kind = (same, common(recipe, kernel), kernel, tag)
            if twins and recipe.recompute == "selective" and kernel != "eager":
                twin = numbers.get(replace(recipe, recompute="none"))
        known = grids.setdefault((limits, recipe), {})
        ways.append(_Way(recipe, kernel, kind, known, twin))
    return ways


def _limits(ask: TrainingAsk) -> tuple[object, ...]:
    """All of an ask that decides which layouts there are."""
    return (
        id(ask.model), ask.method, ask.floor, ask.degrees, ask.gpus_min, ask.gpus_max,
        ask.global_batch, ask.micro_batch, ask.sequence,
    )  # fmt: skip


def _sort_cases(
    ask: TrainingAsk,
    pool: PoolFacts,
    ways: Sequence[_Way],
    answer: _Gathered,
    alike: dict[object, _Alike],
) -> None:
    """Puts each recipe on a pool with those like it; what the GPU cannot run is refused at once."""
    place = (pool.node_gpus, pool.nodes, pool.link if ask.floor else None)
    for number, way in enumerate(ways):
        if isinstance(way.kernel, Rejection):
            answer.refusals.setdefault(way.kernel.message, way.kernel)
            answer.refused += 1
        elif way.twin is not None and pool.interruption is None:
            answer.twins.append((number, way.twin))
        else:
            if place not in way.grids:
                way.grids[place] = _legal(ask, pool, way.recipe, way.kernel)
            group = alike.setdefault(way.kind, _Alike(way.kernel))
            group.cases.append(Case(ask, pool, way.recipe))
            group.legal.append(way.grids[place])
            group.answers.append((answer, number))


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


def _found(group: _Alike, detail: bool) -> list[Sorted]:
    """What is found in cases that run alike."""
    framework, legal = training_framework(group.cases[0].recipe.framework), group.legal
    found = [Sorted(rejections=_unique(refused), rejected=len(refused)) for _, refused in legal]
    for part in parts([len(grid) for grid, _ in legal], MOST_ROWS):
        grid = joined([legal[n][0] for n in part])
        rows = np.repeat(np.arange(len(part)), [len(legal[n][0]) for n in part])
        run = compute_pass([group.cases[n] for n in part], rows, framework, group.kernel, grid)
        for n, more in zip(part, sort_out(run, detail=detail), strict=True):
            found[n].add(more)
    return found


def _unique(rejections: list[Rejection]) -> list[Rejection]:
    return list({r.dedupe_key(): r for r in reversed(rejections)}.values())


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


def _legal(ask: TrainingAsk, pool: PoolFacts, recipe: Recipe, kernel: AttentionKernel) -> Legal:
    """Layouts the framework allows and whose links are fast enough for the user."""
    framework, setup = training_framework(recipe.framework), memory_setup(ask, recipe, kernel)
    grid = _grid(ask, pool, recipe)
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
