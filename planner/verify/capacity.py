"""Capacity: nodes in use are there, spare ones stay free, and the pool rows count them right."""

from __future__ import annotations

from collections.abc import Iterator

from planner.plan.schema import PlanPool
from planner.verify.case import Case
from planner.verify.limits import pool_rack_units, pool_watts
from planner.verify.problem import Finding, Problem
from planner.verify.supply import Supply

CHECK = "capacity"


def check_capacity(case: Case) -> Finding:
    """Nodes of each term against the scenario, then each pool row against the placements."""
    problems = [
        Problem(CHECK, supply.pool, text)
        for supply in case.supplies
        for text in _term(case, supply)
    ]
    for row in case.plan.pools:
        problems += [
            Problem(CHECK, row.pool, text) for text in (*_numbers(case, row.pool), *_row(case, row))
        ]
    used = sum(len(case.nodes_of(s)) for s in case.supplies)
    looked = f"{used} nodes of {len(case.plan.pools)} pools within what is owned and rentable"
    return Finding(CHECK, looked, tuple(problems))


def _term(case: Case, supply: Supply) -> Iterator[str]:
    used = len(case.nodes_of(supply))
    if supply.nodes is None:
        return
    have = max(0, supply.nodes - supply.kept_free)
    if used > have:
        free = f", {supply.kept_free} of them kept free" if supply.kept_free else ""
        yield f"{used} {supply.term} nodes in use, there are {supply.nodes}{free}"


def _numbers(case: Case, pool: str) -> Iterator[str]:
    """Nodes are numbered through the terms of a pool, owned ones first, without gaps."""
    first = 0
    for supply in case.supplies:
        if supply.pool != pool:
            continue
        used = case.nodes_of(supply)
        expected = set(range(first, first + len(used)))
        if used != expected:
            yield f"{supply.term} nodes are numbered {sorted(used)}, expected {sorted(expected)}"
        first += len(used)


def _row(case: Case, row: PlanPool) -> Iterator[str]:
    terms = [s for s in case.supplies if s.pool == row.pool]
    nodes = {s.term: len(case.nodes_of(s)) for s in terms}
    owned = sum(s.nodes or 0 for s in terms if s.owned)
    bought = sum(s.nodes or 0 for s in terms if s.owned and s.acquired)
    owned -= bought
    rented = sum((s.nodes or 0) if s.acquired else nodes[s.term] for s in terms if not s.owned)
    node_gpus = case.question.supplier(row.pool).facts.node_gpus
    used_gpus = sum(
        len(x.gpus) for p in case.on_pool(row.pool) if p.host is None for x in p.given.placement
    )
    for name, have, want in (
        ("owned nodes", row.owned, owned),
        ("bought nodes", row.bought, bought),
        ("rented nodes", row.rented, rented),
        ("used nodes", row.used_nodes, sum(nodes.values())),
        ("used GPUs", row.used_gpus, used_gpus),
        ("GPUs", row.total_gpus, (owned + bought + rented) * node_gpus),
        ("W", row.power_w, pool_watts(case, case.scenario.pool(row.pool))),
        ("rack units", row.rack_units, pool_rack_units(case, case.scenario.pool(row.pool))),
    ):
        if have != want:
            yield f"{have} {name} printed, it is {want}"
