"""A replica under load: time per token, time to first token and throughput."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.speed.server import Server

Floats = NDArray[np.float64]

OPEN_LOOP_STEPS: Final = 1.5
"""Decode steps before the first token of a random arrival: half of the running one, and one beside its prefill."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a replica does at one concurrency; arrays over layouts."""

    tpot_s: Floats
    ttft_s: Floats
    requests_per_s: Floats


@dataclass(frozen=True, slots=True)
class Prompts:
    """What prompts cost a replica; arrays over layouts."""

    cost_s: Floats
    """Of one more prompt among many, batched and pipelined."""
    alone_s: Floats
    """Of one prompt with no other beside it."""

    @classmethod
    def of(cls, server: Server, prompt: ArrayLike, cached: ArrayLike = 0.0) -> Prompts:
        """Of prompts of `prompt` tokens, of which `cached` need no work."""
        return cls(server.prompt_cost_s(prompt, cached), server.prefill_s(prompt, 1.0, cached))


def closed_loop(
    server: Server,
    concurrency: ArrayLike,
    prompt: ArrayLike,
    output: ArrayLike,
    cached: ArrayLike = 0.0,
    speculative: float = 1.0,
    *,
    prompts: Prompts | None = None,
) -> Load:
    """Steady state with `concurrency` requests in flight, each followed at once by the next.

    While a request of O tokens decodes, each of the B - 1 others starts once and delays it by its prefill:
    TPOT = step(B) / speculative + interference (B - 1)/O x prefill;  TTFT = first + a prefill + h step
    + (B - 1)^g (queue x prefill + overhead);  throughput = B / (TTFT + (O - 1) TPOT). TTFT's constants belong to
    the engine: in a closed loop the clients' rhythm, and the burst at its start, decide more than the GPU. `prompts` is
    what these cost, where it is known already.
    """
    b = np.maximum(np.asarray(concurrency, np.float64), 1.0)
    p, o = np.asarray(prompt, np.float64), np.maximum(np.asarray(output, np.float64), 1.0)
    engine = server.engine
    step = server.step_s(b, p + o / 2.0) / speculative
    prompts = prompts or Prompts.of(server, p, cached)
    cost, alone = prompts.cost_s, prompts.alone_s
    tpot = step + engine.interference * (b - 1.0) / o * cost
    others = (b - 1.0) ** engine.queue_power
    steps = engine.first_steps_moe if server.work.moe_layers else engine.first_steps
    ttft = engine.first_token_ms * 1e-3 + engine.first_prefill * alone + steps * step * speculative
    ttft = ttft + others * (engine.queue * cost + engine.queue_ms * 1e-3)
    # A pipeline or several prompts can't start faster than the replica can prefill them.
    served = np.minimum(b / (ttft + (o - 1.0) * tpot), 1.0 / np.maximum(cost, 1e-12))
    return Load(tpot, ttft, served)


def saturated(
    server: Server,
    concurrency: ArrayLike,
    prompt: ArrayLike,
    output: ArrayLike,
    cached: ArrayLike = 0.0,
    speculative: float = 1.0,
    *,
    prompts: Prompts | None = None,
) -> Floats:
    """Requests per second with a queue that never empties: B / (O step + B prefill)."""
    b = np.maximum(np.asarray(concurrency, np.float64), 1.0)
    p, o = np.asarray(prompt, np.float64), np.maximum(np.asarray(output, np.float64), 1.0)
    step = server.step_s(b, p + o / 2.0) / speculative
    cost = server.prompt_cost_s(p, cached) if prompts is None else prompts.cost_s
    rate: Floats = b / (o * step + b * cost)
    return rate


def open_loop_wait_s(
    rate: ArrayLike,
    service_s: ArrayLike,
    percentile: float | Floats | None = None,
    variation: ArrayLike = 0.0,
) -> Floats:
    """Waiting time before a server that prefills prompts one by one, arrivals at random.

    Mean of M/G/1 (Pollaczek-Khinchine): W = rho S (1 + cv^2) / (2 (1 - rho)), cv the service time's coefficient of
    variation (0: all prompts alike). A percentile p takes its exponential tail: W_p = W / rho x ln(rho / (1 - p)), not
    below the mean. Infinite where rho >= 1.

    >>> round(float(open_loop_wait_s(5.0, 0.1)), 3)
    0.05
    """
    service = np.asarray(service_s, np.float64)
    rho = np.asarray(rate, np.float64) * service
    room = np.maximum(1.0 - rho, 1e-9)
    mean = rho * service * (1.0 + np.asarray(variation, np.float64) ** 2) / (2.0 * room)
    if percentile is not None:
        tail = np.log(np.maximum(rho, 1e-12) / (1.0 - percentile / 100.0))
        mean = np.maximum(mean / np.maximum(rho, 1e-12) * np.maximum(tail, 0.0), mean)
    return np.where(rho < 1.0, mean, np.inf)


@dataclass(frozen=True, slots=True)
class Run:
    """Means over a finite run of requests."""

    ttft_s: float
    tpot_s: float
    requests_per_s: float


def finite_run(
    server: Server,
    offered: float,
    requests: int,
    prompt: float,
    output: float,
    sequences: float = float("inf"),
) -> Run:
    """A benchmark that offers `requests` requests at `offered` per second and then stops.

    The concurrency settles where arrivals meet service, at most the `sequences` that the KV pool holds:
    B = rate x (TTFT + O TPOT) by Little's law. What the replica can't take waits: after n arrivals the queue is
    n (1 - capacity/offered).
    """
    limit = min(float(server.engine.max_sequences), sequences)
    capacity = float(saturated(server, min(limit, requests), prompt, output))
    rate = min(offered, capacity)
    batch = 1.0
    for _ in range(30):
        load = closed_loop(server, batch, prompt, output)
        held = rate * float(load.ttft_s + (output - 1.0) * load.tpot_s)
        batch = max(0.5 * batch + 0.5 * min(held, limit, float(requests)), 1.0)
    step, cost = (
        float(server.step_s(batch, prompt + output / 2.0)),
        float(server.prompt_cost_s(prompt)),
    )
    tpot = step + server.engine.interference * rate * cost * step
    tpot = max(tpot, float(load.tpot_s)) if rate >= capacity else tpot
    alone = float(server.prefill_s(prompt))
    wait = float(open_loop_wait_s(min(rate, 0.98 / cost), cost)) + OPEN_LOOP_STEPS * step
    behind = 0.0
    if offered > capacity:
        # The backlog grows all through the run; the mean request meets half of the last one's.
        share = 1.0 - (capacity / offered if offered < float("inf") else 0.0)
        queued = max(requests * share - limit * share, 0.0)
        behind = 0.5 * queued / capacity + 0.5 * min(limit, requests) * cost * share
    duration = requests / rate + float(load.tpot_s) * output
    ttft = alone + wait + behind
    return Run(ttft, tpot, requests / duration)
