"""Large-neighbourhood search on the exact model: some workloads choose anew among all their replicas.

Polishing knows only the assignments that some prices like. Where few workloads fill few nodes the best plan
uses others, and half of such a model is small enough to be solved as it is. It only looks for plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from planner.optimize.backend import Stop, Verdict
from planner.optimize.build import Build
from planner.optimize.linear import LinearModel, row
from planner.optimize.mathopt import MipSolver, run_mip

FEWEST, FIRST = 3, 8
"""Workloads that choose anew: at least, and in the first step."""
COLUMNS = 700
"""Columns of the workloads that choose anew, about: a larger step takes longer than it is worth."""
STEP_NODES = 30
"""Branching nodes of one step's integer program."""
STEP_GAP = 1e-5
POOLS_AT_ONCE = 2
"""Supplies whose workloads are reopened together; a third of those reopened are any others."""


class Reopen:
    """Improves plans of one exact model; the same work gives the same plan."""

    def __init__(self, build: Build, seed: int = 0) -> None:
        self.build = build
        self.random = Random(seed)
        every = sum(len(columns) for columns in build.picks)
        most = COLUMNS * len(build.demands) // max(1, every)
        self.most = max(FEWEST, min(len(build.demands), most))
        self.size = min(FIRST, self.most)
        self._owner: dict[int, int] = {}
        """Demand of each column that belongs to one."""
        for number, columns in enumerate(build.picks):
            idle = build.unserved[number]
            for column in (*columns, *([] if idle is None else [idle])):
                self._owner[column] = number

    def step(
        self, values: Sequence[int], stop: Stop, wall_left_s: float | None
    ) -> list[int] | None:
        """One neighbourhood of a plan; the values of a better plan, if it finds one."""
        free = self._chosen(values)
        model, kept = self._rest(values, free)
        answer = run_mip(
            model,
            MipSolver.HIGHS,
            node_limit=STEP_NODES,
            wall_limit_s=wall_left_s,
            hint=[values[column] for column in kept],
            stop=stop,
            relative_gap=STEP_GAP,
        )
        closed = answer.verdict is Verdict.OPTIMAL
        grown = self.size * 5 // 4 + 1 if closed else self.size * 3 // 4
        self.size = min(self.most, max(FEWEST, grown))
        if answer.values is None:
            return None
        full = list(values)
        for column, value in zip(kept, answer.values, strict=True):
            full[column] = value
        whole = self.build.model
        return full if whole.evaluate(full) < whole.evaluate(values) else None

    def _chosen(self, values: Sequence[int]) -> set[int]:
        """Workloads on a few supplies, and some others."""
        demands = self.build.demands
        used = [
            {
                supply
                for at, column in enumerate(columns)
                if values[column]
                for supply in demands[number].picks[at].facts.supplies
            }
            for number, columns in enumerate(self.build.picks)
        ]
        supplies = sorted(set().union(*used))
        picked = set(self.random.sample(supplies, min(POOLS_AT_ONCE, len(supplies))))
        near = [number for number, own in enumerate(used) if own & picked]
        self.random.shuffle(near)
        near = near[: max(1, self.size - self.size // 3)]
        others = [number for number in range(len(demands)) if number not in near]
        return {*near, *self.random.sample(others, min(len(others), self.size - len(near)))}

    def _rest(self, values: Sequence[int], free: set[int]) -> tuple[LinearModel, list[int]]:
        """The exact model with the other workloads as they are, and its columns in the whole one."""
        whole = self.build.model
        chosen = {-1, *free}
        kept = [c for c in range(len(whole.names)) if self._owner.get(c, -1) in chosen]
        at = {column: number for number, column in enumerate(kept)}
        model = LinearModel()
        for column in kept:
            model.column(whole.names[column], whole.lows[column], whole.highs[column])
        model.objective = {at[c]: cents for c, cents in whole.objective.items() if c in at}
        for one in whole.rows:
            terms = [(at[c], a) for c, a in one.terms if c in at]
            if not terms:
                continue
            taken = sum(a * values[c] for c, a in one.terms if c not in at)
            low = None if one.low is None else one.low - taken
            high = None if one.high is None else one.high - taken
            model.add(row(one.name, one.family, terms, low=low, high=high))
        return model, kept
