"""Orders tested in low, best and high cases: costs, regret, a compromise, and what late deliveries cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from planner.optimize.cases import Case, Cost, Counts, case_of, cost_of, delayed, fixed
from planner.optimize.joint import Scene, joint
from planner.optimize.neighbours import neighbours
from planner.optimize.outcome import Outcome, ProgressCallback, SolveLimits
from planner.optimize.solve import solve
from planner.optimize.whatif import Asked, difference, rank, second
from planner.options.consider import Cache
from planner.options.deals import Deal
from planner.plan.schema import Robust, RobustCase, RobustOrder, Slip
from planner.scenario.cases import cases_of
from planner.scenario.resolved import Scenario
from planner.units import DAY_S, HOUR_S, from_cents

MOST_PARTS = 24
"""A share of a period counts in the joint problem by a fraction of at most this denominator, rounded down."""
KNOWN_GAP = 0.002
"""The best plan of a case with late purchases is sought to this."""
JOINT_GAP = 0.01
"""The joint problem only finds orders to test, and a bound."""
JOINT_WORK = 2
"""The joint problems may use this part of a second solve's work limit each: their proof is worth no more."""
MOST_NEIGHBOURS = 12
"""Orders next to the best ones that are tested."""


@dataclass(slots=True)
class _Test:
    """Everything known of orders in the cases."""

    cases: Sequence[Case]
    limits: SolveLimits
    parts: int
    """Weight of each case in the joint problem: the parts into which a share of a period is cut."""
    origin: dict[Counts, str] = field(default_factory=dict)
    """Orders tested, with where they come from."""
    bounds: list[int] = field(default_factory=list)
    """For each case, what any plan costs at least."""

    @property
    def deals(self) -> tuple[Deal, ...]:
        """One for each acquisition."""
        return self.cases[0].whole.deals

    def add(self, counts: Counts, origin: str) -> None:
        """Tests orders in every case."""
        self.origin.setdefault(counts, origin)
        for case in self.cases:
            case.cost(counts, self.limits)

    def best(self, at: int) -> Cost | None:
        """The best of a case among the orders tested so far."""
        able = [c for c in self.cases[at].known.values() if c.cents is not None]
        return min(able, key=lambda cost: cost.rank, default=None)

    def known(self, at: int) -> int | None:
        """Cents of that."""
        best = self.best(at)
        return None if best is None else best.cents

    def regret(self, at: int, counts: Counts) -> int | None:
        """What orders cost more than the best for a case; None where they cannot serve as much."""
        cost, best = self.cases[at].known[counts], self.best(at)
        if (
            cost.cents is None
            or best is None
            or best.cents is None
            or cost.unserved > best.unserved
        ):
            return None
        return max(0, cost.cents - best.cents)

    def worst(self, counts: Counts) -> int | None:
        """Largest regret over the cases that anything can serve."""
        able = [n for n in range(len(self.cases)) if self.known(n) is not None]
        regrets = [self.regret(n, counts) for n in able]
        return None if None in regrets else max((r for r in regrets if r is not None), default=0)

    def least(self) -> tuple[Counts, int] | None:
        """The orders with the least worst regret so far."""
        able = [(w, c) for c in self.origin if (w := self.worst(c)) is not None]
        best = min(able, default=None)
        return None if best is None else (best[1], best[0])


def robust(
    scenario: Scenario,
    base: Outcome,
    limits: SolveLimits,
    progress: ProgressCallback | None = None,
) -> Robust:
    """The same orders in all cases, and what a late delivery costs each order line.

    Regret of orders in a case: their cost with the best use of everything else, less the cost of the best orders for
    that case. Tested are the orders that are best for each case, those with the least sum over all cases, by one
    problem over all of them, and their neighbours.
    """
    quick = second(limits)
    cache: Cache = {}
    cases = [case_of(scenario, factors, cache, progress) for factors in cases_of(scenario)]
    test = _Test(cases, quick, max(_parts(case.share) for case in cases))
    best = _best_orders(test, base)
    for name, counts in best.items():
        test.add(counts, name)
    bound = _compromise(test)
    _neighbours(test)
    return Robust(
        cases=tuple(_row(test, n, best) for n in range(len(cases))),
        orders=tuple(_orders(test, best)),
        tested=len(test.origin),
        regret_bound=None if bound is None else from_cents(max(0, bound)),
        slips=tuple(_slips(cases[1], base, cases[2], quick)),
    )


# ---------------------------------------------------------------------------------- orders to test


def _best_orders(test: _Test, base: Outcome) -> dict[str, Counts]:
    """The orders that are best for each case, and the bound of each."""
    found = {}
    for case in test.cases:
        if case.factors.name == "best":
            case.outcomes.append(base)
            outcome, weight = base, 1
        else:
            problem, weight, limits = case.there, 1, test.limits
            if case.share:
                problem, weight = joint(_scenes(case, 0, test.parts)), test.parts
                limits = _less(limits, KNOWN_GAP)
            outcome = solve(problem, limits=limits, progress=case.progress)
            if weight == 1 and outcome.has_plan:
                case.outcomes.append(outcome)
        test.bounds.append(-(-(outcome.bound_cents or 0) // weight))
        if outcome.has_plan:
            found[case.factors.name] = outcome.acquired
            if weight == 1:
                case.known[outcome.acquired] = cost_of(outcome)
    return found


def _less(limits: SolveLimits, gap: float) -> SolveLimits:
    """Limits of a joint problem."""
    work = limits.deterministic_time / JOINT_WORK
    return replace(limits, gap=max(limits.gap, gap), deterministic_time=work)


def _scenes(case: Case, number: int, parts: int) -> list[Scene]:
    """A case in the joint problem; the time without late purchases in whole parts, rounded down for the bound."""
    without = math.floor(case.share * parts)
    scenes = [Scene(number, case.there, parts - without)]
    return [*scenes, Scene(number, case.missing, without)] if without else scenes


def _parts(share: Fraction) -> int:
    """The denominator of the fraction nearest below a share.

    >>> _parts(Fraction(672, 2190)), _parts(Fraction(0))
    (23, 1)
    """
    return min(
        range(1, MOST_PARTS + 1),
        key=lambda parts: share - Fraction(math.floor(share * parts), parts),
    )


def _compromise(test: _Test) -> int | None:
    """Tests the orders with the least sum over the cases; the least cents that any orders' worst regret can come to."""
    if any(test.known(n) is None for n in range(len(test.cases))):
        return None
    scenes = [s for n, case in enumerate(test.cases) for s in _scenes(case, n, test.parts)]
    outcome = solve(
        joint(scenes), limits=_less(test.limits, JOINT_GAP), progress=test.cases[0].progress
    )
    if outcome.has_plan:
        test.add(outcome.acquired, "all")
    if not all(block.required for scene in scenes for block in scene.problem.blocks):
        return None  # what is left out differs from case to case, and with it what the sum bounds
    known = sum(test.known(n) or 0 for n in range(len(test.cases)))
    # The worst of several regrets is at least their mean.
    parts = test.parts
    return -((parts * known - (outcome.bound_cents or 0)) // (parts * len(test.cases)))


def _neighbours(test: _Test) -> None:
    """One node more, less, or in another period than in the best orders so far, until none of these is better."""
    tried = 0
    while (found := test.least()) is not None and tried < MOST_NEIGHBOURS:
        counts, worst = found
        at = max(range(len(test.cases)), key=lambda n: test.regret(n, counts) or 0)
        for near in neighbours(test.cases[0].there, test.deals, counts, list(test.origin)):
            if near in test.origin or tried >= MOST_NEIGHBOURS:
                continue
            tried += 1
            # The case that hurts most tells first whether it is worth testing in the others.
            test.cases[at].cost(near, test.limits)
            hurt = test.regret(at, near)
            if hurt is None or hurt >= worst:
                continue
            test.add(near, "near")
            if (now := test.worst(near)) is not None and now < worst:
                break
        else:
            return


# --------------------------------------------------------------------------------------- in the plan


def _row(test: _Test, at: int, best: dict[str, Counts]) -> RobustCase:
    case, known = test.cases[at], test.known(at)
    factors = case.factors
    bound = None if known is None else min(known, test.bounds[at])
    return RobustCase(
        name=factors.name, demand=float(factors.demand), prices=float(factors.prices),
        late_days=int(factors.late_s / DAY_S), cost=None if known is None else from_cents(known),
        bound=None if bound is None else from_cents(bound),
    )  # fmt: skip


def _orders(test: _Test, best: dict[str, Counts]) -> Iterator[RobustOrder]:
    """The orders best for a case, and the one with the least regret."""
    least = test.least()
    shown = dict.fromkeys(best.values())
    if least is not None:
        shown[least[0]] = None
    for counts in shown:
        worst = test.worst(counts)
        costs = {c.factors.name: c.known[counts] for c in test.cases}
        yield RobustOrder(
            made_for=test.origin[counts],
            best_for=tuple(name for name, mine in best.items() if mine == counts),
            orders=tuple(_words(test.deals, counts)),
            costs={k: None if c.cents is None else from_cents(c.cents) for k, c in costs.items()},
            regrets={
                c.factors.name: None if (r := test.regret(n, counts)) is None else from_cents(r)
                for n, c in enumerate(test.cases)
            },
            worst_regret=None if worst is None else from_cents(worst),
            least_regret=least is not None and counts == least[0],
            proven=all(c.proven for c in costs.values()),
        )


def _words(deals: Sequence[Deal], counts: Counts) -> list[str]:
    return [
        f"{d.action.replace('commit', 'commit to')} {n} x {d.pool} from {d.arrives}"
        for d, n in zip(deals, counts, strict=True)
        if n and d.action != "contract"
    ]


def _slips(case: Case, base: Outcome, late: Case, limits: SolveLimits) -> Iterator[Slip]:
    """Each purchase of the plan late by itself, everything else as ordered and as stated."""
    assert base.cost_cents is not None
    whole = case.whole
    periods = math.floor(late.factors.late_s / (whole.parts[0].period.hours * HOUR_S))
    for at, (deal, count) in enumerate(zip(whole.deals, base.acquired, strict=True)):
        if deal.action != "buy" or not count or not deal.gives_nodes or not late.factors.late_s:
            continue
        alone = Case(
            case.factors, whole, delayed(whole, [at], periods), delayed(whole, [at], periods + 1),
            late.share, case.jobs, outcomes=[base], progress=case.progress,
        )  # fmt: skip
        after = base
        if periods:
            after = solve(fixed(alone.there, base.acquired), limits=limits, start=base)
        before = solve(fixed(alone.missing, base.acquired), limits=limits, start=base)
        cost = alone.blended(before, after, base.acquired, limits)
        extra, bridge = None, ""
        if cost.cents is not None and cost.unserved <= rank(base)[:-1]:
            asked = Asked(whole.problem, whole.deals)
            extra = from_cents(cost.cents - base.cost_cents)
            bridge = difference(asked, after, asked, before)
        yield Slip(
            pool=deal.pool, nodes=count, arrives=deal.arrives.isoformat(),
            days=int(late.factors.late_s / DAY_S), cost=extra, proven=cost.proven, bridge=bridge,
        )  # fmt: skip
