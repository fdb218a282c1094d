"""The cheapest changes that give a plan, each confirmed by a full second solve and priced."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from planner.optimize.repairs_bench import Bench, Trial
from planner.optimize.repairs_combine import budget, combine_searches, room
from planner.optimize.repairs_found import Fix, Found, by_price, try_search
from planner.options.alternatives import option_cents
from planner.options.asks import Ask
from planner.options.build import Supplier
from planner.options.explain.ask_changes import after, ask_searches, lifted_wishes
from planner.options.explain.changes import (
    Change,
    Search,
    all_optional,
    only,
    single,
)
from planner.options.explain.larger import least_gpus
from planner.options.explain.offers import Rentable, offers_for, rent
from planner.options.explain.supply_changes import (
    LARGEST_REAL_NODE,
    fewer_spare_nodes,
    larger_node,
    left_out,
    more_host_ram,
    more_nodes,
    more_room,
    without_limit,
)
from planner.options.question import Question
from planner.options.records import Reason
from planner.options.terms import node_cost_cents

MOST_WORKLOADS = 6
"""Workloads whose own rows are tried where all are short of something together."""
_HARDWARE = ("model", "rent", "larger-node", "nodes", "host-ram")
"""Changes that take other hardware, or another model."""


def partial_plan(bench: Bench, question: Question) -> Trial:
    """The cheapest plan for as many workloads as can be served, by priority."""
    return bench.price(all_optional(question))


def repair_workload(bench: Bench, question: Question, name: str, served: Iterable[str]) -> Found:
    """Single changes that give a workload without an option a place beside those that are served."""
    beside = only(question, frozenset({name, *served}))
    ask = next(a for a in beside.asks if a.name == name)
    found = Found()
    for search in _workload_searches(bench, beside, ask, found.notes):
        try_search(bench, beside, search, found)
    if all(f.changes[0].kind in _HARDWARE for f in found.fixes):
        _combine_rows(bench, beside, found)
    return by_price(found)


def _combine_rows(bench: Bench, question: Question, found: Found) -> None:
    """Two or three rows of the workload loosened together, where none is enough alone."""
    rows = [s for s, t in found.failed if t.hopeless and s.loosest.ask is not None]
    combine_searches(bench, question, [s for s in rows if s.kind != "model"], found)


def _workload_searches(
    bench: Bench, question: Question, ask: Ask, notes: list[str]
) -> Iterator[Search]:
    parts = [bench.consider(ask, s.facts) for s in question.suppliers]
    reasons = {r.reason for c in parts for r in c.rejections}
    lifted = lifted_wishes(ask, reasons)
    base = ask
    if lifted is not None and lifted.ask is not None:
        yield single(lifted)
        base = lifted.ask(ask)
        if any(bench.options(base, s.facts) for s in question.suppliers):
            yield from _by_renting(bench, question, ask)
            return
        parts = [bench.consider(base, s.facts) for s in question.suppliers]
        reasons = {r.reason for c in parts for r in c.rejections}
    for search in ask_searches(base):
        yield search if lifted is None else after(lifted, search)
    for supplier in question.suppliers:
        pool = supplier.facts.name
        more = []
        count = least_gpus(base, supplier.facts) if Reason.MEMORY in reasons else None
        if count is not None and count <= LARGEST_REAL_NODE:
            more = [larger_node(question, ask.name, pool, count)]
        elif count is not None:
            notes.append(
                f"it would take {count} x {supplier.facts.gpu.name} in one node; nodes have "
                f"{LARGEST_REAL_NODE} at most"
            )
        if supplier.facts.max_nodes == 0:
            more = [more_nodes(question, pool)]
        elif Reason.HOST_RAM in reasons:
            more += [s for s in [more_host_ram(question, pool)] if s]
        yield from (
            more if lifted is None else [after(lifted, s) for s in more if s.kind == "larger-node"]
        )
    yield from _by_renting(bench, question, ask)


def _by_renting(bench: Bench, question: Question, ask: Ask) -> Iterator[Search]:
    """The offer of the catalog on which the workload alone costs least."""
    offers = offers_for(ask, bench.options) if question.currency == "USD" else []
    if offers:
        yield single(rent(*min(offers, key=lambda o: _alone_cents(bench, question, ask, o))))


def _alone_cents(
    bench: Bench, question: Question, ask: Ask, offer: tuple[Rentable, Supplier]
) -> int:
    """What the workload costs there, whole nodes paid for."""
    changed = rent(*offer).applied(only(question, frozenset({ask.name})))
    node_gpus, term = offer[1].facts.node_gpus, offer[1].terms[0]
    prices = []
    for option in bench.consider(ask, offer[1].facts).options:
        cents = option_cents(changed, ask, changed.wishes[0], option)
        if cents is not None and option.timing.hours is None:
            nodes = math.ceil(option.gpus * option.replicas / node_gpus)
            cents = max(cents, nodes * node_cost_cents(term, question.energy, offer[1].draw))
        prices += [] if cents is None else [cents]
    return min(prices, default=2**53)


def repair_together(bench: Bench, question: Question, members: Sequence[str]) -> Found:
    """Single changes where all workloads have options, but not together; else combinations."""
    found = Found()
    searches = list(_shared_searches(bench, question, members))
    for search in searches:
        try_search(bench, question, search, found)
    for limit in question.limits:
        if limit.kind == "cost":
            _least_budget(bench, question, limit.name, found)
    if all(f.gives_up for f in found.fixes):
        failed = [s for s, _ in found.failed]
        order = ("nodes", "opex", "power", "racks", "rent", "spare-nodes")
        shared = [s for k in order for s in failed if s.kind == k]
        rows = [s for s in failed if s.kind not in order]
        combine_searches(bench, question, [*shared, *rows], found)
    return by_price(found)


def _shared_searches(bench: Bench, question: Question, members: Sequence[str]) -> Iterator[Search]:
    names = set(members)
    for supplier in question.suppliers:
        pool = supplier.facts.name
        yield more_nodes(question, pool)
        yield from (s for s in [fewer_spare_nodes(question, pool)] if s)
    for limit in question.limits:
        if limit.kind in ("power", "racks"):
            told = room(bench, question, limit)
            yield more_room(limit) if told is None else single(told)
    pairs = [(a, w) for a, w in zip(question.asks, question.wishes, strict=True) if a.name in names]
    pairs.sort(key=lambda p: -p[1].priority)
    last = max((w.priority for _, w in pairs), default=1)
    for ask, _ in pairs[:MOST_WORKLOADS]:
        yield from ask_searches(ask)
    last_resort = []
    for ask, wish in pairs[:MOST_WORKLOADS]:
        if wish.priority == last and wish.required:
            last_resort.append(left_out(ask, wish.priority))
        yield from _by_renting(bench, question, ask)
    yield from last_resort


def _least_budget(bench: Bench, question: Question, name: str, found: Found) -> None:
    """The least budget that works is what the cheapest plan costs without one."""
    change = budget(bench, question, name)
    if change is None:
        lifted = Change("opex", "a higher `opex`", whole=without_limit(name))
        found.failed.append((single(lifted), bench.possible(lifted.applied(question))))
        return
    trial = bench.price(change.applied(question))
    if trial.works:
        found.fixes.append(Fix((change,), trial))
