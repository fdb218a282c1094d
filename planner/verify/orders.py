"""Orders of a plan against the scenario's offers: dates, counts, and every payment and write-off anew."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from planner.plan.schema import Order
from planner.scenario.periods import Period, add_time, at, in_period, price_in
from planner.scenario.resolved import ResolvedPool, Scenario
from planner.units import DAY_S, HOUR_S, YEAR_S, from_cents
from planner.verify.energy import node_energy
from planner.verify.offers import node_price, quoted, size_problems
from planner.verify.supply import Supply

USUAL_LIFE_S = Fraction(4 * YEAR_S)


@dataclass(frozen=True, slots=True)
class Checked:
    """An order with what it must cost, in cents of all its nodes by period."""

    order: Order
    term: str
    first: int
    last: int
    spread: tuple[int, ...]
    support: tuple[int, ...]
    capex: tuple[int, ...]
    rent: tuple[int, ...]
    """Payments for commitments and contracts."""
    problems: tuple[str, ...]

    def counted(self, convention: str) -> tuple[int, ...]:
        """What the convention counts per period, support included."""
        paid = [a + b for a, b in zip(self.capex, self.rent, strict=True)]
        main = self.spread if convention == "accrual" else paid
        return tuple(a + b for a, b in zip(main, self.support, strict=True))


def check_order(scenario: Scenario, order: Order, periods: Sequence[Period]) -> Checked | str:
    """The order re-derived; a text where it refers to nothing in the scenario."""
    pool = {p.name: p for p in scenario.pools}.get(order.pool)
    if pool is None:
        return f"pool `{order.pool}` is not in the scenario"
    offers = {"buy": pool.spec.buy, "commit": pool.spec.rent, "contract": pool.spec.contracts}
    if not 1 <= order.offer <= len(offers[order.action]) or order.nodes < 1:
        return (
            f"{order.nodes} nodes of offer {order.offer} to {order.action}: there is no such offer"
        )
    start = next((p for p in periods if p.start.isoformat() == order.arrives), None)
    if start is None:
        return f"arrives on {order.arrives}, which is no start of a period"
    if order.action == "buy":
        return _purchase(scenario, pool, order, start, periods)
    if order.action == "commit":
        return _commitment(scenario, pool, order, start, periods)
    return _contract(scenario, pool, order, periods)


def _up(amount: Fraction) -> int:
    return math.ceil(100 * amount)


def _evenly(whole: Fraction, pieces: Fraction, first: int, last: int, count: int) -> list[int]:
    """Cents of each period when `whole` is spread over `pieces` periods, from `first` up to `last`."""
    found = [0] * count
    for number in range(first, last):
        held = number - first
        found[number] = _up(whole * (held + 1) / pieces) - _up(whole * held / pieces)
    return found


def _purchase(
    scenario: Scenario,
    pool: ResolvedPool,
    order: Order,
    start: Period,
    periods: Sequence[Period],
) -> Checked:
    offer = pool.spec.buy[order.offer - 1]
    quote = quoted(pool, offer, order.nodes, start)
    price = quote.price
    with_network = price * (1 + offer.installation)
    life = offer.life or USUAL_LIFE_S
    step = Fraction(start.hours * HOUR_S)
    last = min(len(periods), start.index + life // step)
    loss = with_network - price * (offer.residual or 0)
    spread = _evenly(loss, life / step, start.index, last, len(periods))
    support = _evenly(price * offer.support, YEAR_S / step, start.index, last, len(periods))
    capex = [0] * len(periods)
    capex[start.index] = _up(with_network)
    order_by = start.start - timedelta(days=math.ceil((offer.lead_time or 0) / DAY_S))
    problems = list(size_problems(offer, order, start))
    if order_by < periods[0].start:
        problems.append(f"to be ordered on {order_by}, before the horizon starts")
    if offer.valid_until is not None and order_by > offer.valid_until:
        problems.append(f"to be ordered on {order_by}, the quote ends on {offer.valid_until}")
    single = from_cents(_up(quote.single * (1 + offer.installation)))
    wanted = {"tier": quote.tier, "single_price": single if quote.tier else None}
    problems += _printed(order, wanted)
    book = _up(with_network) - sum(spread)
    until = add_time(start.start, life)
    return _checked(
        scenario, order, pool, "bought", start.index, last, spread, support, capex, [0] * len(periods),
        _up(with_network), order_by, until, 0, book, problems,
    )  # fmt: skip


def _commitment(
    scenario: Scenario,
    pool: ResolvedPool,
    order: Order,
    start: Period,
    periods: Sequence[Period],
) -> Checked | str:
    rent = pool.spec.rent[order.offer - 1]
    if rent.commit == "none":
        return f"offer {order.offer} of `{pool.name}` has no commitment"
    length = rent.commit / (start.hours * HOUR_S)
    whole = node_price(pool, price_in(rent.price, rent.growth, start)) * start.hours * length
    last = min(len(periods), start.index + int(length))
    count = len(periods)
    spread = _evenly(whole, length, start.index, last, count)
    ahead, rest = whole * rent.upfront, whole * (1 - rent.upfront)
    paid = _evenly(rest, length, start.index, last, count)
    paid[start.index] += _up(ahead)
    price = _up(ahead) + _up(rest)
    committed = [r for r in pool.spec.rent if r.commit != "none"]
    number = committed.index(rent) + 1
    term = "committed" if len(committed) == 1 else f"committed {number}"
    return _checked(
        scenario, order, pool, term, start.index, last, spread, [0] * count, [0] * count, paid,
        price, start.start, add_time(start.start, rent.commit), price - sum(paid), 0, [],
    )  # fmt: skip


def _contract(
    scenario: Scenario, pool: ResolvedPool, order: Order, periods: Sequence[Period]
) -> Checked:
    contract = pool.spec.contracts[order.offer - 1]
    paid = []
    hour = Fraction(0)
    for period in periods:
        days = (period.end - period.start).days
        covered = max(0, min(days, (contract.until - period.start).days))
        hour = node_price(pool, at(contract.price, period)) if contract.price else hour
        paid.append(_up(hour * period.hours * covered / days))
    after = _up(hour * 24 * max(0, (contract.until - periods[-1].end).days))
    last = len([p for p in periods if p.end <= contract.until])
    zero = [0] * len(periods)
    many = len(pool.spec.contracts) > 1
    problems = []
    if order.nodes != contract.nodes:
        problems.append(f"{order.nodes} nodes, the contract has {contract.nodes}")
    return _checked(
        scenario, order, pool, f"contract {order.offer}" if many else "contract", 0, last, paid, zero, zero,
        paid, sum(paid) + after, None, contract.until, after, 0, problems,
    )  # fmt: skip


def _checked(
    scenario: Scenario, order: Order, pool: ResolvedPool, term: str, first: int, last: int,
    spread: Sequence[int], support: Sequence[int], capex: Sequence[int], rent: Sequence[int],
    unit_price: int, order_by: date | None, until: date, due_after: int, book: int, problems: list[str],
) -> Checked:  # fmt: skip
    n = order.nodes

    def all_nodes(cents: Sequence[int]) -> tuple[int, ...]:
        return tuple(n * c for c in cents)

    checked = Checked(
        order, term, first, last, all_nodes(spread), all_nodes(support), all_nodes(capex),
        all_nodes(rent), (),
    )  # fmt: skip
    horizon = scenario.spec.horizon
    assert horizon is not None
    paid = sum(checked.capex) + sum(checked.support) + sum(checked.rent)
    wanted: dict[str, object] = {
        "gpu": pool.gpu.id,
        "gpus": n * pool.node.gpus,
        "order_by": order_by.isoformat() if order_by else None,
        "until": until.isoformat(),
        "unit_price": from_cents(unit_price),
        "price": from_cents(n * unit_price),
        "cost": from_cents(sum(checked.counted(horizon.convention))),
        "paid": from_cents(paid),
        "due_after": from_cents(n * due_after),
        "book_value": from_cents(n * book),
    }
    texts = [*problems, *_printed(order, wanted)]
    return Checked(
        order, term, first, last, checked.spread, checked.support, checked.capex, checked.rent,
        tuple(texts),
    )  # fmt: skip


def _printed(order: Order, wanted: Mapping[str, object]) -> Iterator[str]:
    for name, want in wanted.items():
        have = getattr(order, name)
        if have != want:
            yield f"{name} {have} printed, it is {want}"


def counts_problems(
    scenario: Scenario, orders: Sequence[Checked], periods: Sequence[Period]
) -> Iterator[tuple[str, str]]:
    """(pool, text) where more is ordered than an offer has, or a running contract is left out."""
    for pool in scenario.pools:
        mine = [c for c in orders if c.order.pool == pool.name]
        for number, offer in enumerate(pool.spec.buy, start=1):
            lines = [c.order for c in mine if (c.order.action, c.order.offer) == ("buy", number)]
            nodes = sum(o.nodes for o in lines)
            if offer.max_nodes is not None and nodes > offer.max_nodes:
                yield pool.name, f"{nodes} nodes bought, `max_nodes` is {offer.max_nodes}"
            if len({o.arrives for o in lines}) != len(lines):
                yield pool.name, "two order lines of one offer for one period"
        for number, rent in enumerate(pool.spec.rent, start=1):
            held = [
                sum(
                    c.order.nodes
                    for c in mine
                    if (c.order.action, c.order.offer) == ("commit", number)
                    and c.first <= p.index < c.last
                )
                for p in periods
            ]
            for period, nodes in zip(periods, held, strict=True):
                most = nodes if rent.max_nodes is None else at(rent.max_nodes, period)
                if nodes > most:
                    text = f"{nodes} nodes committed to in {period.name}, `max_nodes` is {most}"
                    yield pool.name, text
        for number, _ in enumerate(pool.spec.contracts, start=1):
            lines = [
                c.order for c in mine if (c.order.action, c.order.offer) == ("contract", number)
            ]
            if len(lines) != 1:
                yield pool.name, f"contract {number} is listed {len(lines)} times"


def ordered_supplies(
    scenario: Scenario, orders: Sequence[Checked], period: Period, convention: str
) -> tuple[Supply, ...]:
    """What orders give in a period: nodes and all that they cost in it, used or not."""
    terms = dict.fromkeys((c.order.pool, c.term, c.order.action) for c in orders)
    found = []
    rank = {"buy": 0, "commit": 1, "contract": 2}
    here = in_period(scenario, period)
    for name, term, action in sorted(terms, key=lambda t: (rank[t[2]], t[1])):
        mine = [c for c in orders if (c.order.pool, c.term) == (name, term)]
        pool = scenario.pool(name)
        upkeep = pool.spec.owned.upkeep if pool.spec.owned and action == "buy" else None
        found.append(
            Supply(
                name, term, sum(c.order.nodes for c in mine if c.first <= period.index < c.last),
                upkeep=upkeep.amount if upkeep else Decimal(0), owned=action == "buy",
                hours=period.hours, acquired=True,
                energy_cents=node_energy(here, pool, period.hours) if action == "buy" else 0,
                fixed_cents=sum(c.counted(convention)[period.index] for c in mine),
            )
        )  # fmt: skip
    return tuple(found)
