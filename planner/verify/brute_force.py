"""The answer to tiny problems by trying everything: the reference that the optimizer must equal.

Shares no code with the optimizer. Meant for a handful of blocks, candidates and nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from planner.options.problem import DEMAND_UNITS, LOAD_UNITS, Block, Candidate, Limit, Problem

HOST_SHARES = 16

Mix = tuple[int, ...]
"""Replicas per candidate of one copy of a block; all zero means unserved."""


@dataclass(frozen=True, slots=True)
class BruteForce:
    """The best plan of all; `cost_cents` is None when there is none."""

    cost_cents: int | None
    unserved: tuple[int, ...] = ()
    """Unserved copies per priority, most important first."""
    ties: tuple[int, int, int] | None = None
    """(preference sum, GPUs, GPU types) of the best among the cheapest plans."""
    mixes: tuple[tuple[Mix, ...], ...] = ()
    """Per block and copy, one of the best plans."""


def brute_force(problem: Problem) -> BruteForce:
    """Tries each mix of each copy of each block and packs the replicas node by node.

    Minimises (unserved copies per priority, cost, preference sum, GPUs, GPU types) in this order.
    """
    copies = [
        (i, block) for i, block in enumerate(problem.blocks) for _ in range(block.multiplicity)
    ]
    priorities = sorted({block.priority for block in problem.blocks if not block.required})
    best: tuple[tuple[int, ...], int, tuple[int, int, int]] | None = None
    chosen: tuple[Mix, ...] = ()
    for mixes in product(*(list(_mixes(problem, block)) for _, block in copies)):
        unserved = tuple(
            sum(
                1
                for (_, b), mix in zip(copies, mixes, strict=True)
                if not any(mix) and b.priority == p
            )
            for p in priorities
        )
        if best is not None and unserved > best[0]:
            continue
        cost = _cost(problem, copies, mixes) if _in_turn(copies, mixes) else None
        if cost is None:
            continue
        key = (unserved, cost, _ties(problem, copies, mixes))
        if best is None or key < best:
            best, chosen = key, mixes
    if best is None:
        return BruteForce(None)
    grouped = tuple(
        tuple(mix for (owner, _), mix in zip(copies, chosen, strict=True) if owner == index)
        for index in range(len(problem.blocks))
    )
    return BruteForce(best[1], best[0], best[2], grouped)


def _mixes(problem: Problem, block: Block) -> Iterator[Mix]:
    """All mixes of one copy that are worth a look: valid, and no candidate beyond what it needs alone."""
    if not block.required:
        yield (0,) * len(block.candidates)
    if block.exactly_one:
        count = len(block.candidates)
        for at, candidate in enumerate(block.candidates):
            if candidate.max_replicas != 0:
                yield tuple(int(n == at) for n in range(count))
        return
    ranges = []
    for candidate in block.candidates:
        most = _alone(block, candidate)
        if candidate.max_replicas is not None:
            most = min(most, candidate.max_replicas)
        ranges.append(range(most + 1))
    for mix in product(*ranges):
        if any(mix) and _valid(problem, block, mix):
            yield mix


def _alone(block: Block, candidate: Candidate) -> int:
    cover = -(-DEMAND_UNITS // candidate.units)
    if block.size_parts:
        cover = -(-sum(x for x in candidate.loads if x > 0) // LOAD_UNITS)
    return max(cover, block.min_replicas) + block.spare_replicas


def _valid(problem: Problem, block: Block, mix: Mix) -> bool:
    used = [c for c, n in zip(block.candidates, mix, strict=True) if n]
    if block.same_candidate and len(used) > 1:
        return False
    if block.same_pool and len({problem.supplies[c.supply].pool for c in used}) > 1:
        return False
    if sum(mix) < max(1, block.min_replicas) + block.spare_replicas:
        return False
    if block.size_parts:
        return _shareable(problem, block, mix)
    units = sorted(u for c, n in zip(block.candidates, mix, strict=True) for u in [c.units] * n)
    survivors = units[: len(units) - block.spare_replicas]
    return sum(survivors) >= DEMAND_UNITS


def _shareable(problem: Problem, block: Block, mix: Mix) -> bool:
    """Whether the parts of all sizes can be spread over the kinds of replicas, tried size by size."""
    room: dict[tuple[str, tuple[int, ...]], int] = {}
    for candidate, count in zip(block.candidates, mix, strict=True):
        kind = (problem.supplies[candidate.supply].gpu_type, candidate.loads)
        room[kind] = room.get(kind, 0) + count
    kinds, parts = list(room), block.size_parts
    carry = tuple(max(0, room[k] - block.spare_replicas) * LOAD_UNITS * parts for k in kinds)
    left = {carry}
    for size in range(len(kinds[0][1])):
        left = {
            rest
            for before in left
            for spread in _spreads(parts, len(kinds))
            if not block.whole_sizes
            or len({gpu for (gpu, _), x in zip(kinds, spread, strict=True) if x}) == 1
            for rest in [_after(before, [k[1][size] for k in kinds], spread)]
            if rest is not None
        }
    return bool(left)


def _spreads(parts: int, kinds: int) -> Iterator[tuple[int, ...]]:
    """All ways to spread parts over kinds."""
    if kinds == 1:
        yield (parts,)
        return
    for first in range(parts + 1):
        yield from ((first, *rest) for rest in _spreads(parts - first, kinds - 1))


def _after(
    before: tuple[int, ...], loads: Sequence[int], spread: Sequence[int]
) -> tuple[int, ...] | None:
    """What each kind can still carry; None where a kind can't serve the size or would carry too much."""
    rest = []
    for carry, load, x in zip(before, loads, spread, strict=True):
        if x and (load < 0 or load * x > carry):
            return None
        rest.append(carry - max(load, 0) * x)
    return tuple(rest)


def _in_turn(copies: Sequence[tuple[int, Block]], mixes: Sequence[Mix]) -> bool:
    """Whether every run that takes turns has a host, and all on the same GPUs end within the shortest window."""
    lanes: dict[int, list[Candidate]] = {}
    held = set()
    for (_, block), mix in zip(copies, mixes, strict=True):
        for candidate, count in zip(block.candidates, mix, strict=True):
            lane = max(candidate.lane, candidate.guest_of)
            if count and lane >= 0:
                lanes.setdefault(lane, []).append(candidate)
                held |= {lane} if candidate.lane >= 0 else set()
    for lane, members in lanes.items():
        turns = [c.turn for c in members if c.turn is not None]
        shortest = min(t.window for t in turns)
        if len(members) > 1 and sum(t.minutes for t in turns) > shortest:
            return False
        if lane not in held:
            return False
    return True


def _cost(
    problem: Problem, copies: Sequence[tuple[int, Block]], mixes: Sequence[Mix]
) -> int | None:
    """Least cost of the nodes for these mixes plus their own cost; None if they do not fit."""
    nodes: list[tuple[int, int]] = []
    for index, supply in enumerate(problem.supplies):
        items, billed, own = _load(problem, copies, mixes, index)
        most = max(0, supply.max_nodes - supply.spare_nodes) - billed - own
        if any(host for _, host, _ in items) and not supply.has_host_ram:
            return None
        shared = fewest_nodes(tuple(sorted(items, reverse=True)), supply.node_gpus)
        if shared is None or shared > most:
            return None
        nodes.append((shared + billed, own))
    own_cost = [0] * len(problem.supplies)
    power = [0] * len(problem.supplies)
    for (_, block), mix in zip(copies, mixes, strict=True):
        for candidate, count in zip(block.candidates, mix, strict=True):
            for hold in candidate.holds:
                own_cost[hold.supply] += count * hold.cost_cents
                power[hold.supply] += count * candidate.power_w
    cost = [
        own_cost[i] + nodes[i][0] * supply.node_cost_cents
        for i, supply in enumerate(problem.supplies)
    ]
    held = [billed + own for billed, own in nodes]
    racks = [n * s.rack_units for n, s in zip(held, problem.supplies, strict=True)]
    power = [w + n * s.node_power_w for w, n, s in zip(power, held, problem.supplies, strict=True)]
    figures = {
        "cost": cost,
        "power": power,
        "racks": racks,
        "nodes": held,
        "acquired": [0] * len(cost),
    }
    orders = min(_orders(problem, held, figures), default=None)
    return None if orders is None else sum(cost) + orders


def _orders(
    problem: Problem, held: Sequence[int], figures: Mapping[str, Sequence[int]]
) -> Iterator[int]:
    """Cost of every set of acquisitions that gives the nodes held and keeps all limits; 0 where there are none."""
    for counts in product(*(range(o.least, o.most + 1) for o in problem.acquisitions)):
        if not _can_be_ordered(problem, counts):
            continue
        there = [
            None if s.base_nodes is None else s.base_nodes - s.spare_nodes for s in problem.supplies
        ]
        for order, count in zip(problem.acquisitions, counts, strict=True):
            for supply in order.supplies:
                there[supply] = (there[supply] or 0) + count
        if any(have is not None and need > have for need, have in zip(held, there, strict=True)):
            continue
        if all(_within(limit, counts, figures, len(held)) for limit in problem.limits):
            yield sum(o.cost_cents * n for o, n in zip(problem.acquisitions, counts, strict=True))


def _can_be_ordered(problem: Problem, counts: Sequence[int]) -> bool:
    """Whether each order is nothing or large enough, and no two prices of one order are taken."""
    taken = [o for o, n in zip(problem.acquisitions, counts, strict=True) if n]
    groups = [o.group for o in taken if o.group >= 0]
    small = any(0 < n < o.fewest for o, n in zip(problem.acquisitions, counts, strict=True))
    return not small and len(groups) == len(set(groups))


def _within(
    limit: Limit, counts: Sequence[int], figures: Mapping[str, Sequence[int]], supplies: int
) -> bool:
    listed = set(limit.supplies or range(supplies))
    used = sum(figures[limit.kind][s] for s in listed)
    return used + sum(each * counts[at] for at, each in limit.acquisitions) <= limit.bound


Shape = tuple[int, int, int]
"""(GPUs, host sixteenths, tag): two shapes of one tag >= 0 must not share a node."""


def _load(
    problem: Problem, copies: Sequence[tuple[int, Block]], mixes: Sequence[Mix], supply: int
) -> tuple[list[Shape], int, int]:
    """Shared replicas on a supply, and the whole nodes: billed and own."""
    items: list[Shape] = []
    billed = own = 0
    for number, ((_, block), mix) in enumerate(zip(copies, mixes, strict=True)):
        tag = number if block.distinct_nodes else -1
        for candidate, count in zip(block.candidates, mix, strict=True):
            if supply not in candidate.supplies or not count:
                continue
            if candidate.gpus:
                items += [(candidate.gpus, candidate.host_sixteenths, tag)] * count
            if candidate.own_nodes:
                own += candidate.whole_nodes * count
            else:
                billed += candidate.whole_nodes * count
    return items, billed, own


@lru_cache(maxsize=200_000)
def fewest_nodes(items: tuple[Shape, ...], node_gpus: int) -> int | None:
    """Fewest nodes that hold all items, by trying every partition; None if one item fits no node.

    >>> fewest_nodes(((3, 0, -1), (3, 0, -1), (2, 0, -1), (2, 0, -1)), 5)
    2
    """
    if any(gpus > node_gpus or host > HOST_SHARES for gpus, host, _ in items):
        return None
    best = len(items)

    def fill(at: int, bins: list[tuple[int, int, frozenset[int]]]) -> None:
        nonlocal best
        if len(bins) >= best:
            return
        if at == len(items):
            best = len(bins)
            return
        gpus, host, tag = items[at]
        tried = set()
        for index, (free, ram, tags) in enumerate(bins):
            if free < gpus or ram < host or (tag >= 0 and tag in tags) or bins[index] in tried:
                continue
            tried.add(bins[index])
            rest = (free - gpus, ram - host, tags | {tag} if tag >= 0 else tags)
            fill(at + 1, [*bins[:index], rest, *bins[index + 1 :]])
        fresh = (node_gpus - gpus, HOST_SHARES - host, frozenset({tag} if tag >= 0 else ()))
        fill(at + 1, [*bins, fresh])

    fill(0, [])
    return best


def _ties(
    problem: Problem, copies: Sequence[tuple[int, Block]], mixes: Sequence[Mix]
) -> tuple[int, int, int]:
    preference = gpus = 0
    types = set()
    for (_, block), mix in zip(copies, mixes, strict=True):
        for candidate, count in zip(block.candidates, mix, strict=True):
            if not count:
                continue
            supply = problem.supplies[candidate.supply]
            preference += count * candidate.preference
            each = candidate.gpus + candidate.whole_nodes * supply.node_gpus
            gpus += count * each * len(candidate.supplies)
            types.add(supply.gpu_type)
    return preference, gpus, len(types)
