"""Mixed replicas cover the demand, survive the loss of the largest ones, and reach the minimum count."""

from __future__ import annotations

from planner.optimize.build import Build, Switch, Terms
from planner.optimize.linear import Row, row
from planner.options.problem import DEMAND_UNITS


def cover_rows(build: Build) -> list[Row]:
    """Rows of all mixed demands; those of one pool are in `same_pool`, those by request size in `sizes`."""
    rows: list[Row] = []
    for number, demand in enumerate(build.demands):
        if demand.single:
            continue
        rows += _count_rows(build, number)
        if demand.facts.same_pool or demand.facts.size_parts:
            continue
        served = _served(build, number)
        rows += mode_rows(build, number, list(range(len(demand.picks))), served, demand.label)
    return rows


def _served(build: Build, number: int) -> tuple[Terms, int]:
    """1 - unserved as (terms, constant)."""
    unserved = build.unserved[number]
    return ([], 1) if unserved is None else ([(unserved, -1)], 1)


def _count_rows(build: Build, number: int) -> list[Row]:
    """At least `min_replicas + spare_replicas` replicas, none when unserved."""
    demand, columns = build.demands[number], build.picks[number]
    facts = demand.facts
    fewest = max(1, facts.min_replicas) + facts.spare_replicas
    terms: Terms = [(column, 1) for column in columns]
    unserved = build.unserved[number]
    if unserved is not None:
        terms.append((unserved, fewest))
    rows = [row(f"replicas[{demand.label}]", "replicas", terms, low=fewest)]
    if unserved is not None:
        rows += [
            row(
                f"none[{demand.label},{pick.facts.key}]",
                "replicas",
                [(column, 1), (unserved, pick.most)],
                high=pick.most,
            )
            for pick, column in zip(demand.picks, columns, strict=True)
        ]
    return rows


def mode_rows(
    build: Build, number: int, chosen: list[int], served: tuple[Terms, int], label: str
) -> list[Row]:
    """Coverage by the chosen picks whenever `served` is 1.

    With `spare = k`, coverage after losing the k largest replicas is
    `max over t of sum_c min(units_c, t) x_c - k t >= demand`, and the best t is some candidate's units; so
    one Boolean column per such t chooses it: `sum_c min(units_c, t) x_c >= (demand + k t) z_t`.
    """
    demand, columns = build.demands[number], build.picks[number]
    spare = demand.facts.spare_replicas
    units = {at: min(demand.picks[at].facts.units, DEMAND_UNITS) for at in chosen}
    terms, constant = served
    if not spare:
        cover = [(columns[at], units[at]) for at in chosen]
        need = [(column, -DEMAND_UNITS * c) for column, c in terms]
        return [row(f"cover[{label}]", "cover", cover + need, low=DEMAND_UNITS * constant)]
    thresholds = sorted(set(units.values()))
    switches = [build.model.column(f"largest[{label},{t}]", 0, 1) for t in thresholds]
    build.switches += [
        Switch(number, switch, tuple(chosen), t)
        for t, switch in zip(thresholds, switches, strict=True)
    ]
    rows = [
        row(
            f"cover[{label},{t}]",
            "cover",
            [(columns[at], min(units[at], t)) for at in chosen]
            + [(switch, -(DEMAND_UNITS + spare * t))],
            low=0,
        )
        for t, switch in zip(thresholds, switches, strict=True)
    ]
    pick_one = [(switch, 1) for switch in switches] + [(column, -c) for column, c in terms]
    rows.append(row(f"largest[{label}]", "cover", pick_one, low=constant, high=constant))
    return rows
