"""What an offer to buy asks for an order of a size, and which sizes it refuses: read from the scenario itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from planner.plan.schema import Order
from planner.scenario.periods import Period, at, price_in
from planner.scenario.resolved import ResolvedPool
from planner.scenario.schema_supply import Buy
from planner.units import Price


@dataclass(frozen=True, slots=True)
class Quoted:
    """The price of one node in an order of some size."""

    price: Fraction
    """By the last tier whose size the order reaches."""
    single: Fraction
    """By the offer's own price."""
    tier: int | None


def node_price(pool: ResolvedPool, price: Price) -> Fraction:
    """A price of a node, or of each of its GPUs, as the price of a node."""
    return Fraction(price.amount) * (pool.node.gpus if price.per in ("GPU", "GPU-hour") else 1)


def quoted(pool: ResolvedPool, offer: Buy, nodes: int, start: Period) -> Quoted:
    """What one of so many nodes costs that arrive at the start of a period."""
    reached = [t for t in offer.tiers if t.nodes <= nodes]
    tier = max(reached, key=lambda t: t.nodes) if reached else None
    own = node_price(pool, price_in(offer.price, offer.growth, start))
    if tier is None:
        return Quoted(own, own, None)
    return Quoted(node_price(pool, price_in(tier.price, offer.growth, start)), own, tier.nodes)


def size_problems(offer: Buy, order: Order, start: Period) -> Iterator[str]:
    """Whether the order is too small or too large for the offer."""
    if offer.min_order is not None and order.nodes < offer.min_order:
        yield f"an order of {order.nodes} nodes, `min_order` is {offer.min_order}"
    most = None if offer.max_per_period is None else at(offer.max_per_period, start)
    if most is not None and order.nodes > most:
        yield f"{order.nodes} nodes for one period, `max_per_period` is {most}"
