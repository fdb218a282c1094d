"""Changes to a scenario with a horizon that may give it a plan, each as a search for the least that works."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from planner.options.asks import Ask
from planner.options.explain.ask_changes import ask_searches
from planner.options.explain.changes import Change, Search
from planner.options.question import Question
from planner.scenario.periods import in_whole_months, period_s, periods_of, runs_every
from planner.scenario.resolved import ResolvedWorkload, Scenario
from planner.scenario.schema_training import Training
from planner.scenario.schema_workloads import InferenceWorkload
from planner.units import DAY_S, HOUR_S, MONTH_S

SHARES = range(95, 0, -5)
"""Shares of a demand, in percent, that are tried."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A scenario, and changes to the question of each of its periods."""

    scenario: Scenario
    edits: tuple[Callable[[Question], Question], ...] = ()

    def edited(self, question: Question) -> Question:
        """The question of a period with all changes."""
        for edit in self.edits:
            question = edit(question)
        return question


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """One change a user can make: what to write, and the setting it leads to."""

    kind: str
    text: str
    apply: Callable[[Setting], Setting]
    workload: str = ""

    @property
    def unpriced(self) -> bool:
        """Whether it takes hardware whose price is not in the cost."""
        return self.kind in ("nodes", "retires")


@dataclass(frozen=True, slots=True)
class Steps:
    """Changes of one kind, ever looser: whatever works at one step works at all later ones."""

    kind: str
    count: int
    at: Callable[[int], PeriodChange]
    widest: str = ""
    slot: int | None = None
    """Period of a limit that has one value for each."""

    @property
    def loosest(self) -> PeriodChange:
        """The last step."""
        return self.at(self.count - 1)


def one(change: PeriodChange) -> Steps:
    """A search with one step."""
    return Steps(change.kind, 1, lambda _: change, change.text)


# ------------------------------------------------------------------------------------------ limits


def limit_steps(scenario: Scenario, key: str, slot: int | None, values: Sequence[Decimal]) -> Steps:
    """Ever larger values of a limit, in one period where it has a list, else in all of them."""
    now = getattr(scenario.spec.limits, key)
    at_slot = slot if slot is not None and len(now) > 1 else None
    unit = {"capex": " USD", "opex": " USD/month", "power": "", "rack_units": ""}[key].replace(
        "USD", scenario.spec.currency
    )

    def at(step: int) -> PeriodChange:
        value = values[step]
        before = now[at_slot or 0]
        if key == "power":
            words = f"`power: {value / 1000:g} kW` instead of {float(before) / 1000:g} kW"
        elif key == "rack_units":
            words = f"`{key}: {value:.0f}` instead of {before}"
        else:
            words = f"`{key}: {value:,.0f}{unit}` instead of {before.amount:,.0f}{unit}"
        when = "" if at_slot is None else f" in {periods_of(scenario)[at_slot].name}"
        return PeriodChange(key, words + when, limit_change(key, at_slot, value))

    return Steps(key, len(values), at, f"a higher `{key}`", at_slot)


def limit_change(key: str, slot: int | None, value: Decimal) -> Callable[[Setting], Setting]:
    """A limit with another value, in one period or in all."""

    def apply(setting: Setting) -> Setting:
        spec = setting.scenario.spec
        rows = list(getattr(spec.limits, key))
        for n in range(len(rows)) if slot is None else [slot]:
            plain = {"power": Fraction(value), "rack_units": int(value)}
            rows[n] = plain[key] if key in plain else replace(rows[n], amount=value)
        limits = spec.limits.model_copy(update={key: tuple(rows)})
        changed = spec.model_copy(update={"limits": limits})
        return replace(setting, scenario=replace(setting.scenario, spec=changed))

    return apply


# ------------------------------------------------------------------------------------------ workloads


def workload_steps(scenario: Scenario, name: str, ask: Ask) -> Iterator[Steps]:
    """What one workload may give way in: time, demand, format, and the rows that narrow it."""
    workload = scenario.workload(name)
    yield from _deadline(scenario, workload)
    yield from _demand(workload)
    for search in ask_searches(ask):
        if search.kind != "deadline":
            yield lifted(search)


def lifted(search: Search) -> Steps:
    """A search over questions as one over settings."""

    def at(step: int) -> PeriodChange:
        change: Change = search.at(step)
        return PeriodChange(
            change.kind, change.full_text,
            lambda s: replace(s, edits=(*s.edits, change.applied)), change.workload,
        )  # fmt: skip

    return Steps(search.kind, search.count, at, search.widest)


def _deadline(scenario: Scenario, workload: ResolvedWorkload) -> Iterator[Steps]:
    spec, horizon = workload.spec, scenario.spec.horizon
    assert horizon is not None
    if not isinstance(spec, Training) or runs_every(workload) or spec.deadline is None:
        return
    step_s = period_s(horizon)
    count = int(horizon.length / step_s)
    values = [step_s * n for n in range(1, count + 1) if step_s * n > spec.deadline]
    if not values:
        return

    def at(step: int) -> PeriodChange:
        text = f"`deadline: {time_words(values[step])}` for `{workload.name}`"
        return PeriodChange(
            "deadline", text, with_spec(workload, deadline=values[step]), workload.name
        )

    yield Steps("deadline", len(values), at, f"a later `deadline` for `{workload.name}`")


def time_words(seconds: Fraction) -> str:
    """A length of time as one would write it in a scenario: months, days or hours."""
    if in_whole_months(seconds):
        months = int(seconds / MONTH_S)
        return f"{months} month{'s' if months > 1 else ''}"
    if seconds % DAY_S == 0:
        return f"{int(seconds / DAY_S)} d"
    return f"{math.ceil(seconds / HOUR_S)} h"


def _demand(workload: ResolvedWorkload) -> Iterator[Steps]:
    spec = workload.spec
    if not isinstance(spec, InferenceWorkload):
        return
    demand = spec.demand

    def at(step: int) -> PeriodChange:
        share = Fraction(SHARES[step], 100)
        update: dict[str, object] = {}
        if demand.requests is not None:
            update["requests"] = demand.requests * share
        if demand.concurrent is not None:
            update["concurrent"] = math.ceil(demand.concurrent * share)
        text = f"{SHARES[step]} % of the demand of `{workload.name}` in every period"
        less = demand.model_copy(update=update)
        return PeriodChange("demand", text, with_spec(workload, demand=less), workload.name)

    yield Steps("demand", len(SHARES), at, f"less demand of `{workload.name}`")


def dropped(workload: ResolvedWorkload) -> Steps:
    """The workload may stay unserved."""
    text = f"`required: false` for `{workload.name}`"
    return one(PeriodChange("drop", text, with_spec(workload, required=False), workload.name))


def with_spec(workload: ResolvedWorkload, **update: object) -> Callable[[Setting], Setting]:
    """Changes fields of what the user wrote of a workload."""

    def apply(setting: Setting) -> Setting:
        rows = tuple(
            w._replace(spec=w.spec.model_copy(update=update)) if w.name == workload.name else w
            for w in setting.scenario.workloads
        )
        return replace(setting, scenario=replace(setting.scenario, workloads=rows))

    return apply


def all_optional(setting: Setting) -> Setting:
    """The setting in which nothing must be served."""
    for workload in setting.scenario.workloads:
        setting = with_spec(workload, required=False)(setting)
    return setting
