"""What the plan may order over a horizon, and what each order costs in every period, to the cent.

A deal is one offer taken for one period: nodes bought to arrive at its start, a commitment that begins with
it, or a contract that runs already. Payments and write-offs are cumulative amounts rounded up to the cent and
then differenced, so that the parts of any span add up to the whole exactly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from planner.options.tiers import OrderSize, most_rented, order_sizes
from planner.scenario.periods import Period, add_time, at, periods_of, price_in
from planner.scenario.resolved import ResolvedPool, Scenario
from planner.scenario.schema_supply import Buy, Contract, Rent
from planner.units import DAY_S, HOUR_S, YEAR_S, Price

DEFAULT_LIFE_S = Fraction(4 * YEAR_S)
"""Write-off time of GPU servers where none is given: four years, between the three and six that are common."""

Amounts = tuple[int, ...]
"""Cents per period of the horizon."""


@dataclass(frozen=True, slots=True)
class Deal:
    """One node of one offer for one period."""

    pool: str
    action: str
    """`buy`, `commit` or `contract`."""
    term: str
    """Price term its nodes come under: `bought`, `committed`, `committed 2`, `contract`, ..."""
    offer: int
    """Which of the pool's offers to buy, of its rents or of its contracts."""
    first: int
    last: int
    """Its nodes are there in the periods from `first` up to, but not with, `last`."""
    least: int
    most: int
    order_by: date | None
    arrives: date
    until: date
    price_cents: int
    """All that one node costs over its life or term, support apart."""
    spread: Amounts
    """Write-off of a purchase, or rent by the hours of a commitment or contract: what `accrual` counts."""
    capex: Amounts
    """Payments for purchases."""
    opex: Amounts
    """Payments for support, commitments and contracts."""
    support: Amounts
    """Support contract of a purchase; part of `opex` and counted by either convention."""
    book_cents: int
    """Value of a purchase not written off at the end of the horizon, what is left at the end of its life included."""
    after_cents: int
    """Payments that fall due after the horizon, support apart."""
    fewest: int = 1
    """Size of an order from which on it can be had."""
    tier: int | None = None
    """Volume tier whose price it has; None: the offer's own price."""
    single_cents: int = 0
    """Price of a node at the offer's own price, where a tier is taken."""

    def cost(self, convention: str) -> Amounts:
        """What a convention counts per period."""
        if convention == "accrual":
            return tuple(a + b for a, b in zip(self.spread, self.support, strict=True))
        return tuple(a + b for a, b in zip(self.capex, self.opex, strict=True))

    @property
    def gives_nodes(self) -> bool:
        """Whether it has nodes in any period."""
        return self.last > self.first


def deals_of(scenario: Scenario) -> tuple[Deal, ...]:
    """Every deal of a scenario with a horizon: pools as listed, purchases first, by period."""
    periods = periods_of(scenario)
    return tuple(d for pool in scenario.pools for d in _of_pool(pool, periods))


def _of_pool(pool: ResolvedPool, periods: tuple[Period, ...]) -> Iterator[Deal]:
    for number, offer in enumerate(pool.spec.buy):
        for period in periods:
            for size in order_sizes(offer, period):
                deal = purchase(pool, offer, number, size, period, periods)
                if deal is not None:
                    yield deal
    terms = [(n, r) for n, r in enumerate(pool.spec.rent) if r.commit != "none"]
    for place, (number, rent) in enumerate(terms):
        name = "committed" if len(terms) == 1 else f"committed {place + 1}"
        yield from (commitment(pool, rent, number, name, p, periods) for p in periods)
    for number, contract in enumerate(pool.spec.contracts):
        name = "contract" if len(pool.spec.contracts) == 1 else f"contract {number + 1}"
        yield running_contract(pool, contract, number, name, periods)


def per_node(pool: ResolvedPool, price: Price) -> Fraction:
    """A price of a node, or of each of its GPUs, as the price of a node."""
    return Fraction(price.amount) * (pool.node.gpus if price.per.startswith("GPU") else 1)


def cents(amount: Fraction) -> int:
    """Whole cents, rounded up."""
    return math.ceil(amount * 100)


def differences(total: Callable[[int], Fraction], first: int, last: int, count: int) -> Amounts:
    """Cents per period of a cumulative amount that is zero at period `first` and ends at `last`.

    >>> differences(lambda held: Fraction(held, 3), 1, 4, 5)
    (0, 34, 33, 33, 0)
    """
    sums = [cents(total(held)) for held in range(last - first + 1)]
    each = [b - a for a, b in itertools.pairwise(sums)]
    return (*(0,) * first, *each, *(0,) * (count - last))


def purchase(
    pool: ResolvedPool,
    offer: Buy,
    number: int,
    size: OrderSize,
    period: Period,
    periods: tuple[Period, ...],
) -> Deal | None:
    """Nodes bought to arrive at the start of a period; None where the order would be too late or too early.

    Write-off per period = (price x (1 + installation) - price x residual) / life x hours. Paid on delivery.
    """
    count, start = len(periods), period.index
    order_by = period.start
    if offer.lead_time is not None:
        days = math.ceil(offer.lead_time / DAY_S)
        order_by = date.fromordinal(period.start.toordinal() - days)
    if order_by < periods[0].start or (offer.valid_until and order_by > offer.valid_until):
        return None
    price = per_node(pool, size.price)
    whole = price * (1 + offer.installation)
    own_price = per_node(pool, price_in(offer.price, offer.growth, period))
    single = cents(own_price * (1 + offer.installation)) if size.tier else 0
    written_off = whole - price * (offer.residual or 0)
    life = offer.life or DEFAULT_LIFE_S
    step = Fraction(period.hours * HOUR_S)
    last = min(count, start + math.floor(life / step))
    price_cents = cents(whole)
    spread = differences(lambda n: written_off * n * step / life, start, last, count)
    support = differences(lambda n: price * offer.support * n * step / YEAR_S, start, last, count)
    return Deal(
        pool.name, "buy", "bought", number, start, last, 0, size.most,
        order_by, period.start, add_time(period.start, life), price_cents, spread,
        tuple(price_cents if i == start else 0 for i in range(count)), support, support,
        price_cents - sum(spread), 0, size.fewest, size.tier, single,
    )  # fmt: skip


def commitment(
    pool: ResolvedPool,
    rent: Rent,
    number: int,
    term: str,
    period: Period,
    periods: tuple[Period, ...],
) -> Deal:
    """A commitment that begins with a period: price x hours of its term, a share of it paid at the start."""
    assert rent.commit != "none"
    count, start = len(periods), period.index
    length = int(rent.commit / (period.hours * HOUR_S))
    hour = per_node(pool, price_in(rent.price, rent.growth, period))
    whole = hour * period.hours * length
    last = min(count, start + length)
    spread = differences(lambda n: whole * n / length, start, last, count)
    ahead = cents(whole * rent.upfront)
    rest = whole * (1 - rent.upfront)
    paid = list(differences(lambda n: rest * n / length, start, last, count))
    paid[start] += ahead
    return Deal(
        pool.name, "commit", term, number, start, last, 0,
        max(most_rented(rent, p.index) for p in periods[start:last]),
        period.start, period.start, add_time(period.start, rent.commit), ahead + cents(rest), spread,
        (0,) * count, tuple(paid), (0,) * count, 0, ahead + cents(rest) - sum(paid),
    )  # fmt: skip


def running_contract(
    pool: ResolvedPool, contract: Contract, number: int, term: str, periods: tuple[Period, ...]
) -> Deal:
    """A contract that runs: its nodes are there in the periods it covers whole, its price is due to its end.

    After the horizon the price of the last period holds.
    """
    count = len(periods)
    last = sum(1 for p in periods if p.end <= contract.until)
    hour = [
        per_node(pool, at(contract.price, p)) if contract.price else Fraction(0) for p in periods
    ]
    paid = tuple(cents(hour[p.index] * p.hours * _covered(p, contract.until)) for p in periods)
    end = periods[-1].end
    after = Fraction(max(0, (contract.until - end).days) * 24)
    return Deal(
        pool.name, "contract", term, number, 0, last, contract.nodes, contract.nodes,
        None, periods[0].start, contract.until, sum(paid) + cents(hour[-1] * after), paid,
        (0,) * count, paid, (0,) * count, 0, cents(hour[-1] * after),
    )  # fmt: skip


def _covered(period: Period, until: date) -> Fraction:
    """Share of a period before a day."""
    days = (min(until, period.end) - period.start).days
    return Fraction(max(0, days), (period.end - period.start).days)
