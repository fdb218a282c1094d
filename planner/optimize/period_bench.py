"""A bench for what-ifs over a horizon: changed scenarios considered with one cache and solved with small limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.optimize.trials import Tried, cheapest, feasible
from planner.options.consider import Cache
from planner.options.explain.period_changes import PeriodChange, Setting, Steps
from planner.options.horizon import Part, Whole, join, parts_of
from planner.scenario.periods import runs_every
from planner.scenario.resolved import Scenario

PRICE_WORK = 4.0
"""Deterministic seconds of one solve."""
WORK = 60.0
"""Deterministic seconds of all solves on one bench."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodTrial(Tried):
    """What came of one changed scenario."""

    parts: tuple[Part, ...]
    hopeless: tuple[tuple[Part, str], ...] = ()
    """Periods and required workloads without an option in them: no solver was needed."""
    whole: Whole | None = None


class PeriodBench:
    """Considers and solves changed scenarios; what was considered once is not considered again."""

    def __init__(self, cache: Cache | None = None, work: float = WORK) -> None:
        self._cache: Cache = {} if cache is None else cache
        self.left = work
        """Deterministic seconds left."""

    def possible(self, setting: Setting) -> PeriodTrial:
        """Whether the exact model can hold; the outcome has no plan to look at."""
        return self._try(setting, price=False)

    def price(self, setting: Setting) -> PeriodTrial:
        """The cheapest plan within the work of one what-if."""
        return self._try(setting, price=True)

    def least(self, setting: Setting, steps: Steps) -> PeriodChange | None:
        """The first step that works, by bisection; None if the loosest does not."""
        if steps.count < 1 or not self.possible(steps.loosest.apply(setting)).works:
            return None
        low, high = 0, steps.count - 1
        while low < high:
            middle = (low + high) // 2
            if self.possible(steps.at(middle).apply(setting)).works:
                high = middle
            else:
                low = middle + 1
        return steps.at(low)

    def _try(self, setting: Setting, *, price: bool) -> PeriodTrial:
        parts = parts_of(setting.scenario, cache=self._cache, edit=setting.edited)
        lost = tuple(hopeless(setting.scenario, parts))
        if lost:
            return PeriodTrial(parts=parts, hopeless=lost)
        whole = join(setting.scenario, parts)
        if self.left <= 0:
            return PeriodTrial(parts=parts, whole=whole)
        work = min(PRICE_WORK, self.left)
        outcome = cheapest(whole.problem, work) if price else feasible(whole.problem, work)
        self.left -= outcome.stats.deterministic_time
        return PeriodTrial(parts=parts, whole=whole, outcome=outcome)


def hopeless(scenario: Scenario, parts: tuple[Part, ...]) -> Iterator[tuple[Part, str]]:
    """Periods with a required workload without an option; a single job needs one in some period."""
    single = {w.name for w in scenario.workloads if not runs_every(w)}
    placed = {
        name
        for part in parts
        for name, row in part.considered.items()
        if any(c.options for c in row)
    }
    told: set[str] = set()
    for part in parts:
        for ask, wish in zip(part.question.asks, part.question.wishes, strict=True):
            if not wish.required or any(c.options for c in part.considered[ask.name]):
                continue
            if ask.name in single and (ask.name in placed or ask.name in told):
                continue
            told.add(ask.name)
            yield part, ask.name
