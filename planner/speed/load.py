"""A replica under load: time per token, time to first token and throughput."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.speed.server import Server

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Load:
    """What a replica does at one concurrency; arrays over layouts."""

    tpot_s: Floats
    ttft_s: Floats
    requests_per_s: Floats
    prefill_share: Floats
    """Share of the replica's time that goes to prompts."""


def closed_loop(
    server: Server,
    concurrency: ArrayLike,
    prompt: ArrayLike,
    output: ArrayLike,
    cached: ArrayLike = 0.0,
    speculative: float = 1.0,
) -> Load:
    """Steady state with `concurrency` requests in flight, each followed at once by the next.

    While a request of O tokens decodes, each of the B - 1 others starts once and delays it by its prefill:
    TPOT = step(B) / speculative + interference (B - 1)/O x prefill;  TTFT = first + prefill + step/2
    + queue (B - 1) x prefill x prefill share;  throughput = B / (TTFT + (O - 1) TPOT).
    """
    b = np.maximum(np.asarray(concurrency, np.float64), 1.0)
    p, o = np.asarray(prompt, np.float64), np.maximum(np.asarray(output, np.float64), 1.0)
    engine = server.engine
    step = server.step_s(b, p + o / 2.0) / speculative
    cost = server.prompt_cost_s(p, cached)
    tpot = step + engine.interference * (b - 1.0) / o * cost
    alone = server.prefill_s(p, 1.0, cached)
    share = b * cost / (b * cost + o * step)
    wait = engine.queue * (b - 1.0) * cost
    ttft = engine.first_token_ms * 1e-3 + alone + wait + step / 2.0
    # A pipeline or several prompts can't start faster than the replica can prefill them.
    served = np.minimum(b / (ttft + (o - 1.0) * tpot), 1.0 / np.maximum(cost, 1e-12))
    return Load(tpot, ttft, served, np.asarray(share, np.float64))


def saturated(
    server: Server,
    concurrency: ArrayLike,
    prompt: ArrayLike,
    output: ArrayLike,
    cached: ArrayLike = 0.0,
    speculative: float = 1.0,
) -> Floats:
    """Requests per second with a queue that never empties: B / (O step + B prefill)."""
    b = np.maximum(np.asarray(concurrency, np.float64), 1.0)
    p, o = np.asarray(prompt, np.float64), np.maximum(np.asarray(output, np.float64), 1.0)
    step = server.step_s(b, p + o / 2.0) / speculative
    rate: Floats = b / (o * step + b * server.prompt_cost_s(p, cached))
    return rate


def open_loop_wait_s(
    rate: ArrayLike, service_s: ArrayLike, percentile: float | None = None
) -> Floats:
    """Waiting time before a server that prefills prompts one by one, arrivals at random.

    Mean of M/D/1: W = rho S / (2 (1 - rho)). A percentile p takes the exponential tail of M/G/1:
    W_p = W / rho x ln(rho / (1 - p)), not below 0. Infinite where rho >= 1.

    >>> round(float(open_loop_wait_s(5.0, 0.1)), 3)
    0.05
    """
    service = np.asarray(service_s, np.float64)
    rho = np.asarray(rate, np.float64) * service
    room = np.maximum(1.0 - rho, 1e-9)
    mean = rho * service / (2.0 * room)
    if percentile is not None:
        tail = np.log(np.maximum(rho, 1e-12) / (1.0 - percentile / 100.0))
        mean = np.maximum(mean / np.maximum(rho, 1e-12) * np.maximum(tail, 0.0), mean)
    return np.where(rho < 1.0, mean, np.inf)
