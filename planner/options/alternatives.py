"""What the options of a workload cost when it stands alone: to name the next-cheapest one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from planner.options.asks import Ask
from planner.options.build import Supplier, Wish, candidates_of
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Option
from planner.options.spot import on_term
from planner.options.terms import node_cost_cents


@dataclass(frozen=True, slots=True)
class Alternative:
    """An option with its price when nodes are shared by GPUs used."""

    option: Option
    cents: int


def alternatives(
    question: Question, ask: Ask, wish: Wish, considered: ConsideredByWorkload
) -> list[Alternative]:
    """Options of a workload by price, the cheapest first; each alone, nodes shared by GPUs used."""
    found = [
        Alternative(option, cents)
        for part in considered[ask.name]
        for option in part.options
        for cents in [option_cents(question, ask, wish, option)]
        if cents is not None
    ]
    return sorted(found, key=lambda a: (a.cents, a.option.gpus, str(a.option.layout)))


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
    supplier = question.supplier(option.pool)
    return min(_prices(question, ask, wish, option, supplier), default=None)


def _prices(
    question: Question, ask: Ask, wish: Wish, option: Option, supplier: Supplier
) -> Iterator[int]:
    """Price under each term that has room for the replicas."""
    node_gpus = supplier.facts.node_gpus
    for term in supplier.terms:
        here = on_term(ask, option, term)
        if here is None:
            continue
        room = node_gpus // option.gpus * term.max_nodes
        if option.nodes:
            room = term.max_nodes // option.nodes
        if room < here.replicas:
            continue
        place = (0, supplier, term)
        for candidate in candidates_of(ask, wish, here, 0, place, question.energy):
            replicas = math.ceil(here.units * here.replicas / candidate.units)
            held = candidate.gpus + candidate.whole_nodes * node_gpus
            node = node_cost_cents(term, question.energy, supplier.draw)
            share = 0 if candidate.own_nodes else node * held / node_gpus
            yield math.ceil((candidate.cost_cents + share) * replicas)
