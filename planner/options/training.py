"""Training candidates of one workload on one pool: layouts fitted and timed in one pass per recipe."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalog.frameworks import TrainingFramework, training_framework
from planner.layout import Layout
from planner.legality_training import training_illegal
from planner.memory.setup import TrainingSetup
from planner.memory.training import TrainingMemory, attention_kernel, training_memory
from planner.options.account import account_at, bottleneck, flag_at, need_have
from planner.options.asks import PoolFacts, TrainingAsk
from planner.options.interconnect import floor_rejection, link_gb_s
from planner.options.layouts import Grid, training_grid
from planner.options.problem import DEMAND_UNITS
from planner.options.recipes import Recipe, model_parallel, recipes
from planner.options.records import Found, Option, Reason, Rejection, Timing
from planner.options.select import best_by_gpus, nearest
from planner.speed.training import TrainingSpeed, TrainingSpeedSetup, training_speed
from planner.units import GIB, HOUR_S, duration

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Pass:
    """One recipe over its grid, computed."""

    ask: TrainingAsk
    pool: PoolFacts
    recipe: Recipe
    kernel: str
    grid: Grid
    memory: TrainingMemory
    speed: TrainingSpeed
    accumulation: NDArray[np.int64]
    need: Floats
    have: Floats
    host: Floats
    nvme: Floats
    hours: Floats

    def layout(self, i: int) -> Layout:
        """Layout of row `i`."""
        return _layout(self.recipe, self.kernel, self.grid, i, int(self.accumulation[i]))


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


def _capability(ask: TrainingAsk, pool: PoolFacts, recipe: Recipe) -> Rejection | str:
    """The attention kernel that will run, or why the GPU cannot run the recipe at all."""
    gpu = pool.gpu
    layout = Layout(engine=recipe.framework, weights=recipe.weights, sharding=recipe.sharding)  # type: ignore[arg-type]

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
    choice = attention_kernel(gpu, ask.attention)  # type: ignore[arg-type]
    if choice.refused:
        return refuse(f"`attention: {ask.attention}`: {choice.refused}")
    return choice.kernel


def memory_setup(ask: TrainingAsk, recipe: Recipe, kernel: str) -> TrainingSetup:
    """The memory side of an ask under a recipe."""
    method = "dora" if ask.dora and ask.kind == "lora" else ask.kind
    return TrainingSetup(
        method=method,  # type: ignore[arg-type]
        weights=recipe.weights,
        master=ask.master,  # type: ignore[arg-type]
        optimizer=ask.optimizer,
        sequence=ask.sequence,
        recompute=recipe.recompute,
        attention=kernel,  # type: ignore[arg-type]
        loss=ask.loss,  # type: ignore[arg-type]
        lora_rank=ask.lora_rank,
        lora_targets=",".join(ask.lora_targets),
        sharding=recipe.sharding,  # type: ignore[arg-type]
        offload_optimizer=recipe.offload_optimizer,
        offload_parameters=recipe.offload_parameters,
        offload_activations=recipe.offload_activations,
    )


def _one_recipe(
    ask: TrainingAsk, pool: PoolFacts, recipe: Recipe, kernel: str, *, detail: bool
) -> Found:
    framework = training_framework(recipe.framework)
    setup = memory_setup(ask, recipe, kernel)
    grid = _grid(ask, pool, recipe)
    grid, refused = _legal(ask, pool, recipe, framework, setup, grid)
    if not len(grid):
        return Found(rejections=_unique(refused), rejected=len(refused))
    run = _compute(ask, pool, recipe, framework, setup, kernel, grid)
    options, rejections, dominated, rejected = _sort_out(run, detail=detail)
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
            layout = _layout(recipe, "flash", grid, i, 1)
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


def _layout(recipe: Recipe, kernel: str, grid: Grid, i: int, accumulation: int) -> Layout:
    return Layout(
        tp=int(grid.tp[i]),
        pp=int(grid.pp[i]),
        dp=int(grid.dp[i]),
        cp=int(grid.cp[i]),
        ep=int(grid.ep[i]),
        engine=recipe.framework,
        weights=recipe.weights,
        attention=kernel,  # type: ignore[arg-type]
        sharding=recipe.sharding,  # type: ignore[arg-type]
        zero=recipe.zero,
        micro_batch=int(grid.micro_batch[i]),
        accumulation=accumulation,
        recompute=recipe.recompute,
        offload_optimizer=recipe.offload_optimizer,
        offload_parameters=recipe.offload_parameters,
        offload_activations=recipe.offload_activations,
    )


def _compute(
    ask: TrainingAsk,
    pool: PoolFacts,
    recipe: Recipe,
    framework: TrainingFramework,
    setup: TrainingSetup,
    kernel: str,
    grid: Grid,
) -> _Pass:
    axes = {n: getattr(grid, n) for n in ("tp", "pp", "dp", "cp", "ep", "micro_batch")}
    accumulation = ask.global_batch // (grid.dp * grid.micro_batch)
    memory = training_memory(
        ask.model, pool.gpu, framework, setup, zero=recipe.zero, accumulation=accumulation, **axes
    )
    # A layer split has no pipeline: one micro-batch walks through all GPUs before the next starts.
    passes = np.ones_like(accumulation) if recipe.sharding == "layers" else accumulation
    speed = training_speed(
        ask.model, pool.gpu, pool.link, _speed_setup(ask, recipe, kernel, framework.speed_stack or framework.id),
        zero=recipe.zero, accumulation=passes, **axes,
    )  # fmt: skip
    ledger = memory.ledger
    shape = grid.tp.shape

    def spread(value: object) -> Floats:
        return np.broadcast_to(np.asarray(value, np.float64), shape)

    on_node = grid.gpus / pool.nodes
    rate = speed.low if ask.careful else speed.tokens_per_s
    return _Pass(
        ask, pool, recipe, kernel, grid, memory, speed, accumulation,
        need=spread(ledger.upper if ask.careful else ledger.best),
        have=spread(ledger.usable_low if ask.careful else ledger.usable),
        host=spread(memory.host_bytes.upper if ask.careful else memory.host_bytes.best) * on_node,
        nvme=spread(memory.nvme_bytes) * on_node,
        hours=ask.tokens / np.maximum(spread(rate), 1e-9) / HOUR_S,
    )  # fmt: skip


def _speed_setup(ask: TrainingAsk, recipe: Recipe, kernel: str, stack: str) -> TrainingSpeedSetup:
    return TrainingSpeedSetup(
        method=ask.kind,  # type: ignore[arg-type]
        precision=recipe.precision,  # type: ignore[arg-type]
        sequence=float(ask.sequence),
        recompute=recipe.recompute,
        attention=kernel,  # type: ignore[arg-type]
        optimizer=ask.optimizer,
        framework=stack,
        offload_optimizer=recipe.offload_optimizer,
        offload_parameters=recipe.offload_parameters,
        offload_activations=recipe.offload_activations,
        lora_rank=ask.lora_rank,
    )


def _sort_out(run: _Pass, *, detail: bool) -> tuple[list[Option], list[Rejection], int, int]:
    """Rows become options or rejections; without `detail` only those that can matter are made."""
    ask, pool = run.ask, run.pool
    # Where the host is unknown, a run that offloads nothing is given the benefit of the doubt.
    unknown = 0.0 if run.recipe.offloads else math.inf
    host = float(pool.host_bytes) if pool.host_bytes is not None else unknown
    deadline_h = ask.deadline_s / HOUR_S if ask.deadline_s else math.inf
    tests: list[tuple[Reason, Bools, Floats]] = [
        (Reason.MEMORY, run.need > run.have, run.need - run.have),
        (Reason.HOST_RAM, run.host > host, run.host - host),
        (Reason.NVME, run.nvme > (pool.nvme_bytes or 0), run.nvme - (pool.nvme_bytes or 0)),
        (Reason.DEADLINE, run.hours > deadline_h, run.hours - deadline_h),
    ]
    ok = np.ones(len(run.grid), bool)
    rejections = []
    for reason, failed, shortage in tests:
        failed = failed & ok
        rows = np.flatnonzero(failed).tolist() if detail else nearest(failed, shortage)
        rejections += [_rejection(run, int(i), reason) for i in rows]
        ok &= ~failed
    fitting = int(ok.sum())
    chosen = (
        np.flatnonzero(ok).tolist()
        if detail
        else best_by_gpus(run.grid.gpus, ok, -run.hours, run.need)
    )
    options = [_option(run, int(i)) for i in chosen]
    return options, rejections, fitting - len(chosen), len(run.grid) - fitting


def _rejection(run: _Pass, i: int, reason: Reason) -> Rejection:
    ask, pool = run.ask, run.pool
    account = account_at(run.memory.ledger, i)
    part = bottleneck(account)
    if reason is Reason.MEMORY:
        need, have = need_have(account, careful=ask.careful)
        unit = "GiB"
        text = (
            f"needs {need:.1f} GiB per GPU of {have:.1f} GiB usable, {need - have:.1f} short; "
            f"{part.replace('_', ' ')} alone {account.components[0][1]:.1f}"
        )
    elif reason is Reason.DEADLINE:
        assert ask.deadline_s is not None
        need, have, unit, part = (
            float(run.hours[i]),
            ask.deadline_s / HOUR_S,
            "h",
            str(run.speed.limit[i]),
        )
        text = (
            f"takes {duration(need * HOUR_S)}, deadline {duration(ask.deadline_s)}; {part} limits"
        )
    else:
        host = reason is Reason.HOST_RAM
        offered = pool.host_bytes if host else pool.nvme_bytes
        need = float(run.host[i] if host else run.nvme[i]) / GIB
        have, unit, part = (offered or 0) / GIB, "GiB", "host RAM" if host else "NVMe"
        known = f"{have:.1f} usable" if offered else "of which the pool says nothing"
        text = f"offload needs {need:.1f} GiB of {part} on a node, {known}"
    return Rejection(
        ask.name, pool.name, run.layout(i), reason, text, need, have, unit, part, account
    )


def _option(run: _Pass, i: int) -> Option:
    ask, speed = run.ask, run.speed
    layout = run.layout(i)
    account = account_at(run.memory.ledger, i)
    timing = Timing(
        rate=float(speed.tokens_per_s[i]),
        rate_low=float(speed.low[i]),
        rate_high=float(speed.high[i]),
        unit="tokens/s",
        limit=str(speed.limit[i]),
        step_s=float(speed.step_s[i]) * (layout.accumulation if layout.sharding == "layers" else 1),
        mfu=float(speed.mfu[i]),
        hours=float(run.hours[i]),
        extrapolated=flag_at(speed.extrapolated, i),
        details={"hours_best": ask.tokens / float(speed.tokens_per_s[i]) / HOUR_S},
    )
    return Option(
        workload=ask.name,
        pool=run.pool.name,
        layout=layout,
        gpus=layout.gpus,
        nodes=run.pool.nodes if run.pool.nodes > 1 else 0,
        replicas=1,
        units=DEMAND_UNITS,
        host_bytes=math.ceil(run.host[i]),
        nvme_bytes=math.ceil(run.nvme[i]),
        preference=run.recipe.preference,
        utilisation=1.0,
        account=account,
        timing=timing,
        interconnect_gb_s=link_gb_s(run.pool, layout, "replica"),
    )
