"""Power and rack space that a plan takes on one's own premises."""

from __future__ import annotations

from collections.abc import Sequence

from planner.optimize.outcome import Outcome
from planner.options.build import Built, Supplier


def pool_power_w(built: Built, outcome: Outcome, supplies: Sequence[int]) -> int:
    """Power of the nodes in use of these supplies at full load, as limits count it; rented nodes take none here."""
    facts = built.problem.supplies
    watts = sum(outcome.nodes[i] * facts[i].node_power_w for i in supplies)
    for block_plan in outcome.plans:
        for choice in block_plan.choices:
            candidate = built.problem.blocks[block_plan.block].candidates[choice.candidate]
            if candidate.supply in supplies:
                watts += candidate.power_w * choice.replicas
    return watts


def pool_rack_units(
    built: Built, outcome: Outcome, supplies: Sequence[int], supplier: Supplier
) -> int:
    """Rack units of owned nodes in use and of bought nodes, used or not."""
    units = 0
    for i in supplies:
        facts, holding = built.problem.supplies[i], built.holdings.get(i)
        if holding is None:
            units += outcome.nodes[i] * facts.rack_units
        elif facts.term == "bought":
            units += holding.nodes * supplier.rack_units
    return units
