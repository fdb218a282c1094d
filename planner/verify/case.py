"""The plan laid beside its scenario: each assignment with the workload, pool and price term it names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from planner.layout import Layout
from planner.options.asks import Ask, PoolFacts, TrainingAsk
from planner.options.question import Question
from planner.plan.schema import Assignment, Plan, PlanLayout, PlanWorkload
from planner.scenario.resolved import ResolvedPool, ResolvedWorkload, Scenario
from planner.scenario.schema_workloads import InferenceWorkload
from planner.units import HOUR_S
from planner.verify.supply import Supply

FOR_THE_RUN = " for the run"
"""Ending of the term of a job that rents nodes of its own and gives them back."""


@dataclass(frozen=True, slots=True)
class Part:
    """One assignment with everything it refers to."""

    workload: ResolvedWorkload
    ask: Ask
    pool: ResolvedPool
    facts: PoolFacts
    supply: Supply
    own_nodes: bool
    """Nodes rented for this run alone and billed with it."""
    given: Assignment
    layout: Layout
    hours_before: float | None = None
    """Over periods: hours that a single training run had before this one; None elsewhere."""

    @property
    def host(self) -> str | None:
        """Workload on whose GPUs it takes its turns; None where it holds its own."""
        return self.given.turns_on

    @property
    def trains(self) -> bool:
        """Whether it is a training run."""
        return isinstance(self.ask, TrainingAsk)

    def hours_here(self, total: float) -> float:
        """Hours of one run that fall in the hours paid for; a single run over periods is cut into them."""
        if self.hours_before is None:
            return total
        return min(total - self.hours_before, float(self.supply.hours))

    @property
    def name(self) -> str:
        """Name of the workload."""
        return self.workload.name

    @property
    def where(self) -> str:
        """Pool and layout, for messages."""
        return f"{self.given.pool}, {self.given.layout.text}"

    @property
    def whole_nodes(self) -> int:
        """Whole nodes of one replica; 0 where it shares a node with others."""
        if self.layout.gpus > self.facts.node_gpus:
            return math.ceil(self.layout.gpus / self.facts.node_gpus)
        return 1 if self.own_nodes else 0

    @property
    def gpus_held(self) -> int:
        """GPUs one replica takes away from others, those of whole nodes included."""
        return self.whole_nodes * self.facts.node_gpus or self.layout.gpus

    @property
    def copies(self) -> int:
        """Copies of the layout in one replica: a batch run fills a node of its own with them."""
        if self.own_nodes and self.ask.kind in ("batch", "embedding"):
            return max(1, self.facts.node_gpus // self.layout.gpus)
        return 1

    @property
    def runs(self) -> int:
        """Runs of the workload within the hours paid for; 1 for a service and for a single run."""
        spec = self.workload.spec
        if isinstance(spec, InferenceWorkload) or not spec.every:
            return 1
        return max(1, math.ceil(self.supply.hours * HOUR_S / spec.every))


@dataclass(frozen=True, slots=True)
class Case:
    """A plan beside its scenario, all names resolved."""

    scenario: Scenario
    plan: Plan
    question: Question
    supplies: tuple[Supply, ...]
    """Owned before rented within each pool, pools as the scenario lists them."""
    parts: tuple[Part, ...]

    def plan_workload(self, name: str) -> PlanWorkload:
        """What the plan says of a workload."""
        return next(w for w in self.plan.workloads if w.name == name)

    def of_workload(self, name: str) -> tuple[Part, ...]:
        """Assignments of a workload."""
        return tuple(p for p in self.parts if p.name == name)

    def on_pool(self, name: str) -> tuple[Part, ...]:
        """Assignments on a pool."""
        return tuple(p for p in self.parts if p.given.pool == name)

    def on_supply(self, supply: Supply) -> tuple[Part, ...]:
        """Assignments on a pool under one term."""
        return tuple(p for p in self.parts if p.supply == supply)

    def nodes_of(self, supply: Supply, *, own: bool | None = None) -> set[int]:
        """Numbers of the nodes that assignments under the term use."""
        return {
            place.node
            for part in self.on_supply(supply)
            if own is None or part.own_nodes is own
            for place in part.given.placement
        }


def parts_of(
    scenario: Scenario,
    plan: Plan,
    question: Question,
    supplies: tuple[Supply, ...],
    before: Mapping[str, float],
) -> Iterator[Part]:
    """Assignments with what they name; the names were checked before. `before`: hours that runs had already."""
    asks = {a.name: a for a in question.asks}
    by_term = {(s.pool, s.term): s for s in supplies}
    for workload in plan.workloads:
        for given in workload.assignment:
            term = given.term.removesuffix(FOR_THE_RUN)
            yield Part(
                workload=scenario.workload(workload.name),
                ask=asks[workload.name],
                pool=scenario.pool(given.pool),
                facts=question.supplier(given.pool).facts,
                supply=by_term[given.pool, term],
                own_nodes=given.term.endswith(FOR_THE_RUN),
                given=given,
                layout=layout_of(given.layout),
                hours_before=before.get(workload.name),
            )


def layout_of(given: PlanLayout) -> Layout:
    """The layout behind its stored form."""
    return Layout(**{f.name: getattr(given, f.name) for f in fields(Layout)})
