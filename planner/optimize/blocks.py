"""The problem in normal form: who must be served and what one pick of a candidate means.

A *demand* is one workload, or several identical ones that each pick exactly one candidate. Where all
replicas of a service must be alike, a pick is the whole set of replicas it then needs; where they may be
mixed, a pick is one replica.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.options.problem import DEMAND_UNITS, LOAD_UNITS, Block, Candidate, Problem


@dataclass(frozen=True, slots=True)
class Pick:
    """One way to pick: `replicas` replicas of candidate `candidate`."""

    candidate: int
    replicas: int
    most: int
    """Most picks that can be of use to one copy."""
    facts: Candidate

    @property
    def cost_cents(self) -> int:
        """Cost of one pick besides nodes billed by the supply."""
        return self.replicas * self.facts.cost_cents

    @property
    def billed_nodes(self) -> int:
        """Whole nodes of one pick that the supply bills."""
        return 0 if self.facts.own_nodes else self.replicas * self.facts.whole_nodes

    @property
    def own_nodes(self) -> int:
        """Whole nodes of one pick that its own cost holds."""
        return self.replicas * self.facts.whole_nodes if self.facts.own_nodes else 0


@dataclass(frozen=True, slots=True)
class Demand:
    """One or several identical workloads."""

    block: int
    copies: tuple[int, ...]
    """Copies of the block that this stands for; one unless `single`."""
    single: bool
    """Each copy takes exactly one pick; else any mix that covers the demand."""
    picks: tuple[Pick, ...]
    facts: Block

    @property
    def label(self) -> str:
        """Name for rows: the block's, with the copy where the block has several demands."""
        if len(self.copies) == 1 and self.facts.multiplicity > 1:
            return f"{self.facts.name}#{self.copies[0]}"
        return self.facts.name


def replicas_alone(block: Block, candidate: Candidate) -> int:
    """Replicas of one candidate that serve the block with no help from others.

    ceil(demand / units) + spare, and at least `min_replicas + spare_replicas`: after the loss of `spare`
    replicas the rest still covers the demand and the minimum.

    >>> c = Candidate("a", 0, 1, 0, 700, 0)
    >>> replicas_alone(Block("b", (c,), False, min_replicas=1, spare_replicas=1), c)
    4
    """
    if block.exactly_one:
        return 1
    cover = -(-DEMAND_UNITS // candidate.units)
    if block.size_parts:
        # All sizes that the candidate can serve: mixed with others, more replicas are of no use.
        cover = -(-sum(load for load in candidate.loads if load > 0) // LOAD_UNITS)
    return max(cover, block.min_replicas) + block.spare_replicas


def demands(problem: Problem) -> list[Demand]:
    """The normal form of all blocks."""
    found: list[Demand] = []
    for index, block in enumerate(problem.blocks):
        single = block.exactly_one or block.same_candidate
        picks = tuple(
            pick
            for number, candidate in enumerate(block.candidates)
            if (pick := _pick(problem, block, number, candidate, single)) is not None
        )
        copies = tuple(range(block.multiplicity))
        if single and not block.distinct_nodes:
            found.append(Demand(index, copies, True, picks, block))
        else:
            found += [Demand(index, (copy,), single, picks, block) for copy in copies]
    return found


def _pick(
    problem: Problem, block: Block, number: int, candidate: Candidate, single: bool
) -> Pick | None:
    """None where not even one pick fits the supply by count."""
    alone = replicas_alone(block, candidate)
    supply = problem.supplies[candidate.supply]
    nodes = min(
        s.max_nodes - s.spare_nodes for s in map(problem.supplies.__getitem__, candidate.supplies)
    )
    host = candidate.host_sixteenths if candidate.gpus else 0
    if candidate.gpus > supply.node_gpus or host > (16 if supply.has_host_ram else 0):
        return None
    stock = candidate.max_replicas if candidate.max_replicas is not None else alone
    if candidate.whole_nodes:
        stock = min(stock, nodes // candidate.whole_nodes)
    if candidate.gpus:
        per_node = supply.node_gpus // candidate.gpus
        if candidate.host_sixteenths:
            per_node = min(per_node, 16 // candidate.host_sixteenths)
        stock = min(stock, nodes * (1 if block.distinct_nodes else per_node))
    if single:
        if any(load < 0 for load in candidate.loads):
            return None
        return Pick(number, alone, 1, candidate) if stock >= alone else None
    most = min(alone, stock)
    return Pick(number, 1, most, candidate) if most >= 1 else None
