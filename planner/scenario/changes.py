"""A scenario with one thing of its supply or limits changed: a node more, a limit raised, another price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from planner.scenario.resolved import ResolvedPool, Scenario
from planner.scenario.schema_supply import Buy, Pool, Rent
from planner.units import Price

Action = Literal["buy", "commit", "rent"]
TENTH = Fraction(11, 10)


@dataclass(frozen=True, slots=True)
class Change:
    """One change: its words, the scenario after it, and how many units of what it adds."""

    words: str
    scenario: Scenario
    step: Decimal = Decimal(1)
    """Units added: nodes, or the money or kilowatts that a limit is raised by, over all periods."""
    unit: str = "node"


@dataclass(frozen=True, slots=True)
class Offer:
    """One price of the scenario: nodes to buy, to commit to or to rent on demand."""

    pool: str
    action: Action
    number: int
    """Which of the pool's offers to buy, or of its ways to rent."""
    price: Price
    volume: bool = False
    """Whether larger orders have lower prices, which move with it."""
    listed: bool = False
    """Whether each period has a price: `price` is the first, the others move with it."""

    @property
    def step(self) -> Decimal:
        """Prices are looked for to this: a cent, or a hundredth of one where the price is by the hour."""
        return Decimal("0.0001") if self.price.per.endswith("hour") else Decimal("0.01")


def offers_of(scenario: Scenario) -> Iterator[Offer]:
    """All offers with a price, pool by pool."""
    for pool in scenario.pools:
        for number, offer in enumerate(pool.spec.buy):
            yield _offer(pool, "buy", number, offer.price, volume=bool(offer.tiers))
        for number, rent in enumerate(pool.spec.rent):
            action: Action = "rent" if rent.commit == "none" else "commit"
            yield _offer(pool, action, number, rent.price)


def _offer(
    pool: ResolvedPool,
    action: Action,
    number: int,
    prices: tuple[Price, ...],
    *,
    volume: bool = False,
) -> Offer:
    return Offer(pool.name, action, number, prices[0], volume, len(prices) > 1)


def priced(scenario: Scenario, offer: Offer, amount: Decimal) -> Scenario:
    """The scenario with another price of one offer; those of other periods and of volumes move in proportion."""
    pool = scenario.pool(offer.pool)
    first = replace(offer.price, amount=amount)
    factor = amount / offer.price.amount if offer.price.amount else Decimal(1)
    stated: Buy | Rent = getattr(pool.spec, _field(offer))[offer.number]
    update: dict[str, object] = {"price": (first, *_times(stated.price[1:], factor))}
    if isinstance(stated, Buy):
        update["tiers"] = tuple(
            t.model_copy(update={"price": _times(t.price, factor)}) for t in stated.tiers
        )
    return _with_pool(scenario, _with_offer(pool, offer, update))


def _times(prices: tuple[Price, ...], factor: Decimal) -> tuple[Price, ...]:
    return tuple(replace(p, amount=p.amount * factor) for p in prices)


def _one_more(counts: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n + 1 for n in counts)


def more_nodes(scenario: Scenario) -> Iterator[Change]:
    """One node more of everything that has a number: owned nodes, offers, nodes that arrive in a period."""
    for pool in scenario.pools:
        if pool.spec.owned is not None:
            words = f"one more owned node of `{pool.name}`"
            yield Change(words, _with_pool(scenario, _one_owned(pool)))
        for number, buy in enumerate(pool.spec.buy):
            of = f"`{pool.name}`{_numbered(number, pool.spec.buy)}"
            offer = _offer(pool, "buy", number, buy.price)
            if buy.max_nodes is not None:
                more = _with_offer(pool, offer, {"max_nodes": buy.max_nodes + 1})
                yield Change(f"one more node of {of} to buy", _with_pool(scenario, more))
            if buy.max_per_period is not None:
                more = _with_offer(pool, offer, {"max_per_period": _one_more(buy.max_per_period)})
                words = f"one more node of {of} to buy in each period"
                yield Change(words, _with_pool(scenario, more))
        for number, rent in enumerate(pool.spec.rent):
            if rent.max_nodes is not None:
                offer = _offer(pool, "rent", number, rent.price)
                more = _with_offer(pool, offer, {"max_nodes": _one_more(rent.max_nodes)})
                how = "rent" if rent.commit == "none" else "commit to"
                of = f"`{pool.name}`{_numbered(number, pool.spec.rent)}"
                yield Change(f"one more node of {of} to {how}", _with_pool(scenario, more))


def larger_limits(scenario: Scenario) -> Iterator[Change]:
    """A tenth more of each limit, in each of its periods for itself."""
    limits = scenario.spec.limits
    money = scenario.spec.currency
    for name in ("capex", "opex"):
        values: tuple[Price, ...] | None = getattr(limits, name)
        top = max((v.amount for v in values or ()), default=Decimal(0))
        for at, value in enumerate(values or ()):
            more = (value.amount if value.amount else top) / 10
            larger = replace(value, amount=value.amount + more)
            unit = f"{money}/month" if name == "opex" else money
            yield _limit(scenario, name, at, larger, more, unit)
    for at, watts in enumerate(limits.power or ()):
        more = Decimal(int(watts)) / 10000
        yield _limit(scenario, "power", at, watts * TENTH, more, "kW")


def _limit(
    scenario: Scenario, name: str, at: int, value: object, more: Decimal, unit: str
) -> Change:
    limits = scenario.spec.limits
    values = getattr(limits, name)
    changed = tuple(value if n == at else old for n, old in enumerate(values))
    spec = scenario.spec.model_copy(update={"limits": limits.model_copy(update={name: changed})})
    place = f"limits.{name}[{at}]" if len(values) > 1 else f"limits.{name}"
    by = "" if more == more.to_integral_value() else "2"
    words = f"{more:,.{by or 0}f} {unit} more of `{place}`"
    return Change(words, replace(scenario, spec=spec), more, unit)


def _one_owned(pool: ResolvedPool) -> ResolvedPool:
    owned = pool.spec.owned
    assert owned is not None
    update: dict[str, object] = {"nodes": owned.nodes + 1}
    if owned.available is not None:
        update["available"] = _one_more(owned.available)
    spec = pool.spec.model_copy(update={"owned": owned.model_copy(update=update)})
    return pool._replace(
        spec=spec, owned_nodes=pool.owned_nodes + 1, available_nodes=pool.available_nodes + 1
    )


def _numbered(number: int, offers: tuple[Buy, ...] | tuple[Rent, ...]) -> str:
    return f" (offer {number + 1})" if len(offers) > 1 else ""


def _field(offer: Offer) -> str:
    return "buy" if offer.action == "buy" else "rent"


def _with_offer(pool: ResolvedPool, offer: Offer, update: dict[str, object]) -> ResolvedPool:
    name = _field(offer)
    offers = tuple(
        o.model_copy(update=update) if n == offer.number else o
        for n, o in enumerate(getattr(pool.spec, name))
    )
    return _with_spec(pool, pool.spec.model_copy(update={name: offers}))


def _with_spec(pool: ResolvedPool, spec: Pool) -> ResolvedPool:
    return pool._replace(spec=spec)


def _with_pool(scenario: Scenario, pool: ResolvedPool) -> Scenario:
    pools = tuple(pool if p.name == pool.name else p for p in scenario.pools)
    spec = scenario.spec.model_copy(update={"inventory": tuple(p.spec for p in pools)})
    return replace(scenario, spec=spec, pools=pools)
