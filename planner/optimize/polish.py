"""Large-neighbourhood search on a plan: a few workloads choose anew among their best assignments, the rest stays.

The relaxation's prices tell which assignments a workload may want and which workloads sit badly. Each step is
a small integer program over whole assignments, which is far tighter than one over single replicas. It only
looks for plans: nothing here touches the bound.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from random import Random

from planner.optimize.backend import Stop, Verdict
from planner.optimize.bound import Assignment, Priced, Pricer
from planner.optimize.enumerate import nearest
from planner.optimize.extract import set_switches
from planner.optimize.linear import LinearModel, row
from planner.optimize.linking import Linked
from planner.optimize.master import assignments_of, nodes_needed
from planner.optimize.mathopt import MipSolver, run_mip

CHOICES = 25
"""Nearest assignments per workload, besides those that generation found."""
FEWEST, MOST = 4, 40
"""Workloads that choose anew in one step."""
SHARE = 3
"""Of few workloads, at most one in so many chooses anew."""
TOGETHER = 85
"""Per cent of them that share supplies with one another."""
WANTED = 5
"""Assignments of a unit that tell where it would like to be."""
STEP_NODES = 20
"""Branching nodes of one step's integer program."""
STEP_GAP = 1e-5


@dataclass(slots=True)
class _Choice:
    """One assignment: its cost, what it takes of the linking rows, and the nodes it stands on."""

    assignment: Assignment
    cost: int
    uses: tuple[tuple[int, int], ...]
    nodes: tuple[tuple[int, int], ...]
    """(supply, shared nodes needed at least)."""


@dataclass(slots=True)
class _Step:
    """The integer program of one step and the way back."""

    model: LinearModel = field(default_factory=LinearModel)
    owners: list[tuple[int, _Choice]] = field(default_factory=list)
    """(unit, choice) of each of the first columns."""
    supply: dict[int, int] = field(default_factory=dict)
    """Supply column -> column here."""


class Polish:
    """Improves one plan step by step; the same work gives the same plan."""

    def __init__(
        self,
        link: Linked,
        pricer: Pricer,
        priced: Priced,
        known: Sequence[Assignment],
        seed: int = 0,
        shut: AbstractSet[int] = frozenset(),
    ) -> None:
        """Args: `shut`, supply columns that keep their level, such as patterns the relaxation never asked for."""
        self.link, self.pricer, self.priced = link, pricer, priced
        self.random = Random(seed)
        self._shut = shut
        self.size = 8
        self._most = MOST
        self._known: dict[int, list[Assignment]] = defaultdict(list)
        for assignment in known:
            self._known[assignment.demand].append(assignment)
        self._choices: dict[int, list[_Choice]] = {}
        self._units: list[int] = []
        """Demand of each unit: one copy of a workload."""
        self._now: list[_Choice] = []
        self._taken: list[int] = []
        """What all units take of each linking row."""
        self._levels: list[int] = []
        """Value of each supply column."""

    def start(self, values: Sequence[int]) -> None:
        """Takes a plan, as columns of the exact model, to improve."""
        build = self.link.build
        self._units, self._now = [], []
        for number in range(len(build.demands)):
            for assignment in assignments_of(self.link, number, values):
                self._units.append(number)
                self._now.append(self._choice(assignment))
        self._taken = [0] * len(self.link.right)
        for choice in self._now:
            for at, amount in choice.uses:
                self._taken[at] += amount
        self._levels = [values[column] for column in self.link.supply_columns]
        self._most = max(FEWEST, min(MOST, len(self._units) // SHARE))
        self.size = min(self.size, self._most)

    def step(self, stop: Stop, wall_left_s: float | None) -> list[int] | None:
        """One neighbourhood; the values of a better plan, if it finds one."""
        free = self._neighbourhood()
        if not free:
            return None
        step = self._program(free)
        fixed = sum(self._now[unit].cost for unit in free) + self._level_cost(step.supply)
        answer = run_mip(
            step.model,
            MipSolver.HIGHS,
            node_limit=STEP_NODES,
            wall_limit_s=wall_left_s,
            stop=stop,
            relative_gap=STEP_GAP,
        )
        found = answer.values is not None and step.model.evaluate(answer.values) < fixed
        self.size = self.size * 5 // 4 if answer.verdict is Verdict.OPTIMAL else self.size * 3 // 4
        self.size = min(self._most, max(FEWEST, self.size))
        if answer.values is None or not found:
            return None
        self._take(step, answer.values)
        return self._values()

    # -------------------------------------------------------------------------------- reading the plan

    def _choice(self, assignment: Assignment) -> _Choice:
        link = self.link
        picks = link.picks[assignment.demand]
        total: dict[int, int] = defaultdict(int)
        if assignment.unserved:
            total.update(link.unserved[assignment.demand])
        for at, n in assignment.counts:
            for one, coefficient in picks[at].uses:
                if one < link.first_standing:
                    total[one] += coefficient * n
        return _Choice(
            assignment,
            sum(picks[at].cost * n for at, n in assignment.counts),
            tuple(sorted(total.items())),
            tuple(sorted(nodes_needed(link, assignment).items())),
        )

    def _options(self, unit: int) -> list[_Choice]:
        """What a unit may choose from: its nearest assignments and those of generation."""
        number = self._units[unit]
        if number not in self._choices:
            found = nearest(self.pricer, self.priced, number, CHOICES)
            every = dict.fromkeys([*found, *self._known[number]])
            self._choices[number] = [self._choice(assignment) for assignment in every]
        return self._choices[number]

    # --------------------------------------------------------------------------------- neighbourhoods

    def _neighbourhood(self) -> list[int]:
        """Units on a supply, then on supplies that these would like, and so on; a few are any others."""
        units = list(range(len(self._units)))
        if len(units) <= self.size:
            return units
        users: dict[int, list[int]] = defaultdict(list)
        for unit in units:
            for supply, _ in self._now[unit].nodes:
                users[supply].append(unit)
        free: dict[int, None] = {}
        open_supplies = self._first(units, users)
        together = max(1, self.size * TOGETHER // 100)
        while open_supplies and len(free) < together:
            chosen = users.pop(open_supplies.pop(0), [])
            self.random.shuffle(chosen)
            free.update(dict.fromkeys(chosen[: together - len(free)]))
            if not open_supplies:
                open_supplies = self._next(list(free), users)
        rest = [unit for unit in units if unit not in free]
        return [*free, *self.random.sample(rest, self.size - len(free))]

    def _first(self, units: list[int], users: dict[int, list[int]]) -> list[int]:
        """A supply whose nodes cost money, or where one unit is and where it would like to be."""
        if self.random.randrange(2):
            unit = self.random.choice(units)
            return [s for s, _ in (*self._now[unit].nodes, *self._options(unit)[0].nodes)]
        supplies = self.link.build.problem.supplies
        paid = [s for s in sorted(users) if supplies[s].node_cost_cents] or sorted(users)
        return [self.random.choice(paid)] if paid else []

    def _next(self, free: list[int], users: dict[int, list[int]]) -> list[int]:
        """Where one of the free units would like to be; else any supply in use."""
        wanted: list[int] = []
        if free:
            options = self._options(self.random.choice(free))[:WANTED]
            wanted = sorted({s for choice in options for s, _ in choice.nodes if s in users})
        left = wanted or sorted(users)
        return [self.random.choice(left)] if left else []

    # --------------------------------------------------------------------------------- one step

    def _program(self, free: Sequence[int]) -> _Step:
        """The free units choose; rows keep what the others take."""
        link = self.link
        step = _Step()
        rows: dict[int, list[tuple[int, int]]] = defaultdict(list)
        standing: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for unit in free:
            first = len(step.owners)
            for choice in self._options_and_now(unit):
                column = step.model.column("choice", 0, 1)
                step.owners.append((unit, choice))
                step.model.objective[column] = choice.cost
                for one, amount in choice.uses:
                    rows[one].append((column, amount))
                for supply, nodes in choice.nodes:
                    standing[unit, supply].append((column, nodes))
            every = [(column, 1) for column in range(first, len(step.owners))]
            step.model.add(row("one", "choice", every, low=1, high=1))
        right = self._right(free)
        self._add_supply(step, rows, right)
        for one, terms in rows.items():
            step.model.add(row("link", "link", terms, high=right[one]))
        for (_, supply), terms in standing.items():
            shared = link.build.shared[supply]
            if shared is not None and shared in step.supply:
                every = [*terms, (step.supply[shared], -1)]
                step.model.add(row("standing", "standing", every, high=0))
        return step

    def _options_and_now(self, unit: int) -> list[_Choice]:
        options, now = self._options(unit), self._now[unit]
        if any(choice.assignment == now.assignment for choice in options):
            return options
        return [*options, now]

    def _right(self, free: Sequence[int]) -> list[int]:
        """Right-hand sides less what the fixed units take."""
        right = [limit - taken for limit, taken in zip(self.link.right, self._taken, strict=True)]
        for unit in free:
            for at, amount in self._now[unit].uses:
                right[at] += amount
        return right

    def _add_supply(
        self, step: _Step, rows: dict[int, list[tuple[int, int]]], right: list[int]
    ) -> None:
        """Supply columns in rows that the free units touch; the others keep their level."""
        link, model = self.link, self.link.build.model
        for at, (column, uses) in enumerate(
            zip(link.supply_columns, link.supply_uses, strict=True)
        ):
            own = [(one, amount) for one, amount in uses if one < link.first_standing]
            if at not in self._shut and any(one in rows for one, _ in own):
                here = step.model.column("supply", model.lows[column], model.highs[column])
                step.supply[column] = here
                if cents := model.objective.get(column, 0):
                    step.model.objective[here] = cents
                for one, amount in own:
                    rows[one].append((here, amount))
            else:
                for one, amount in own:
                    right[one] -= amount * self._levels[at]

    def _level_cost(self, supply: dict[int, int]) -> int:
        """Cents of the supply columns that a step may change, as they are."""
        objective = self.link.build.model.objective
        return sum(
            objective.get(column, 0) * level
            for column, level in zip(self.link.supply_columns, self._levels, strict=True)
            if column in supply
        )

    def _take(self, step: _Step, values: Sequence[int]) -> None:
        for (unit, choice), value in zip(step.owners, values, strict=False):
            if value:
                for at, amount in self._now[unit].uses:
                    self._taken[at] -= amount
                for at, amount in choice.uses:
                    self._taken[at] += amount
                self._now[unit] = choice
        for at, column in enumerate(self.link.supply_columns):
            if column in step.supply:
                self._levels[at] = values[step.supply[column]]

    def _values(self) -> list[int]:
        """The plan as columns of the exact model."""
        build = self.link.build
        full = [0] * len(build.model.names)
        for number, choice in zip(self._units, self._now, strict=True):
            idle = build.unserved[number]
            if choice.assignment.unserved and idle is not None:
                full[idle] += 1
            for at, count in choice.assignment.counts:
                full[build.picks[number][at]] += count
        for column, level in zip(self.link.supply_columns, self._levels, strict=True):
            full[column] = level
        set_switches(build, full)
        return full
