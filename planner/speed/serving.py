"""Throughput of one serving replica under a workload's request sizes and its latency targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.catalog.records import Gpu, Model
from planner.speed.collectives import link_kind
from planner.speed.link_rows import link_rows
from planner.speed.links import Link
from planner.speed.load import (
    OPEN_LOOP_STEPS,
    Load,
    Prompts,
    closed_loop,
    open_loop_wait_s,
    saturated,
)
from planner.speed.passes import pass_parts
from planner.speed.requests import split_of
from planner.speed.server import Server, build_server

Floats = NDArray[np.float64]
Number = float | Floats
"""For all layouts, or an array over them."""

_GRID: Final = 48
"""Concurrencies tried between 1 and what the KV pool holds, evenly in their logarithm."""
HEADROOM: Final = 0.85
"""Share of its capacity at which an open-loop replica is run, where no target is tighter."""


@dataclass(frozen=True, slots=True)
class ServingSpeedSetup:
    """What is served, and under which targets; sizes and targets may differ by layout."""

    weights: str = "bf16"
    kv: str = "bf16"
    arithmetic: Literal["native", "16bit"] = "native"
    """16bit: the format is weight-only on this GPU and engine."""
    prompt: Number = 1024.0
    """Mean prompt tokens of a request."""
    output: Number = 256.0
    """Mean output tokens of a request."""
    sizes: tuple[tuple[float, float, float], ...] = ()
    """Histogram of request sizes as (prompt, output, share); its means stand in for prompt and output."""
    prefix_cached: Number = 0.0
    """Share of the prompt found in the prefix cache."""
    speculative: float = 1.0
    """Tokens a decode step yields on average; 1 without speculative decoding."""
    ttft_s: Number | None = None
    tpot_s: Number | None = None
    percentile: Number = 95.0
    host_weights_gib: float = 0.0
    """GiB of weights per GPU kept in host memory and read over the host link each step."""
    batch_job: bool = False
    """No one waits: throughput counts, queues may be full."""
    closed_loop: bool = False
    """A fixed number of requests is in flight: the most that meet the targets are sought, not a rate."""

    @property
    def means(self) -> tuple[Number, Number]:
        """Mean prompt and output tokens.

        >>> ServingSpeedSetup(sizes=((1000, 100, 3), (5000, 500, 1))).means
        (2000.0, 200.0)
        """
        if not self.sizes:
            return self.prompt, self.output
        total = sum(share for _, _, share in self.sizes)
        prompt = sum(p * share for p, _, share in self.sizes) / total
        return prompt, sum(o * share for _, o, share in self.sizes) / total

    @property
    def late_prompt(self) -> Number:
        """Prompt tokens at the percentile of the targets."""
        if not self.sizes:
            return self.prompt
        total, seen = sum(share for _, _, share in self.sizes), 0.0
        for prompt, share in sorted((p, share) for p, _, share in self.sizes):
            seen += share / total
            if seen >= float(self.percentile) / 100.0 - 1e-9:
                return prompt
        return max(p for p, _, _ in self.sizes)


@dataclass(frozen=True, slots=True)
class ServingSpeed:
    """Speed of one replica; every array is over the layouts that were asked for."""

    requests_per_s: Floats
    """What the replica sustains within the targets; 0 where it can't meet them."""
    low: Floats
    high: Floats
    """80 % interval of requests_per_s."""
    saturated_per_s: Floats
    """With full queues, whatever the latency."""
    concurrency: Floats
    """Requests in flight at requests_per_s."""
    tpot_s: Floats
    """Mean time per output token at that load."""
    ttft_percentile_s: Floats
    tpot_percentile_s: Floats
    limit: NDArray[np.str_]
    """compute, hbm, nvlink, pcie, network, host link, kv cache, slo or engine."""
    extrapolated: NDArray[np.bool_]
    tag: str


def _kinds(links: Sequence[Link], device: NDArray[np.int64], tp: Floats) -> NDArray[np.str_]:
    """For each layout the kind of link that the widest group on its GPU runs on."""
    widest = np.ones(len(links))
    np.maximum.at(widest, device.reshape(-1), tp.reshape(-1))
    each = zip(links, widest, strict=True)
    kinds = np.array([link_kind(link, int(n)).rstrip("0123456789") for link, n in each], np.str_)
    return np.asarray(kinds[device])


def _limits(
    server: Server, load: Floats, context: Number, kinds: NDArray[np.str_]
) -> NDArray[np.str_]:
    """What a decode step spends most of its time on, in words."""
    demand, rates = server.decode(load, context), server.rates
    reading = demand.dense_bytes / rates.read + demand.kv_bytes / rates.kv_read
    reading = reading + demand.expert_bytes / rates.expert_read
    computing = demand.dense_flops / rates.compute + demand.expert_flops / rates.expert_compute
    parts = pass_parts(demand, rates)
    names = ["hbm", "compute", "link", "engine", "host link"]
    seconds = [reading, computing, parts["comm"], parts["launch"], parts["host"]]
    stack = np.stack(np.broadcast_arrays(*[np.asarray(s, np.float64) for s in seconds]))
    words: NDArray[np.str_] = np.asarray(names, np.str_)[np.argmax(stack, axis=0)]
    return np.asarray(np.where(words == "link", kinds, words))


def serving_speed(
    model: Model,
    gpu: Gpu | Sequence[Gpu],
    link: Link | Sequence[Link],
    engine_id: str,
    setup: ServingSpeedSetup,
    *,
    device: ArrayLike = 0,
    tp: ArrayLike = 1,
    pp: ArrayLike = 1,
    ep: ArrayLike = 1,
    dp: ArrayLike = 1,
    sequences: ArrayLike = 256,
) -> ServingSpeed:
    """Speed of one replica of tp x pp x dp GPUs whose KV pool holds `sequences` requests.

    The layout arguments broadcast; of several GPUs and links, `device` is each layout's. Concurrencies from 1 to the
    pool's limit are tried; the largest whose TPOT and TTFT percentiles meet the targets, at no more than HEADROOM of
    the replica's capacity, is taken.
    """
    shape = np.broadcast_shapes(*[np.shape(x) for x in (tp, pp, ep, dp, sequences)])
    tp, pp, ep, dp = (np.broadcast_to(np.asarray(x, np.float64), shape) for x in (tp, pp, ep, dp))
    links = (link,) if isinstance(link, Link) else tuple(link)
    number = np.broadcast_to(np.asarray(device), shape)
    server = build_server(
        model,
        gpu,
        link_rows(links).at(number),
        engine_id,
        split_of(tp, pp, dp, ep),
        device=number,
        weights=setup.weights,
        kv=setup.kv,
        arithmetic=setup.arithmetic,
        host_weights_gib=setup.host_weights_gib,
    )
    room = np.minimum(np.broadcast_to(np.asarray(sequences, np.float64), shape), 1e6)
    room = np.maximum(np.minimum(room, server.engine.max_sequences * dp), 1.0)
    return _sustained(server, setup, _kinds(links, number, tp), room)


def _sustained(
    server: Server, setup: ServingSpeedSetup, kinds: NDArray[np.str_], room: Floats
) -> ServingSpeed:
    """The best concurrency between 1 and `room`, and the speed there."""
    prompt, output = setup.means
    cached = setup.prefix_cached * prompt
    steps = np.linspace(0.0, 1.0, _GRID)
    if setup.batch_job:
        # Where no one waits, as much as the pool holds is in flight.
        steps = steps[-1:]
    grid = np.exp(steps.reshape(-1, *(1,) * room.ndim) * np.log(room))
    prompts = Prompts.of(server, prompt, cached)
    sizes = (prompt, output, cached, setup.speculative)
    loads = closed_loop(server, grid, *sizes, prompts=prompts)
    full = saturated(server, room, *sizes, prompts=prompts)
    rate, late = _arrivals(server, setup, loads, full, prompts)
    ok = np.ones(rate.shape, bool) if setup.batch_job else _within(setup, late, loads.tpot_s)
    score = np.broadcast_to(grid, rate.shape) if setup.closed_loop else rate
    best = np.where(ok, score, -1.0).argmax(axis=0)[None]

    def at(a: Floats) -> Floats:
        return np.asarray(np.take_along_axis(np.broadcast_to(a, grid.shape), best, 0)[0])

    met = at(np.where(ok, 1.0, 0.0)) > 0
    chosen, tpot, load = np.where(met, at(rate), 0.0), at(loads.tpot_s), at(grid)
    factor = np.exp(np.broadcast_to(server.half_width, room.shape))
    limit = _limit_words(server, kinds, load, room, prompt + output / 2.0)
    return ServingSpeed(
        requests_per_s=chosen,
        low=chosen / factor,
        high=chosen * factor,
        saturated_per_s=full,
        concurrency=load,
        tpot_s=tpot,
        ttft_percentile_s=at(late),
        tpot_percentile_s=_late_tpot(tpot),
        limit=np.where(met, limit, "slo"),
        extrapolated=np.broadcast_to(server.extrapolated, room.shape),
        tag=server.tag,
    )


def _arrivals(
    server: Server, setup: ServingSpeedSetup, loads: Load, full: Floats, prompts: Prompts
) -> tuple[Floats, Floats]:
    """Requests/s at each concurrency, and the percentile of the time to the first token."""
    rate = loads.requests_per_s
    if setup.batch_job:
        return np.broadcast_to(full, rate.shape), loads.ttft_s
    if setup.closed_loop:
        return rate, loads.ttft_s
    rate = np.minimum(rate, HEADROOM * full)
    cost, varied = prompts.cost_s, _variation(server, setup)
    own = OPEN_LOOP_STEPS * loads.tpot_s
    slowest = prompts.alone_s
    if setup.sizes:
        late_cached = setup.prefix_cached * setup.late_prompt
        slowest = server.prefill_s(setup.late_prompt, 1.0, late_cached)
    late = own + slowest + open_loop_wait_s(rate, cost, setup.percentile, varied)
    return rate, late


def _limit_words(
    server: Server, kinds: NDArray[np.str_], load: Floats, room: Floats, context: Number
) -> NDArray[np.str_]:
    """What limits each layout; `kv cache` where the pool ends before bandwidth is used up."""
    limit = _limits(server, load, context, kinds)
    held = (load >= room * 0.999) & np.isin(limit, ["hbm", "engine"])
    words: NDArray[np.str_] = np.where(
        held & (room < server.engine.max_sequences), "kv cache", limit
    )
    return words


def _within(setup: ServingSpeedSetup, ttft: Floats, tpot: Floats) -> NDArray[np.bool_]:
    """Where both latency targets are met."""
    ok = np.ones(np.broadcast_shapes(ttft.shape, tpot.shape), bool)
    if setup.ttft_s is not None:
        ok &= ttft <= setup.ttft_s
    if setup.tpot_s is not None:
        ok &= _late_tpot(tpot) <= setup.tpot_s
    return ok


def _variation(server: Server, setup: ServingSpeedSetup) -> Floats:
    """Coefficient of variation of a prompt's prefill time over the histogram of sizes."""
    if not setup.sizes:
        return np.zeros(())
    total = sum(share for _, _, share in setup.sizes)
    mean, square = np.zeros(()), np.zeros(())
    for prompt, _, share in setup.sizes:
        seconds = server.prompt_cost_s(prompt, setup.prefix_cached * prompt)
        mean = mean + seconds * share / total
        square = square + seconds**2 * share / total
    return np.sqrt(np.maximum(square / mean**2 - 1.0, 0.0))


def _late_tpot(tpot: Floats) -> Floats:
    """A slow request's mean time per token: a tenth over the mean, as prompts fall unevenly."""
    return tpot * 1.1
