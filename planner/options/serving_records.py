"""Rows of a serving pass are sorted out, and those worth keeping become options."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from planner.layout import Layout
from planner.options.account import MadeAccount, at
from planner.options.asks import ServingAsk
from planner.options.buckets import best_by_size
from planner.options.fitting import Fitting, RowOption, Sorted, by_case
from planner.options.interconnect import link_gb_s
from planner.options.problem import DEMAND_UNITS, LOAD_UNITS
from planner.options.records import Account, Option
from planner.options.row_records import RowTiming
from planner.options.rows import taken
from planner.options.select import best_by_gpus, first_failed, nearest
from planner.options.serving_figures import Figures, job_hours, low_rate, timing_of
from planner.options.serving_pass import Case, ServingPass, asked_rate
from planner.options.serving_rejections import TESTS, rejection_of, tests
from planner.units import GIB

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def sort_out(run: ServingPass, *, detail: bool) -> list[Sorted]:
    """Rows that fit and rejections, case by case; without `detail` only those that can matter are made."""
    figures = Figures.of(run)
    stage, shortage = first_failed(tests(run, figures))
    ok, cases = stage == 0, len(run.cases)
    if detail:
        failed = np.flatnonzero(~ok)
        rows = failed[np.lexsort((failed, stage[failed], run.case[failed]))].tolist()
        chosen = np.flatnonzero(ok).tolist()
    else:
        rows = nearest(run.case, stage, shortage)
        if run.rates is not None:
            chosen = best_by_size(run.grid.gpus, ok, run.rates.counted, figures.need)
        else:
            chosen = best_by_gpus(run.case, run.grid.gpus, ok, figures.rate, figures.need)
    fitting = np.bincount(run.case[ok], minlength=cases).tolist()
    everything = np.bincount(run.case, minlength=cases).tolist()
    kinds = stage[rows].tolist()
    if run.rates is None:
        kept = np.array([*rows, *chosen], np.int64)
        assert run.speed is not None
        run = taken(run, kept, len(run.grid))
        rows, chosen = list(range(len(rows))), list(range(len(rows), len(kept)))
        figures = Figures.of(run)
    rejections = [
        (i, rejection_of(run, figures, i, TESTS[kind - 1], part))
        for i, kind, part in zip(rows, kinds, figures.accounts.largest(rows), strict=True)
    ]
    options = _fitting(_Rows(run, figures), chosen)
    return by_case(run.case.tolist(), options, rejections, fitting, everything)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Writes the rows of a pass out."""

    run: ServingPass
    figures: Figures

    def option(self, row: Fitting) -> Option:
        """The option of a row that fits."""
        run, i = self.run, row.number
        replicas = math.ceil(DEMAND_UNITS / row.units)
        if row.loads:
            replicas = math.ceil(sum(load for load in row.loads if load > 0) / LOAD_UNITS)
        return RowOption.of(
            row,
            RowTiming.of(row.rate_low, job_hours(run, i), partial(timing_of, run, i)),
            replicas=max(run.of(i).ask.replicas_min, replicas),
            assumptions=(run.chosen.how.reason,) if run.chosen.how.reason else (),
            size_rates=tuple(run.rates.counted[:, i].tolist()) if run.rates is not None else (),
        )

    def layout(self, row: Fitting) -> Layout:
        """Its layout."""
        return self.run.layout(row.number)

    def account(self, row: Fitting) -> Account:
        """Its memory."""
        usable_gib = at(self.run.memory.ledger.usable, row.number) / GIB
        return MadeAccount.of(usable_gib, partial(_with_load, self.run, self.figures, row.number))

    def interconnect_gb_s(self, row: Fitting) -> float:
        """Bandwidth of its widest group."""
        return link_gb_s(self.run.of(row.number).pool, self.layout(row), "replica")


def _fitting(rows: _Rows, chosen: Sequence[int]) -> list[Fitting]:
    """The rows that fit, as far as dominance looks at them."""
    run = rows.run
    gpus, case = run.grid.gpus[chosen].tolist(), run.case[chosen].tolist()
    rates = rows.figures.rate[chosen].tolist()
    host = run.spread(run.memory.ledger.host_bytes)[chosen].tolist()
    return [
        _row(rows, i, run.cases[which], (size, counted, host_bytes))
        for i, which, size, counted, host_bytes in zip(chosen, case, gpus, rates, host, strict=True)
    ]


def _row(rows: _Rows, i: int, case: Case, at_row: tuple[int, float, float]) -> Fitting:
    """One row; `at_row`: its GPUs, the rate that counts and host bytes."""
    run, (gpus, counted, host_bytes) = rows.run, at_row
    ask, pool, demand = case.ask, case.pool, asked_rate(case.ask)
    units = min(DEMAND_UNITS, math.floor(DEMAND_UNITS * counted / demand))
    loads = run.rates.loads(i) if run.rates is not None else ()
    return Fitting(
        rows, i, gpus, pool.nodes if pool.nodes > 1 else 0, round(host_bytes / GIB * GIB), 0,
        case.preference, units, busy_parts(ask, counted, demand, units, loads), low_rate(run, i),
        loads,
    )  # fmt: skip


def busy_share(
    ask: ServingAsk, counted: float, demand: float, units: int, loads: tuple[int, ...]
) -> Fraction:
    """Share of its hours in which a replica works at most, in whole 1/2000."""
    return Fraction(busy_parts(ask, counted, demand, units, loads), DEMAND_UNITS)


def busy_parts(
    ask: ServingAsk, counted: float, demand: float, units: int, loads: tuple[int, ...]
) -> int:
    """Share of its hours in which a replica works at most, in 1/2000, rounded up.

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
    return min(parts, DEMAND_UNITS)


def _with_load(run: ServingPass, figures: Figures, i: int) -> Account:
    """The account with the cache of the sequences really in flight, not of the start-up check's one."""
    rates = run.rates
    main = run.by_size[rates.heaviest(i)] if run.by_size and rates is not None else run
    account, ask = figures.accounts.account(i), main.of(i).ask
    tokens = ask.prompt + ask.output if ask.sizes_stated else ask.context
    loaded = (timing_of(run, i).concurrency or 1.0) * tokens * at(figures.token_bytes, i) / GIB
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
