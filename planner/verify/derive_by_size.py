"""Figures of a replica whose requests are shared out by size, each size derived on its own."""

from __future__ import annotations

from dataclasses import replace

from planner.layout import Layout
from planner.options.asks import PoolFacts, RequestSize, ServingAsk
from planner.verify.derive_serving import account_of, derive_serving, memory_of
from planner.verify.figures import Figures, Speed


def derive_by_size(ask: ServingAsk, pool: PoolFacts, layout: Layout) -> Figures:
    """Rates from the user's table where there is one, else from the speed model."""
    if ask.measured:
        return _from_table(ask, pool, layout)
    sizes = ask.buckets
    each = [
        derive_serving(replace(ask, prompt=s.prompt, output=s.output, sizes=()), pool, layout)
        for s in sizes
    ]
    counted = tuple(f.speed.counted if f.memory.fits else 0.0 for f in each)
    served = [n for n, rate in enumerate(counted) if rate > 0]
    if not served:
        return replace(each[0], speed=replace(each[0].speed, by_size=counted))
    # Memory is shown for the size that keeps the replica busy for longest.
    main = max(served, key=lambda n: (sizes[n].share / counted[n], -n))
    speeds = [f.speed for f in each]

    def mix(name: str) -> float:
        return _mix(sizes, served, [getattr(s, name) for s in speeds])

    return Figures(
        each[main].memory,
        replace(
            speeds[main],
            rate=mix("rate"),
            rate_low=mix("rate_low"),
            rate_high=mix("rate_high"),
            counted=mix("counted"),
            ttft_s=max(speeds[n].ttft_s or 0.0 for n in served),
            tpot_s=max(speeds[n].tpot_s or 0.0 for n in served),
            by_size=counted,
        ),
    )


def _mix(sizes: tuple[RequestSize, ...], served: list[int], rates: list[float]) -> float:
    """Requests/s of the served sizes in their proportions."""
    busy = sum(sizes[n].share / rates[n] for n in served)
    return sum(sizes[n].share for n in served) / busy


def _from_table(ask: ServingAsk, pool: PoolFacts, layout: Layout) -> Figures:
    rows = [r for r in ask.measured if (r.gpu, r.gpus) == (pool.gpu.id, layout.gpus)]
    if not rows:
        raise LookupError(f"the measured table has no row for {layout.gpus} x {pool.gpu.id}")
    rates = rows[0].rates
    served = [n for n, rate in enumerate(rates) if rate > 0]
    rate = _mix(ask.buckets, served, list(rates))
    speed = Speed(rate, rate, rate, rate, ask.rate or 0.0, None, by_size=rates)
    # What is in flight was not measured: memory is what the engine needs to start.
    return Figures(account_of(ask, layout, memory_of(ask, pool, layout), 1.0), speed)
