"""Requests shared out by size among kinds of replicas, within what the replicas carry."""

from __future__ import annotations

from math import gcd

from planner.optimize.blocks import Demand
from planner.optimize.build import Build, Flow, Terms
from planner.optimize.linear import Row, row
from planner.options.problem import LOAD_UNITS

Kind = tuple[str, tuple[int, ...]]
"""GPU type and loads: replicas of one kind are interchangeable."""


def size_rows(build: Build) -> list[Row]:
    """Rows of all mixed demands that are covered by request size.

    x[s,k]: parts of the requests of size s on kind k; n[k]: its replicas; P parts a size; U what a replica carries.
    Every part goes somewhere: sum over k of x[s,k] = P. No kind carries too much, `spare` replicas apart:
    sum over s of load[s,k] x[s,k] <= U P (n[k] - spare used[k]).
    """
    rows: list[Row] = []
    for number, demand in enumerate(build.demands):
        if demand.single or not demand.facts.size_parts:
            continue
        kinds = kinds_of(build, demand)
        flows = [_flows(build, number, kind, picks) for kind, picks in kinds.items()]
        rows += _everywhere(build, number, flows)
        for (kind, picks), own in zip(kinds.items(), flows, strict=True):
            rows.append(_carried(build, number, kind, picks, own, rows))
        if demand.facts.whole_sizes:
            rows += _whole(build, number, list(kinds), flows)
    return rows


def kinds_of(build: Build, demand: Demand) -> dict[Kind, tuple[int, ...]]:
    """The picks of each kind."""
    found: dict[Kind, tuple[int, ...]] = {}
    for at, pick in enumerate(demand.picks):
        kind = (build.problem.supplies[pick.facts.supply].gpu_type, pick.facts.loads)
        found[kind] = (*found.get(kind, ()), at)
    return found


def _flows(build: Build, number: int, kind: Kind, picks: tuple[int, ...]) -> dict[int, int]:
    """Column of each size that the kind serves."""
    demand = build.demands[number]
    columns = {}
    for size, load in enumerate(kind[1]):
        if load >= 0:
            name = f"share[{demand.label},{size},{demand.picks[picks[0]].facts.key}]"
            columns[size] = build.model.column(name, 0, demand.facts.size_parts)
            build.flows.append(Flow(number, size, picks, columns[size]))
    return columns


def _everywhere(build: Build, number: int, flows: list[dict[int, int]]) -> list[Row]:
    """All parts of each size are served, or none where the demand may stay unserved."""
    demand, unserved = build.demands[number], build.unserved[number]
    parts = demand.facts.size_parts
    rows = []
    for size in range(len(demand.facts.candidates[0].loads) if demand.facts.candidates else 0):
        terms: Terms = [(own[size], 1) for own in flows if size in own]
        if unserved is not None:
            terms.append((unserved, parts))
        rows.append(row(f"size[{demand.label},{size}]", "sizes", terms, low=parts, high=parts))
    return rows


def _carried(
    build: Build,
    number: int,
    kind: Kind,
    picks: tuple[int, ...],
    own: dict[int, int],
    rows: list[Row],
) -> Row:
    """What a kind serves within what its replicas carry; adds to `rows` what tells whether it serves."""
    demand = build.demands[number]
    whole = LOAD_UNITS * demand.facts.size_parts
    terms: Terms = [(column, kind[1][size]) for size, column in own.items()]
    terms += [(build.picks[number][at], -whole) for at in picks]
    label = f"{demand.label},{demand.picks[picks[0]].facts.key}"
    if spare := demand.facts.spare_replicas:
        used = build.model.column(f"serves[{label}]", 0, 1)
        terms.append((used, whole * spare))
        most = len(own) * demand.facts.size_parts
        switch = [*((column, 1) for column in own.values()), (used, -most)]
        rows.append(row(f"serves[{label}]", "sizes", switch, high=0))
    # Small coefficients are kinder to every solver; the division is exact.
    common = gcd(*(c for _, c in terms))
    return row(f"carried[{label}]", "sizes", [(v, c // common) for v, c in terms], high=0)


def _whole(build: Build, number: int, kinds: list[Kind], flows: list[dict[int, int]]) -> list[Row]:
    """Requests of one size on one GPU type: its kinds together take all parts of the size or none."""
    demand = build.demands[number]
    rows = []
    for gpu in sorted({gpu for gpu, _ in kinds}):
        mine = [own for kind, own in zip(kinds, flows, strict=True) if kind[0] == gpu]
        for size in sorted({s for own in mine for s in own}):
            name = f"whole[{demand.label},{size},{gpu}]"
            chosen = build.model.column(name, 0, 1)
            terms: Terms = [(own[size], 1) for own in mine if size in own]
            terms.append((chosen, -demand.facts.size_parts))
            rows.append(row(name, "sizes", terms, low=0, high=0))
    return rows
