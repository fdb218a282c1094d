"""Rows of a training pass become options or rejections."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from planner.layout import Layout
from planner.options.account import AccountRows, flag_at
from planner.options.fitting import Fitting, RowOption, Sorted, by_case
from planner.options.interconnect import link_gb_s
from planner.options.problem import DEMAND_UNITS
from planner.options.records import Account, Option, Reason, Rejection, Timing
from planner.options.row_records import RowRejection, RowTiming
from planner.options.rows import taken
from planner.options.select import best_by_gpus, first_failed, nearest
from planner.options.training_pass import TrainingPass
from planner.units import GIB, HOUR_S, duration

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_TESTS = (Reason.MEMORY, Reason.HOST_RAM, Reason.NVME, Reason.DEADLINE)


def sort_out(run: TrainingPass, *, detail: bool) -> list[Sorted]:
    """Rows that fit and rejections, case by case; without `detail` only those that can matter are made."""
    stage, shortage = first_failed(_tests(run))
    ok, cases = stage == 0, len(run.cases)
    if detail:
        failed = np.flatnonzero(~ok)
        rows = failed[np.lexsort((failed, stage[failed], run.case[failed]))].tolist()
        chosen = np.flatnonzero(ok).tolist()
    else:
        rows = nearest(run.case, stage, shortage)
        chosen = best_by_gpus(run.case, run.grid.gpus, ok, -run.hours, run.need)
    fitting = np.bincount(run.case[ok], minlength=cases).tolist()
    everything = np.bincount(run.case, minlength=cases).tolist()
    kinds = stage[rows].tolist()
    kept = np.array([*rows, *chosen], np.int64)
    run = taken(replace(run, speed=replace(run.speed, parts={})), kept, len(run.grid))
    rows, chosen = list(range(len(rows))), list(range(len(rows), len(kept)))
    accounts = AccountRows(run.ledger)
    rejections = [
        (i, _rejection(run, accounts, i, _TESTS[kind - 1], part))
        for i, kind, part in zip(rows, kinds, accounts.largest(rows), strict=True)
    ]
    options = _fitting(run, accounts, chosen)
    return by_case(run.case.tolist(), options, rejections, fitting, everything)


def _tests(run: TrainingPass) -> list[tuple[Bools, Floats]]:
    """What each layout must pass, in order: whether it fails, and by how much."""
    # Where the host is unknown, a run that offloads nothing is given the benefit of the doubt.
    unknown = 0.0 if run.recipe.offloads else math.inf
    host = run.per_case(
        lambda c: unknown if c.pool.host_bytes is None else float(c.pool.host_bytes)
    )
    nvme = run.per_case(lambda c: float(c.pool.nvme_bytes or 0))
    deadline_h = run.per_case(lambda c: (c.ask.deadline_s or math.inf) / HOUR_S)
    return [
        (run.need > run.have, run.need - run.have),
        (run.host > host, run.host - host),
        (run.nvme > nvme, run.nvme - nvme),
        (run.hours > deadline_h, run.hours - deadline_h),
    ]


def _rejection(
    run: TrainingPass, accounts: AccountRows, i: int, reason: Reason, part: str
) -> Rejection:
    ask, pool = run.of(i).ask, run.of(i).pool
    if reason is Reason.MEMORY:
        numbers = (float(run.need[i]) / GIB, float(run.have[i]) / GIB, "GiB", part)
    elif reason is Reason.DEADLINE:
        assert ask.deadline_s is not None
        limit = str(run.speed.limit[i])
        numbers = (float(run.hours[i]), ask.deadline_s / HOUR_S, "h", limit)
    else:
        host = reason is Reason.HOST_RAM
        offered = pool.host_bytes if host else pool.nvme_bytes
        need = float(run.host[i] if host else run.nvme[i]) / GIB
        numbers = (need, (offered or 0) / GIB, "GiB", "host RAM" if host else "NVMe")
    make = partial(_words, run, accounts, i, reason, numbers)
    return RowRejection.of(reason, numbers, run.recipe.weights, make)


def _words(
    run: TrainingPass,
    accounts: AccountRows,
    i: int,
    reason: Reason,
    numbers: tuple[float, float, str, str],
) -> tuple[Layout, str, Account | None]:
    """Layout, message and account of a rejection, for when they are read."""
    need, have, _, part = numbers
    account = accounts.account(i)
    if reason is Reason.MEMORY:
        text = (
            f"needs {need:.1f} GiB per GPU of {have:.1f} GiB usable, {need - have:.1f} short; "
            f"{part.replace('_', ' ')} alone {account.components[0][1]:.1f}"
        )
    elif reason is Reason.DEADLINE:
        text = f"takes {duration(need * HOUR_S)}, deadline {duration(have * HOUR_S)}; {part} limits"
    else:
        pool = run.of(i).pool
        offered = pool.host_bytes if reason is Reason.HOST_RAM else pool.nvme_bytes
        known = f"{have:.1f} usable" if offered else "of which the pool says nothing"
        text = f"offload needs {need:.1f} GiB of {part} on a node, {known}"
    return run.layout(i), text, account


@dataclass(frozen=True, slots=True)
class _Rows:
    """Writes the rows of a pass out."""

    run: TrainingPass
    accounts: AccountRows

    def option(self, row: Fitting) -> Option:
        """The option of a row that fits."""
        hours, make = float(self.run.hours[row.number]), partial(_timing, self.run, row.number)
        return RowOption.of(row, RowTiming.of(row.rate_low, hours, make))

    def layout(self, row: Fitting) -> Layout:
        """Its layout."""
        return self.run.layout(row.number)

    def account(self, row: Fitting) -> Account:
        """Its memory."""
        return self.accounts.account(row.number)

    def interconnect_gb_s(self, row: Fitting) -> float:
        """Bandwidth of its widest group."""
        return link_gb_s(self.run.of(row.number).pool, self.layout(row), "replica")


def _fitting(run: TrainingPass, accounts: AccountRows, chosen: Sequence[int]) -> list[Fitting]:
    """The rows that fit, as far as dominance looks at them."""
    rows = _Rows(run, accounts)
    nodes = [case.pool.nodes if case.pool.nodes > 1 else 0 for case in run.cases]
    preferences = [case.recipe.preference for case in run.cases]
    columns = (
        run.case[chosen], run.grid.gpus[chosen], np.ceil(run.host[chosen]),
        np.ceil(run.nvme[chosen]), run.speed.low[chosen],
    )  # fmt: skip
    return [
        Fitting(
            rows, i, gpus, nodes[case], int(host), int(nvme), preferences[case], DEMAND_UNITS,
            DEMAND_UNITS, low,
        )
        for i, case, gpus, host, nvme, low in zip(
            chosen, *(column.tolist() for column in columns), strict=True
        )
    ]  # fmt: skip


def _timing(run: TrainingPass, i: int) -> Timing:
    speed = run.speed
    rate = float(speed.tokens_per_s[i])
    turns = int(run.accumulation[i]) if run.recipe.sharding == "layers" else 1
    return Timing(
        rate=rate,
        rate_low=float(speed.low[i]),
        rate_high=float(speed.high[i]),
        unit="tokens/s",
        limit=str(speed.limit[i]),
        step_s=float(speed.step_s[i]) * turns,
        mfu=float(speed.mfu[i]),
        hours=float(run.hours[i]),
        extrapolated=flag_at(speed.extrapolated, i),
        details={"hours_best": run.of(i).ask.tokens / rate / HOUR_S},
    )
