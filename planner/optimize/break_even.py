"""The prices at which the plan changes: the cost of a fixed plan is linear in one price, the optimum concave.

Of two plans each is the cheaper one on its own side of one price. From a price at which another plan is known to be
cheaper, the search goes to the price at which that plan stops being cheaper, solves there, and repeats with what it
finds; it ends where the plan itself is proven cheapest, one step of the price from where another is cheaper.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum, auto

from planner.optimize.outcome import Outcome, Status
from planner.optimize.start import Columns
from planner.optimize.whatif import Asked, Bench, cost_in, difference, holds_in, rank
from planner.options.problem import Limit, Problem
from planner.scenario.changes import Offer, priced

FURTHEST = 4
"""Prices are looked at from a quarter to four times of what they are."""
NEAR = Decimal("0.01")
"""Share of the price to which the end of a budget is first looked for."""
MOST_SOLVES = 10
"""Prices in one direction at which the optimum is sought."""


@dataclass(frozen=True, slots=True)
class Edge:
    """How far a price can move in one direction until the plan changes."""

    price: Decimal
    """The plan is the cheapest up to here."""
    exact: bool
    """One step further another plan is better; else the plan is the cheapest at least so far."""
    proven: bool
    """Every solve on the way was proven, and no budget that depends on the price plays a part in between."""
    change: str = ""
    """What the plan beyond does otherwise."""


class _Verdict(Enum):
    SAME = auto()
    """The plan is the cheapest."""
    BETTER = auto()
    """Another is."""
    BROKEN = auto()
    """The plan does not fit the budgets."""


@dataclass(frozen=True, slots=True)
class _Seen:
    verdict: _Verdict
    proven: bool
    better: Outcome | None = None


class BreakEvens:
    """Where the plan changes as one offer's price moves. Prices are counted in steps."""

    def __init__(self, bench: Bench, offer: Offer) -> None:
        self.bench, self.offer = bench, offer
        assert bench.base.start is not None
        self.columns = bench.base.start.columns
        self.steps = offer.price.amount / offer.step
        self._asked: dict[int, Asked] = {}

    def used(self) -> bool:
        """Whether the plan's cost depends on the price."""
        there = self.asked(FURTHEST * math.ceil(self.steps)).problem
        return cost_in(there, self.columns) != cost_in(self.bench.asked.problem, self.columns)

    def asked(self, k: int) -> Asked:
        """The problem at a price."""
        if k not in self._asked:
            there = priced(self.bench.scenario, self.offer, k * self.offer.step)
            self._asked[k] = self.bench.ask(there)
        return self._asked[k]

    def edge(self, direction: int) -> Edge:
        """How far the price can rise (+1) or fall (-1)."""
        good = math.floor(self.steps) if direction > 0 else math.ceil(self.steps)
        bad = math.floor(self.steps * FURTHEST if direction > 0 else self.steps / FURTHEST)
        here = _Seen(_Verdict.SAME, self.bench.base.status is Status.PROVEN)
        seen = self._look(bad)
        if seen.verdict is _Verdict.SAME:
            return Edge(bad * self.offer.step, False, seen.proven)
        for _ in range(MOST_SOLVES):
            trial, bad = self._around(good, bad, seen)
            after = here if trial == good else self._look(trial)
            if after.verdict is _Verdict.SAME and abs(bad - trial) > 1:
                good, here = trial, after
            elif after.verdict is _Verdict.SAME:
                return Edge(trial * self.offer.step, True, after.proven, self._words(bad, seen))
            else:
                bad, seen = trial, after
        return Edge(good * self.offer.step, False, here.proven)

    def _words(self, k: int, seen: _Seen) -> str:
        if seen.better is None:
            return "the plan no longer fits the budgets"
        return difference(self.bench.asked, self.bench.base, self.asked(k), seen.better)

    # ------------------------------------------------------------------------ at one price

    def _look(self, k: int) -> _Seen:
        """Whether the plan is the cheapest at a price, and then at all prices on the way there.

        What each plan costs is linear in the price. So where the plans to choose from are the same at both ends, the
        plan that is the cheapest at both is so in between. Budgets shrink the choice as prices rise: those of the lower
        end are taken, and those left out that a price enters by what nodes cost.
        """
        problem, own = self.asked(k).problem, self.bench.asked.problem
        if not holds_in(problem, self.columns):
            return _Seen(_Verdict.BROKEN, True)
        rises = k > self.steps
        limits = self._of_both(problem, own if rises else problem)
        loose = replace(problem, limits=limits)
        better, proven = self._beats(loose)
        if better is None and own.limits != limits:
            other, sure = self._beats(replace(own, limits=limits))
            proven = proven and sure and other is None
        if better is not None and not _is_plan(problem, better):
            better, _ = self._beats(problem)
            proven = False
        proven = proven and self.bench.base.status is Status.PROVEN
        return _Seen(_Verdict.SAME if better is None else _Verdict.BETTER, proven, better)

    def _beats(self, problem: Problem) -> tuple[Outcome | None, bool]:
        """The optimum where it is better than the plan, and whether the answer is proven."""
        base = self.bench.base
        found = self.bench.solve(problem)
        own = (*rank(base)[:-1], cost_in(problem, self.columns))
        better = found if found.has_plan and rank(found) < own else None
        return better, found.status is Status.PROVEN

    def _of_both(self, problem: Problem, lower: Problem) -> tuple[Limit, ...]:
        """The lower end's limits, without those that a price enters by what nodes or replicas cost."""
        own = self.bench.asked.problem
        moved = problem.supplies != own.supplies or problem.blocks != own.blocks
        return tuple(x for x in lower.limits if not (moved and x.kind == "cost"))

    # ------------------------------------------------------------------ between two prices

    def _around(self, good: int, bad: int, seen: _Seen) -> tuple[int, int]:
        """Two prices, one step apart where another plan is better: nearer to `good`, and from the change on.

        Where the plan does not fit the budgets the two come near in two goes: most often another plan is better long
        before, and the exact price of no use.
        """
        if seen.better is None:
            wide = max(1, int(self.steps * NEAR))
            within = wide if abs(bad - good) > wide else 1
            return _bisect(good, bad, lambda k: not self._holds(k, self.columns), within=within)
        assert seen.better.start is not None
        other = seen.better.start.columns
        near = good
        if rank(seen.better)[:-1] == rank(self.bench.base)[:-1]:
            here, there = self._gain(bad, other), self._gain(good, other)
            if there <= 0:
                guess = good + round((0.5 - there) * (bad - good) / (here - there))
                pair = _bisect(good, bad, lambda k: self._gain(k, other) > 0, guess)
                if self._holds(pair[1], other):
                    return pair
                near = pair[1]
        return _bisect(near, bad, lambda k: self._holds(k, other))

    def _holds(self, k: int, columns: Columns) -> bool:
        return holds_in(self.asked(k).problem, columns)

    def _gain(self, k: int, other: Columns) -> int:
        """Cents by which another plan is cheaper at a price."""
        problem = self.asked(k).problem
        return cost_in(problem, self.columns) - cost_in(problem, other)


def _is_plan(problem: Problem, outcome: Outcome) -> bool:
    return outcome.start is not None and holds_in(problem, outcome.start.columns)


def _bisect(
    good: int, bad: int, holds: Callable[[int], bool], guess: int | None = None, within: int = 1
) -> tuple[int, int]:
    """Two numbers at most `within` apart, between which `holds` becomes true on the way to `bad`.

    >>> _bisect(0, 100, lambda k: k >= 36, 37), _bisect(100, 0, lambda k: k <= 60)
    ((35, 36), (61, 60))
    """
    step = 1
    toward = 1 if bad > good else -1
    guess = (good + bad) // 2 if guess is None else guess
    while abs(bad - good) > within:
        if step > 64 or not min(good, bad) < guess < max(good, bad):
            guess = (good + bad) // 2
        if holds(guess):
            bad = guess
            guess -= toward * step
        else:
            good = guess
            guess += toward * step
        step *= 4
    return good, bad
