"""Runs that take turns on the same GPUs: only where their host is picked, and together within every window."""

from __future__ import annotations

from planner.optimize.build import Build, Terms
from planner.optimize.linear import Row, row
from planner.options.problem import Turn


def turn_rows(build: Build) -> list[Row]:
    """Rows of each lane, m minutes of a run, w its window, x the host's column, y the guests'.

    Each guest needs the host: y <= x. The host's window: sum of m y <= (w0 - m0) x. A guest's shorter window:
    sum of m y + (w0 - w) y <= w0 - m0, which binds where its own y is 1.
    """
    hosts: dict[int, tuple[int, Turn, str]] = {}
    guests: dict[int, list[tuple[int, Turn]]] = {}
    for demand, columns in zip(build.demands, build.picks, strict=True):
        for pick, column in zip(demand.picks, columns, strict=True):
            facts = pick.facts
            if facts.turn is None:
                continue
            if facts.lane >= 0:
                hosts[facts.lane] = (column, facts.turn, f"{demand.label},{facts.key}")
            if facts.guest_of >= 0:
                guests.setdefault(facts.guest_of, []).append((column, facts.turn))
    rows: list[Row] = []
    for lane, members in guests.items():
        if lane not in hosts:
            rows += [row(f"no-host[{lane},{c}]", "turns", [(c, 1)], high=0) for c, _ in members]
            continue
        rows += _lane(*hosts[lane], members)
    return rows


def _lane(host: int, turn: Turn, label: str, members: list[tuple[int, Turn]]) -> list[Row]:
    spare = turn.window - turn.minutes
    minutes: Terms = [(column, one.minutes) for column, one in members]
    rows = [row(f"turns[{label}]", "turns", [*minutes, (host, -spare)], high=0)]
    for column, one in members:
        rows.append(row(f"turn[{label},{column}]", "turns", [(column, 1), (host, -1)], high=0))
        if one.window < turn.window and len(members) > 1:
            own = [(c, m + (turn.window - one.window) * (c == column)) for c, m in minutes]
            rows.append(row(f"window[{label},{column}]", "turns", own, high=spare))
    return rows
