"""Runs of a plan that take turns on the same GPUs: who holds them, who are guests, and how they share the price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.optimize.outcome import Outcome
from planner.options.build import Built

Key = tuple[int, int]
"""Block and candidate."""


def hosts_of(built: Built, outcome: Outcome) -> dict[Key, Key]:
    """The host of each guest in the plan."""
    lanes: dict[int, Key] = {}
    guests: dict[Key, int] = {}
    for plan in outcome.plans:
        for choice in plan.choices:
            key = (plan.block, choice.candidate)
            candidate = built.problem.blocks[plan.block].candidates[choice.candidate]
            if candidate.lane >= 0:
                lanes[candidate.lane] = key
            if candidate.guest_of >= 0:
                guests[key] = candidate.guest_of
    return {guest: lanes[lane] for guest, lane in guests.items()}


def shared_out(
    cents: int, host: Key, hosts: Mapping[Key, Key], minutes: Mapping[Key, int]
) -> dict[Key, int]:
    """The price of the host's GPUs by the minutes that each run on them takes; the host carries what is left."""
    guests = [guest for guest, one in hosts.items() if one == host]
    if not guests:
        return {host: cents}
    total = sum(minutes[key] for key in (host, *guests))
    shares = {guest: cents * minutes[guest] // total for guest in guests}
    return {host: cents - sum(shares.values()), **shares}


def minutes_of(built: Built, keys: Sequence[Key], runs: Sequence[int]) -> dict[Key, int]:
    """Minutes of all runs of each candidate; `runs` by block."""
    found = {}
    for block, number in keys:
        turn = built.problem.blocks[block].candidates[number].turn
        assert turn is not None
        found[block, number] = turn.minutes * runs[block]
    return found
