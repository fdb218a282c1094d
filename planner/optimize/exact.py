"""The exact model put together from its families."""

from __future__ import annotations

from collections.abc import Sequence

from planner.optimize.blocks import Demand
from planner.optimize.build import Build, start
from planner.optimize.families.acquisitions import acquisition_rows, order_size_rows
from planner.optimize.families.choice import choice_rows
from planner.optimize.families.cover import cover_rows
from planner.optimize.families.distinct import distinct_rows
from planner.optimize.families.limits import limit_rows
from planner.optimize.families.nodes import node_rows
from planner.optimize.families.packing import packing_rows
from planner.optimize.families.same_pool import same_pool_rows
from planner.optimize.families.sizes import size_rows
from planner.optimize.families.turns import turn_rows
from planner.options.problem import Problem

FAMILIES = (
    choice_rows,
    cover_rows,
    same_pool_rows,
    size_rows,
    node_rows,
    acquisition_rows,
    order_size_rows,
    packing_rows,
    distinct_rows,
    limit_rows,
    turn_rows,
)


def exact_model(
    problem: Problem,
    demands: Sequence[Demand],
    tagged: frozenset[tuple[int, int]] = frozenset(),
    to_count: frozenset[int] = frozenset(),
) -> Build:
    """The whole model, with cost as its objective; a relaxation of it where supplies are only to be counted."""
    build = start(problem, demands, tagged, to_count)
    for family in FAMILIES:
        build.model.add(*family(build))
    build.model.objective = {column: cents for column, cents in build.cost_terms() if cents}
    build.width = len(build.model.names)
    return build
