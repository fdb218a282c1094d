"""Rows of a serving pass become options or rejections."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from planner.layout import Layout
from planner.memory.ledger import Number
from planner.options.account import AccountRows, MadeAccount, at, flag_at
from planner.options.asks import ServingAsk
from planner.options.buckets import best_by_size, rows_of
from planner.options.interconnect import link_gb_s
from planner.options.problem import DEMAND_UNITS, LOAD_UNITS
from planner.options.records import (
    Account,
    Found,
    Option,
    Reason,
    Rejection,
    RowRejection,
    RowTiming,
    Timing,
)
from planner.options.rows import taken
from planner.options.select import best_by_gpus, first_failed, nearest
from planner.options.serving_pass import ServingPass, asked_rate, counted_rate
from planner.units import GIB, HOUR_S

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_MEASURED = Timing(0.0, 0.0, 0.0, unit="requests/s", limit="your measurement")
"""Timing where the user's table gives the rates."""


_TESTS = (Reason.MEMORY, Reason.HOST_RAM, Reason.NOT_ALLOWED, Reason.LATENCY, Reason.COUNT)


def sort_out(run: ServingPass, *, detail: bool) -> list[Found]:
    """Rows become options or rejections, case by case; without `detail` only those that can matter are made."""
    rows_made = _Rows.of(run)
    stage, shortage = first_failed(_tests(run, rows_made))
    ok, cases = stage == 0, len(run.cases)
    if detail:
        failed = np.flatnonzero(~ok)
        rows = failed[np.lexsort((failed, stage[failed], run.case[failed]))].tolist()
        chosen = np.flatnonzero(ok).tolist()
    else:
        rows = nearest(run.case, stage, shortage)
        if run.rates is not None:
            chosen = best_by_size(run.grid.gpus, ok, run.rates.counted, rows_made.need)
        else:
            chosen = best_by_gpus(run.case, run.grid.gpus, ok, rows_made.rate, rows_made.need)
    fitting = np.bincount(run.case[ok], minlength=cases).tolist()
    everything = np.bincount(run.case, minlength=cases).tolist()
    kinds = stage[rows].tolist()
    if run.rates is None:
        kept = np.array([*rows, *chosen], np.int64)
        assert run.speed is not None
        run = taken(run, kept, len(run.grid))
        rows, chosen = list(range(len(rows))), list(range(len(rows), len(kept)))
        rows_made = _Rows.of(run)
    options: list[list[Option]] = [[] for _ in range(cases)]
    rejections: list[list[Rejection]] = [[] for _ in range(cases)]
    for i, kind, part in zip(rows, kinds, rows_made.accounts.largest(rows), strict=True):
        rejection = _rejection(run, rows_made, i, _TESTS[kind - 1], part)
        rejections[run.case[i]].append(rejection)
    for i in chosen:
        options[run.case[i]].append(_option(run, rows_made, i))
    return [
        Found(tuple(o), tuple(r), fit - len(o), every - fit)
        for o, r, fit, every in zip(options, rejections, fitting, everything, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the records of a pass share."""

    accounts: AccountRows
    need: Floats
    have: Floats
    rate: Floats
    """What the plan counts on."""
    token_bytes: Number

    @classmethod
    def of(cls, run: ServingPass) -> _Rows:
        """The rows of a pass."""
        ledger, careful = run.memory.ledger, run.ask.careful
        accounts = AccountRows(ledger)
        return cls(
            accounts,
            run.spread(accounts.upper if careful else accounts.best),
            run.spread(ledger.usable_low if careful else ledger.usable),
            run.spread(counted_rate(run)),
            run.memory.kv_bytes_per_token,
        )


def _tests(run: ServingPass, rows: _Rows) -> list[tuple[Bools, Floats]]:
    """What each layout must pass, in order: whether it fails, and by how much."""
    ask = run.ask
    runs = run.spread(run.memory.runs if ask.careful else run.memory.runs_best) > 0
    host = run.spread(run.memory.ledger.host_bytes)
    offered = run.per_case(lambda case: float(case.pool.host_bytes or 0))
    rate = rows.rate
    return [
        (~runs, rows.need - rows.have),
        (host > offered, host - offered),
        ((rate <= 0) & bool(ask.measured), run.grid.gpus.astype(np.float64)),
        (rate <= 0, _tpot(run)),
        (rate * DEMAND_UNITS < run.per_case(lambda case: asked_rate(case.ask)), -rate),
    ]


def _tpot(run: ServingPass) -> Floats:
    """Time per output token, the shortest of all sizes; nothing where rates were measured."""
    if run.rates is None:
        assert run.speed is not None
        return run.spread(run.speed.tpot_percentile_s)
    tpot = run.rates.tpot_s
    return run.spread(0.0) if tpot is None else np.asarray(np.min(tpot, axis=0), np.float64)


def _rejection(run: ServingPass, rows: _Rows, i: int, reason: Reason, part: str) -> Rejection:
    ask, pool = run.of(i).ask, run.of(i).pool
    weights = run.chosen.weights
    if reason is Reason.NOT_ALLOWED:
        return unmeasured(ask, pool.gpu.id, run.layout(i))
    if reason is Reason.MEMORY:
        numbers = (float(rows.need[i]) / GIB, float(rows.have[i]) / GIB, "GiB", part)
    elif reason is Reason.HOST_RAM:
        need = rows.accounts.account(i).host_gib
        numbers = (need, (pool.host_bytes or 0) / GIB, "GiB", "host RAM")
    elif reason is Reason.LATENCY:
        numbers = _miss(run, i)
    else:
        timing = _timing(run, i)
        numbers = (asked_rate(ask), timing.rate_low, timing.unit, timing.limit)
    return RowRejection.of(reason, numbers, weights, partial(_words, run, rows, i, reason, numbers))


def _words(
    run: ServingPass, rows: _Rows, i: int, reason: Reason, numbers: tuple[float, float, str, str]
) -> tuple[Layout, str, Account | None]:
    """Layout, message and account of a rejection, for when they are read."""
    need, have, _, part = numbers
    account = rows.accounts.account(i)
    if reason is Reason.MEMORY:
        text = (
            f"needs {need:.1f} GiB per GPU of {have:.1f} GiB usable, {need - have:.1f} short; "
            f"{part.replace('_', ' ')} alone {account.components[0][1]:.1f}"
        )
        return run.layout(i), text, account
    if reason is Reason.HOST_RAM:
        text = f"offload needs {need:.1f} GiB of host RAM on a node, {have:.1f} usable"
        return run.layout(i), text, account
    if reason is Reason.LATENCY:
        text = (
            f"{part} {have:,.0f} ms at the {run.of(i).ask.percentile:g}th percentile, {need:,.0f} ms asked, "
            "even at the lowest load"
        )
        return run.layout(i), text, None
    return run.layout(i), f"one replica covers less than 1/{DEMAND_UNITS} of the demand", None


def _miss(run: ServingPass, i: int) -> tuple[float, float, str, str]:
    """The SLO that is missed by more: asked, got, unit and name."""
    ask = run.of(i).ask
    if run.by_size:
        # None of the sizes is served in time; the shortest one comes nearest.
        at_least = min(run.by_size, key=lambda one: one.ask.prompt + one.ask.output)
        return _miss(replace(at_least, by_size=()), i)
    timing = _timing(run, i)
    misses = [
        (have / want, name, have * 1000, want * 1000)
        for name, have, want in (
            ("TTFT", timing.ttft_s, ask.ttft_s),
            ("TPOT", timing.tpot_s, ask.tpot_s),
        )
        if have is not None and want is not None
    ]
    _, name, have, want = max(misses) if misses else (0.0, "throughput", 0.0, 0.0)
    return want, have, "ms", name


def _option(run: ServingPass, rows: _Rows, i: int) -> Option:
    case, chosen = run.of(i), run.chosen
    ask, pool = case.ask, case.pool
    layout = run.layout(i)
    counted, demand = float(rows.rate[i]), asked_rate(ask)
    units = min(DEMAND_UNITS, math.floor(DEMAND_UNITS * counted / demand))
    loads = run.rates.loads(i) if run.rates is not None else ()
    replicas = math.ceil(DEMAND_UNITS / units)
    if loads:
        replicas = math.ceil(sum(load for load in loads if load > 0) / LOAD_UNITS)
    return Option(
        workload="",
        pool="",
        layout=layout,
        gpus=layout.gpus,
        nodes=pool.nodes if pool.nodes > 1 else 0,
        replicas=max(ask.replicas_min, replicas),
        units=units,
        host_bytes=round(at(run.memory.ledger.host_bytes, i) / GIB * GIB),
        nvme_bytes=0,
        preference=case.preference,
        utilisation=busy_share(ask, counted, demand, units, loads),
        account=MadeAccount.of(partial(_with_load, run, rows, i)),
        timing=RowTiming.of(_low(run, i), _hours(run, i), partial(_timing, run, i)),
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


def _with_load(run: ServingPass, rows: _Rows, i: int) -> Account:
    """The account with the cache of the sequences really in flight, not of the start-up check's one."""
    rates = run.rates
    main = run.by_size[rates.heaviest(i)] if run.by_size and rates is not None else run
    account, ask = rows.accounts.account(i), main.of(i).ask
    tokens = ask.prompt + ask.output if ask.sizes_stated else ask.context
    loaded = (_timing(run, i).concurrency or 1.0) * tokens * at(rows.token_bytes, i) / GIB
    parts, more = [], 0.0
    for name, best, upper, formula, tag in account.components:
        extra = max(0.0, loaded - best) if name == "kv_cache" else 0.0
        more += extra
        parts.append((name, best + extra, upper + extra, formula, tag))
    parts.sort(key=lambda r: -r[1])
    # The pool is what the fraction leaves: a load beyond it is queued, never allocated.
    total = min(account.total_gib + more, account.usable_gib)
    upper = max(total, min(account.upper_gib + more, account.usable_low_gib))
    return Account(
        tuple(parts), total, upper, account.usable_gib, account.usable_low_gib,
        account.usable_formula, account.host_gib, account.nvme_gib, account.extrapolated,
    )  # fmt: skip


def _low(run: ServingPass, i: int) -> float:
    """The low rate of a replica; sequences in flight have no interval."""
    if run.rates is not None:
        return _timing(run, i).rate_low
    speed = run.speed
    assert speed is not None
    if run.ask.concurrent is None:
        return float(speed.low[i])
    return float(np.floor(speed.concurrency[i] + 1e-6)) if speed.limit[i] != "slo" else 0.0


def _hours(run: ServingPass, i: int) -> float | None:
    """Hours of a job with a deadline: it takes them all. None where the rates were measured."""
    measured = run.rates is not None and not run.by_size
    deadline_s = None if measured else run.of(i).ask.deadline_s
    return deadline_s / HOUR_S if deadline_s else None


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
    common = {
        "limit": limit,
        "ttft_s": float(speed.ttft_percentile_s[i]),
        "tpot_s": float(speed.tpot_percentile_s[i]),
        "concurrency": float(speed.concurrency[i]),
        "extrapolated": flag_at(speed.extrapolated, i),
        "hours": _hours(run, i),
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


def unmeasured(ask: ServingAsk, gpu: str, layout: Layout | None = None) -> Rejection:
    """The user's table does not hold this GPU, or not in this number."""
    counts = ", ".join(str(row.gpus) for row in rows_of(ask, gpu))
    what = f"replicas of {counts} GPUs only for" if counts else "no row for"
    return Rejection(
        "", "", layout or Layout(), Reason.NOT_ALLOWED,
        f"`throughput.measured` has {what} {gpu}", bottleneck="user",
    )  # fmt: skip
