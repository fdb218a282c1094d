"""The outcome over all periods seen from one of them: its blocks, supplies, packing and orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from planner.optimize.outcome import BlockPlan, Choice, NodePlan, Outcome
from planner.options.build import Built, Holding
from planner.options.horizon import Part, Whole
from planner.options.question import Question


def holdings(whole: Whole, outcome: Outcome, part: Part, convention: str) -> dict[int, Holding]:
    """Supply of the period's own problem -> nodes that orders give it and their cents in the period."""
    t = part.period.index
    found: dict[int, Holding] = {}
    for index, supply in enumerate(part.built.problem.supplies):
        if supply.base_nodes is None:
            continue
        nodes = cents = 0
        for deal, count in zip(whole.deals, outcome.acquired, strict=True):
            if (deal.pool, deal.term) == (supply.pool, supply.term) and deal.first <= t < deal.last:
                nodes += count
                cents += count * deal.cost(convention)[t]
        found[index] = Holding(nodes, cents)
    return found


def without_supply(whole: Whole, outcome: Outcome, part: Part, convention: str) -> dict[str, int]:
    """Pool -> cents of orders in a period in which they give no nodes: paid ahead or to the last day."""
    t = part.period.index
    terms = {(s.pool, s.term) for s in part.built.problem.supplies if s.base_nodes is not None}
    found: dict[str, int] = {}
    for deal, count in zip(whole.deals, outcome.acquired, strict=True):
        here = deal.first <= t < deal.last and (deal.pool, deal.term) in terms
        cents = count * deal.cost(convention)[t]
        if cents and not here:
            found[deal.pool] = found.get(deal.pool, 0) + cents
    return found


def question_in(part: Part, whole: Whole, outcome: Outcome) -> tuple[Question, tuple[int, ...]]:
    """The period's question without the jobs that run in another period, and which asks are kept.

    A job that runs in none is told of in the first that asks for it.
    """
    kept = tuple(
        k
        for k in range(len(part.question.asks))
        if not whole.problem.blocks[part.blocks[k]].exactly_one
        or _choices(part, whole, outcome, k)
        or _left_out_here(part, whole, outcome, part.blocks[k])
    )
    asks = tuple(part.question.asks[k] for k in kept)
    wishes = tuple(part.question.wishes[k] for k in kept)
    return replace(part.question, asks=asks, wishes=wishes), kept


def _left_out_here(part: Part, whole: Whole, outcome: Outcome, block: int) -> bool:
    """Whether a block stays unserved, and the period is the first that asks for it."""
    first = next(p for p in whole.parts if block in p.blocks)
    return not outcome.plans[block].choices and first.period == part.period


def _choices(part: Part, whole: Whole, outcome: Outcome, ask: int) -> tuple[Choice, ...]:
    """Choices of an ask within the period, numbered as in the period's own problem."""
    number = part.candidates[ask]
    plan = outcome.plans[part.blocks[ask]]
    return tuple(
        Choice(number[c.candidate], c.replicas) for c in plan.choices if c.candidate in number
    )


def outcome_in(
    part: Part, whole: Whole, outcome: Outcome, kept: tuple[int, ...], convention: str
) -> tuple[Built, Outcome]:
    """The period's own problem, with the kept asks only, and its share of the outcome."""
    first = part.first_supply
    supplies = part.built.problem.supplies
    span = slice(first, first + len(supplies))
    blocks = tuple(part.built.problem.blocks[k] for k in kept)
    held = holdings(whole, outcome, part, convention)
    built = Built(replace(part.built.problem, blocks=blocks), part.built.options, held)
    plans = tuple(
        BlockPlan(n, (_choices(part, whole, outcome, k),), outcome.plans[part.blocks[k]].shares)
        for n, k in enumerate(kept)
    )
    number = {part.blocks[k]: n for n, k in enumerate(kept)}
    candidates = {part.blocks[k]: part.candidates[k] for k in kept}
    packing = tuple(
        tuple(_moved(node, first, number, candidates) for node in nodes)
        for nodes in outcome.packing[span]
    )
    billed = outcome.billed_nodes[span]
    cost = (
        sum(n * s.node_cost_cents for n, s in zip(billed, supplies, strict=True))
        + sum(h.cents for h in held.values())
        + sum(
            c.replicas * blocks[p.block].candidates[c.candidate].cost_cents
            for p in plans
            for c in p.choices
        )
    )
    here = replace(
        outcome, plans=plans, nodes=outcome.nodes[span], billed_nodes=billed, packing=packing,
        acquired=(), unserved=(), rounds=(), cost_cents=cost, bound_cents=cost,
    )  # fmt: skip
    return built, here


def _moved(
    node: NodePlan,
    first_supply: int,
    number: Mapping[int, int],
    candidates: Mapping[int, Mapping[int, int]],
) -> NodePlan:
    placed = tuple(
        replace(p, block=number[p.block], candidate=candidates[p.block][p.candidate])
        for p in node.placed
    )
    return replace(node, supply=node.supply - first_supply, placed=placed)
