"""Rows of a serving pass become options or rejections."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from planner.layout import Layout
from planner.options.account import account_at, at, bottleneck, flag_at, need_have
from planner.options.asks import PoolFacts, ServingAsk
from planner.options.buckets import best_by_size, rows_of
from planner.options.interconnect import link_gb_s
from planner.options.problem import DEMAND_UNITS, LOAD_UNITS
from planner.options.records import Account, Found, Option, Reason, Rejection, Timing
from planner.options.select import best_by_gpus, nearest
from planner.options.serving_pass import ServingPass, asked_rate, counted_rate, layout_at
from planner.units import GIB, HOUR_S

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_MEASURED = Timing(0.0, 0.0, 0.0, unit="requests/s", limit="your measurement")
"""Timing where the user's table gives the rates."""


def sort_out(run: ServingPass, *, detail: bool) -> Found:
    """Rows become options or rejections; without `detail` only those that can matter are made."""
    ask, ledger = run.ask, run.memory.ledger
    careful = ask.careful
    runs = run.spread(run.memory.runs if careful else run.memory.runs_best) > 0
    need = run.spread(ledger.upper if careful else ledger.best)
    have = run.spread(ledger.usable_low if careful else ledger.usable)
    host, offered = run.spread(ledger.host_bytes), float(run.pool.host_bytes or 0)
    rate = run.spread(counted_rate(run))
    demand = asked_rate(ask)
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


def _tpot(run: ServingPass) -> Floats:
    """Time per output token, the shortest of all sizes; nothing where rates were measured."""
    if run.rates is None:
        assert run.speed is not None
        return run.spread(run.speed.tpot_percentile_s)
    tpot = run.rates.tpot_s
    return run.spread(0.0) if tpot is None else np.asarray(np.min(tpot, axis=0), np.float64)


def _rejection(run: ServingPass, i: int, reason: Reason) -> Rejection:
    ask, pool = run.ask, run.pool
    layout = layout_at(ask, run.chosen, run.grid, i)
    account = account_at(run.memory.ledger, i)
    if reason is Reason.MEMORY:
        return _memory_rejection(ask, pool, layout, account)
    if reason is Reason.HOST_RAM:
        return _host_rejection(ask, pool, layout, account)
    if reason is Reason.NOT_ALLOWED:
        return unmeasured(ask, pool, layout)
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
        need=asked_rate(ask), have=timing.rate_low, unit=timing.unit, bottleneck=timing.limit,
    )  # fmt: skip


def _option(run: ServingPass, i: int) -> Option:
    ask, pool, chosen = run.ask, run.pool, run.chosen
    layout = layout_at(ask, chosen, run.grid, i)
    timing = _timing(run, i)
    counted, demand = float(run.spread(counted_rate(run))[i]), asked_rate(ask)
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
        nodes=pool.nodes if pool.nodes > 1 else 0,
        replicas=max(ask.replicas_min, replicas),
        units=units,
        host_bytes=round(account.host_gib * GIB),
        nvme_bytes=0,
        preference=chosen.preference,
        utilisation=busy_share(ask, counted, demand, units, loads),
        account=_with_load(main.ask, account, timing, at(run.memory.kv_bytes_per_token, i)),
        timing=timing,
        interconnect_gb_s=link_gb_s(pool, layout, "replica"),
        assumptions=(chosen.how.reason,) if chosen.how.reason else (),
        loads=loads,
        size_rates=tuple(run.rates.counted[:, i].tolist()) if run.rates is not None else (),
    )


def busy_share(
    ask: ServingAsk, counted: float, demand: float, units: int, loads: tuple[int, ...]
) -> Fraction:
    """Share of its hours in which a replica works at most, in whole 1/2000, rounded up.

    Replicas share the demand in proportion to their rates; how much falls to one depends on those beside it. It is
    all of the demand that it can carry, but for two facts: replicas that must be alike are at least as many as the
    demand needs, and where a replica may be lost, those beside it carry the demand without the largest.
    """
    if loads:
        parts = sum(load for load in loads if load > 0)
    elif ask.gpus_max is not None or ask.replicas_max is not None:
        fewest = max(ask.replicas_min, math.ceil(DEMAND_UNITS / units)) + ask.spare
        parts = math.ceil(DEMAND_UNITS * demand / counted / fewest)
    elif ask.spare:
        beside = units / DEMAND_UNITS
        parts = math.ceil(DEMAND_UNITS / (max(counted / demand, 1.0) + beside))
    else:
        parts = math.ceil(DEMAND_UNITS * demand / counted)
    return Fraction(min(parts, DEMAND_UNITS), DEMAND_UNITS)


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


def _timing(run: ServingPass, i: int) -> Timing:
    """The speed of one replica; by size, that of the sizes it serves, in their proportions."""
    rates = run.rates
    if rates is None:
        return _timing_at(run, i)
    shown = {n: float(rates.mix(getattr(rates, n))[i]) for n in ("best", "low", "high")}
    part = _timing_at(run.by_size[rates.heaviest(i)], i) if run.by_size else _MEASURED
    return replace(
        part,
        rate=shown["best"],
        rate_low=shown["low"],
        rate_high=shown["high"],
        ttft_s=rates.worst(rates.ttft_s, i),
        tpot_s=rates.worst(rates.tpot_s, i),
    )


def _timing_at(run: ServingPass, i: int) -> Timing:
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


def unmeasured(ask: ServingAsk, pool: PoolFacts, layout: Layout | None = None) -> Rejection:
    """The user's table does not hold this GPU, or not in this number."""
    counts = ", ".join(str(row.gpus) for row in rows_of(ask, pool.gpu.id))
    what = f"replicas of {counts} GPUs only for" if counts else "no row for"
    return Rejection(
        ask.name, pool.name, layout or Layout(), Reason.NOT_ALLOWED,
        f"`throughput.measured` has {what} {pool.gpu.id}", bottleneck="user",
    )  # fmt: skip


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
