"""Serving candidates of one workload on one pool: layouts fitted and timed in one pass per format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engine_support import default_engine, sixteen_bit, support
from planner.catalog.engines import serving_engine, serving_engine_ids
from planner.catalog.records import Gpu
from planner.layout import Layout
from planner.legality import serving_illegal
from planner.memory.serving import memory_class
from planner.options.asks import PoolFacts, ServingAsk, free_replicas
from planner.options.buckets import measured_rates, rows_of
from planner.options.fitting import Sorted
from planner.options.interconnect import floor_rejection
from planner.options.layouts import Grid, joined, parts, serving_grid
from planner.options.records import Found, Reason, Rejection
from planner.options.select import written
from planner.options.serving_pass import (
    Case,
    ServingFormat,
    ServingPass,
    layout_at,
    memory_setup,
    one_pass,
    shared,
    size_rates,
)
from planner.options.serving_records import sort_out
from planner.options.serving_rejections import unmeasured
from planner.options.works import Batch, Work

MOST_ROWS = 800
"""Layouts computed in one pass: with their 48 concurrencies they stay in the processor's cache."""
Questions = Sequence[tuple[ServingAsk, Sequence[PoolFacts]]]
"""Workloads, each with the pools it is considered on."""


def serving_candidates(questions: Questions, *, detail: bool = False) -> Batch:
    """Every candidate of each workload on each of its pools; with `detail` each as a record of its own.

    Workloads and pools that run a format alike are computed together, as one array of layouts. The records name
    neither workload nor pool.
    """
    found: dict[tuple[int, int], dict[int, Sorted]] = {}
    together: dict[tuple[object, ...], list[_Seat]] = {}
    for number, (ask, pools) in enumerate(questions):
        alike = together.setdefault(shared(ask), [])
        for at, pool in enumerate(pools):
            answers = found.setdefault((number, at), {})
            if ask.measured and not rows_of(ask, pool.gpu.id):
                answers[0] = Sorted.refused(unmeasured(ask, pool.gpu.id))
            else:
                alike.append(_Seat(ask, pool, answers))
    works = [work for seats in together.values() for work in _works(seats, detail=detail)]

    def findings() -> list[list[Found]]:
        return [
            [_all_of(ask, pool, found[number, at], detail=detail) for at, pool in enumerate(pools)]
            for number, (ask, pools) in enumerate(questions)
        ]

    return Batch(works, findings)


@dataclass(frozen=True, slots=True)
class _Seat:
    """A workload on a pool, and what is found for it by preference of the format."""

    ask: ServingAsk
    pool: PoolFacts
    answers: dict[int, Sorted]


def _all_of(ask: ServingAsk, pool: PoolFacts, answers: dict[int, Sorted], *, detail: bool) -> Found:
    """All formats together, preferred ones first."""
    parts = [answers[preference] for preference in sorted(answers)]
    return written(parts, pool, multiples=free_replicas(ask), detail=detail)


def _works(seats: Sequence[_Seat], *, detail: bool) -> Iterator[Work]:
    """All formats of workloads that may be computed together."""
    known: dict[tuple[object, ...], tuple[ServingFormat | Rejection, object]] = {}
    alike: dict[object, tuple[ServingFormat, list[_Seat], list[Case]]] = {}
    for seat in seats:
        ask, pool = seat.ask, seat.pool
        for preference, (precision, kv) in enumerate(product(ask.precision, ask.kv)):
            question = (id(pool.gpu), precision, kv, pool if ask.by_size else None)
            if question not in known:
                known[question] = _class(ask, pool, _format(ask, pool.gpu, precision, kv))
            chosen, kind = known[question]
            if isinstance(chosen, Rejection):
                seat.answers[preference] = Sorted.refused(chosen)
                continue
            _, members, cases = alike.setdefault(kind, (chosen, [], []))
            members.append(seat)
            cases.append(Case(ask, pool, preference))
    for chosen, members, cases in alike.values():
        yield Work(
            len(cases),
            partial(_layouts, cases, chosen, detail=detail),
            partial(_take, members, cases),
        )


def _take(members: Sequence[_Seat], cases: Sequence[Case], found: Sequence[Sorted]) -> None:
    for seat, case, part in zip(members, cases, found, strict=True):
        seat.answers[case.preference] = part


def _class(
    ask: ServingAsk, pool: PoolFacts, chosen: ServingFormat | Rejection
) -> tuple[ServingFormat | Rejection, object]:
    """The format, and what is equal for pools that run it alike; by size each pool is computed by itself."""
    if isinstance(chosen, Rejection):
        return chosen, None
    kind = memory_class(
        ask.model, pool.gpu, chosen.engine, memory_setup(ask, chosen.weights, chosen.kv)
    )
    alone = id(pool) if ask.by_size else None
    return chosen, (
        chosen.engine.id, chosen.weights, chosen.kv, chosen.how, pool.gpu.sixteen_bit, kind, alone,
    )  # fmt: skip


def _format(ask: ServingAsk, gpu: Gpu, precision: str, kv: str) -> ServingFormat | Rejection:
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
        return ServingFormat(engine, weights, kv, how)
    layout = Layout(engine=engine.id, weights=weights, kv="" if kv == "auto" else kv)
    return Rejection("", "", layout, Reason.CAPABILITY, how.reason, bottleneck="capability")


def _layouts(cases: Sequence[Case], chosen: ServingFormat, *, detail: bool) -> list[Sorted]:
    """One format in cases that run it alike."""
    known: dict[tuple[object, ...], tuple[Grid, list[Rejection]]] = {}
    legal = []
    for case in cases:
        ask, pool = case.ask, case.pool
        key = (
            pool.node_gpus, pool.nodes, pool.link if ask.floor else None, ask.floor, ask.degrees,
            ask.gpus_min, ask.gpus_max,
        )  # fmt: skip
        if key not in known:
            known[key] = _legal(ask, pool, chosen)
        legal.append(known[key])
    found = [Sorted.refused(*refused) for _, refused in legal]
    for part in parts([len(grid) for grid, _ in legal], MOST_ROWS):
        grid = joined([legal[n][0] for n in part])
        rows = np.repeat(np.arange(len(part)), [len(legal[n][0]) for n in part])
        run = _run([cases[n] for n in part], rows, chosen, grid)
        for n, more in zip(part, sort_out(run, detail=detail), strict=True):
            found[n].add(more)
    return found


def _run(
    cases: Sequence[Case], case: NDArray[np.int64], chosen: ServingFormat, grid: Grid
) -> ServingPass:
    """The pass over all layouts, with the rates by size where requests are shared out."""
    ask = cases[0].ask
    if not ask.by_size:
        return one_pass(cases, case, chosen, grid)
    if ask.measured:
        run = one_pass(cases, case, chosen, grid, speed=False)
        return replace(run, rates=measured_rates(ask, cases[0].pool.gpu.id, grid.gpus))
    each = [replace(ask, prompt=s.prompt, output=s.output, sizes=()) for s in ask.buckets]
    passes = tuple(one_pass([replace(cases[0], ask=one)], case, chosen, grid) for one in each)
    return replace(passes[0], ask=ask, cases=cases, by_size=passes, rates=size_rates(ask, passes))


def _legal(ask: ServingAsk, pool: PoolFacts, chosen: ServingFormat) -> tuple[Grid, list[Rejection]]:
    """Layouts of one replica that the engine and the user allow, and the others with their reasons."""
    most = min(pool.replica_gpus, ask.gpus_max or pool.replica_gpus)
    least = max(ask.gpus_min, most if pool.nodes > 1 else 1)
    experts = ask.model.moe.num_experts if ask.model.moe else 0
    grid = serving_grid(most, ask.degrees, experts=experts, min_gpus=least).over_nodes(
        pool.node_gpus, pool.nodes, tp_across_nodes=ask.degrees.tp_across_nodes
    )
    refused = [_refusal(ask, pool, chosen, grid, i) for i in range(len(grid))]
    legal = np.array([refusal is None for refusal in refused], np.bool_)
    return grid.take(legal), [refusal for refusal in refused if refusal is not None]


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
