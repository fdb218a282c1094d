"""Serving candidates of one workload on one pool: layouts fitted and timed in one pass per format."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engine_support import Support, default_engine, sixteen_bit, support
from planner.catalog.engines import ServingEngine, serving_engine, serving_engine_ids
from planner.layout import Layout
from planner.legality import serving_illegal
from planner.memory.serving import ServingMemory, ServingSetup, serving_memory
from planner.options.account import account_at, at, bottleneck, flag_at, need_have
from planner.options.asks import PoolFacts, ServingAsk
from planner.options.buckets import SizeRates, best_by_size, measured_rates, rows_of
from planner.options.interconnect import floor_rejection, link_gb_s
from planner.options.layouts import Grid, serving_grid
from planner.options.problem import DEMAND_UNITS, LOAD_UNITS
from planner.options.records import Account, Found, Option, Reason, Rejection, Timing
from planner.options.select import best_by_gpus, nearest
from planner.speed.serving import ServingSpeed, ServingSpeedSetup, serving_speed
from planner.units import GIB, HOUR_S

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Format:
    """One weight and KV format with the engine that runs it."""

    preference: int
    engine: ServingEngine
    weights: str
    kv: str
    how: Support


def serving_candidates(ask: ServingAsk, pool: PoolFacts, *, detail: bool = False) -> Found:
    """Every candidate of the workload on the pool; with `detail` each as a record of its own."""
    found = Found()
    if ask.measured and not rows_of(ask, pool.gpu.id):
        return Found(rejections=(_unmeasured(ask, pool),), rejected=1)
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
) -> _Format | Rejection:
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
        return _Format(preference, engine, weights, kv, how)
    layout = Layout(engine=engine.id, weights=weights, kv="" if kv == "auto" else kv)
    return Rejection(
        ask.name, pool.name, layout, Reason.CAPABILITY, how.reason, bottleneck="capability"
    )


def _unmeasured(ask: ServingAsk, pool: PoolFacts, layout: Layout | None = None) -> Rejection:
    """The user's table does not hold this GPU, or not in this number."""
    counts = ", ".join(str(row.gpus) for row in rows_of(ask, pool.gpu.id))
    what = f"replicas of {counts} GPUs only for" if counts else "no row for"
    return Rejection(
        ask.name, pool.name, layout or Layout(), Reason.NOT_ALLOWED,
        f"`throughput.measured` has {what} {pool.gpu.id}", bottleneck="user",
    )  # fmt: skip


def memory_setup(ask: ServingAsk, weights: str, kv: str) -> ServingSetup:
    """The memory side of an ask."""
    mean = ask.prompt + ask.output if ask.sizes_stated else None
    return ServingSetup(
        weights=weights,
        kv=kv,
        context=ask.context,
        tokens_per_sequence=mean,
        max_num_seqs=ask.max_batch,
        max_batched_tokens=ask.max_batch_tokens,
        memory_fraction=ask.memory_fraction,
        eager=not ask.cuda_graphs,
        attention=ask.attention,
        offload_weights_bytes=ask.weight_offload_bytes,
    )


def _layout(ask: ServingAsk, chosen: _Format, grid: Grid, i: int) -> Layout:
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


def _layouts(ask: ServingAsk, pool: PoolFacts, chosen: _Format, *, detail: bool) -> Found:
    most = min(pool.node_gpus, ask.gpus_max or pool.node_gpus)
    experts = ask.model.moe.num_experts if ask.model.moe else 0
    grid = serving_grid(most, ask.degrees, experts=experts, min_gpus=ask.gpus_min)
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
        return found.plus(_sort_out(_one_pass(ask, pool, chosen, grid), detail=detail))
    if ask.measured:
        run = _one_pass(ask, pool, chosen, grid, speed=False)
        rates = measured_rates(ask, pool.gpu.id, grid.gpus)
    else:
        each = [replace(ask, prompt=s.prompt, output=s.output, sizes=()) for s in ask.buckets]
        passes = tuple(_one_pass(one, pool, chosen, grid) for one in each)
        run = replace(passes[0], ask=ask, by_size=passes)
        rates = _rates(ask, passes)
    return found.plus(_sort_out(replace(run, rates=rates), detail=detail))


def _one_pass(
    ask: ServingAsk, pool: PoolFacts, chosen: _Format, grid: Grid, *, speed: bool = True
) -> _Pass:
    """Memory and, unless it was measured, speed of all layouts at the mean request size."""
    memory = serving_memory(
        ask.model, pool.gpu, chosen.engine, memory_setup(ask, chosen.weights, chosen.kv),
        tp=grid.tp, pp=grid.pp, ep=grid.ep, dp=grid.dp, nvlink=pool.link.scale_up,
    )  # fmt: skip
    if not speed:
        return _Pass(ask, pool, chosen, grid, memory, None)
    held = memory.sequences_low if ask.careful else memory.sequences
    if ask.concurrent is not None:
        # No replica ever sees more than all that is in flight.
        held = np.minimum(held, ask.concurrent)
    floor = np.maximum(np.asarray(held, np.float64), 1.0)
    return _Pass(ask, pool, chosen, grid, memory, _speed(ask, pool, chosen, grid, floor))


def _rates(ask: ServingAsk, passes: Sequence[_Pass]) -> SizeRates:
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
        np.stack([np.where(ok, _counted(run), 0.0) for ok, run in zip(runs, passes, strict=True)]),
        stack("ttft_percentile_s"),
        stack("tpot_percentile_s"),
    )


def _refusal(
    ask: ServingAsk, pool: PoolFacts, chosen: _Format, grid: Grid, i: int
) -> Rejection | None:
    """Legality of the layout and the user's least bandwidth, before anything is computed."""
    layout = _layout(ask, chosen, grid, i)
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


def _speed(
    ask: ServingAsk, pool: PoolFacts, chosen: _Format, grid: Grid, held: np.ndarray
) -> ServingSpeed:
    arithmetic = "native" if chosen.how.how == "native" else "16bit"
    setup = ServingSpeedSetup(
        weights=chosen.weights,
        kv=pool.gpu.sixteen_bit if chosen.kv == "auto" else chosen.kv,
        arithmetic=arithmetic,  # type: ignore[arg-type]
        prompt=ask.prompt,
        output=ask.output,
        prefix_cached=ask.prefix_cached,
        ttft_s=ask.ttft_s,
        tpot_s=ask.tpot_s,
        percentile=ask.percentile,
        host_weights_gib=ask.weight_offload_bytes / GIB,
        batch_job=ask.kind != "inference",
        closed_loop=ask.concurrent is not None,
    )
    return serving_speed(
        ask.model, pool.gpu, pool.link, chosen.engine.id, setup,
        tp=grid.tp, pp=grid.pp, ep=grid.ep, dp=grid.dp, sequences=held,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Pass:
    """One format over its grid, computed."""

    ask: ServingAsk
    pool: PoolFacts
    chosen: _Format
    grid: Grid
    memory: ServingMemory
    speed: ServingSpeed | None
    """None where the user's table stands in for the model."""
    rates: SizeRates | None = None
    """Set where requests are shared out by size."""
    by_size: tuple[_Pass, ...] = ()
    """The passes behind `rates`, one a size; none where they were measured."""

    def spread(self, value: object) -> Floats:
        """A figure over all rows."""
        return np.broadcast_to(np.asarray(value, np.float64), self.grid.tp.shape)


def _sort_out(run: _Pass, *, detail: bool) -> Found:
    """Rows become options or rejections; without `detail` only those that can matter are made."""
    ask, ledger = run.ask, run.memory.ledger
    careful = ask.careful
    runs = run.spread(run.memory.runs if careful else run.memory.runs_best) > 0
    need = run.spread(ledger.upper if careful else ledger.best)
    have = run.spread(ledger.usable_low if careful else ledger.usable)
    host, offered = run.spread(ledger.host_bytes), float(run.pool.host_bytes or 0)
    rate = run.spread(_counted(run))
    demand = _demand(ask)
    latency = _tpot(run)
    tests: list[tuple[Reason, Bools, Floats]] = [
        (Reason.MEMORY, ~runs, need - have),
        (Reason.HOST_RAM, host > offered, host - offered),
        (Reason.NOT_ALLOWED, (rate <= 0) & bool(ask.measured), run.grid.gpus.astype(np.float64)),
        (Reason.LATENCY, rate <= 0, latency),
        (Reason.COUNT, rate * DEMAND_UNITS < demand, -rate),
    ]
    ok = np.ones(len(run.grid), bool)
    rejections = []
    for reason, failed, shortage in tests:
        failed = failed & ok
        rows = np.flatnonzero(failed).tolist() if detail else nearest(failed, shortage)
        rejections += [_rejection(run, int(i), reason) for i in rows]
        ok &= ~failed
    fitting = int(ok.sum())
    if detail:
        chosen = np.flatnonzero(ok).tolist()
    elif run.rates is not None:
        chosen = best_by_size(run.grid.gpus, ok, run.rates.counted, need)
    else:
        chosen = best_by_gpus(run.grid.gpus, ok, rate, need)
    options = tuple(_option(run, int(i)) for i in chosen)
    return Found(options, tuple(rejections), fitting - len(options), len(run.grid) - fitting)


def _counted(run: _Pass) -> Floats:
    """The rate a plan counts on: the low one at default risk; sequences in flight have no interval."""
    speed = run.speed
    if run.rates is not None:
        return run.rates.mix(run.rates.counted)
    assert speed is not None
    if run.ask.concurrent is not None:
        # Sequences are whole; the solver of the closed loop leaves 62.999... for 63.
        return np.where(speed.limit == "slo", 0.0, np.floor(speed.concurrency + 1e-6))
    return speed.low if run.ask.careful else speed.requests_per_s


def _tpot(run: _Pass) -> Floats:
    """Time per output token, the shortest of all sizes; nothing where rates were measured."""
    if run.rates is None:
        assert run.speed is not None
        return run.spread(run.speed.tpot_percentile_s)
    tpot = run.rates.tpot_s
    return run.spread(0.0) if tpot is None else np.asarray(np.min(tpot, axis=0), np.float64)


def _rejection(run: _Pass, i: int, reason: Reason) -> Rejection:
    ask, pool = run.ask, run.pool
    layout = _layout(ask, run.chosen, run.grid, i)
    account = account_at(run.memory.ledger, i)
    if reason is Reason.MEMORY:
        return _memory_rejection(ask, pool, layout, account)
    if reason is Reason.HOST_RAM:
        return _host_rejection(ask, pool, layout, account)
    if reason is Reason.NOT_ALLOWED:
        return _unmeasured(ask, pool, layout)
    if run.by_size and reason is Reason.LATENCY:
        # None of the sizes is served in time; the shortest one comes nearest.
        at_least = min(run.by_size, key=lambda one: one.ask.prompt + one.ask.output)
        return _rejection(replace(at_least, by_size=()), i, reason)
    timing = _timing(run, i)
    if reason is Reason.LATENCY:
        return _latency_rejection(ask, pool, layout, timing)
    return Rejection(
        ask.name, pool.name, layout, Reason.COUNT,
        f"one replica covers less than 1/{DEMAND_UNITS} of the demand",
        need=_demand(ask), have=timing.rate_low, unit=timing.unit, bottleneck=timing.limit,
    )  # fmt: skip


def _option(run: _Pass, i: int) -> Option:
    ask, pool, chosen = run.ask, run.pool, run.chosen
    layout = _layout(ask, chosen, run.grid, i)
    timing = _timing(run, i)
    counted, demand = float(run.spread(_counted(run))[i]), _demand(ask)
    units = min(DEMAND_UNITS, math.floor(DEMAND_UNITS * counted / demand))
    account = account_at(run.memory.ledger, i)
    loads = run.rates.loads(i) if run.rates is not None else ()
    replicas = math.ceil(DEMAND_UNITS / units)
    if loads:
        replicas = math.ceil(sum(load for load in loads if load > 0) / LOAD_UNITS)
    main = run.by_size[run.rates.heaviest(i)] if run.by_size and run.rates is not None else run
    return Option(
        workload=ask.name,
        pool=pool.name,
        layout=layout,
        gpus=layout.gpus,
        nodes=0,
        replicas=max(ask.replicas_min, replicas),
        units=units,
        host_bytes=round(account.host_gib * GIB),
        nvme_bytes=0,
        preference=chosen.preference,
        utilisation=1.0,
        account=_with_load(main.ask, account, timing, at(run.memory.kv_bytes_per_token, i)),
        timing=timing,
        interconnect_gb_s=link_gb_s(pool, layout, "replica"),
        assumptions=(chosen.how.reason,) if chosen.how.reason else (),
        loads=loads,
    )


def _with_load(ask: ServingAsk, account: Account, timing: Timing, token_bytes: float) -> Account:
    """The account with the cache of the sequences really in flight, not of the start-up check's one."""
    tokens = ask.prompt + ask.output if ask.sizes_stated else ask.context
    loaded = (timing.concurrency or 1.0) * tokens * token_bytes / GIB
    rows, more = [], 0.0
    for name, best, upper, formula, tag in account.components:
        extra = max(0.0, loaded - best) if name == "kv_cache" else 0.0
        more += extra
        rows.append((name, best + extra, upper + extra, formula, tag))
    rows.sort(key=lambda r: -r[1])
    # The pool is what the fraction leaves: a load beyond it is queued, never allocated.
    total = min(account.total_gib + more, account.usable_gib)
    upper = max(total, min(account.upper_gib + more, account.usable_low_gib))
    return replace(account, components=tuple(rows), total_gib=total, upper_gib=upper)


def _demand(ask: ServingAsk) -> float:
    """What all replicas together must carry: requests/s, or sequences in flight."""
    return float(ask.concurrent) if ask.concurrent is not None else ask.rate or 0.0


def _timing(run: _Pass, i: int) -> Timing:
    """The speed of one replica; by size, that of the sizes it serves, in their proportions."""
    rates = run.rates
    if rates is None:
        return _timing_at(run, i)
    shown = {n: float(rates.mix(getattr(rates, n))[i]) for n in ("best", "low", "high")}
    by_mix = {
        "rate": shown["best"],
        "rate_low": shown["low"],
        "rate_high": shown["high"],
        "ttft_s": rates.worst(rates.ttft_s, i),
        "tpot_s": rates.worst(rates.tpot_s, i),
    }
    if not run.by_size:
        return Timing(unit="requests/s", limit="the measured table", **by_mix)  # type: ignore[arg-type]
    return replace(_timing_at(run.by_size[rates.heaviest(i)], i), **by_mix)


def _timing_at(run: _Pass, i: int) -> Timing:
    ask, memory, speed = run.ask, run.memory, run.speed
    assert speed is not None
    limit = str(speed.limit[i])
    hours = ask.deadline_s / HOUR_S if ask.deadline_s else None
    common = {
        "limit": limit,
        "ttft_s": float(speed.ttft_percentile_s[i]),
        "tpot_s": float(speed.tpot_percentile_s[i]),
        "concurrency": float(speed.concurrency[i]),
        "extrapolated": flag_at(speed.extrapolated, i),
        "hours": hours,
        "details": {
            "requests_per_s": float(speed.requests_per_s[i]),
            "sequences": at(memory.sequences_low if ask.careful else memory.sequences, i),
            "kv_pool_tokens": at(memory.kv_pool_tokens, i),
        },
    }
    if ask.concurrent is not None:
        held = float(np.floor(speed.concurrency[i] + 1e-6)) if limit != "slo" else 0.0
        return Timing(rate=held, rate_low=held, rate_high=held, unit="requests in flight", **common)  # type: ignore[arg-type]
    return Timing(
        rate=float(speed.requests_per_s[i]),
        rate_low=float(speed.low[i]),
        rate_high=float(speed.high[i]),
        unit="requests/s",
        **common,  # type: ignore[arg-type]
    )


def _memory_rejection(
    ask: ServingAsk, pool: PoolFacts, layout: Layout, account: Account
) -> Rejection:
    need, have = need_have(account, careful=ask.careful)
    part = bottleneck(account)
    return Rejection(
        ask.name, pool.name, layout, Reason.MEMORY,
        f"needs {need:.1f} GiB per GPU of {have:.1f} GiB usable, {need - have:.1f} short; "
        f"{part.replace('_', ' ')} alone {account.components[0][1]:.1f}",
        need=need, have=have, unit="GiB", bottleneck=part, account=account,
    )  # fmt: skip


def _host_rejection(
    ask: ServingAsk, pool: PoolFacts, layout: Layout, account: Account
) -> Rejection:
    have = (pool.host_bytes or 0) / GIB
    return Rejection(
        ask.name, pool.name, layout, Reason.HOST_RAM,
        f"offload needs {account.host_gib:.1f} GiB of host RAM on a node, {have:.1f} usable",
        need=account.host_gib, have=have, unit="GiB", bottleneck="host RAM", account=account,
    )  # fmt: skip


def _latency_rejection(
    ask: ServingAsk, pool: PoolFacts, layout: Layout, timing: Timing
) -> Rejection:
    """The SLO that is missed by more, with both numbers."""
    misses = [
        (have / want, name, have * 1000, want * 1000)
        for name, have, want in (
            ("TTFT", timing.ttft_s, ask.ttft_s),
            ("TPOT", timing.tpot_s, ask.tpot_s),
        )
        if have is not None and want is not None
    ]
    _, name, have, want = max(misses) if misses else (0.0, "throughput", 0.0, 0.0)
    return Rejection(
        ask.name, pool.name, layout, Reason.LATENCY,
        f"{name} {have:,.0f} ms at the {ask.percentile:g}th percentile, {want:,.0f} ms asked, even "
        "at the lowest load",
        need=want, have=have, unit="ms", bottleneck=name,
    )  # fmt: skip
