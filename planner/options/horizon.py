"""A scenario with a horizon becomes one problem: blocks and supplies once per period, orders across them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from planner.options.build import Supplier, build
from planner.options.consider import Cache, consider
from planner.options.deals import Deal, deals_of
from planner.options.from_scenario import question_of
from planner.options.parts import Part as Part
from planner.options.parts import joined_blocks, numbered
from planner.options.problem import Acquisition, Limit, Problem
from planner.options.question import Question
from planner.options.spot import least_interruption
from planner.options.terms import Term
from planner.options.tiers import most_nodes, most_rented
from planner.scenario.periods import Period, at, in_period, periods_of, runs_every
from planner.scenario.resolved import ResolvedPool, Scenario
from planner.units import HOURS_PER_MONTH, to_cents


@dataclass(frozen=True, slots=True)
class Whole:
    """The problem over all periods."""

    parts: tuple[Part, ...]
    deals: tuple[Deal, ...]
    """One for each acquisition of the problem."""
    problem: Problem


def parts_of(
    scenario: Scenario,
    cache: Cache | None = None,
    *,
    edit: Callable[[Question], Question] = lambda question: question,
) -> tuple[Part, ...]:
    """Everything considered and built, period by period, not yet joined.

    Args:
        scenario: With a horizon.
        cache: What was considered before, for many similar scenarios.
        edit: A change to the question of every period.
    """
    deals = deals_of(scenario)
    cache = {} if cache is None else cache
    parts = []
    for period in periods_of(scenario):
        here = in_period(scenario, period)
        question = question_of(here)
        suppliers = tuple(
            _with_deals(s, p, period, deals)
            for s, p in zip(question.suppliers, scenario.pools, strict=True)
        )
        question = edit(replace(question, suppliers=suppliers))
        considered = consider(question, cache=cache)
        built = build(
            question.asks, question.wishes, considered, question.suppliers, question.energy, question.limits,
            longest_h=period.hours,
        )  # fmt: skip
        parts.append(Part(period, here, question, considered, built, 0))
    return tuple(parts)


def _with_deals(
    supplier: Supplier, pool: ResolvedPool, period: Period, deals: tuple[Deal, ...]
) -> Supplier:
    """The supplier with a term for each kind of node that orders may give it in the period."""
    orders: dict[str, dict[int, dict[date, int]]] = {}
    for deal in deals:
        if deal.pool == pool.name and deal.first <= period.index < deal.last:
            sizes = orders.setdefault(deal.term, {}).setdefault(deal.offer, {})
            sizes[deal.arrives] = max(deal.most, sizes.get(deal.arrives, 0))
    terms = list(supplier.terms)
    for name, offers in orders.items():
        nodes = sum(
            min(sum(n.values()), _offered(pool, name, o, period)) for o, n in offers.items()
        )
        owned = name == "bought"
        upkeep = pool.spec.owned.upkeep if owned and pool.spec.owned else None
        terms.append(
            Term(
                name, nodes, node_month=upkeep.amount if upkeep else Decimal(0),
                pays_energy=owned, hours=period.hours, acquired=True,
            )
        )  # fmt: skip
    facts = replace(
        supplier.facts,
        max_nodes=sum(t.max_nodes for t in terms),
        interruption=least_interruption(terms),
    )
    return replace(supplier, facts=facts, terms=tuple(terms))


def _offered(pool: ResolvedPool, term: str, offer: int, period: Period) -> int:
    """Most nodes of an offer at once."""
    if term == "bought":
        return most_nodes(pool.spec.buy[offer])
    if term.startswith("committed"):
        return most_rented(pool.spec.rent[offer], period.index)
    return pool.spec.contracts[offer].nodes


# --------------------------------------------------------------------------------------------- joining


def join(scenario: Scenario, parts: tuple[Part, ...]) -> Whole:
    """One problem from the problems of all periods."""
    deals = deals_of(scenario)
    single = frozenset(w.name for w in scenario.workloads if not runs_every(w))
    parts = numbered(parts)
    supplies = [s for part in parts for s in part.built.problem.supplies]
    blocks, whole = joined_blocks(parts, single)
    convention = scenario.spec.horizon.convention if scenario.spec.horizon else "accrual"
    groups = order_groups(deals)
    orders = tuple(
        Acquisition(
            key=_order_key(d, whole),
            most=d.most,
            cost_cents=sum(d.cost(convention)),
            supplies=tuple(_supplies_of(whole, d)),
            least=d.least,
            fewest=d.fewest,
            group=group,
        )
        for d, group in zip(deals, groups, strict=True)
    )
    limits = (
        *_offer_limits(scenario, deals),
        *_money_limits(scenario, whole, deals),
        *_power(whole),
        *_racks(scenario, whole, deals),
    )
    problem = Problem(tuple(blocks), tuple(supplies), limits, len(parts), orders)
    return Whole(whole, deals, problem)


def order_groups(deals: Sequence[Deal]) -> list[int]:
    """For each deal, a number it shares with the other prices of the same order; -1 where it has the only one."""
    orders: dict[tuple[str, int, date], list[int]] = {}
    for n, deal in enumerate(deals):
        if deal.action == "buy":
            orders.setdefault((deal.pool, deal.offer, deal.arrives), []).append(n)
    groups = [-1] * len(deals)
    for number, members in enumerate(m for m in orders.values() if len(m) > 1):
        for n in members:
            groups[n] = number
    return groups


def _order_key(deal: Deal, parts: tuple[Part, ...]) -> str:
    when = parts[deal.first].period.name if deal.gives_nodes else ""
    tier = f" from {deal.tier}" if deal.tier else ""
    return f"{deal.action} {deal.pool} {deal.offer + 1} {when}{tier}"


def _supplies_of(parts: tuple[Part, ...], deal: Deal) -> Iterator[int]:
    """Supplies of the whole problem that a deal gives nodes to."""
    for part in parts[deal.first : deal.last]:
        for index, supply in enumerate(part.built.problem.supplies):
            if (supply.pool, supply.term) == (deal.pool, deal.term):
                yield part.first_supply + index


def _offer_limits(scenario: Scenario, deals: tuple[Deal, ...]) -> Iterator[Limit]:
    """No more nodes of an offer than it has: bought over the horizon, committed to at any one time."""
    for pool in scenario.pools:
        for number, offer in enumerate(pool.spec.buy):
            if offer.max_nodes is not None:
                orders = tuple((n, 1) for n, d in enumerate(deals) if _is(d, pool, "buy", number))
                yield Limit(f"{pool.path}.buy", "acquired", offer.max_nodes, acquisitions=orders)
        for number, rent in enumerate(pool.spec.rent):
            if rent.commit == "none" or rent.max_nodes is None:
                continue
            for period in periods_of(scenario):
                orders = tuple(
                    (n, 1)
                    for n, d in enumerate(deals)
                    if _is(d, pool, "commit", number) and d.first <= period.index < d.last
                )
                yield Limit(
                    f"{pool.path}.rent",
                    "acquired",
                    at(rent.max_nodes, period),
                    acquisitions=orders,
                    slot=period.index,
                )


def _is(deal: Deal, pool: ResolvedPool, action: str, offer: int) -> bool:
    return (deal.pool, deal.action, deal.offer) == (pool.name, action, offer)


def _money_limits(
    scenario: Scenario, parts: tuple[Part, ...], deals: tuple[Deal, ...]
) -> Iterator[Limit]:
    """Payments of each period within the budget: purchases in capex, everything else in opex."""
    capex, opex = scenario.spec.limits.capex, scenario.spec.limits.opex
    if capex is not None and len(capex) == 1:
        bound = to_cents(capex[0].amount, up=False)
        orders = tuple((n, sum(d.capex)) for n, d in enumerate(deals))
        yield Limit("limits.capex", "acquired", bound, acquisitions=orders)
    for part in parts:
        t = part.period.index
        if capex is not None and len(capex) > 1:
            bound = to_cents(capex[t].amount, up=False)
            orders = tuple((n, d.capex[t]) for n, d in enumerate(deals))
            yield Limit("limits.capex", "acquired", bound, acquisitions=orders, slot=t)
        if opex is not None:
            months = Decimal(part.period.hours) / HOURS_PER_MONTH
            bound = to_cents(at(opex, part.period).amount * months, up=False)
            orders = tuple((n, d.opex[t]) for n, d in enumerate(deals))
            yield Limit("limits.opex", "cost", bound, _of_period(part), orders, slot=t)


def _of_period(part: Part) -> tuple[int, ...]:
    first = part.first_supply
    return tuple(range(first, first + len(part.built.problem.supplies)))


def _power(parts: tuple[Part, ...]) -> Iterator[Limit]:
    for part in parts:
        power = part.scenario.spec.limits.power
        if power is not None:
            t = part.period.index
            yield Limit("limits.power", "power", math.floor(power[0]), _of_period(part), slot=t)


def _racks(scenario: Scenario, parts: tuple[Part, ...], deals: tuple[Deal, ...]) -> Iterator[Limit]:
    """Owned nodes count while they are in use, bought ones while they are there."""
    sizes = {p.name: p.node.rack_units or 0 for p in scenario.pools}
    for part in parts:
        most = part.scenario.spec.limits.rack_units
        if most is None:
            continue
        bought = tuple(
            (n, sizes[d.pool])
            for n, d in enumerate(deals)
            if d.action == "buy" and d.first <= part.period.index < d.last
        )
        yield Limit(
            "limits.rack_units", "racks", most[0], _of_period(part), bought, slot=part.period.index
        )
