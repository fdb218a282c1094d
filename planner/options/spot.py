"""Spot nodes: what is left of an option's speed when a share of the hours is lost to interruptions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from planner.layout import Layout
from planner.options.asks import Ask, PoolFacts, ServingAsk, TrainingAsk
from planner.options.buckets import load_units
from planner.options.problem import DEMAND_UNITS, LOAD_UNITS
from planner.options.records import Found, Option, Reason, Rejection
from planner.options.serving_pass import asked_rate
from planner.options.serving_records import busy_share
from planner.options.terms import Term
from planner.scenario.resolved import Scenario
from planner.units import HOUR_S, duration


def on_term(ask: Ask, option: Option, term: Term) -> Option | None:
    """The option as it runs on nodes of a term; None where it may not, or no longer does what is asked."""
    if term.interruption is None:
        return option
    return interrupted(ask, option, term.interruption) if ask.spot else None


def interrupted(ask: Ask, option: Option, lost: Fraction) -> Option | None:
    """The option with `lost` of its hours gone: rates x (1 - lost), hours of a run / (1 - lost).

    None where a run then misses its deadline, or a replica covers too little of the demand to count.
    """
    if option.interruption == lost:
        return option
    left = float((1 - lost) / (1 - (option.interruption or 0)))
    timing = replace(
        option.timing,
        rate=option.timing.rate * left,
        rate_low=option.timing.rate_low * left,
        rate_high=option.timing.rate_high * left,
    )
    here = replace(option, timing=timing, interruption=lost)
    if isinstance(ask, ServingAsk):
        return _serving(ask, here, left)
    assert timing.hours is not None
    hours = timing.hours / left
    if ask.deadline_s is not None and hours * HOUR_S > ask.deadline_s:
        return None
    return replace(here, timing=replace(timing, hours=hours))


def _serving(ask: ServingAsk, option: Option, left: float) -> Option | None:
    """A run with a deadline lasts as long as before and gets less done; so does a replica of a service."""
    counted = option.timing.rate_low if ask.careful else option.timing.rate
    demand = asked_rate(ask)
    units = min(DEMAND_UNITS, math.floor(DEMAND_UNITS * counted / demand))
    if units < 1:
        return None
    rates = tuple(rate * left for rate in option.size_rates)
    loads = tuple(
        load_units(demand * size.share, rate)
        for size, rate in zip(ask.buckets, rates, strict=bool(rates))
    )
    replicas = math.ceil(DEMAND_UNITS / units)
    if loads:
        replicas = math.ceil(sum(x for x in loads if x > 0) / LOAD_UNITS)
    return replace(
        option,
        units=units,
        loads=loads,
        size_rates=rates,
        replicas=max(ask.replicas_min, replicas),
        utilisation=busy_share(ask, counted, demand, units, loads),
    )


def least_interruption(terms: Sequence[Term]) -> Fraction | None:
    """The least share lost on nodes of any of the terms; None where there are others than spot nodes, or no nodes."""
    lost = [t.interruption for t in terms if t.interruption is not None]
    return min(lost) if lost and len(lost) == len(terms) else None


def on_spot_only(ask: Ask, pool: PoolFacts, found: Found) -> Found:
    """What is found on a pool of spot nodes only: options as interrupted; those that do not stand it are rejections."""
    lost = pool.interruption
    if lost is None:
        return found
    each = [(o, interrupted(ask, o, lost)) for o in found.options]
    kept = tuple(here for _, here in each if here is not None)
    refused = tuple(_refused(ask, pool, o, lost) for o, here in each if here is None)
    return Found(
        kept, (*found.rejections, *refused), found.dominated, found.rejected + len(refused)
    )


def not_allowed(ask: Ask, pool: PoolFacts) -> Rejection:
    """Why a workload that must not be interrupted has no place on a pool of spot nodes."""
    text = "all its nodes are spot; the workload uses them only with `spot: true`"
    return Rejection(ask.name, pool.name, Layout(), Reason.NOT_ALLOWED, text, bottleneck="user")


def _refused(ask: Ask, pool: PoolFacts, option: Option, lost: Fraction) -> Rejection:
    share = f"{100 * float(lost):g} % of the hours lost to interruptions"
    if isinstance(ask, TrainingAsk) and ask.deadline_s is not None:
        need, have = (option.timing.hours or 0.0) / float(1 - lost), ask.deadline_s / HOUR_S
        text = f"takes {duration(need * HOUR_S)} with {share}, deadline {duration(ask.deadline_s)}"
        return Rejection(
            ask.name, pool.name, option.layout, Reason.DEADLINE, text, need, have, "h",
            option.timing.limit, option.account,
        )  # fmt: skip
    return Rejection(
        ask.name, pool.name, option.layout, Reason.COUNT,
        f"one replica covers less than 1/{DEMAND_UNITS} of the demand with {share}",
        bottleneck=option.timing.limit,
    )  # fmt: skip


def with_spot(scenario: Scenario, ask: Ask) -> Ask:
    """The ask as it is where there are spot nodes; elsewhere there is nothing that it could forbid."""
    has_spot = any(r.interruption is not None for p in scenario.pools for r in p.spec.rent)
    return ask if has_spot else replace(ask, spot=True)


def spot_assumptions(scenario: Scenario) -> Iterator[str]:
    """What is assumed of spot nodes, once for each share of hours that they lose."""
    shares: dict[Fraction, list[str]] = {}
    for pool in scenario.pools:
        for rent in pool.spec.rent:
            if rent.interruption is not None:
                shares.setdefault(rent.interruption, []).append(f"`{pool.name}`")
    for lost, pools in shares.items():
        left = f"{100 * float(1 - lost):g} %"
        yield (
            f"spot nodes of {', '.join(dict.fromkeys(pools))}: {100 * float(lost):g} % of their hours are lost to "
            f"interruptions, so a run is {left} as fast and pays for all hours, and a replica carries {left} "
            "of its load; services use them only with `spot: true`"
        )
