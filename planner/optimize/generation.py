"""Assignment generation: a linear master over complete assignments, priced exactly, with an exact bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from planner.optimize.backend import MasterProgram
from planner.optimize.bound import PRICE_SCALE, Assignment, Priced, Pricer
from planner.optimize.linking import Linked

COST_CEILING = 1e5
SMOOTHING = 0.6
CLOSED = 1e-6
"""Relative distance of bound and master at which generation has converged."""


@dataclass(slots=True)
class Generated:
    """Columns found and the best bound."""

    assignments: list[Assignment] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    """Master value of each assignment in the last linear program."""
    best: Priced | None = None
    best_duals: tuple[int, ...] = ()
    iterations: int = 0
    converged: bool = False
    master: float | None = None


class Generator:
    """Runs the master and the pricing in turn."""

    def __init__(self, link: Linked, pricer: Pricer) -> None:
        self.link = link
        self.pricer = pricer
        self.seen: set[tuple[int, tuple[tuple[int, int], ...]]] = set()
        self.result = Generated()
        self.demands = len(link.build.demands)
        biggest = max([1.0, *(float(c) for c in pricer.supply_costs)])
        for picks in link.picks:
            biggest = max([biggest, *(float(p.cost) for p in picks)])
        self.penalty = biggest * 50
        rights: list[float] = []
        for demand in link.build.demands:
            rights.append(-float(len(demand.copies)))
        rights += [float(r) for r in link.right]
        self.program = MasterProgram(rights, max(1.0, biggest / COST_CEILING))
        self._add_fixed_columns()

    def _add_fixed_columns(self) -> None:
        """Supply columns, and an artificial one per demand; artificials never enter the bound."""
        base = self.demands
        self.program.add(
            [float(c) for c in self.pricer.supply_costs],
            [float(high) for _, high in self.pricer.boxes],
            [[(base + at, float(c)) for at, c in uses] for uses in self.link.supply_uses],
        )
        self.program.add(
            [self.penalty] * self.demands,
            [float(len(d.copies)) for d in self.link.build.demands],
            [[(number, -1.0)] for number in range(self.demands)],
        )
        self.offset = len(self.pricer.supply_costs) + self.demands

    def add(self, found: Sequence[Assignment]) -> int:
        """Adds new assignments to the master; returns how many were new."""
        fresh = []
        for assignment in found:
            key = (assignment.demand, assignment.counts)
            if key not in self.seen:
                self.seen.add(key)
                fresh.append(assignment)
        self.program.add(
            [float(self.cost(a)) for a in fresh],
            [float(len(self.link.build.demands[a.demand].copies)) for a in fresh],
            [self._entries(a) for a in fresh],
        )
        self.result.assignments += fresh
        return len(fresh)

    def cost(self, assignment: Assignment) -> int:
        """Cents of the picks, shared nodes apart."""
        picks = self.link.picks[assignment.demand]
        return sum(picks[at].cost * n for at, n in assignment.counts)

    def uses(self, assignment: Assignment) -> dict[int, int]:
        """What the assignment takes of each linking row."""
        total: dict[int, int] = {}
        if assignment.unserved:
            return dict(self.link.unserved[assignment.demand])
        picks = self.link.picks[assignment.demand]
        for at, n in assignment.counts:
            for one, coefficient in picks[at].uses:
                total[one] = total.get(one, 0) + coefficient * n
        return total

    def _entries(self, assignment: Assignment) -> list[tuple[int, float]]:
        uses = self.uses(assignment)
        return [
            (assignment.demand, -1.0),
            *((self.demands + at, float(c)) for at, c in sorted(uses.items())),
        ]

    def run(self, rounds: int, start: Sequence[int]) -> Generated:
        """Generates until bound and master meet, or for `rounds` rounds."""
        result = self.result
        self._price(tuple(start))
        smoothing = SMOOTHING
        for _ in range(rounds):
            solved = self.program.solve()
            if solved is None:
                break
            result.iterations += 1
            result.master, values, duals = solved
            result.values = values[self.offset :]
            exact = [round(d * PRICE_SCALE) for d in duals[self.demands :]]
            if self._closed():
                result.converged = True
                break
            smooth = tuple(
                round(smoothing * b + (1 - smoothing) * e)
                for b, e in zip(result.best_duals, exact, strict=True)
            )
            added = self._price(smooth)
            if not added and not self._price(tuple(exact)):
                result.converged = True
                break
        return result

    def _closed(self) -> bool:
        best, master = self.result.best, self.result.master
        if best is None or master is None:
            return False
        return master - best.bound <= CLOSED * max(1.0, abs(master))

    def _price(self, duals: tuple[int, ...]) -> int:
        priced = self.pricer.price(duals)
        if priced is None:
            return 0
        if self.result.best is None or priced.bound_scaled > self.result.best.bound_scaled:
            self.result.best, self.result.best_duals = priced, duals
        return self.add([assignment for _, assignment in priced.cheapest])
