"""The user's explicit least bandwidth between GPUs; what links cost in time is the speed model's part."""

from __future__ import annotations

from functools import lru_cache

from planner.layout import Layout
from planner.options.asks import Ask, PoolFacts
from planner.options.records import Reason, Rejection
from planner.speed.links import Between, both_directions_gb_s


def link_gb_s(pool: PoolFacts, layout: Layout, between: Between) -> float:
    """Bandwidth of one GPU over the widest group, GB/s with both directions summed."""
    ranks = layout.tp if between == "tp" else layout.gpus
    return _between(pool.link, between, ranks)


_between = lru_cache(maxsize=4096)(both_directions_gb_s)


def floor_rejection(ask: Ask, pool: PoolFacts, layout: Layout) -> Rejection | None:
    """A rejection with both numbers where the link is slower than the ask's least; else None."""
    floor = ask.floor
    if floor is None:
        return None
    ranks = layout.tp if floor.between == "tp" else layout.gpus
    if ranks == 1 or (floor.between == "nodes" and layout.gpus <= pool.node_gpus):
        return None
    have = link_gb_s(pool, layout, floor.between)
    if have >= floor.min_gb_s:
        return None
    return Rejection(
        "", "", layout, Reason.INTERCONNECT,
        f"{have:,.0f} GB/s between the GPUs of a {floor.between} group, {floor.min_gb_s:,.0f} GB/s "
        "asked (both directions summed)",
        need=floor.min_gb_s, have=have, unit="GB/s", bottleneck="interconnect",
    )  # fmt: skip
