"""What to ask of a plan over a horizon: its orders and other nodes, each left out, by other means, at another time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from planner.optimize.outcome import Outcome
from planner.optimize.period_variants import at_most, closed, none_of, reordered
from planner.options.deals import Deal
from planner.options.horizon import Whole
from planner.options.problem import Acquisition, Problem
from planner.plan.instead_schema import Way
from planner.scenario.resolved import Scenario

TERMS = {"rent": ("rented", "spot"), "contract": ("contract",), "own": ("owned",)}
"""What is used without a decision to order it -> beginnings of its price terms."""

LEFT = {"rent": "not rented", "contract": "left unused, though it is paid", "own": "left unused"}
"""Words for doing without it."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An order of the plan, other nodes that it uses, or an offer that it leaves."""

    action: str
    pool: str
    nodes: int = 0
    first: int = -1
    last: int = -1
    """First and last period in which they are there or in use."""
    deal: Deal | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing otherwise; of several ways to do so the cheapest counts."""

    thing: Thing
    way: Way
    problems: tuple[tuple[str, Problem], ...]
    """Words and problem of each."""
    tried: list[tuple[str, Outcome]] = field(default_factory=list, compare=False)
    """Words and answer of each that was solved."""


def things_of(whole: Whole, base: Outcome) -> list[Thing]:
    """Orders by delivery, then what is rented, under contract and owned and used, then offers to buy that are left."""
    taken = [(d, n) for d, n in zip(whole.deals, base.acquired, strict=True) if n]
    orders = [
        Thing(d.action, d.pool, n, d.first, d.last - 1, d)
        for d, n in taken
        if d.action != "contract"
    ]
    found = sorted(orders, key=lambda t: t.first)
    for action, terms in TERMS.items():
        for pool in dict.fromkeys(s.pool for s in whole.problem.supplies):
            counts = [
                sum(base.nodes[at] for at in _supplies(whole, pool, terms, t))
                for t in _times(whole)
            ]
            if any(counts):
                used = [t for t, n in enumerate(counts) if n]
                found.append(Thing(action, pool, max(counts), used[0], used[-1]))
    offers = {(d.pool, d.offer): d for d in whole.deals if d.action == "buy" and d.gives_nodes}
    bought = {(d.pool, d.offer) for d, _ in taken if d.action == "buy"}
    return [*found, *(Thing("buy", d.pool, deal=d) for k, d in offers.items() if k not in bought)]


def variants_of(
    scenario: Scenario, whole: Whole, base: Outcome, things: Sequence[Thing]
) -> Iterator[Variant]:
    """Everything without it first, then by other means and at other times, then what is left."""
    used = [t for t in things if t.nodes]
    for thing in used:
        yield _without(whole, base, thing)
    for thing in used:
        if thing.deal is not None:
            yield from _on_demand(whole, base, thing)
        if thing.action in ("buy", "commit", "rent"):
            yield from _other_orders(scenario, whole, base, thing)
        if thing.deal is not None:
            yield from _moved(whole, base, thing)
    for thing in things:
        if not thing.nodes:
            variant = _taken(whole, base, thing)
            if variant.problems:
                yield variant


def _without(whole: Whole, base: Outcome, thing: Thing) -> Variant:
    if thing.deal is None:
        terms = TERMS[thing.action]
        shut = {at for t in _times(whole) for at in _supplies(whole, thing.pool, terms, t)}
        words = LEFT[thing.action]
        return Variant(thing, "without", ((words, closed(whole.problem, shut)),))
    return Variant(thing, "without", (("not ordered", dropped(whole, base, thing.deal)),))


def dropped(whole: Whole, base: Outcome, deal: Deal) -> Problem:
    """The problem without one line of the orders, and no more of its offer than the plan's other lines take."""

    def change(one: Deal, order: Acquisition, nodes: int) -> Acquisition:
        if one is deal:
            return none_of(order)
        return at_most(order, nodes) if _offer(one) == _offer(deal) else order

    return reordered(whole, base.acquired, change)


def _on_demand(whole: Whole, base: Outcome, thing: Thing) -> Iterator[Variant]:
    """Nothing ordered in its place, where anything can be rented on demand."""
    if any(s.term.startswith(TERMS["rent"]) for s in whole.problem.supplies):
        problem = reordered(
            whole, base.acquired,
            lambda one, order, nodes: none_of(order) if one is thing.deal else at_most(order, nodes),
        )  # fmt: skip
        words = "nothing else ordered in its place, only rented on demand"
        yield Variant(thing, "rent", ((words, problem),))


def rents_already(variants: Sequence[Variant], variant: Variant, base: Outcome) -> bool:
    """Whether the plan without the order orders nothing in its place anyway, or there is none."""
    for other in variants:
        if other.thing is variant.thing and other.way == "without" and other.tried:
            counts = other.tried[0][1].acquired
            return not counts or all(n <= m for n, m in zip(counts, base.acquired, strict=True))
    return False


def _other_orders(
    scenario: Scenario, whole: Whole, base: Outcome, thing: Thing
) -> Iterator[Variant]:
    """As many GPUs of the type committed to, or bought, in its place from the same period or the first after it."""
    gpu = {p.name: p.gpu.id for p in scenario.pools}
    size = {p.name: p.node.gpus for p in scenario.pools}
    ways: tuple[Way, ...] = ("commit", "buy")
    for way in ways:
        firsts: dict[tuple[str, str, int], int] = {}
        for deal in whole.deals:
            same = gpu[deal.pool] == gpu[thing.pool] and thing.first <= deal.first <= thing.last
            own = thing.deal is not None and _offer(deal) == _offer(thing.deal)
            if deal.action == way and deal.gives_nodes and same and not own:
                firsts.setdefault(_offer(deal), deal.first)
        problems = []
        for offer, first in firsts.items():
            nodes = math.ceil(thing.nodes * size[thing.pool] / size[offer[0]])
            target = _order_for(whole, base, offer, first, nodes)
            if target is not None:
                deal, total = target
                verb = "commit to" if way == "commit" else "buy"
                when = f"for {name_of(whole, first)}{_until(deal)}"
                problem = _replaced(whole, base, thing, deal, total)
                problems.append((f"{verb} {nodes} {deal.pool} {when} in its place", problem))
        if problems:
            yield Variant(thing, way, tuple(problems))


def _until(deal: Deal) -> str:
    """Words that tell commitments of one period from one another."""
    return "" if deal.action == "buy" else f" to {deal.until:%Y-%m}"


def _order_for(
    whole: Whole, base: Outcome, offer: tuple[str, str, int], first: int, more: int
) -> tuple[Deal, int] | None:
    """The deal that gives so many nodes of an offer more than the plan orders for a period, and their number."""
    rows = zip(whole.deals, base.acquired, strict=True)
    there = [(d, n) for d, n in rows if _offer(d) == offer and d.first == first and d.gives_nodes]
    total = more + sum(n for _, n in there)
    return next(((d, total) for d, _ in there if d.fewest <= total <= d.most), None)


def _reordered(whole: Whole, base: Outcome, old: Deal | None, target: Deal, nodes: int) -> Problem:
    """So many nodes of one deal, and none of another's line; of that one's offer no more than its other lines take."""

    def change(one: Deal, order: Acquisition, planned: int) -> Acquisition:
        if one is target:
            return replace(order, least=max(order.least, nodes))
        if one is old or (_offer(one), one.first) == (_offer(target), target.first):
            return none_of(order)
        mine = old is not None and _offer(one) == _offer(old)
        return at_most(order, planned) if mine else order

    return reordered(whole, base.acquired, change)


def _replaced(whole: Whole, base: Outcome, thing: Thing, target: Deal, nodes: int) -> Problem:
    """Other orders in place of one, or in place of what is rented on demand from then on."""
    problem = _reordered(whole, base, thing.deal, target, nodes)
    if thing.deal is not None:
        return problem
    shut = {
        at
        for t in _times(whole)
        if t >= target.first
        for at in _supplies(whole, thing.pool, TERMS["rent"], t)
    }
    return closed(problem, shut)


def _moved(whole: Whole, base: Outcome, thing: Thing) -> Iterator[Variant]:
    """The same order a period earlier or later, where the offer and its lead time allow it."""
    deal = thing.deal
    assert deal is not None
    ways: tuple[tuple[Way, int], ...] = (("earlier", -1), ("later", 1))
    for way, step in ways:
        target = _order_for(whole, base, _offer(deal), deal.first + step, thing.nodes)
        if target is not None:
            problem = _reordered(whole, base, deal, *target)
            words = f"a period {way}, for {name_of(whole, target[0].first)}"
            yield Variant(thing, way, ((words, problem),))


def _taken(whole: Whole, base: Outcome, thing: Thing) -> Variant:
    """The least order of an offer that the plan leaves, at the time that suits best."""
    assert thing.deal is not None
    offer = _offer(thing.deal)
    problems = []
    for first in dict.fromkeys(
        d.first for d in whole.deals if _offer(d) == offer and d.gives_nodes
    ):
        least = min(d.fewest for d in whole.deals if _offer(d) == offer and d.first == first)
        target = _order_for(whole, base, offer, first, least)
        if target is not None:
            words = f"{least} bought for {name_of(whole, first)}"
            problems.append((words, _reordered(whole, base, None, *target)))
    return Variant(thing, "with", tuple(problems))


def _offer(deal: Deal) -> tuple[str, str, int]:
    return deal.pool, deal.action, deal.offer


def _times(whole: Whole) -> range:
    return range(len(whole.parts))


def name_of(whole: Whole, period: int) -> str:
    """Name of a period by its number."""
    return whole.parts[period].period.name


def _supplies(whole: Whole, pool: str, terms: tuple[str, ...], period: int) -> Iterator[int]:
    """Supplies of a pool under some terms in a period."""
    part = whole.parts[period]
    for number, supply in enumerate(part.built.problem.supplies):
        if supply.pool == pool and supply.term.startswith(terms):
            yield part.first_supply + number
