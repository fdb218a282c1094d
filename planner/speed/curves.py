"""Time of one collective over one link: latency, ramp and bus bandwidth of its measured curve."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.catalog.speed_records import Collective, LinkCurve
from planner.speed.link_rows import CurveRows, curve_rows

Floats = NDArray[np.float64]
Curve: TypeAlias = LinkCurve | CurveRows
"""One curve for all layouts, or one for each."""

ONE_WAY_LATENCY: Final = 0.55
"""Latency of a collective that crosses the ring once, relative to an all-reduce's two crossings."""


def traffic_share(kind: Collective, ranks: ArrayLike) -> Floats:
    """What one rank sends, per byte of the message: the bus-bandwidth factor of nccl-tests.

    all-reduce 2 (n-1)/n; all-gather, reduce-scatter, all-to-all (n-1)/n of the whole buffer; send-receive 1.

    >>> float(traffic_share("all_reduce", 8))
    1.75
    """
    n = np.maximum(np.asarray(ranks, np.float64), 1.0)
    if kind == "send_recv":
        return np.ones_like(n)
    ring = (n - 1.0) / n
    return 2.0 * ring if kind == "all_reduce" else ring


def bus_share(curve: Curve, kind: Collective, ranks: ArrayLike) -> Floats:
    """Bus bandwidth of large messages as a share of the link's one-direction bandwidth."""
    n = np.maximum(np.asarray(ranks, np.float64), 2.0)
    rows = curve if isinstance(curve, CurveRows) else curve_rows([curve]).at(0)
    share = rows.share[kind] * (1.0 - rows.small_group[kind] / n)
    reduced = n >= rows.in_network_ranks[kind]
    if np.any(reduced):
        share = np.where(reduced, rows.in_network[kind], share)
    return np.asarray(share, np.float64)


def curve_s(
    curve: Curve,
    kind: Collective,
    message_bytes: ArrayLike,
    ranks: ArrayLike,
    link_gb_s: ArrayLike,
) -> Floats:
    """Seconds of one collective of `message_bytes` over `ranks` GPUs.

    t = latency + S f(n) / (share(n) x link) + ramp S / (S + S0), f the traffic share, link in one direction.
    The ramp is what NCCL loses while it changes from its low-latency to its high-bandwidth protocols. One rank
    takes no time.
    """
    size = np.asarray(message_bytes, np.float64)
    n = np.asarray(ranks, np.float64)
    crossings = 1.0 if kind == "all_reduce" else ONE_WAY_LATENCY
    hops = 0.0 if kind == "send_recv" else np.maximum(n - 1.0, 0.0)
    latency = crossings * (curve.latency_us + curve.latency_per_rank_us * hops) * 1e-6
    rate = bus_share(curve, kind, n) * np.asarray(link_gb_s, np.float64) * 1e9
    moving = size * traffic_share(kind, n) / np.maximum(rate, 1.0)
    ramp = curve.ramp_us * 1e-6 * size / (size + curve.ramp_bytes)
    return np.where((n > 1) & (size > 0), latency + moving + ramp, 0.0)
