"""Contradictions inside one offer: volume prices and sizes of orders, spot nodes."""

from __future__ import annotations

from collections.abc import Iterator

from planner.diagnostics import Diagnostic
from planner.scenario.clash import clash
from planner.scenario.located import Located
from planner.scenario.paths import Step, nearest
from planner.scenario.schema_supply import Buy, Pool, Rent
from planner.units import Price


def check_offers(pool: Pool, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    """Contradictions inside the pool's offers to rent and to buy."""
    for number, rent in enumerate(pool.rent):
        yield from _spot(rent, item_place(root, [*steps, "rent"], number), root)
    for number, offer in enumerate(pool.buy):
        place = item_place(root, [*steps, "buy"], number)
        yield from _sizes(offer, place, root)
        yield from _tiers(offer, place, root)


def item_place(root: Located, steps: list[Step], number: int) -> list[Step]:
    """Path of one of several items; without its number where the user wrote one item and no list."""
    return [*steps, number] if nearest(root, steps)[0].items is not None else steps


def _spot(rent: Rent, place: list[Step], root: Located) -> Iterator[Diagnostic]:
    if rent.interruption is not None and rent.commit != "none":
        yield clash(
            root, [*place, "interruption"], "a commitment is not interrupted", [*place, "commit"],
            help="remove `commit`, or `interruption`",
        )  # fmt: skip
    if rent.interruption == 1:
        yield clash(
            root, [*place, "interruption"], "with all hours lost nothing ever runs",
            help="write the share of hours that restarts and work done again cost, such as `10 %`",
        )  # fmt: skip


def _sizes(offer: Buy, place: list[Step], root: Located) -> Iterator[Diagnostic]:
    for key in ("max_nodes", "max_per_period"):
        most = _most(offer, key)
        if most is not None and offer.min_order is not None and offer.min_order > most:
            yield clash(
                root, [*place, "min_order"], f"an order is at least {offer.min_order} nodes, and `{key}` is {most}",
                [*place, key], help=f"write `min_order: {most}` or less, or a larger `{key}`",
            )  # fmt: skip


def _tiers(offer: Buy, place: list[Step], root: Located) -> Iterator[Diagnostic]:
    """Tiers rise in size, fall in price, and can be reached."""
    size, price, above = 1, offer.price, [*place, "price"]
    for number, tier in enumerate(offer.tiers):
        at = item_place(root, [*place, "tiers"], number)
        if tier.nodes <= size:
            yield clash(
                root, [*at, "nodes"], f"a tier from {tier.nodes} nodes on, after the price from {size} on", above,
                help="list the tiers from small orders to large ones; the offer's own `price` holds from 1 node on",
            )  # fmt: skip
        elif tier.price[0].per != price[0].per:
            yield clash(
                root, [*at, "price"], f"a price per {tier.price[0].per} after one per {price[0].per}", above,
                help=f"give all prices of an offer per {price[0].per}",
            )  # fmt: skip
        elif not _cheaper(tier.price, price):
            yield clash(
                root, [*at, "price"], "a larger order is not cheaper by the node", above,
                help="a tier's price holds for all nodes of the order; write one below that of smaller orders",
            )  # fmt: skip
        yield from _out_of_reach(offer, tier.nodes, [*at, "nodes"], place, root)
        size, price, above = tier.nodes, tier.price, at


def _most(offer: Buy, key: str) -> int | None:
    """The limit of an offer, the largest of any period; None where there is none."""
    listed = offer.max_per_period
    if key == "max_nodes" or listed is None:
        return offer.max_nodes if key == "max_nodes" else None
    return max(listed)


def _cheaper(prices: tuple[Price, ...], others: tuple[Price, ...]) -> bool:
    """Whether prices are below others in every period; lists of unlike length are told of elsewhere."""
    count = max(len(prices), len(others))
    if not {len(prices), len(others)} <= {1, count}:
        return True
    pairs = zip(prices * (count // len(prices)), others * (count // len(others)), strict=True)
    return all(a.amount < b.amount for a, b in pairs)


def _out_of_reach(
    offer: Buy, nodes: int, at: list[Step], place: list[Step], root: Located
) -> Iterator[Diagnostic]:
    for key in ("max_nodes", "max_per_period"):
        most = _most(offer, key)
        if most is not None and nodes > most:
            yield clash(
                root, at, f"no order reaches {nodes} nodes: `{key}` is {most}", [*place, key],
                help=f"remove the tier, or write `{key}: {nodes}` or more",
            )  # fmt: skip
