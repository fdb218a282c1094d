"""Training runs that take turns on the same GPUs of a shared node: one holds them, others run in its breaks.

The rule is one that any order of the runs keeps: together, one run of each, they take no longer than the shortest
of their windows, a window being the least of a run's deadline, its interval (`every`) and the period. Runs served in
the order they come due then never wait for more than one run of each of the others, so all end in time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from planner.options.problem import Block, Candidate, Turn

MOST_GUESTS = 1200
"""Candidates that take turns, in all; with more, each run is a guest in its shortest layout only."""
MOST_SHORTEST = 2500
"""With more of these, none take turns."""
LANES = 1_000_000
"""Lanes are numbered below this in each period."""


def turn_of(hours: float, windows: Sequence[float | None], guest_cents: int) -> Turn:
    """Minutes of a run, rounded up, and of its window, rounded down.

    >>> turn_of(10.001, [None, 480.0, 730.0], 5)
    Turn(minutes=601, window=28800, guest_cents=5)
    """
    window = min(w for w in windows if w is not None)
    return Turn(math.ceil(60 * hours), math.floor(60 * window), guest_cents)


Guests = dict[int, list[Candidate]]
"""By block."""


def with_turns(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks with candidates that run on GPUs another block's candidate holds."""
    able = _by_supply(blocks)
    pairs = _pairs(blocks, able, MOST_GUESTS, shortest=False)
    if pairs is None:
        pairs = _pairs(blocks, able, MOST_SHORTEST, shortest=True)
    if pairs is None:
        return tuple(blocks)
    hosts, guests = pairs
    return tuple(
        replace(
            block,
            candidates=(
                *(hosts.get((at, n), c) for n, c in enumerate(block.candidates)),
                *guests.get(at, ()),
            ),
        )
        for at, block in enumerate(blocks)
    )


Runs = dict[int, list[tuple[int, list[Candidate]]]]
"""By supply: each block with its runs in shared nodes there."""


def _by_supply(blocks: Sequence[Block]) -> Runs:
    found: Runs = {}
    for at, block in enumerate(blocks):
        here: dict[int, list[Candidate]] = {}
        for candidate in block.candidates:
            if _shares(block, candidate):
                here.setdefault(candidate.supply, []).append(candidate)
        for supply, runs in here.items():
            found.setdefault(supply, []).append((at, runs))
    return found


def _pairs(
    blocks: Sequence[Block], able: Runs, most: int, *, shortest: bool
) -> tuple[dict[tuple[int, int], Candidate], Guests] | None:
    """Hosts by block and candidate, each with a lane of its own, and guests by block; None beyond `most` guests."""
    hosts: dict[tuple[int, int], Candidate] = {}
    guests: Guests = {}
    count = 0
    for at, block in enumerate(blocks):
        for number, host in enumerate(block.candidates):
            if not _shares(block, host):
                continue
            found = [
                (other, guest)
                for other, runs in able[host.supply]
                if other != at
                for guest in _guests(host, runs, len(hosts), shortest, equal=other > at)
            ]
            count += len(found)
            if count > most:
                return None
            if found:
                hosts[at, number] = replace(host, lane=len(hosts))
            for other, guest in found:
                guests.setdefault(other, []).append(guest)
    return hosts, guests


def _shares(block: Block, candidate: Candidate) -> bool:
    """Whether a candidate is a run in a shared node."""
    return bool(
        candidate.turn is not None
        and candidate.gpus
        and not candidate.whole_nodes
        and block.exactly_one
        and block.multiplicity == 1
    )


def _guests(
    host: Candidate, runs: Sequence[Candidate], lane: int, shortest: bool, *, equal: bool
) -> Iterator[Candidate]:
    """Runs of one block on the supply of a host as its guests; of runs on as many GPUs the earlier block is the host.

    What a guest runs on matters no more, so of its candidates only the shortest and the cheapest are worth it.
    """
    assert host.turn is not None
    able = [c for c in runs if _fits(host, c, equal=equal)]
    if shortest:
        able = sorted(able, key=lambda c: (c.turn.minutes if c.turn else 0, c.cost_cents))[:1]
    for one in able:
        if not any(_better(two, one, able) for two in able if two is not one):
            assert one.turn is not None
            yield replace(
                one,
                key=f"{one.key} in turn on {host.key}",
                gpus=0,
                cost_cents=one.turn.guest_cents,
                host_sixteenths=0,
                power_w=0,
                lane=-1,
                guest_of=lane,
            )


def _fits(host: Candidate, guest: Candidate, *, equal: bool) -> bool:
    assert host.turn is not None
    assert guest.turn is not None
    together = host.turn.minutes + guest.turn.minutes
    return (
        (guest.gpus < host.gpus or (equal and guest.gpus == host.gpus))
        and guest.host_sixteenths <= host.host_sixteenths
        and together <= min(host.turn.window, guest.turn.window)
    )


def _better(a: Candidate, b: Candidate, order: Sequence[Candidate]) -> bool:
    """Whether `a` is never worse than `b` as a guest; of two alike the first stays."""
    assert a.turn is not None
    assert b.turn is not None
    one = (a.turn.minutes, a.turn.guest_cents, a.preference)
    two = (b.turn.minutes, b.turn.guest_cents, b.preference)
    if one == two:
        return next(c for c in order if c is a or c is b) is a
    return all(x <= y for x, y in zip(one, two, strict=True))
