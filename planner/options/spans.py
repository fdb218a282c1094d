"""Single training runs over periods: those longer than a period hold the same GPUs from one into the next.

A run starts at the start of a period and goes on without a break: every period it spans but the last is filled,
the last takes what is left of its hours. It stays on one pool, under one price term and in one layout.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from planner.options.asks import Ask, TrainingAsk
from planner.options.build import Built, Supplier, Wish, candidates_of
from planner.options.lean import lean
from planner.options.problem import Candidate, Hold
from planner.options.question import Question
from planner.options.records import Option
from planner.options.spot import on_term
from planner.options.terms import Term

Place = tuple[int, Supplier, Term]
"""Number of a supply within the problem of its period, its pool, and its price term."""


@dataclass(frozen=True, slots=True)
class Span:
    """One way to run over several periods."""

    candidate: Candidate
    """Its supplies are numbered as in the whole problem."""
    slices: tuple[Candidate, ...]
    """What it is in each period from its first on, supplies and options numbered as in the period."""


@dataclass(slots=True)
class Stretch:
    """A period as spans see it."""

    name: str
    hours: int
    question: Question
    built: Built
    first_supply: int
    options: list[Option]
    """Options of the period's problem; spans that reach into it add theirs."""
    places: dict[tuple[str, str], Place]


def stretch(name: str, hours: int, question: Question, built: Built, first_supply: int) -> Stretch:
    """A period with its supplies by pool and term."""
    terms = [(s, t) for s in question.suppliers for t in s.terms]
    places = {(s.facts.name, t.name): (n, s, t) for n, (s, t) in enumerate(terms)}
    return Stretch(name, hours, question, built, first_supply, list(built.options), places)


def hours_in(total: float, hours: int) -> tuple[float, ...]:
    """Hours of a run in each period that it spans.

    >>> hours_in(1000.0, 730), hours_in(730.0, 730)
    ((730.0, 270.0), (730.0,))
    """
    count = max(1, math.ceil(total / hours))
    return (*(float(hours),) * (count - 1), total - hours * (count - 1))


def spans(
    stretches: Sequence[Stretch], at: int, number: int, options: Sequence[Option]
) -> tuple[Span, ...]:
    """All spans of an ask that start in period `at` and can be part of a cheapest plan."""
    first = stretches[at]
    ask, wish = first.question.asks[number], first.question.wishes[number]
    if not isinstance(ask, TrainingAsk):
        return ()
    found: list[Span] = []
    for bare in options:
        for option, names in _by_term(ask, bare, first):
            if option.timing.hours is None or option.timing.hours <= first.hours:
                continue
            each = hours_in(option.timing.hours, first.hours)
            if at + len(each) <= len(stretches):
                over = stretches[at : at + len(each)]
                found += _of_option(ask, wish, option, each, over, names)
    within = [
        replace(c, supply=c.supply + first.first_supply)
        for c in first.built.problem.blocks[number].candidates
        if c.guest_of < 0
    ]
    kept = {id(c) for c in lean([*within, *(s.candidate for s in found)])}
    return tuple(s for s in found if id(s.candidate) in kept)


def _by_term(
    ask: Ask, option: Option, first: Stretch
) -> Iterator[tuple[Option, list[tuple[str, str]]]]:
    """The option as it runs under terms of its pool, with those terms: it takes longer on spot nodes."""
    found: dict[Fraction | None, list[tuple[str, str]]] = {}
    for key, (_, _, term) in first.places.items():
        if key[0] == option.pool:
            found.setdefault(term.interruption, []).append(key)
    for names in found.values():
        here = on_term(ask, option, first.places[names[0]][2])
        if here is not None:
            yield here, names


def _of_option(
    ask: Ask,
    wish: Wish,
    option: Option,
    each: Sequence[float],
    over: Sequence[Stretch],
    names: Sequence[tuple[str, str]],
) -> Iterator[Span]:
    """The option under each of the terms that its pool has in all periods it spans."""
    numbers = []
    for one in over:
        numbers.append(len(one.options))
        one.options.append(option)
    for pool, term in names:
        if any((pool, term) not in one.places for one in over):
            continue
        # Shared nodes first, then nodes rented for the run, where the term has them.
        rows = [
            candidates_of(
                ask,
                wish,
                replace(option, timing=replace(option.timing, hours=hours)),
                index,
                one.places[pool, term],
                one.question.energy,
            )
            for one, hours, index in zip(over, each, numbers, strict=True)
        ]
        for parts in zip(*rows, strict=False):
            yield _joined(parts, over)


def _joined(parts: Sequence[Candidate], over: Sequence[Stretch]) -> Span:
    supplies = [c.supply + one.first_supply for c, one in zip(parts, over, strict=True)]
    candidate = replace(
        parts[0],
        turn=None,
        key=f"{parts[0].key} {over[0].name} to {over[-1].name}",
        supply=supplies[0],
        cost_cents=sum(c.cost_cents for c in parts),
        later=tuple(Hold(s, c.cost_cents) for s, c in zip(supplies[1:], parts[1:], strict=True)),
    )
    return Span(candidate, tuple(parts))
