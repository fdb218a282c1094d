"""Names a node and GPU indices for each replica; deterministic, and exact where simple packing fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.optimize.backend import Verdict, run_cp_sat
from planner.optimize.linear import LinearModel, row
from planner.optimize.outcome import BlockPlan, NodePlan, Placed
from planner.optimize.patterns import HOST_SHARES
from planner.options.problem import Problem

PACKING_WORK = 10.0
"""Deterministic seconds for one exact packing; sizes here are tens of replicas."""


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """A replica that shares a node. Orders from large to small, then by content."""

    minus_gpus: int
    minus_host: int
    key: str
    block: int
    copy: int
    candidate: int
    replica: int
    distinct: bool

    @property
    def gpus(self) -> int:
        """GPUs it takes."""
        return -self.minus_gpus

    @property
    def host(self) -> int:
        """Sixteenths of the node's host RAM it takes."""
        return -self.minus_host

    @property
    def tag(self) -> tuple[int, int] | None:
        """Items of equal tag must not share a node."""
        return (self.block, self.copy) if self.distinct else None


Bins = list[list[Item]]

Replica = tuple[int, int, int, int]
"""Block, copy, candidate, replica."""

Seats = dict[Replica, tuple[int, tuple[int, ...]]]
"""Where replicas sit already: index of the node, GPUs on it."""


@dataclass(frozen=True, slots=True)
class PackingFailure:
    """A supply on which the chosen replicas do not fit after all."""

    supply: int
    blocks: tuple[int, ...]
    """Blocks whose distinct nodes are in play there."""


def place(
    problem: Problem,
    plans: Sequence[BlockPlan],
    shared_nodes: Sequence[int],
    work: float = PACKING_WORK,
) -> tuple[tuple[NodePlan, ...], ...] | PackingFailure:
    """Places all replicas on at most `shared_nodes[s]` shared nodes plus the whole nodes they take.

    A run that goes on from an earlier supply keeps its GPUs, and the number of its node, where there is room for
    the others around it; else it moves.
    """
    packing = []
    seats: Seats = {}
    for supply, facts in enumerate(problem.supplies):
        items = sorted(_items(problem, plans, supply))
        held = {_replica(i): seats[_replica(i)] for i in items if _replica(i) in seats}
        bins = _beside(items, held, facts.node_gpus, shared_nodes[supply])
        if bins is None:
            held = {}
            bins = pack(items, facts.node_gpus, shared_nodes[supply], work)
        if bins is None:
            blocks = tuple(sorted({item.block for item in items if item.distinct}))
            return PackingFailure(supply, blocks)
        nodes = [NodePlan(supply, index, _seats(one, held)) for index, one in _numbered(bins, held)]
        seats.update(
            ((p.block, p.copy, p.candidate, p.replica), (node.index, p.gpus))
            for node in nodes
            for p in node.placed
        )
        nodes += _whole_nodes(problem, plans, supply, len(nodes))
        packing.append(tuple(nodes))
    return tuple(packing)


def _replica(item: Item) -> Replica:
    return item.block, item.copy, item.candidate, item.replica


def _beside(items: Sequence[Item], held: Seats, node_gpus: int, most_nodes: int) -> Bins | None:
    """The other items around those that keep their places; None where that takes too many nodes."""
    if not held:
        return None
    nodes: dict[int, list[Item]] = {}
    for item in items:
        if _replica(item) in held:
            nodes.setdefault(held[_replica(item)][0], []).append(item)
    bins = [nodes[at] for at in sorted(nodes)]
    _first_fit([i for i in items if _replica(i) not in held], node_gpus, bins)
    return bins if len(bins) <= most_nodes else None


def _numbered(bins: Bins, held: Seats) -> list[tuple[int, list[Item]]]:
    """Each bin with a number from 0; one that holds a run that goes on keeps its own where that is low enough."""
    numbers: dict[int, list[Item]] = {}
    others = []
    for one in bins:
        wish = next((held[_replica(i)][0] for i in one if _replica(i) in held), len(bins))
        if wish < len(bins) and wish not in numbers:
            numbers[wish] = one
        else:
            others.append(one)
    free = (at for at in range(len(bins)) if at not in numbers)
    return sorted([*numbers.items(), *zip(free, others, strict=False)], key=lambda n: n[0])


def pack(
    items: Sequence[Item], node_gpus: int, most_nodes: int, work: float = PACKING_WORK
) -> Bins | None:
    """Bins for the sorted items on at most `most_nodes` nodes; None when they do not fit."""
    if not items:
        return []
    bins = _first_fit(items, node_gpus, [])
    if len(bins) <= most_nodes:
        return bins
    return _exact_fit(items, node_gpus, most_nodes, work)


def _first_fit(items: Sequence[Item], node_gpus: int, bins: Bins) -> Bins:
    """Each item to the first node with room, large items first: exact when sizes divide each other."""
    for item in items:
        for one in bins:
            if (
                sum(i.gpus for i in one) + item.gpus <= node_gpus
                and sum(i.host for i in one) + item.host <= HOST_SHARES
                and (item.tag is None or all(i.tag != item.tag for i in one))
            ):
                one.append(item)
                break
        else:
            bins.append([item])
    return bins


def _exact_fit(items: Sequence[Item], node_gpus: int, most_nodes: int, work: float) -> Bins | None:
    """Kinds of items counted on each node, by CP-SAT."""
    kinds: dict[tuple[int, int, tuple[int, int] | None], list[Item]] = {}
    for item in items:
        kinds.setdefault((item.gpus, item.host, item.tag), []).append(item)
    model = LinearModel()
    at = [
        [
            model.column(
                f"at[{node},{gpus},{host}]",
                0,
                1 if tag is not None else min(len(kind), node_gpus // gpus),
            )
            for (gpus, host, tag), kind in kinds.items()
        ]
        for node in range(most_nodes)
    ]
    for number, kind in enumerate(kinds.values()):
        terms = [(columns[number], 1) for columns in at]
        model.add(row(f"all[{number}]", "packing", terms, low=len(kind), high=len(kind)))
    for node, columns in enumerate(at):
        gpus_row = [(c, k[0]) for c, k in zip(columns, kinds, strict=True)]
        host_row = [(c, k[1]) for c, k in zip(columns, kinds, strict=True)]
        model.add(row(f"gpus[{node}]", "packing", gpus_row, high=node_gpus))
        model.add(row(f"host[{node}]", "packing", host_row, high=HOST_SHARES))
        for tag in {k[2] for k in kinds if k[2] is not None}:
            same = [(c, 1) for c, k in zip(columns, kinds, strict=True) if k[2] == tag]
            model.add(row(f"distinct[{node},{tag}]", "packing", same, high=1))
    answer = run_cp_sat(model, deterministic_limit=work)
    if answer.verdict not in (Verdict.OPTIMAL, Verdict.FEASIBLE) or answer.values is None:
        return None
    left = [list(kind) for kind in kinds.values()]
    bins = [
        [left[n].pop(0) for n, column in enumerate(columns) for _ in range(answer.values[column])]
        for columns in at
    ]
    return [one for one in bins if one]


def _items(problem: Problem, plans: Sequence[BlockPlan], supply: int) -> list[Item]:
    items = []
    for plan in plans:
        block = problem.blocks[plan.block]
        for copy, choices in enumerate(plan.copies):
            for choice in choices:
                facts = block.candidates[choice.candidate]
                if supply not in facts.supplies or not facts.gpus:
                    continue
                items += [
                    Item(
                        -facts.gpus,
                        -facts.host_sixteenths,
                        facts.key,
                        plan.block,
                        copy,
                        choice.candidate,
                        replica,
                        block.distinct_nodes,
                    )
                    for replica in range(choice.replicas)
                ]
    return items


def _seats(
    items: Sequence[Item], held: Mapping[Replica, tuple[int, tuple[int, ...]]]
) -> tuple[Placed, ...]:
    """GPU indices in order, large replicas first, around those that are held."""
    taken = {gpu for item in items if _replica(item) in held for gpu in held[_replica(item)][1]}
    seats = []
    free = 0
    for item in sorted(items):
        if _replica(item) in held:
            gpus = held[_replica(item)][1]
        else:
            chosen: list[int] = []
            while len(chosen) < item.gpus:
                if free not in taken:
                    chosen.append(free)
                free += 1
            gpus = tuple(chosen)
        seats.append(Placed(*_replica(item), gpus))
    return tuple(seats)


def _whole_nodes(
    problem: Problem, plans: Sequence[BlockPlan], supply: int, first: int
) -> list[NodePlan]:
    """Nodes taken whole, after the shared ones."""
    everything = tuple(range(problem.supplies[supply].node_gpus))
    nodes: list[NodePlan] = []
    for plan in plans:
        for copy, choices in enumerate(plan.copies):
            for choice in choices:
                facts = problem.blocks[plan.block].candidates[choice.candidate]
                if supply not in facts.supplies:
                    continue
                offset = 1 if facts.gpus else 0
                for replica in range(choice.replicas):
                    for part in range(facts.whole_nodes):
                        seat = Placed(
                            plan.block,
                            copy,
                            choice.candidate,
                            replica,
                            everything,
                            part + offset,
                        )
                        index = first + len(nodes)
                        nodes.append(NodePlan(supply, index, (seat,), facts.own_nodes))
    return nodes
