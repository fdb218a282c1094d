"""One serving format over its layouts: memory and speed as arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engine_support import Support
from planner.catalog.engines import ServingEngine
from planner.layout import Layout
from planner.memory.serving import ServingMemory, ServingSetup, serving_memory
from planner.options.asks import PoolFacts, ServingAsk
from planner.options.buckets import SizeRates
from planner.options.layouts import Grid
from planner.speed.serving import ServingSpeed, ServingSpeedSetup, serving_speed
from planner.units import GIB

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ServingFormat:
    """One weight and KV format with the engine that runs it."""

    engine: ServingEngine
    weights: str
    kv: str
    how: Support


@dataclass(frozen=True, slots=True)
class Case:
    """One workload on one pool in one format."""

    ask: ServingAsk
    pool: PoolFacts
    preference: int
    """Place of the format in the workload's list."""


def shared(ask: ServingAsk) -> tuple[object, ...]:
    """Equal for asks that may be computed together: alike in all but demand, request sizes, targets and limits.

    Requests shared out by size are computed ask by ask.
    """
    return (
        id(ask.model), ask.engine, ask.context, ask.sizes_stated, ask.max_batch,
        ask.max_batch_tokens, ask.memory_fraction, ask.cuda_graphs, ask.attention,
        ask.weight_offload_bytes, ask.concurrent is None, ask.kind == "inference", ask.careful,
        id(ask) if ask.by_size else None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServingPass:
    """One format over its grid, computed."""

    ask: ServingAsk
    """One of the asks: what is `shared` holds for all of them."""
    cases: Sequence[Case]
    case: NDArray[np.int64]
    """Number of each row's case."""
    chosen: ServingFormat
    grid: Grid
    memory: ServingMemory
    speed: ServingSpeed | None
    """None where the user's table stands in for the model."""
    rates: SizeRates | None = None
    """Set where requests are shared out by size, of one case."""
    by_size: tuple[ServingPass, ...] = ()
    """The passes behind `rates`, one a size; none where they were measured."""

    def of(self, i: int) -> Case:
        """The case of row `i`."""
        return self.cases[int(self.case[i])]

    def per_case(self, value: Callable[[Case], float]) -> Floats:
        """A figure of each row's case."""
        return per_case(self.cases, self.case, value)

    def spread(self, value: object) -> Floats:
        """A figure over all rows."""
        return np.broadcast_to(np.asarray(value, np.float64), self.grid.tp.shape)

    def layout(self, i: int) -> Layout:
        """Layout of row `i`."""
        return layout_at(self.ask, self.chosen, self.grid, i)


def per_case(
    cases: Sequence[Case], case: NDArray[np.int64], value: Callable[[Case], float]
) -> Floats:
    """A figure of each row's case."""
    return np.array([value(one) for one in cases], np.float64)[case]


def memory_setup(ask: ServingAsk, weights: str, kv: str) -> ServingSetup:
    """The memory side of an ask."""
    return ServingSetup(
        weights=weights,
        kv=kv,
        context=ask.context,
        tokens_per_sequence=mean_tokens(ask),
        max_num_seqs=ask.max_batch,
        max_batched_tokens=ask.max_batch_tokens,
        memory_fraction=ask.memory_fraction,
        eager=not ask.cuda_graphs,
        attention=ask.attention,
        offload_weights_bytes=ask.weight_offload_bytes,
    )


def mean_tokens(ask: ServingAsk) -> float | None:
    """Tokens of a mean sequence; None where no sizes were given."""
    return ask.prompt + ask.output if ask.sizes_stated else None


def layout_at(ask: ServingAsk, chosen: ServingFormat, grid: Grid, i: int) -> Layout:
    """The layout in row `i` of the grid."""
    return Layout(
        tp=int(grid.tp[i]),
        pp=int(grid.pp[i]),
        dp=int(grid.dp[i]),
        ep=int(grid.ep[i]),
        engine=chosen.engine.id,
        weights=chosen.weights,
        kv="" if chosen.kv == "auto" else chosen.kv,
        attention=chosen.how.attention,  # type: ignore[arg-type]
        offload_weights_gib=ask.weight_offload_bytes / GIB,
    )


def one_pass(
    cases: Sequence[Case],
    case: NDArray[np.int64],
    chosen: ServingFormat,
    grid: Grid,
    *,
    speed: bool = True,
) -> ServingPass:
    """Memory and, unless it was measured, speed of all layouts at the mean request size, each of its case.

    The asks agree in what is `shared`; the pools' GPUs run the format alike: they are of one `memory_class` and one
    16-bit type.
    """
    ask = cases[0].ask
    pools = list({id(one.pool): one.pool for one in cases}.values())
    number = {id(pool): at for at, pool in enumerate(pools)}
    device = np.array([number[id(one.pool)] for one in cases])[case]
    scale_up = np.array([pool.link.scale_up for pool in pools])
    tokens = per_case(cases, case, lambda one: mean_tokens(one.ask) or one.ask.context)
    memory = serving_memory(
        ask.model, [pool.gpu for pool in pools], chosen.engine,
        memory_setup(ask, chosen.weights, chosen.kv),
        device=device, tp=grid.tp, pp=grid.pp, ep=grid.ep, dp=grid.dp, nvlink=scale_up[device],
        tokens=tokens,
    )  # fmt: skip
    if not speed:
        return ServingPass(ask, cases, case, chosen, grid, memory, None)
    fits = np.flatnonzero(np.broadcast_to(_runs(ask, memory), grid.tp.shape))
    held = memory.sequences_low if ask.careful else memory.sequences
    if ask.concurrent is not None:
        # No replica ever sees more than all that is in flight.
        held = np.minimum(held, per_case(cases, case, lambda one: one.ask.concurrent or 0))
    floor = np.maximum(np.broadcast_to(np.asarray(held, np.float64), grid.tp.shape), 1.0)
    if len(fits) == len(grid) or not len(fits):
        timed = _speed(cases, case, pools, device, chosen, grid, floor)
    else:
        # What does not fit is not timed.
        part = _speed(cases, case[fits], pools, device[fits], chosen, grid.take(fits), floor[fits])
        timed = _spread(part, fits, len(grid))
    return ServingPass(ask, cases, case, chosen, grid, memory, timed)


def _runs(ask: ServingAsk, memory: ServingMemory) -> NDArray[np.bool_]:
    """Layouts that start at all."""
    return np.asarray(memory.runs if ask.careful else memory.runs_best, np.bool_)


def _spread(part: ServingSpeed, rows: NDArray[np.int64], size: int) -> ServingSpeed:
    """The speed of some rows among all; the others stand still."""
    spread: dict[str, NDArray[np.float64]] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        if isinstance(value, np.ndarray):
            whole = np.zeros(size, value.dtype)
            whole[rows] = value
            spread[field.name] = whole
    return replace(part, **spread)  # type: ignore[arg-type]


def size_rates(ask: ServingAsk, passes: Sequence[ServingPass]) -> SizeRates:
    """Rates and latencies of the speed model, size by size."""
    runs = [
        run.spread(run.memory.runs if ask.careful else run.memory.runs_best) > 0 for run in passes
    ]

    def stack(name: str) -> Floats:
        return np.stack([run.spread(getattr(run.speed, name)) for run in passes])

    return SizeRates(
        ask.buckets,
        ask.rate or 0.0,
        stack("requests_per_s"),
        stack("low"),
        stack("high"),
        np.stack(
            [np.where(ok, counted_rate(run), 0.0) for ok, run in zip(runs, passes, strict=True)]
        ),
        stack("ttft_percentile_s"),
        stack("tpot_percentile_s"),
    )


def _speed(
    cases: Sequence[Case],
    case: NDArray[np.int64],
    pools: Sequence[PoolFacts],
    device: NDArray[np.int64],
    chosen: ServingFormat,
    grid: Grid,
    held: Floats,
) -> ServingSpeed:
    ask = cases[0].ask
    arithmetic = "native" if chosen.how.how == "native" else "16bit"

    def figure(value: Callable[[ServingAsk], float]) -> Floats:
        return per_case(cases, case, lambda one: value(one.ask))

    setup = ServingSpeedSetup(
        weights=chosen.weights,
        kv=pools[0].gpu.sixteen_bit if chosen.kv == "auto" else chosen.kv,
        arithmetic=arithmetic,  # type: ignore[arg-type]
        prompt=figure(lambda one: one.prompt),
        output=figure(lambda one: one.output),
        prefix_cached=figure(lambda one: one.prefix_cached),
        ttft_s=figure(lambda one: math.inf if one.ttft_s is None else one.ttft_s),
        tpot_s=figure(lambda one: math.inf if one.tpot_s is None else one.tpot_s),
        percentile=figure(lambda one: one.percentile),
        host_weights_gib=ask.weight_offload_bytes / GIB,
        batch_job=ask.kind != "inference",
        closed_loop=ask.concurrent is not None,
    )
    return serving_speed(
        ask.model, [p.gpu for p in pools], [p.link for p in pools], chosen.engine.id, setup,
        device=device, tp=grid.tp, pp=grid.pp, ep=grid.ep, dp=grid.dp, sequences=held,
    )  # fmt: skip


def counted_rate(run: ServingPass) -> Floats:
    """The rate a plan counts on: the low one at default risk; sequences in flight have no interval."""
    speed = run.speed
    if run.rates is not None:
        return run.rates.mix(run.rates.counted)
    assert speed is not None
    if run.ask.concurrent is not None:
        # Sequences are whole; the solver of the closed loop leaves 62.999... for 63.
        return np.where(speed.limit == "slo", 0.0, np.floor(speed.concurrency + 1e-6))
    return speed.low if run.ask.careful else speed.requests_per_s


def asked_rate(ask: ServingAsk) -> float:
    """What all replicas together must carry: requests/s, or sequences in flight."""
    return float(ask.concurrent) if ask.concurrent is not None else ask.rate or 0.0
