"""Rows of a training pass become options or rejections."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from planner.options.account import account_at, bottleneck, flag_at, need_have
from planner.options.interconnect import link_gb_s
from planner.options.problem import DEMAND_UNITS
from planner.options.records import Option, Reason, Rejection, Timing
from planner.options.select import best_by_gpus, nearest
from planner.options.training_pass import TrainingPass
from planner.units import GIB, HOUR_S, duration

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def sort_out(run: TrainingPass, *, detail: bool) -> tuple[list[Option], list[Rejection], int, int]:
    """Rows become options or rejections; without `detail` only those that can matter are made."""
    ask, pool = run.ask, run.pool
    # Where the host is unknown, a run that offloads nothing is given the benefit of the doubt.
    unknown = 0.0 if run.recipe.offloads else math.inf
    host = float(pool.host_bytes) if pool.host_bytes is not None else unknown
    deadline_h = ask.deadline_s / HOUR_S if ask.deadline_s else math.inf
    tests: list[tuple[Reason, Bools, Floats]] = [
        (Reason.MEMORY, run.need > run.have, run.need - run.have),
        (Reason.HOST_RAM, run.host > host, run.host - host),
        (Reason.NVME, run.nvme > (pool.nvme_bytes or 0), run.nvme - (pool.nvme_bytes or 0)),
        (Reason.DEADLINE, run.hours > deadline_h, run.hours - deadline_h),
    ]
    ok = np.ones(len(run.grid), bool)
    rejections = []
    for reason, failed, shortage in tests:
        failed = failed & ok
        rows = np.flatnonzero(failed).tolist() if detail else nearest(failed, shortage)
        rejections += [_rejection(run, int(i), reason) for i in rows]
        ok &= ~failed
    fitting = int(ok.sum())
    chosen = (
        np.flatnonzero(ok).tolist()
        if detail
        else best_by_gpus(run.grid.gpus, ok, -run.hours, run.need)
    )
    options = [_option(run, int(i)) for i in chosen]
    return options, rejections, fitting - len(chosen), len(run.grid) - fitting


def _rejection(run: TrainingPass, i: int, reason: Reason) -> Rejection:
    ask, pool = run.ask, run.pool
    account = account_at(run.memory.ledger, i)
    part = bottleneck(account)
    if reason is Reason.MEMORY:
        need, have = need_have(account, careful=ask.careful)
        unit = "GiB"
        text = (
            f"needs {need:.1f} GiB per GPU of {have:.1f} GiB usable, {need - have:.1f} short; "
            f"{part.replace('_', ' ')} alone {account.components[0][1]:.1f}"
        )
    elif reason is Reason.DEADLINE:
        assert ask.deadline_s is not None
        need, have, unit, part = (
            float(run.hours[i]),
            ask.deadline_s / HOUR_S,
            "h",
            str(run.speed.limit[i]),
        )
        text = (
            f"takes {duration(need * HOUR_S)}, deadline {duration(ask.deadline_s)}; {part} limits"
        )
    else:
        host = reason is Reason.HOST_RAM
        offered = pool.host_bytes if host else pool.nvme_bytes
        need = float(run.host[i] if host else run.nvme[i]) / GIB
        have, unit, part = (offered or 0) / GIB, "GiB", "host RAM" if host else "NVMe"
        known = f"{have:.1f} usable" if offered else "of which the pool says nothing"
        text = f"offload needs {need:.1f} GiB of {part} on a node, {known}"
    return Rejection(
        ask.name, pool.name, run.layout(i), reason, text, need, have, unit, part, account
    )


def _option(run: TrainingPass, i: int) -> Option:
    ask, speed = run.ask, run.speed
    layout = run.layout(i)
    account = account_at(run.memory.ledger, i)
    timing = Timing(
        rate=float(speed.tokens_per_s[i]),
        rate_low=float(speed.low[i]),
        rate_high=float(speed.high[i]),
        unit="tokens/s",
        limit=str(speed.limit[i]),
        step_s=float(speed.step_s[i]) * (layout.accumulation if layout.sharding == "layers" else 1),
        mfu=float(speed.mfu[i]),
        hours=float(run.hours[i]),
        extrapolated=flag_at(speed.extrapolated, i),
        details={"hours_best": ask.tokens / float(speed.tokens_per_s[i]) / HOUR_S},
    )
    return Option(
        workload=ask.name,
        pool=run.pool.name,
        layout=layout,
        gpus=layout.gpus,
        nodes=run.pool.nodes if run.pool.nodes > 1 else 0,
        replicas=1,
        units=DEMAND_UNITS,
        host_bytes=math.ceil(run.host[i]),
        nvme_bytes=math.ceil(run.nvme[i]),
        preference=run.recipe.preference,
        utilisation=Fraction(1),
        account=account,
        timing=timing,
        interconnect_gb_s=link_gb_s(run.pool, layout, "replica"),
    )
