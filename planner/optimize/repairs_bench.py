"""A bench for what-ifs: changed questions considered with one cache and solved with small limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from planner.optimize.outcome import Outcome, SolveLimits, Status
from planner.optimize.solve import solve
from planner.optimize.trials import Tried, cheapest, feasible
from planner.options.asks import Ask, PoolFacts
from planner.options.build import Built, build
from planner.options.consider import Cache, consider_one
from planner.options.problem import Candidate, Problem
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Considered, Rejection
from planner.options.refusals import nearest_miss

PRICE_WORK = 2.0
"""Deterministic seconds of one priced solve."""
WORK = 20.0
"""Deterministic seconds of all solves on one bench."""

Consider = Callable[[Ask, PoolFacts], Considered]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Tried):
    """What came of one changed question."""

    question: Question
    considered: ConsideredByWorkload
    hopeless: tuple[str, ...] = ()
    """Required workloads without an option: no solver was needed."""
    built: Built | None = None

    def nearest(self) -> Rejection | None:
        """The nearest miss of the first workload without an option."""
        if not self.hopeless:
            return None
        found = [r for c in self.considered[self.hopeless[0]] for r in c.rejections]
        return nearest_miss(found)


class Bench:
    """Considers and solves changed questions; what was considered once is not considered again."""

    def __init__(self, consider: Consider | None = None, work: float = WORK) -> None:
        self._found: Cache = {}
        self._considered: dict[tuple[int, int], Considered] = {}
        self._alive: list[tuple[Ask, PoolFacts]] = []
        self._own = consider
        self.left = work
        """Deterministic seconds left."""
        self.solves = 0

    def consider(self, ask: Ask, pool: PoolFacts) -> Considered:
        """One workload on one pool."""
        if self._own is not None:
            return self._own(ask, pool)
        # Objects that did not change keep their identity, which is cheaper to look up than their content.
        key = (id(ask), id(pool))
        found = self._considered.get(key)
        if found is None:
            found = consider_one(ask, pool, cache=self._found)
            self._considered[key] = found
            self._alive.append((ask, pool))
        return found

    def seed(self, question: Question, considered: ConsideredByWorkload) -> None:
        """Take over what was considered before."""
        for ask in question.asks:
            for supplier, found in zip(question.suppliers, considered[ask.name], strict=True):
                self._considered[id(ask), id(supplier.facts)] = found
                self._alive.append((ask, supplier.facts))

    def options(self, ask: Ask, pool: PoolFacts) -> bool:
        """Whether the workload has an option there."""
        return bool(self.consider(ask, pool).options)

    def considered(self, question: Question) -> Mapping[str, tuple[Considered, ...]]:
        """All workloads of the question on all its pools."""
        return {
            a.name: tuple(self.consider(a, s.facts) for s in question.suppliers)
            for a in question.asks
        }

    def price(self, question: Question) -> Trial:
        """The cheapest plan within the work of one what-if."""
        return self._solve(question, partial(cheapest, tie_break=True))

    def possible(self, question: Question) -> Trial:
        """Whether the exact model can hold: no objective, so much faster; `plans` of the outcome is empty."""
        return self._solve(question, feasible)

    def least_used(self, question: Question, kind: str) -> tuple[int, bool] | None:
        """Least power (`power`, W) or rack units (`racks`) of any plan, and whether that is proven.

        None where there is no plan, or money is limited too.
        """
        if any(x.kind == "cost" for x in question.limits):
            return None
        free = replace(question, limits=tuple(x for x in question.limits if x.kind != kind))
        outcome = self._solve(free, _leanest_power if kind == "power" else _leanest_racks).outcome
        if outcome is None or not outcome.has_plan or outcome.cost_cents is None:
            return None
        return outcome.cost_cents, outcome.status is Status.PROVEN

    def _solve(self, question: Question, method: Callable[[Problem, float], Outcome]) -> Trial:
        considered = self.considered(question)
        hopeless = tuple(
            a.name
            for a, w in zip(question.asks, question.wishes, strict=True)
            if w.required and not any(c.options for c in considered[a.name])
        )
        if hopeless:
            return Trial(question=question, considered=considered, hopeless=hopeless)
        built = build(
            question.asks, question.wishes, considered, question.suppliers, question.energy,
            question.limits,
        )  # fmt: skip
        if self.left <= 0:
            return Trial(question=question, considered=considered, built=built)
        outcome = method(built.problem, min(PRICE_WORK, self.left))
        self.left -= outcome.stats.deterministic_time
        self.solves += 1
        return Trial(question=question, considered=considered, built=built, outcome=outcome)


def _leanest_power(problem: Problem, work: float) -> Outcome:
    """The problem with power in place of money."""
    return _leanest(problem, [s.node_power_w for s in problem.supplies], lambda c: c.power_w, work)


def _leanest_racks(problem: Problem, work: float) -> Outcome:
    """The problem with rack units in place of money."""
    return _leanest(problem, [s.rack_units for s in problem.supplies], lambda c: 0, work)


def _leanest(
    problem: Problem, of_nodes: Sequence[int], of_candidate: Callable[[Candidate], int], work: float
) -> Outcome:
    """The problem with something else in place of money: so much of it per node in use and per candidate."""
    blocks = tuple(
        replace(b, candidates=tuple(replace(c, cost_cents=of_candidate(c)) for c in b.candidates))
        for b in problem.blocks
    )
    supplies = tuple(
        replace(s, node_cost_cents=each, node_energy_cents=0)
        for s, each in zip(problem.supplies, of_nodes, strict=True)
    )
    limits = SolveLimits(
        deterministic_time=work, tie_break=False, confirm_infeasible=False, explain_conflict=False,
    )  # fmt: skip
    return solve(replace(problem, blocks=blocks, supplies=supplies), limits=limits)
