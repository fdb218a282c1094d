"""What changes in supply and limits are worth, and the prices at which the plan changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from planner.optimize.break_even import BreakEvens, Edge
from planner.optimize.outcome import Outcome, ProgressCallback, SolveLimits, Status
from planner.optimize.whatif import (
    Asked,
    Bench,
    difference,
    makes_room,
    open_cents,
    rank,
    relaxed,
    unserved_levels,
)
from planner.options.problem import Problem
from planner.plan.schema import BreakEven, Sensitivity
from planner.scenario.changes import Change, Offer, larger_limits, more_nodes, offers_of, priced
from planner.scenario.resolved import Scenario
from planner.units import CENT, from_cents

MOST = 10
"""Changes, and offers, that are solved for: those that matter most to the linear relaxation."""


@dataclass(frozen=True, slots=True)
class Sensitivities:
    """What `--sensitivity` adds to a plan."""

    changes: tuple[Sensitivity, ...]
    break_evens: tuple[BreakEven, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Ranked:
    change: Change
    asked: Asked
    worth: float
    """Cents by the linear relaxation."""


def sensitivity(
    scenario: Scenario,
    base: Outcome,
    limits: SolveLimits,
    progress: ProgressCallback | None = None,
) -> Sensitivities:
    """One more node of each stock and offer, a tenth more of each limit, and the price range of each offer.

    The linear relaxation of the whole model chooses what is solved again. An effect that is not larger than what the
    proofs leave open is not shown, and said to be so.
    """
    bench = Bench(scenario, base, limits, progress)
    levels = unserved_levels(bench.asked.problem, base)
    whole = relaxed(bench.asked.problem, levels)
    rows: list[tuple[int, Sensitivity]] = []
    nothing: list[str] = []
    unclear: list[str] = []
    chosen, weaker, idle = _strongest(bench, whole, levels)
    for one in chosen:
        outcome = bench.solve(one.asked.problem)
        if not outcome.has_plan:
            unclear.append(one.change.words)
            continue
        saving = (base.cost_cents or 0) - (outcome.cost_cents or 0)
        left = open_cents(base, outcome)
        serves = rank(outcome)[:-1] < rank(base)[:-1]
        if not serves and abs(saving) <= left:
            (nothing if not left else unclear).append(one.change.words)
            continue
        rows.append((saving, _row(bench, one, outcome, left)))
    for saving, row in _without(bench):
        rows.append((saving, row))
    rows.sort(key=lambda item: (-abs(item[0]), item[1].change))
    return Sensitivities(
        tuple(row for _, row in rows),
        tuple(_priced(bench, whole, levels)),
        tuple(_notes(nothing, unclear, weaker, idle)),
    )


def _notes(nothing: list[str], unclear: list[str], weaker: int, idle: int) -> Iterator[str]:
    if nothing:
        yield f"proven to save nothing: {'; '.join(nothing)}"
    if unclear:
        yield f"not shown, since no effect is larger than what the proofs leave open: {'; '.join(unclear)}"
    if weaker:
        yield f"{weaker} more that matter less to the linear relaxation were not solved for"
    if idle:
        yield (
            f"{idle} more were not solved for: the plan has room left in what they add to, or still too "
            "little, and the linear relaxation gains nothing by them"
        )


def _strongest(
    bench: Bench, whole: float | None, levels: tuple[int, ...]
) -> tuple[list[_Ranked], int, int]:
    """The changes that matter most: by the relaxation, then those that make room for one more of something.

    Also how many matter less, and how many do not at all.
    """
    idle = 0
    found: list[tuple[tuple[float, bool, str], _Ranked]] = []
    assert bench.base.start is not None
    for change in _changes(bench.scenario):
        asked = bench.ask(change.scenario)
        worth = _saving(whole, asked.problem, levels)
        # Where something is left out, room in the plan is no sign that more would not let it be served.
        tight = bool(bench.base.unserved) or makes_room(
            bench.asked.problem, bench.base.start.columns, asked.problem
        )
        if worth > 0 or tight:
            found.append(((-worth, not tight, change.words), _Ranked(change, asked, worth)))
        else:
            idle += 1
    found.sort(key=lambda item: item[0])
    return [one for _, one in found[:MOST]], max(0, len(found) - MOST), idle


def _changes(scenario: Scenario) -> Iterator[Change]:
    yield from more_nodes(scenario)
    yield from larger_limits(scenario)


def _saving(whole: float | None, problem: Problem, levels: tuple[int, ...]) -> float:
    """Whole cents that the relaxation saves."""
    after = relaxed(problem, levels)
    return 0.0 if whole is None or after is None else max(0.0, round(whole - after))


def _row(bench: Bench, one: _Ranked, outcome: Outcome, left: int) -> Sensitivity:
    base = bench.base
    saving = from_cents((base.cost_cents or 0) - (outcome.cost_cents or 0))
    change = one.change
    each = None if change.unit == "node" else (saving / change.step).quantize(CENT)
    names = [one.asked.problem.blocks[n].name for n in base.unserved if n not in outcome.unserved]
    return Sensitivity(
        change=change.words,
        cost=from_cents(outcome.cost_cents or 0),
        saving=saving,
        gap=from_cents(left),
        proven=outcome.status is Status.PROVEN and base.status is Status.PROVEN,
        per_unit=each,
        unit=change.unit,
        note=f"{', '.join(names)} can be served as well" if names else "",
        then=difference(bench.asked, base, one.asked, outcome),
    )


def _without(bench: Bench) -> Iterator[tuple[int, Sensitivity]]:
    """The plan without each offer that it orders from."""
    asked, base = bench.asked, bench.base
    taken = dict.fromkeys(
        (d.pool, d.action, d.offer)
        for d, n in zip(asked.deals, base.acquired, strict=True)
        if n and d.action != "contract"
    )
    for key in list(taken)[:MOST]:
        orders = tuple(
            replace(o, most=o.least) if (d.pool, d.action, d.offer) == key else o
            for o, d in zip(asked.problem.acquisitions, asked.deals, strict=True)
        )
        outcome = bench.solve(replace(asked.problem, acquisitions=orders))
        words = f"without the offer to {key[1].replace('commit', 'commit to')} `{key[0]}`"
        cost = base.cost_cents or 0
        if outcome.status is Status.INFEASIBLE:
            note = "not everything can be served then"
            row = Sensitivity(change=words, cost=None, saving=None, note=note, proven=True)
            yield 2**62, row
        elif outcome.has_plan and abs(saving := cost - (outcome.cost_cents or 0)) > open_cents(
            base, outcome
        ):
            yield (
                saving,
                Sensitivity(
                    change=words,
                    cost=from_cents(outcome.cost_cents or 0),
                    saving=from_cents(saving),
                    gap=from_cents(open_cents(base, outcome)),
                    proven=Status.PROVEN is outcome.status is base.status,
                    then=difference(asked, base, asked, outcome),
                ),
            )


def _priced(bench: Bench, whole: float | None, levels: tuple[int, ...]) -> Iterator[BreakEven]:
    """The range of each offer's price in which the plan stays: offers it uses, then the nearest others."""
    found: list[tuple[tuple[bool, float, str, int], BreakEvens]] = []
    for offer in offers_of(bench.scenario):
        prices = BreakEvens(bench, offer)
        half = bench.ask(priced(bench.scenario, offer, offer.price.amount / 2))
        worth = _saving(whole, half.problem, levels)
        used = prices.used()
        if used or worth > 0:
            found.append(((not used, -worth, offer.pool, offer.number), prices))
    found.sort(key=lambda item: item[0])
    for (unused, *_), prices in found[:MOST]:
        low = prices.edge(-1)
        high = None if unused else prices.edge(1)
        yield _break_even(prices.offer, low, high)


def _break_even(offer: Offer, low: Edge, high: Edge | None) -> BreakEven:
    return BreakEven(
        pool=offer.pool,
        action=offer.action,
        offer=offer.number + 1,
        price=offer.price.amount,
        per=offer.price.per,
        volume=offer.volume,
        listed=offer.listed,
        used=high is not None,
        stays_from=low.price,
        from_exact=low.exact,
        below=low.change,
        stays_to=None if high is None else high.price,
        to_exact=high is not None and high.exact,
        above="" if high is None else high.change,
        proven=low.proven and (high is None or high.proven),
    )
