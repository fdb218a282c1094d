"""From column values to choices per block and their exact cost, and back to values as a hint."""

from __future__ import annotations

from collections.abc import Sequence

from planner.optimize.build import Build
from planner.optimize.outcome import BlockPlan, Choice, NodePlan, Share
from planner.options.problem import DEMAND_UNITS, Block, Problem


def block_plans(build: Build, values: Sequence[int]) -> tuple[BlockPlan, ...]:
    """Choices of each copy of each block."""
    blocks = build.problem.blocks
    copies: list[list[tuple[Choice, ...]]] = [[()] * block.multiplicity for block in blocks]
    for demand, columns in zip(build.demands, build.picks, strict=True):
        picked = [
            (pick, values[column])
            for pick, column in zip(demand.picks, columns, strict=True)
            if values[column]
        ]
        if demand.single:
            bundles = [
                (Choice(pick.candidate, pick.replicas),) for pick, n in picked for _ in range(n)
            ]
            for copy, bundle in zip(demand.copies, bundles, strict=False):
                copies[demand.block][copy] = bundle
        else:
            mix = tuple(sorted(Choice(pick.candidate, n) for pick, n in picked))
            copies[demand.block][demand.copies[0]] = mix
    return tuple(
        BlockPlan(
            index, tuple(one), _shares(build, values, index) if blocks[index].size_parts else ()
        )
        for index, one in enumerate(copies)
    )


def _shares(build: Build, values: Sequence[int], block: int) -> tuple[tuple[Share, ...], ...]:
    """Which kind of replica serves which requests, for each copy of a block."""
    copies: list[tuple[Share, ...]] = [()] * build.problem.blocks[block].multiplicity
    for number, demand in enumerate(build.demands):
        if demand.block != block:
            continue
        columns = build.picks[number]
        if demand.single:
            chosen = [
                pick.candidate
                for pick, column in zip(demand.picks, columns, strict=True)
                for _ in range(values[column])
            ]
            for copy, candidate in zip(demand.copies, chosen, strict=False):
                copies[copy] = _all_of_it(build.problem.blocks[block], candidate)
            continue
        copies[demand.copies[0]] = tuple(
            sorted(
                Share(
                    flow.size,
                    tuple(demand.picks[p].candidate for p in flow.picks if values[columns[p]]),
                    values[flow.column],
                )
                for flow in build.flows
                if flow.demand == number and values[flow.column]
            )
        )
    return tuple(copies)


def _all_of_it(block: Block, candidate: int) -> tuple[Share, ...]:
    """Replicas that are all alike serve the requests of every size."""
    sizes = range(len(block.candidates[candidate].loads))
    return tuple(Share(size, (candidate,), block.size_parts) for size in sizes)


def node_counts(
    problem: Problem, packing: Sequence[Sequence[NodePlan]]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Nodes used and nodes billed, per supply."""
    used = tuple(len(nodes) for nodes in packing)
    billed = tuple(sum(1 for node in nodes if not node.own) for nodes in packing)
    return used, billed


def plan_cost(
    problem: Problem,
    plans: Sequence[BlockPlan],
    billed: Sequence[int],
    acquired: Sequence[int] = (),
) -> int:
    """Cents, added up from the plan itself."""
    orders = sum(
        count * order.cost_cents
        for count, order in zip(acquired, problem.acquisitions, strict=True)
    )
    nodes = sum(
        count * supply.node_cost_cents
        for count, supply in zip(billed, problem.supplies, strict=True)
    )
    return (
        orders
        + nodes
        + sum(
            choice.replicas * problem.blocks[plan.block].candidates[choice.candidate].cost_cents
            for plan in plans
            for choice in plan.choices
        )
    )


def set_switches(build: Build, values: list[int]) -> None:
    """Sets the Boolean columns that choose a pool and the largest replica lost, given the picks."""
    lost: dict[int, int] = {}
    for switch in build.switches:
        demand, columns = build.demands[switch.demand], build.picks[switch.demand]
        units = {at: min(demand.picks[at].facts.units, DEMAND_UNITS) for at in switch.picks}
        inside = sum(values[columns[at]] for at in switch.picks)
        values[switch.column] = 0
        if not inside:
            continue
        if switch.threshold is None:
            values[switch.column] = 1
            continue
        spare = demand.facts.spare_replicas
        covered = sum(min(u, switch.threshold) * values[columns[at]] for at, u in units.items())
        if switch.demand not in lost and covered >= DEMAND_UNITS + spare * switch.threshold:
            lost[switch.demand] = switch.threshold
            values[switch.column] = 1
