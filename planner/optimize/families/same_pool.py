"""All replicas of a mixed demand on one pool."""

from __future__ import annotations

from planner.optimize.build import Build, Switch, Terms
from planner.optimize.families.cover import mode_rows
from planner.optimize.linear import Row, row


def same_pool_rows(build: Build) -> list[Row]:
    """One Boolean column per pool: exactly one is 1 when served, coverage holds within it alone."""
    rows: list[Row] = []
    for number, demand in enumerate(build.demands):
        if demand.single or not demand.facts.same_pool:
            continue
        pools: dict[str, list[int]] = {}
        for at, pick in enumerate(demand.picks):
            pools.setdefault(build.problem.supplies[pick.facts.supply].pool, []).append(at)
        switches: Terms = []
        for pool, chosen in sorted(pools.items()):
            switch = build.model.column(f"pool[{demand.label},{pool}]", 0, 1)
            switches.append((switch, 1))
            build.switches.append(Switch(number, switch, tuple(chosen)))
            label = f"{demand.label},{pool}"
            if not demand.facts.size_parts:
                rows += mode_rows(build, number, chosen, ([(switch, 1)], 0), label)
            for at in chosen:
                most = demand.picks[at].most
                name = f"only[{label},{demand.picks[at].facts.key}]"
                terms = [(build.picks[number][at], 1), (switch, -most)]
                rows.append(row(name, "same_pool", terms, high=0))
        unserved = build.unserved[number]
        if unserved is not None:
            switches.append((unserved, 1))
        rows.append(row(f"pool[{demand.label}]", "same_pool", switches, low=1, high=1))
    return rows
