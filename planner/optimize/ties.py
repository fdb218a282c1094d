"""Among plans proven equal in cost: wanted most, fewest GPUs, fewest GPU types and routes, then by content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from planner.optimize.blocks import Demand, Pick
from planner.optimize.build import Build, Flow, Terms
from planner.optimize.linear import LinearModel, row

HASH_BITS: int = 20
PACKED_MOST: int = 2**31
"""Objectives share one solve while their sum stays below this, well within exact arithmetic."""


def tie_objectives(build: Build) -> Iterator[tuple[str, dict[int, int]]]:
    """Objectives to minimise one after the other; adds the columns and rows for GPU types."""
    problem = build.problem

    def gpus(pick: Pick) -> int:
        node = problem.supplies[pick.facts.supply].node_gpus
        each = pick.facts.gpus + pick.facts.whole_nodes * node
        return pick.replicas * each * len(pick.facts.supplies)

    yield "preference", _sum(build, lambda _, p: p.replicas * p.facts.preference)
    yield "gpus", _sum(build, lambda _, p: gpus(p))
    yield "gpu types", {column: 1 for column, _ in _type_columns(build)}
    if build.acquired:
        yield "acquired", dict.fromkeys(build.acquired, 1)
        yield "late", {column: 1 + n for n, column in enumerate(reversed(build.acquired))}
    if build.flows:
        yield "routes", {column: 1 for column, _ in _route_columns(build)}
    yield "content", _sum(build, lambda d, p: p.replicas * content_rank(d, p))
    if build.flows:
        yield "shares", {flow.column: _share_rank(build, flow) for flow in build.flows}


def packed(
    model: LinearModel, objectives: Iterable[tuple[str, dict[int, int]]]
) -> Iterator[tuple[str, dict[int, int]]]:
    """The same order with fewer objectives: neighbours share one, as digits of a number, while it stays small.

    The earlier counts (greatest value of the later + 1) times, so the sum is least exactly where the two are least
    one after the other. The columns of all objectives must start at 0 or more.

    >>> model = LinearModel()
    >>> x, y = model.column("x", 0, 2), model.column("y", 0, 3)
    >>> list(packed(model, [("a", {x: 1}), ("b", {}), ("c", {y: 2})]))
    [('a, c', {0: 7, 1: 2})]
    """
    names: list[str] = []
    sums: dict[int, int] = {}
    reach = 0
    for name, objective in [(n, o) for n, o in objectives if o]:
        most = sum(c * model.highs[column] for column, c in objective.items())
        if names and (reach + 1) * (most + 1) >= PACKED_MOST:
            yield ", ".join(names), sums
            names, sums, reach = [], {}, 0
        sums = {column: c * (most + 1) for column, c in sums.items()}
        for column, c in objective.items():
            sums[column] = sums.get(column, 0) + c
        names.append(name)
        reach = reach * (most + 1) + most
    if names:
        yield ", ".join(names), sums


def _sum(build: Build, weight: Callable[[Demand, Pick], int]) -> dict[int, int]:
    return {
        column: value
        for demand, columns in zip(build.demands, build.picks, strict=True)
        for pick, column in zip(demand.picks, columns, strict=True)
        if (value := weight(demand, pick))
    }


def _type_columns(build: Build) -> Terms:
    """One Boolean column per GPU type that is 1 if any pick uses it."""
    model = build.model
    columns: dict[str, int] = {}
    for demand, picks in zip(build.demands, build.picks, strict=True):
        for pick, column in zip(demand.picks, picks, strict=True):
            gpu = build.problem.supplies[pick.facts.supply].gpu_type
            if gpu not in columns:
                columns[gpu] = model.column(f"type[{gpu}]", 0, 1)
            terms = [(column, 1), (columns[gpu], -model.highs[column])]
            model.add(row(f"type[{gpu},{model.names[column]}]", "types", terms, high=0))
    return [(column, 1) for column in columns.values()]


def _share_rank(build: Build, flow: Flow) -> int:
    """A number that depends on what is served and by what, never on names or places."""
    demand = build.demands[flow.demand]
    keys = sorted(demand.picks[at].facts.key for at in flow.picks)
    loads = sorted({pick.facts.loads[flow.size] for pick in demand.picks})
    return _hashed([*keys, *map(str, loads)])


def _route_columns(build: Build) -> Terms:
    """One Boolean column per kind and request size that is 1 if any such requests go there."""
    columns: Terms = []
    for flow in build.flows:
        most = build.model.highs[flow.column]
        column = build.model.column(f"route[{build.model.names[flow.column]}]", 0, 1)
        terms = [(flow.column, 1), (column, -most)]
        build.model.add(row(build.model.names[column], "routes", terms, high=0))
        columns.append((column, 1))
    return columns


def content_rank(demand: Demand, pick: Pick) -> int:
    """A number that depends on what the block and the candidate are, never on names or places.

    Distinct enough (20 bits of a hash) that two different plans hardly ever tie.
    """
    block = demand.facts
    parts = [
        *(candidate.key for candidate in sorted(block.candidates, key=lambda c: c.key)),
        f"{block.min_replicas},{block.spare_replicas},{block.priority},{block.required}",
        pick.facts.key,
    ]
    return _hashed(parts)


def _hashed(parts: Sequence[str]) -> int:
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    rank: int = int.from_bytes(digest[:4], "big") % 2**HASH_BITS
    return 1 + rank
