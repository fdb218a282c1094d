"""Combinations of up to three changes, where no single one is enough."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations, product

from planner.optimize.outcome import Status
from planner.optimize.repairs_bench import Bench
from planner.optimize.repairs_found import Fix, Found, by_price, given, try_search
from planner.options.explain.changes import Change, Search, first_step
from planner.options.explain.supply_changes import amount, more_nodes, with_limit, without_limit
from planner.options.problem import Limit
from planner.options.question import Question

MOST_CHANGES = 3
"""Changes in one combination."""
MOST_PAIRS = 40
"""Combinations solved."""


def combine_searches(
    bench: Bench, question: Question, searches: Sequence[Search], found: Found
) -> None:
    """Pairs, and if none works triples, of changes that are not enough alone; each at its least step that works."""
    for size in (2, MOST_CHANGES):
        tried = 0
        for group in combinations(searches, size):
            if len({(s.kind, s.loosest.full_text) for s in group}) < size or tried == MOST_PAIRS:
                continue
            tried += 1
            changed = _applied(question, [s.loosest for s in group])
            if bench.possible(changed).works:
                fix = _tightened(bench, question, group)
                found.fixes += [fix] if fix is not None else []
        if any(f.combination for f in found.fixes):
            return


def _tightened(bench: Bench, question: Question, group: Sequence[Search]) -> Fix | None:
    """Each change of a combination that works, one after the other, at the least step that still works."""
    chosen = [s.loosest for s in group]
    for number, search in enumerate(group):
        base = _applied(question, [*chosen[:number], *chosen[number + 1 :]])
        chosen[number] = first_step(search, lambda c: bench.possible(c.applied(base)).works)  # noqa: B023
    for number, change in enumerate(chosen):
        if change.kind == "opex":
            rest = _applied(question, [*chosen[:number], *chosen[number + 1 :]])
            priced = budget(bench, rest, next(x.name for x in question.limits if x.kind == "cost"))
            if priced is None:
                return None
            chosen[number] = priced
    trial = bench.price(_applied(question, chosen))
    if not trial.works:
        return None
    says = given(trial, chosen[0].workload) if len({c.workload for c in chosen}) == 1 else ""
    return Fix(tuple(chosen), trial, says, combination=True)


def budget(bench: Bench, question: Question, name: str) -> Change | None:
    """The budget at which there is a plan, in whole units of the currency."""
    free = bench.price(without_limit(name)(question))
    if not free.works or free.cents is None or free.outcome is None:
        return None
    now = next(x.bound for x in question.limits if x.name == name)
    whole = math.ceil(free.cents / 100)
    least_one = ": the least that works" if free.outcome.status is Status.PROVEN else ""
    text = f"`opex: {whole} {question.currency}/month` instead of {now / 100:,.0f}{least_one}"
    return Change("opex", text, whole=with_limit(name, whole * 100))


def room(bench: Bench, question: Question, limit: Limit) -> Change | None:
    """The least power, in steps of 10 W, or rack units at which there is a plan; None where it cannot be told."""
    found = bench.least_used(question, limit.kind)
    if found is None:
        return None
    least = math.ceil(found[0] / 10) * 10 if limit.kind == "power" else found[0]
    key = limit.name.rpartition(".")[2]
    least_one = ": the least that works" if found[1] else ""
    now = amount(limit.kind, limit.bound)
    text = f"`{key}: {amount(limit.kind, least)}` instead of {now}{least_one}"
    return Change(limit.kind, text, whole=with_limit(limit.name, least))


def repair_all(bench: Bench, question: Question, each: Sequence[Found]) -> list[Fix]:
    """The cheapest combinations found that serve all: one change for each workload without an option, and supply."""
    singles = [
        [f.changes[0] for f in found.fixes if not f.gives_up][:MOST_CHANGES] for found in each
    ]
    if not all(singles) or len(singles) > MOST_CHANGES:
        return []
    picks = list(product(*singles))
    found = Found()
    _combine(bench, question, picks, found)
    if len(singles) < MOST_CHANGES:
        for supplier in question.suppliers:
            _with_more_nodes(bench, question, picks[:2], supplier.facts.name, found)
    best = by_price(found).fixes
    return best[:1] + [f for f in best[1:] if f.unpriced != best[0].unpriced][:1]


def _with_more_nodes(
    bench: Bench, question: Question, picks: Sequence[tuple[Change, ...]], pool: str, found: Found
) -> None:
    """More nodes of a pool on top of changes that leave too few."""
    for changes in picks:
        changed = _applied(question, changes)
        alone = Found()
        try_search(bench, changed, more_nodes(question, pool), alone)
        found.fixes += [Fix((*changes, *f.changes), f.trial, combination=True) for f in alone.fixes]


def _applied(question: Question, changes: Iterable[Change]) -> Question:
    for change in changes:
        question = change.applied(question)
    return question


def _combine(
    bench: Bench, question: Question, parts: Sequence[tuple[Change, ...]], found: Found
) -> None:
    """Given tuples of changes, up to three changes and a fixed number of solves."""
    tried = 0
    for changes in parts:
        if len(changes) > MOST_CHANGES or tried == MOST_PAIRS:
            continue
        if len({(c.kind, c.workload) for c in changes}) < len(changes):
            continue
        tried += 1
        trial = bench.price(_applied(question, changes))
        if trial.works:
            found.fixes.append(Fix(changes, trial, combination=True))
