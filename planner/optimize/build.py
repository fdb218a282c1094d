"""Columns of the exact model and their meaning; the families add the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from planner.optimize.blocks import Demand, Pick
from planner.optimize.linear import LinearModel
from planner.options.problem import Problem

Terms = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Switch:
    """A Boolean column that chooses one way to cover a mixed demand."""

    demand: int
    column: int
    picks: tuple[int, ...]
    """The picks that cover, all of one pool where that is asked for."""
    threshold: int | None = None
    """Units of the largest replica lost; None: the switch chooses a pool only."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A column: parts of the requests of one size that one kind of replica serves."""

    demand: int
    size: int
    picks: tuple[int, ...]
    """The picks of that kind: equal GPU type and loads."""
    column: int


@dataclass(slots=True)
class Build:
    """The model under construction."""

    problem: Problem
    demands: Sequence[Demand]
    model: LinearModel
    picks: list[list[int]]
    """Column per demand and pick: copies (single) or replicas (mixed)."""
    unserved: list[int | None]
    """Column per demand: unserved copies; None where it must be served."""
    shared: list[int | None]
    """Column per supply: nodes that shared replicas sit on; None where no candidate shares."""
    tagged: frozenset[tuple[int, int]] = frozenset()
    """(supply, demand) pairs whose distinct nodes the packing rows model replica by replica."""
    to_count: frozenset[int] = frozenset()
    """Supplies whose packing is left to counting GPUs and host RAM, which is necessary but may not be enough."""
    counted: list[int] = field(default_factory=list)
    """Those of them where it is not known to be enough."""
    switches: list[Switch] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    by_supply: list[list[tuple[int, int, Pick, int]]] = field(default_factory=list)
    acquired: list[int] = field(default_factory=list)
    """Column per acquisition: nodes bought or committed to."""
    width: int = 0
    """Columns of the finished exact model; ties add more behind them."""
    taken: list[int | None] = field(default_factory=list)
    """Column per acquisition: 1 where it is taken; None where any number of nodes can be had."""

    def on_supply(self, supply: int) -> list[tuple[int, int, Pick, int]]:
        """(demand, pick number, pick, column) of all picks on a supply."""
        return self.by_supply[supply]

    def usable_nodes(self, supply: int) -> int:
        """Nodes that may be used: all but the spare ones."""
        facts = self.problem.supplies[supply]
        return max(0, facts.max_nodes - facts.spare_nodes)

    def cost_terms(self, supplies: frozenset[int] | None = None) -> Terms:
        """Cost in cents of picks and nodes, of the listed supplies, or of all and of what is acquired."""
        terms: Terms = []
        for index, facts in enumerate(self.problem.supplies):
            if supplies is not None and index not in supplies:
                continue
            node = self.shared[index]
            if node is not None and facts.node_cost_cents:
                terms.append((node, facts.node_cost_cents))
        for demand, columns in zip(self.demands, self.picks, strict=True):
            for pick, column in zip(demand.picks, columns, strict=True):
                if supplies is None or not supplies.isdisjoint(pick.facts.supplies):
                    terms.append((column, pick_cost(self.problem, pick, supplies)))
        if supplies is None:
            orders = zip(self.problem.acquisitions, self.acquired, strict=True)
            terms += [(column, order.cost_cents) for order, column in orders]
        return terms


def pick_cost(problem: Problem, pick: Pick, supplies: frozenset[int] | None = None) -> int:
    """Cents of one pick on the listed supplies or on all, the whole nodes they bill for it included."""
    return sum(
        pick.replicas * hold.cost_cents
        + pick.billed_nodes * problem.supplies[hold.supply].node_cost_cents
        for hold in pick.facts.holds
        if supplies is None or hold.supply in supplies
    )


def start(
    problem: Problem,
    demands: Sequence[Demand],
    tagged: frozenset[tuple[int, int]] = frozenset(),
    to_count: frozenset[int] = frozenset(),
) -> Build:
    """A model with its columns, still without rows."""
    model = LinearModel()
    picks = [
        [
            model.column(
                f"pick[{demand.label},{pick.facts.key}]", 0, pick.most * len(demand.copies)
            )
            for pick in demand.picks
        ]
        for demand in demands
    ]
    unserved = [
        None
        if demand.facts.required
        else model.column(f"unserved[{demand.label}]", 0, len(demand.copies))
        for demand in demands
    ]
    shared: list[int | None] = [None] * len(problem.supplies)
    build = Build(problem, demands, model, picks, unserved, shared, tagged, to_count)
    build.by_supply = [[] for _ in problem.supplies]
    for number, demand in enumerate(demands):
        for at, pick in enumerate(demand.picks):
            entry = (number, at, pick, picks[number][at])
            for supply in pick.facts.supplies:
                build.by_supply[supply].append(entry)
    for index, facts in enumerate(problem.supplies):
        shares = [
            pick.replicas * pick.most * len(demands[number].copies)
            for number, _, pick, _ in build.on_supply(index)
            if pick.facts.gpus
        ]
        if shares:
            most = min(build.usable_nodes(index), sum(shares))
            build.shared[index] = model.column(f"nodes[{facts.pool}/{facts.term}]", 0, most)
    build.acquired = [
        model.column(f"acquire[{order.key}]", order.least, order.most)
        for order in problem.acquisitions
    ]
    build.taken = [
        model.column(f"taken[{order.key}]", 0, 1) if order.fewest > 1 or order.group >= 0 else None
        for order in problem.acquisitions
    ]
    return build
