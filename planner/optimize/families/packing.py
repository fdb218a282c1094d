"""Shared replicas fit on the shared nodes, exactly, GPUs and host RAM together."""

from __future__ import annotations

from planner.optimize.build import Build, Terms
from planner.optimize.linear import Row, row
from planner.optimize.patterns import HOST_SHARES, Size, is_chain, maximal_patterns

FEW_SIZES = 6
"""So many sizes make few patterns: leaving them out saves nothing."""

Uses = dict[Size, Terms]


def packing_rows(build: Build) -> list[Row]:
    """By size classes where sizes divide each other, by node patterns where not, unless many are only to be counted."""
    rows: list[Row] = []
    for supply, shared in enumerate(build.shared):
        if shared is None:
            continue
        uses = sizes_used(build, supply)
        facts = build.problem.supplies[supply]
        label = f"{facts.pool}/{facts.term}"
        rows += _class_rows(uses, facts.node_gpus, shared, label)
        if is_chain(uses):
            continue
        if supply in build.to_count and len(uses) > FEW_SIZES:
            build.counted.append(supply)
            continue
        sizes = sorted(uses)
        patterns = maximal_patterns(sizes, facts.node_gpus)
        if patterns is None:
            rows += _per_node_rows(build, uses, supply, shared, label)
        else:
            rows += _pattern_rows(build, uses, patterns, shared, label)
    return rows


def sizes_used(build: Build, supply: int) -> Uses:
    """Replicas of each size on a supply, as terms over the picks."""
    uses: Uses = {}
    for number, _, pick, column in build.on_supply(supply):
        if not pick.facts.gpus:
            continue
        tag = number if (supply, number) in build.tagged else -1
        size = Size(pick.facts.gpus, pick.facts.host_sixteenths, tag)
        uses.setdefault(size, []).append((column, pick.replicas))
    return uses


def _class_rows(uses: Uses, node_gpus: int, shared: int, label: str) -> list[Row]:
    """Counting rows: enough for chains, and a tight relaxation elsewhere.

    For each size g: replicas of size >= g, each worth floor(size / g) places, against floor(node / g) places
    a node; and all GPUs and host shares against what the nodes have.
    """
    rows = []
    for gpus in sorted({size.gpus for size in uses}):
        terms = [
            (column, count * (size.gpus // gpus))
            for size, use in uses.items()
            if size.gpus >= gpus
            for column, count in use
        ]
        terms.append((shared, -(node_gpus // gpus)))
        rows.append(row(f"class[{label},{gpus}]", "packing", terms, high=0))
    total = [(column, count * size.gpus) for size, use in uses.items() for column, count in use]
    rows.append(row(f"gpus[{label}]", "packing", [*total, (shared, -node_gpus)], high=0))
    host = [
        (column, count * size.host_sixteenths)
        for size, use in uses.items()
        if size.host_sixteenths
        for column, count in use
    ]
    if host:
        rows.append(row(f"host[{label}]", "packing", [*host, (shared, -HOST_SHARES)], high=0))
    return rows


def _pattern_rows(
    build: Build, uses: Uses, patterns: list[tuple[int, ...]], shared: int, label: str
) -> list[Row]:
    """Nodes by pattern: places of each size >= replicas of it, patterns <= nodes."""
    most = build.model.highs[shared]
    columns = [build.model.column(f"pattern[{label},{p}]", 0, most) for p in patterns]
    rows = [
        row(f"patterns[{label}]", "packing", [(c, 1) for c in columns] + [(shared, -1)], high=0)
    ]
    for at, size in enumerate(sorted(uses)):
        places = [(c, p[at]) for c, p in zip(columns, patterns, strict=True)]
        need = [(column, -count) for column, count in uses[size]]
        rows.append(
            row(
                f"places[{label},{size.gpus},{size.host_sixteenths},{size.tag}]",
                "packing",
                places + need,
                low=0,
            )
        )
    return rows


def _per_node_rows(build: Build, uses: Uses, supply: int, shared: int, label: str) -> list[Row]:
    """Node by node, where patterns are too many: replicas of each size on each node."""
    node_gpus = build.problem.supplies[supply].node_gpus
    sizes = sorted(uses)
    rows: list[Row] = []
    placed: dict[Size, Terms] = {size: [] for size in sizes}
    opened: Terms = []
    for node in range(build.model.highs[shared]):
        used = build.model.column(f"used[{label},{node}]", 0, 1)
        opened.append((used, 1))
        gpus: Terms = [(used, -node_gpus)]
        host: Terms = [(used, -HOST_SHARES)]
        tags: dict[int, Terms] = {}
        for size in sizes:
            most = 1 if size.tag >= 0 else node_gpus // size.gpus
            column = build.model.column(f"at[{label},{node},{size.gpus}]", 0, most)
            placed[size].append((column, 1))
            gpus.append((column, size.gpus))
            host.append((column, size.host_sixteenths))
            if size.tag >= 0:
                tags.setdefault(size.tag, []).append((column, 1))
        rows.append(row(f"node-gpus[{label},{node}]", "packing", gpus, high=0))
        rows.append(row(f"node-host[{label},{node}]", "packing", host, high=0))
        rows += [
            row(f"node-distinct[{label},{node},{tag}]", "packing", t, high=1)
            for tag, t in tags.items()
        ]
    for size in sizes:
        need = [(column, -count) for column, count in uses[size]]
        rows.append(row(f"places[{label},{size.gpus}]", "packing", placed[size] + need, low=0))
    rows.append(row(f"opened[{label}]", "packing", [*opened, (shared, -1)], high=0))
    return rows
