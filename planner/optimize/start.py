"""What one solve leaves for the next in a problem that differs little: its plan, prices and assignments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.optimize.backend import run_cp_sat
from planner.optimize.build import Build
from planner.optimize.exact import exact_model
from planner.optimize.outcome import Start
from planner.optimize.place import PACKING_WORK
from planner.optimize.rounds import Solved

if TYPE_CHECKING:
    from planner.optimize.branching import Search

Columns = Mapping[tuple[str, int], int]
"""Columns that are not 0, by their name and their place among columns of equal name."""


def start_from(build: Build, values: Sequence[int], proof: Start | None) -> Start:
    """The plan by the names of its columns, with the prices and assignments of the search if there was one."""

    def columns() -> Columns:
        return named(*(completed(build, values) if build.counted else (build, values)))

    return Start(columns) if proof is None else replace(proof, work_out=columns)


def completed(build: Build, values: Sequence[int]) -> tuple[Build, Sequence[int]]:
    """The exact model of a plan found by counting, and the plan in it, its nodes filled by some patterns."""
    exact = exact_model(build.problem, build.demands, build.tagged)
    known = dict(zip(keyed(build.model.names[: build.width]), values, strict=False))
    model = exact.model
    for column, key in enumerate(keyed(model.names)):
        if key in known:
            model.lows[column] = model.highs[column] = known[key]
    model.objective = {}
    answer = run_cp_sat(model, deterministic_limit=PACKING_WORK, light=True)
    return exact, answer.values or ()


def named(build: Build, values: Sequence[int]) -> Columns:
    """Columns that are not 0 by their names."""
    pairs = zip(keyed(build.model.names[: build.width]), values, strict=False)
    return {key: value for key, value in pairs if value}


def proof_of(search: Search) -> Start | None:
    """Prices and assignments of a search, without a plan."""
    if search.root is None or not search.root.duals:
        return None
    duals = search.root.duals[: search.link.first_rounding]
    assignments = tuple(search.generator.assignments)
    return Start(dict, shape_of(search), duals, assignments)


def warm(search: Search, start: Start | None) -> None:
    """Gives a search the prices and assignments of another, where they fit; any prices give a valid bound."""
    if start is not None and start.duals and start.shape == shape_of(search):
        search.start_duals = start.duals
        search.generator.add(start.assignments)


def shape_of(search: Search) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the exact model's columns and of the linking rows."""
    link = search.link
    names = link.names[: link.first_rounding]
    return tuple(link.build.model.names[: link.build.width]), tuple(names)


def values_in(build: Build, columns: Columns) -> tuple[int, ...] | None:
    """The same choices in another model; None where they are no plan there."""
    values = tuple(columns.get(key, 0) for key in keyed(build.model.names))
    lost = sum(1 for v in values if v) < len(columns)
    return None if lost or not columns or build.model.broken(values) else values


def offer(build: Build, solved: Solved, start: Start) -> None:
    """Puts a start in place of what the rounds so far found, where its plan is valid and costs less."""
    solved.start = start
    values = values_in(build, start.columns)
    cents = build.cost_terms()
    if values is not None and (
        solved.values is None or _cost(cents, values) < _cost(cents, solved.values)
    ):
        solved.values = values


def _cost(cents: Sequence[tuple[int, int]], values: Sequence[int]) -> int:
    return sum(c * values[column] for column, c in cents)


def keyed(names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each name with its place among equal names.

    >>> list(keyed(["a", "b", "a"]))
    [('a', 0), ('b', 0), ('a', 1)]
    """
    seen: Counter[str] = Counter()
    for name in names:
        yield name, seen[name]
        seen[name] += 1
