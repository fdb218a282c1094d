"""Serving candidates of one workload on one pool: layouts fitted and timed in one pass per format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planner.catalog.engine_support import default_engine, sixteen_bit, support
from planner.catalog.engines import serving_engine, serving_engine_ids
from planner.layout import Layout
from planner.legality import serving_illegal
from planner.options.asks import PoolFacts, ServingAsk
from planner.options.buckets import measured_rates, rows_of
from planner.options.interconnect import floor_rejection
from planner.options.layouts import Grid, serving_grid
from planner.options.records import Found, Reason, Rejection
from planner.options.serving_pass import ServingFormat, layout_at, one_pass, size_rates
from planner.options.serving_records import sort_out, unmeasured


def serving_candidates(
    ask: ServingAsk, pools: Sequence[PoolFacts], *, detail: bool = False
) -> list[Found]:
    """Every candidate of the workload on each pool; with `detail` each as a record of its own."""
    return [_on_pool(ask, pool, detail=detail) for pool in pools]


def _on_pool(ask: ServingAsk, pool: PoolFacts, *, detail: bool = False) -> Found:
    found = Found()
    if ask.measured and not rows_of(ask, pool.gpu.id):
        return Found(rejections=(unmeasured(ask, pool),), rejected=1)
    preference = 0
    for precision in ask.precision:
        for kv in ask.kv:
            chosen = _format(ask, pool, precision, kv, preference)
            preference += 1
            if isinstance(chosen, Rejection):
                found = found.plus(Found(rejections=(chosen,), rejected=1))
            else:
                found = found.plus(_layouts(ask, pool, chosen, detail=detail))
    return found


def _format(
    ask: ServingAsk, pool: PoolFacts, precision: str, kv: str, preference: int
) -> ServingFormat | Rejection:
    """The engine for a format: the one named, else the first that runs it; or why none does."""
    weights = sixteen_bit(precision, pool.gpu)
    engine = (
        serving_engine(ask.engine)
        if ask.engine
        else default_engine(ask.model, weights, pool.gpu, kv)
    )
    if engine is None:
        # Told by the engine people would expect first; the others refuse as well.
        engine = next(e for i in serving_engine_ids() if (e := serving_engine(i)).preference > 0)
    how = support(engine, weights, kv, ask.attention, ask.model, pool.gpu)
    if how.runs:
        return ServingFormat(preference, engine, weights, kv, how)
    layout = Layout(engine=engine.id, weights=weights, kv="" if kv == "auto" else kv)
    return Rejection(
        ask.name, pool.name, layout, Reason.CAPABILITY, how.reason, bottleneck="capability"
    )


def _layouts(ask: ServingAsk, pool: PoolFacts, chosen: ServingFormat, *, detail: bool) -> Found:
    most = min(pool.replica_gpus, ask.gpus_max or pool.replica_gpus)
    least = max(ask.gpus_min, most if pool.nodes > 1 else 1)
    experts = ask.model.moe.num_experts if ask.model.moe else 0
    grid = serving_grid(most, ask.degrees, experts=experts, min_gpus=least).over_nodes(
        pool.node_gpus, pool.nodes, tp_across_nodes=ask.degrees.tp_across_nodes
    )
    refused: list[Rejection] = []
    legal = np.ones(len(grid), bool)
    for i in range(len(grid)):
        refusal = _refusal(ask, pool, chosen, grid, i)
        if refusal is not None:
            refused.append(refusal)
            legal[i] = False
    grid = grid.take(legal)
    found = Found(rejections=tuple(refused), rejected=len(refused))
    if not len(grid):
        return found
    if not ask.by_size:
        return found.plus(sort_out(one_pass(ask, pool, chosen, grid), detail=detail))
    if ask.measured:
        run = one_pass(ask, pool, chosen, grid, speed=False)
        rates = measured_rates(ask, pool.gpu.id, grid.gpus)
    else:
        each = [replace(ask, prompt=s.prompt, output=s.output, sizes=()) for s in ask.buckets]
        passes = tuple(one_pass(one, pool, chosen, grid) for one in each)
        run = replace(passes[0], ask=ask, by_size=passes)
        rates = size_rates(ask, passes)
    return found.plus(sort_out(replace(run, rates=rates), detail=detail))


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
            ask.name, pool.name, layout, Reason.ILLEGAL_LAYOUT, first.message,
            need=first.need, have=first.have, bottleneck=first.code,
        )  # fmt: skip
    return floor_rejection(ask, pool, layout)
