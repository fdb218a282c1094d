"""Requests shared out by size: all of them go somewhere, and no replica is given more than it carries."""

from __future__ import annotations

import math
from collections.abc import Iterator

from planner.options.asks import RequestSize, ServingAsk
from planner.plan.schema import SizeShare
from planner.verify.case import Part
from planner.verify.figures import Speed

WHOLE = 2000
"""What one replica carries; the load of each size is rounded up to such a part of it."""
NOISE = 1e-5
"""Of such a part: what floating-point arithmetic may add to a load."""


def check_routing(
    ask: ServingAsk, parts: list[tuple[Part, Speed]], routing: tuple[SizeShare, ...]
) -> Iterator[str]:
    """Every size in full, every share on replicas that serve it, every kind within its replicas less the spare."""
    bad = [
        r for r in routing if not r.assignments or not set(r.assignments) <= set(range(len(parts)))
    ]
    if bad or any(r.of < 1 or r.parts < 1 for r in routing):
        yield f"{len(bad) or 'some'} shares of requests name no assignment, or no part"
        return
    yield from _complete(ask, routing)
    kinds: dict[tuple[int, ...], list[SizeShare]] = {}
    for share in routing:
        kinds.setdefault(share.assignments, []).append(share)
    members = [at for kind in kinds for at in kind]
    if len(members) != len(set(members)):
        yield "an assignment is counted on for two kinds of replicas"
    for kind, shares in kinds.items():
        own = [parts[at] for at in kind]
        yield from _loads(ask, own, shares)
        yield from _carried(ask, own, shares)
    if ask.whole_sizes:
        yield from _whole(ask, parts, routing)


def _of_size(size: RequestSize, routing: tuple[SizeShare, ...]) -> list[SizeShare]:
    key = (size.prompt, size.output, size.share)
    return [r for r in routing if (r.prompt, r.output, r.share) == key]


def _complete(ask: ServingAsk, routing: tuple[SizeShare, ...]) -> Iterator[str]:
    known = 0
    for size in ask.buckets:
        shares = _of_size(size, routing)
        known += len(shares)
        total = sum(r.parts / r.of for r in shares)
        if abs(total - 1) > 1e-9:
            yield f"{100 * total:.2f} % of the {_words(size)} requests go somewhere"
    if known != len(routing):
        yield f"{len(routing) - known} shares of requests of a size that was not asked for"


def _loads(
    ask: ServingAsk, own: list[tuple[Part, Speed]], shares: list[SizeShare]
) -> Iterator[str]:
    for share in shares:
        size = RequestSize(share.prompt, share.output, share.share)
        if size not in ask.buckets:
            continue
        at = ask.buckets.index(size)
        for part, speed in own:
            rate = speed.by_size[at]
            if rate <= 0:
                yield f"{part.where}: can't serve {_words(size)} requests"
                continue
            want = math.ceil(WHOLE * (ask.rate or 0.0) * size.share / rate - NOISE)
            if share.load < want:
                yield f"{part.where}: load {share.load} of {_words(size)} requests, it is {want}"


def _carried(
    ask: ServingAsk, own: list[tuple[Part, Speed]], shares: list[SizeShare]
) -> Iterator[str]:
    replicas = sum(p.given.replicas for p, _ in own) - ask.spare
    load = sum(r.load * r.parts / r.of for r in shares) / WHOLE
    if load > replicas + 1e-9:
        lost = f" once {ask.spare} are lost" if ask.spare else ""
        yield f"{own[0][0].where}: load of {load:.4f} replicas on {replicas}{lost}"


def _whole(
    ask: ServingAsk, parts: list[tuple[Part, Speed]], routing: tuple[SizeShare, ...]
) -> Iterator[str]:
    for size in ask.buckets:
        gpus = {parts[at][0].given.gpu for r in _of_size(size, routing) for at in r.assignments}
        if len(gpus) > 1:
            yield f"{_words(size)} requests go to {len(gpus)} GPU types, one was asked"


def _words(size: RequestSize) -> str:
    return f"{size.prompt:g} + {size.output:g}"
