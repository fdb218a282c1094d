"""The whole question, free of the file it came from: asks, suppliers, prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from planner.options.asks import Ask
from planner.options.build import Supplier, Wish
from planner.options.problem import Limit
from planner.options.records import Considered
from planner.options.terms import Energy


@dataclass(frozen=True, slots=True)
class Question:
    """What the scenario asks, resolved."""

    name: str
    currency: str
    asks: tuple[Ask, ...]
    wishes: tuple[Wish, ...]
    suppliers: tuple[Supplier, ...]
    energy: Energy
    limits: tuple[Limit, ...] = ()
    defaults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Workload -> defaults its figures lean on, as `field = value`."""
    teams: Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def supplier(self, pool: str) -> Supplier:
        """The supplier of that pool."""
        return next(s for s in self.suppliers if s.facts.name == pool)


ConsideredByWorkload = Mapping[str, tuple[Considered, ...]]
"""Workload -> what was considered on each pool."""
