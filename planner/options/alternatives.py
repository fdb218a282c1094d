"""What the options of a workload cost when it stands alone: to name the next-cheapest one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from planner.options.asks import Ask
from planner.options.build import Supplier, Wish, candidates_of
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Option
from planner.options.spot import on_term
from planner.options.terms import Term, node_cost_cents


@dataclass(frozen=True, slots=True)
class Alternative:
    """An option with its price when nodes are shared by GPUs used."""

    option: Option
    cents: int


def alternatives(
    question: Question, ask: Ask, wish: Wish, considered: ConsideredByWorkload
) -> list[Alternative]:
    """Options of a workload by price, the cheapest first; each alone, nodes shared by GPUs used."""
    found = []
    for part in considered[ask.name]:
        places = _places(question, part.pool) if part.options else []
        for option in part.options:
            cents = min(_prices(question, ask, wish, option, places), default=None)
            if cents is not None:
                found.append(Alternative(option, cents))
    found.sort(key=_price)
    # Words of layouts are long to make, and seldom decide.
    ranked: list[Alternative] = []
    for _, equals in groupby(found, _price):
        alike = list(equals)
        ranked += alike if len(alike) == 1 else sorted(alike, key=lambda a: str(a.option.layout))
    return ranked


def _price(one: Alternative) -> tuple[int, int]:
    return one.cents, one.option.gpus


def cheaper_on_spot(
    question: Question, ask: Ask, wish: Wish, considered: ConsideredByWorkload, here: int
) -> Alternative | None:
    """What spot nodes would cost a workload that does not allow them, where that is less than `here`."""
    if ask.spot:
        return None
    found = alternatives(question, replace(ask, spot=True), wish, considered)
    return found[0] if found and found[0].cents < here else None


def option_cents(question: Question, ask: Ask, wish: Wish, option: Option) -> int | None:
    """Price of an option alone under its cheapest term; None where no term has room for its replicas."""
    places = _places(question, option.pool)
    return min(_prices(question, ask, wish, option, places), default=None)


@dataclass(frozen=True, slots=True)
class _Place:
    """A term of a pool, with the price of its nodes."""

    supplier: Supplier
    term: Term
    node_cents: int


def _places(question: Question, pool: str) -> list[_Place]:
    supplier = question.supplier(pool)
    return [
        _Place(supplier, term, node_cost_cents(term, question.energy, supplier.draw))
        for term in supplier.terms
    ]


def _prices(
    question: Question, ask: Ask, wish: Wish, option: Option, places: Sequence[_Place]
) -> Iterator[int]:
    """Price under each term that has room for the replicas."""
    for place in places:
        supplier, term, node_gpus = place.supplier, place.term, place.supplier.facts.node_gpus
        here = on_term(ask, option, term)
        if here is None:
            continue
        room = node_gpus // option.gpus * term.max_nodes
        if option.nodes:
            room = term.max_nodes // option.nodes
        if room < here.replicas:
            continue
        at = (0, supplier, term)
        for candidate in candidates_of(ask, wish, here, 0, at, question.energy, keyed=False):
            replicas = math.ceil(here.units * here.replicas / candidate.units)
            held = candidate.gpus + candidate.whole_nodes * node_gpus
            share = 0 if candidate.own_nodes else place.node_cents * held / node_gpus
            yield math.ceil((candidate.cost_cents + share) * replicas)
