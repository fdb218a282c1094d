"""Several ways things may turn out as one problem: the same orders in all, everything else for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.options.problem import Acquisition, Block, Candidate, Limit, Problem, Supply


@dataclass(frozen=True, slots=True)
class Scene:
    """One way things turn out, or a part of one that lasts for a share of the time."""

    case: int
    problem: Problem
    weight: int
    """How much its costs count."""


def joint(scenes: Sequence[Scene], ceilings: Sequence[int | None] = ()) -> Problem:
    """One problem with all blocks and supplies of the scenes; costs are the weighted sums of theirs.

    Args:
        scenes: Problems with the same acquisitions, which may raise other supplies in each.
        ceilings: For each case, the most its weighted costs may come to.
    """
    supplies: list[Supply] = []
    blocks: list[Block] = []
    limits: list[Limit] = []
    orders: list[Acquisition] = [
        replace(o, cost_cents=0, supplies=()) for o in scenes[0].problem.acquisitions
    ]
    costs: dict[int, Limit] = {}
    for number, scene in enumerate(scenes):
        first, problem = len(supplies), scene.problem
        supplies += [_supply(s, scene.weight) for s in problem.supplies]
        blocks += [_block(b, number, first, scene.weight) for b in problem.blocks]
        limits += [
            x for limit in problem.limits if (x := _limit(limit, first, scene)) not in limits
        ]
        orders = [
            replace(
                o,
                cost_cents=o.cost_cents + scene.weight * mine.cost_cents,
                supplies=(*o.supplies, *(first + s for s in mine.supplies)),
            )
            for o, mine in zip(orders, problem.acquisitions, strict=True)
        ]
        costs[scene.case] = _cost_of(costs.get(scene.case), scene, range(first, len(supplies)))
    for case, most in enumerate(ceilings):
        if most is not None:
            limits.append(replace(costs[case], bound=most))
    slots = max(scene.problem.slots for scene in scenes)
    return Problem(tuple(blocks), tuple(supplies), tuple(limits), slots, tuple(orders))


def _supply(supply: Supply, weight: int) -> Supply:
    return replace(supply, node_cost_cents=supply.node_cost_cents * weight)


def _block(block: Block, number: int, first: int, weight: int) -> Block:
    candidates = tuple(_candidate(c, first, weight) for c in block.candidates)
    return replace(block, name=f"{block.name} #{number + 1}", candidates=candidates)


def _candidate(candidate: Candidate, first: int, weight: int) -> Candidate:
    later = tuple(
        replace(h, supply=h.supply + first, cost_cents=h.cost_cents * weight)
        for h in candidate.later
    )
    return replace(
        candidate,
        supply=candidate.supply + first,
        cost_cents=candidate.cost_cents * weight,
        later=later,
    )


def _limit(limit: Limit, first: int, scene: Scene) -> Limit:
    """Limits of orders alone are the same in all scenes; those of supplies are each scene's own."""
    if limit.kind == "acquired":
        return limit
    listed = limit.supplies or tuple(range(len(scene.problem.supplies)))
    moved = replace(limit, supplies=tuple(first + s for s in listed))
    if limit.kind != "cost":
        return moved
    orders = tuple((at, each * scene.weight) for at, each in limit.acquisitions)
    return replace(moved, bound=limit.bound * scene.weight, acquisitions=orders)


def _cost_of(known: Limit | None, scene: Scene, supplies: range) -> Limit:
    """All that a case costs, as the left side of a limit."""
    orders = {n: o.cost_cents * scene.weight for n, o in enumerate(scene.problem.acquisitions)}
    for at, each in known.acquisitions if known else ():
        orders[at] += each
    listed = (*(known.supplies if known else ()), *supplies)
    return Limit(f"case {scene.case + 1}", "cost", 0, listed, tuple(orders.items()))
