"""What rows of a serving pass must pass, and why those that do not are no options."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from planner.layout import Layout
from planner.options.asks import ServingAsk
from planner.options.buckets import rows_of
from planner.options.problem import DEMAND_UNITS
from planner.options.records import Account, Reason, Rejection
from planner.options.row_records import RowRejection
from planner.options.serving_figures import Figures, timing_of
from planner.options.serving_pass import ServingPass, asked_rate
from planner.units import GIB

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
TESTS = (Reason.MEMORY, Reason.HOST_RAM, Reason.NOT_ALLOWED, Reason.LATENCY, Reason.COUNT)
"""In the order of `tests`."""


def tests(run: ServingPass, rows: Figures) -> list[tuple[Bools, Floats]]:
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


def rejection_of(run: ServingPass, rows: Figures, i: int, reason: Reason, part: str) -> Rejection:
    """Row `i`, which fails a test; `part` is the largest of its memory."""
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
        timing = timing_of(run, i)
        numbers = (asked_rate(ask), timing.rate_low, timing.unit, timing.limit)
    return RowRejection.of(reason, numbers, weights, partial(_words, run, rows, i, reason, numbers))


def _words(
    run: ServingPass, rows: Figures, i: int, reason: Reason, numbers: tuple[float, float, str, str]
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
    timing = timing_of(run, i)
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


def unmeasured(ask: ServingAsk, gpu: str, layout: Layout | None = None) -> Rejection:
    """The user's table does not hold this GPU, or not in this number."""
    counts = ", ".join(str(row.gpus) for row in rows_of(ask, gpu))
    what = f"replicas of {counts} GPUs only for" if counts else "no row for"
    return Rejection(
        "", "", layout or Layout(), Reason.NOT_ALLOWED,
        f"`throughput.measured` has {what} {gpu}", bottleneck="user",
    )  # fmt: skip
