"""Volume prices of an offer to buy: which sizes of one order have which price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.scenario.periods import Period, at, price_in
from planner.scenario.schema_supply import Buy, Rent
from planner.units import Price

UNLIMITED_NODES = 512
"""Nodes considered where an offer names no limit, as its documentation says: 4,096 GPUs of eight a node."""


@dataclass(frozen=True, slots=True)
class OrderSize:
    """Orders of `fewest` to `most` nodes for one period, all of them at `price`."""

    tier: int | None
    """Nodes from which on the price holds; None: the offer's own price."""
    price: Price
    fewest: int
    most: int


def most_nodes(offer: Buy) -> int:
    """Most nodes of an offer over the horizon; where none is named, enough for its largest tier."""
    if offer.max_nodes is not None:
        return offer.max_nodes
    return max(UNLIMITED_NODES, offer.min_order or 1, *(t.nodes for t in offer.tiers))


def most_rented(rent: Rent, index: int = 0) -> int:
    """Most nodes of a rent at once, in the period of that number."""
    if rent.max_nodes is None:
        return UNLIMITED_NODES
    return rent.max_nodes[index if len(rent.max_nodes) > 1 else 0]


def order_sizes(offer: Buy, period: Period) -> Iterator[OrderSize]:
    """The price of each size an order can have: all units of an order at the price of the last tier it reaches.

    Sizes do not overlap, so that no order can be taken at a price it has not reached or has left behind.
    """
    most = most_nodes(offer)
    if offer.max_per_period is not None:
        most = min(most, at(offer.max_per_period, period))
    prices = [(None, offer.price), *((t.nodes, t.price) for t in offer.tiers)]
    steps = [(nodes, price_in(price, offer.growth, period)) for nodes, price in prices]
    for number, (tier, price) in enumerate(steps):
        fewest = max(tier or 1, offer.min_order or 1)
        above = steps[number + 1][0] if number + 1 < len(steps) else None
        last = most if above is None else min(most, above - 1)
        if fewest <= last:
            yield OrderSize(tier, price, fewest, last)
