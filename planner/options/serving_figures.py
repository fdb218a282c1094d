"""Figures of the rows of a serving pass: memory needed and there, rates and times."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.memory.ledger import Number
from planner.options.account import AccountRows, at, flag_at
from planner.options.records import Timing
from planner.options.serving_pass import ServingPass, counted_rate
from planner.units import HOUR_S

Floats = NDArray[np.float64]
_MEASURED = Timing(0.0, 0.0, 0.0, unit="requests/s", limit="your measurement")
"""Timing where the user's table gives the rates."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the records of a pass share."""

    accounts: AccountRows
    need: Floats
    have: Floats
    rate: Floats
    """What the plan counts on."""
    token_bytes: Number

    @classmethod
    def of(cls, run: ServingPass) -> Figures:
        """The figures of a pass."""
        ledger, careful = run.memory.ledger, run.ask.careful
        accounts = AccountRows(ledger)
        return cls(
            accounts,
            run.spread(accounts.upper if careful else accounts.best),
            run.spread(ledger.usable_low if careful else ledger.usable),
            run.spread(counted_rate(run)),
            run.memory.kv_bytes_per_token,
        )


def low_rate(run: ServingPass, i: int) -> float:
    """The low rate of a replica; sequences in flight have no interval."""
    if run.rates is not None:
        return timing_of(run, i).rate_low
    speed = run.speed
    assert speed is not None
    if run.ask.concurrent is None:
        return float(speed.low[i])
    return float(np.floor(speed.concurrency[i] + 1e-6)) if speed.limit[i] != "slo" else 0.0


def job_hours(run: ServingPass, i: int) -> float | None:
    """Hours of a job with a deadline: it takes them all. None where the rates were measured."""
    measured = run.rates is not None and not run.by_size
    deadline_s = None if measured else run.of(i).ask.deadline_s
    return deadline_s / HOUR_S if deadline_s else None


def timing_of(run: ServingPass, i: int) -> Timing:
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
        "hours": job_hours(run, i),
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
