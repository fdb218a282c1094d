"""Assignment generation: a linear master over complete assignments, priced exactly, with an exact bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from planner.optimize.bound import Assignment, Boxes, Limits, Priced, Pricer
from planner.optimize.cuts import CutPool
from planner.optimize.flat import PRICE_SCALE
from planner.optimize.glop import MasterProgram
from planner.optimize.linking import Linked

COST_CEILING = 1e5
"""GLOP sees costs scaled to at most this."""
PENALTY = 50.0
"""Artificial columns cost this many times the dearest pick."""
SMOOTHING = 0.6
"""Weight of the best prices so far against the master's latest."""
LATE_FROM = 1000
"""Fewer free supply columns are in the master from the start."""
LATE_AT_ONCE = 4
CLOSED = 2e-6
"""Relative distance of bound and master at which generation has converged."""


@dataclass(slots=True)
class Relaxed:
    """What generation found within one set of boxes."""

    best: Priced | None = None
    duals: tuple[int, ...] = ()
    """The prices that gave the best bound."""
    master: float | None = None
    supply_values: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    """Master value of each assignment known."""
    artificial: float = 0.0
    """Sum of artificial columns: positive while the known assignments do not fit together."""
    iterations: int = 0


class Generator:
    """Runs the master and the pricing in turn; keeps all assignments found."""

    def __init__(
        self, link: Linked, pricer: Pricer, cuts: CutPool, before: Generator | None = None
    ) -> None:
        """Args: `before`, another for the same model with fewer rows, whose columns this one begins with."""
        self.link = link
        self.cuts = cuts
        self.pricer = pricer
        self.assignments: list[Assignment] = []
        self.iterations = 0
        self._seen: set[tuple[int, tuple[tuple[int, int], ...]]] = set()
        self._demands = len(link.build.demands)
        biggest = max([1.0, *(float(c) for c in pricer.supply_costs)])
        for picks in link.picks:
            biggest = max([biggest, *(float(p.cost) for p in picks)])
        rights = [-float(len(demand.copies)) for demand in link.build.demands]
        rights += [float(r) for r in link.right]
        self._program = MasterProgram(rights, max(1.0, biggest / COST_CEILING))
        self._supply = len(pricer.supply_costs)
        self.shut_supply: set[int] = (
            self._late_columns() if before is None else set(before.shut_supply)
        )
        """Free supply columns, such as node patterns, that the master does not have yet."""
        self._add_fixed_columns(biggest * PENALTY)
        self._boxes: Boxes = tuple((0, high) for _, high in pricer.boxes)
        self._shut: set[int] = set()
        if before is not None:
            self.iterations = before.iterations
            self.add(before.assignments)

    def _late_columns(self) -> set[int]:
        """Where there are many, supply columns without a price of their own come in as prices ask for them."""
        build = self.link.build
        kept = {c for c in (*build.shared, *build.taken, *build.acquired) if c is not None}
        late = {
            at
            for at, (column, cost) in enumerate(
                zip(self.link.supply_columns, self.pricer.supply_costs, strict=True)
            )
            if cost == 0 and column not in kept
        }
        return late if len(late) > LATE_FROM else set()

    def _open_supply(self, priced: Priced) -> int:
        """Opens the late columns that these prices favour most, a few for each row they share."""
        best: dict[int, list[tuple[int, int]]] = {}
        for at in sorted(self.shut_supply):
            if priced.supply_prices[at] < 0:
                group = self.link.supply_uses[at][0][0]
                best.setdefault(group, []).append((priced.supply_prices[at], at))
        opened = sorted(at for found in best.values() for _, at in sorted(found)[:LATE_AT_ONCE])
        if opened:
            self.shut_supply.difference_update(opened)
            self._program.bound(
                opened,
                [float(self._boxes[at][0]) for at in opened],
                [float(self._boxes[at][1]) for at in opened],
            )
        return len(opened)

    def _add_fixed_columns(self, penalty: float) -> None:
        """Supply columns, and an artificial one per demand; artificials never enter the bound."""
        base = self._demands
        self._program.add(
            [float(c) for c in self.pricer.supply_costs],
            [
                0.0 if at in self.shut_supply else float(high)
                for at, (_, high) in enumerate(self.pricer.boxes)
            ],
            [[(base + at, float(c)) for at, c in uses] for uses in self.link.supply_uses],
        )
        self._program.add(
            [penalty] * self._demands,
            [float(len(d.copies)) for d in self.link.build.demands],
            [[(number, -1.0)] for number in range(self._demands)],
        )

    def add(self, found: Sequence[Assignment]) -> int:
        """Adds new assignments to the master; returns how many were new."""
        fresh = []
        for assignment in found:
            key = (assignment.demand, assignment.counts)
            if key not in self._seen:
                self._seen.add(key)
                fresh.append(assignment)
        self._program.add(
            [float(self.cost(a)) for a in fresh],
            [float(len(self.link.build.demands[a.demand].copies)) for a in fresh],
            [self._entries(a) for a in fresh],
        )
        self.assignments += fresh
        return len(fresh)

    def cost(self, assignment: Assignment) -> int:
        """Cents of the picks, shared nodes apart."""
        picks = self.link.picks[assignment.demand]
        return sum(picks[at].cost * n for at, n in assignment.counts)

    def _entries(self, assignment: Assignment) -> list[tuple[int, float]]:
        total: dict[int, int] = {}
        if assignment.unserved:
            total = dict(self.link.unserved[assignment.demand])
        picks = self.link.picks[assignment.demand]
        for at, n in assignment.counts:
            for one, coefficient in picks[at].uses:
                total[one] = total.get(one, 0) + coefficient * n
        charges = self.link.charges[assignment.demand]
        if charges:
            facts = self.link.build.demands[assignment.demand].picks
            for supply in {
                facts[at].facts.supply for at, _ in assignment.counts if facts[at].facts.gpus
            }:
                if supply in charges:
                    for row, worth in charges[supply]:
                        total[row] = total.get(row, 0) + worth
        return [
            (assignment.demand, -1.0),
            *((self._demands + at, float(c)) for at, c in sorted(total.items())),
        ]

    def run(
        self,
        start: Sequence[int],
        *,
        rounds: int,
        boxes: Boxes | None = None,
        limits: Limits | None = None,
        ceiling: int | None = None,
        halted: Callable[[], bool] = lambda: False,
    ) -> Relaxed:
        """Generates within the boxes until bound and master meet, the bound reaches `ceiling`, or `rounds`."""
        self._narrow(boxes or self.pricer.boxes)
        self._limit(limits or {})
        result = Relaxed()
        self._price(tuple(start), result)
        for _ in range(rounds):
            solved = self._program.solve()
            if solved is None:
                break
            result.iterations += 1
            result.master, values, duals = solved
            result.supply_values = values[: self._supply]
            result.artificial = sum(values[self._supply : self._supply + self._demands])
            result.values = values[self._supply + self._demands :]
            if result.best is None or _met(result, ceiling) or halted():
                break
            exact = tuple(round(d * PRICE_SCALE) for d in duals[self._demands :])
            smooth = tuple(
                round(SMOOTHING * b + (1 - SMOOTHING) * e)
                for b, e in zip(result.duals, exact, strict=True)
            )
            if not self._price(smooth, result) and not self._price(exact, result):
                break
        self.iterations += result.iterations
        return result

    def _limit(self, limits: Limits) -> None:
        """Closes the known assignments outside the limits, reopens the others."""
        self.pricer.narrow(limits)
        shut = {
            at
            for at, a in enumerate(self.assignments)
            if a.demand in limits and not obeys(a, limits[a.demand])
        }
        changed = sorted(shut ^ self._shut)
        first = self._supply + self._demands
        if changed:
            self._program.bound(
                [first + at for at in changed],
                [0.0] * len(changed),
                [
                    0.0
                    if at in shut
                    else float(len(self.link.build.demands[self.assignments[at].demand].copies))
                    for at in changed
                ],
            )
        self._shut = shut

    def _narrow(self, boxes: Boxes) -> None:
        changed = [
            at
            for at, box in enumerate(boxes)
            if box != self._boxes[at] and at not in self.shut_supply
        ]
        if changed:
            self._program.bound(
                changed,
                [float(boxes[at][0]) for at in changed],
                [float(boxes[at][1]) for at in changed],
            )
        self._boxes = boxes

    def _price(self, duals: tuple[int, ...], result: Relaxed) -> int:
        priced = self.pricer.price(duals, self._boxes)
        if priced is None:
            return 0
        if not self.pricer.limits:
            self.cuts.add(priced, self._boxes)
        if result.best is None or priced.bound_scaled > result.best.bound_scaled:
            result.best, result.duals = priced, duals
        opened = self._open_supply(priced) if self.shut_supply else 0
        return opened + self.add([assignment for _, assignment in priced.cheapest])


def _met(result: Relaxed, ceiling: int | None) -> bool:
    best, master = result.best, result.master
    if best is None or master is None:
        return False
    if ceiling is not None and best.bound >= ceiling:
        return True
    return master - best.bound <= CLOSED * max(1.0, abs(master))


def obeys(assignment: Assignment, limits: Mapping[int, tuple[int, int]]) -> bool:
    """Whether an assignment's counts lie within the limits of its demand."""
    counts = dict(assignment.counts)
    return all(low <= counts.get(at, 0) <= high for at, (low, high) in limits.items())
