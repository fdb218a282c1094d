"""Serving candidates of one workload on one pool: layouts fitted and timed in one pass per format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engine_support import default_engine, sixteen_bit, support
from planner.catalog.engines import serving_engine, serving_engine_ids
from planner.catalog.records import Gpu
from planner.layout import Layout
from planner.legality import serving_illegal
from planner.memory.serving import memory_class
from planner.options.asks import PoolFacts, ServingAsk
from planner.options.buckets import measured_rates, rows_of
from planner.options.interconnect import floor_rejection
from planner.options.layouts import Grid, joined, serving_grid
from planner.options.records import Found, Reason, Rejection
from planner.options.serving_pass import (
    ServingFormat,
    ServingPass,
    layout_at,
    memory_setup,
    one_pass,
    size_rates,
)
from planner.options.serving_records import sort_out, unmeasured


def serving_candidates(
    ask: ServingAsk, pools: Sequence[PoolFacts], *, detail: bool = False
) -> list[Found]:
    """Every candidate of the workload on each pool; with `detail` each as a record of its own.

    Pools that run a format alike are computed together, as one array of layouts. The records name neither workload
    nor pool.
    """
    found = [Found() for _ in pools]
    able = []
    for at, pool in enumerate(pools):
        if ask.measured and not rows_of(ask, pool.gpu.id):
            found[at] = Found(rejections=(unmeasured(ask, pool.gpu.id),), rejected=1)
        else:
            able.append(at)
    for preference, (precision, kv) in enumerate(product(ask.precision, ask.kv)):
        alike: dict[tuple[object, ...], tuple[ServingFormat, list[int]]] = {}
        for at in able:
            chosen = _format(ask, pools[at].gpu, precision, kv, preference)
            if isinstance(chosen, Rejection):
                found[at] = found[at].plus(Found(rejections=(chosen,), rejected=1))
            else:
                key = _class(ask, pools[at].gpu, chosen, at)
                alike.setdefault(key, (chosen, []))[1].append(at)
        for chosen, members in alike.values():
            parts = _layouts(ask, [pools[at] for at in members], chosen, detail=detail)
            for at, part in zip(members, parts, strict=True):
                found[at] = found[at].plus(part)
    return found


def _class(ask: ServingAsk, gpu: Gpu, chosen: ServingFormat, at: int) -> tuple[object, ...]:
    """Equal for pools that run a format alike; requests shared out by size are computed pool by pool."""
    setup = memory_setup(ask, chosen.weights, chosen.kv)
    kind = memory_class(ask.model, gpu, chosen.engine, setup)
    alone = at if ask.by_size else -1
    return (chosen.engine.id, chosen.weights, chosen.how, gpu.sixteen_bit, kind, alone)


def _format(
    ask: ServingAsk, gpu: Gpu, precision: str, kv: str, preference: int
) -> ServingFormat | Rejection:
    """The engine for a format: the one named, else the first that runs it; or why none does."""
    weights = sixteen_bit(precision, gpu)
    engine = (
        serving_engine(ask.engine) if ask.engine else default_engine(ask.model, weights, gpu, kv)
    )
    if engine is None:
        # Told by the engine people would expect first; the others refuse as well.
        engine = next(e for i in serving_engine_ids() if (e := serving_engine(i)).preference > 0)
    how = support(engine, weights, kv, ask.attention, ask.model, gpu)
    if how.runs:
        return ServingFormat(preference, engine, weights, kv, how)
    layout = Layout(engine=engine.id, weights=weights, kv="" if kv == "auto" else kv)
    return Rejection("", "", layout, Reason.CAPABILITY, how.reason, bottleneck="capability")


def _layouts(
    ask: ServingAsk, pools: Sequence[PoolFacts], chosen: ServingFormat, *, detail: bool
) -> list[Found]:
    """One format on pools that run it alike."""
    known: dict[tuple[object, ...], tuple[Grid, Found]] = {}
    legal = []
    for pool in pools:
        key = (pool.node_gpus, pool.nodes, pool.link if ask.floor else None)
        if key not in known:
            known[key] = _legal(ask, pool, chosen)
        legal.append(known[key])
    grid = joined([grid for grid, _ in legal])
    if not len(grid):
        return [found for _, found in legal]
    device = np.repeat(np.arange(len(pools)), [len(grid) for grid, _ in legal])
    run = _run(ask, pools, device, chosen, grid)
    return [
        found.plus(more)
        for (_, found), more in zip(legal, sort_out(run, detail=detail), strict=True)
    ]


def _run(
    ask: ServingAsk,
    pools: Sequence[PoolFacts],
    device: NDArray[np.int64],
    chosen: ServingFormat,
    grid: Grid,
) -> ServingPass:
    """The pass over all layouts, with the rates by size where requests are shared out."""
    if not ask.by_size:
        return one_pass(ask, pools, device, chosen, grid)
    if ask.measured:
        run = one_pass(ask, pools, device, chosen, grid, speed=False)
        return replace(run, rates=measured_rates(ask, pools[0].gpu.id, grid.gpus))
    each = [replace(ask, prompt=s.prompt, output=s.output, sizes=()) for s in ask.buckets]
    passes = tuple(one_pass(one, pools, device, chosen, grid) for one in each)
    return replace(passes[0], ask=ask, by_size=passes, rates=size_rates(ask, passes))


def _legal(ask: ServingAsk, pool: PoolFacts, chosen: ServingFormat) -> tuple[Grid, Found]:
    """Layouts of one replica that the engine and the user allow, and the others with their reasons."""
    most = min(pool.replica_gpus, ask.gpus_max or pool.replica_gpus)
    least = max(ask.gpus_min, most if pool.nodes > 1 else 1)
    experts = ask.model.moe.num_experts if ask.model.moe else 0
    grid = serving_grid(most, ask.degrees, experts=experts, min_gpus=least).over_nodes(
        pool.node_gpus, pool.nodes, tp_across_nodes=ask.degrees.tp_across_nodes
    )
    refused = [_refusal(ask, pool, chosen, grid, i) for i in range(len(grid))]
    legal = np.array([refusal is None for refusal in refused], np.bool_)
    rejections = tuple(refusal for refusal in refused if refusal is not None)
    return grid.take(legal), Found(rejections=rejections, rejected=len(rejections))


def _refusal(
    ask: ServingAsk, pool: PoolFacts, chosen: ServingFormat, grid: Grid, i: int
) -> Rejection | None:
    """Legality of the layout and the user's least bandwidth, before anything is computed."""
    layout = layout_at(ask, chosen, grid, i)
    illegal = serving_illegal(
        chosen.engine, ask.model, chosen.weights,
        tp=layout.tp, pp=layout.pp, ep=layout.ep, dp=layout.dp,
    )  # fmt: skip
    if illegal:
        first = illegal[0]
        return Rejection(
            "", "", layout, Reason.ILLEGAL_LAYOUT, first.message,
            need=first.need, have=first.have, bottleneck=first.code,
        )  # fmt: skip
    return floor_rejection(ask, pool, layout)
