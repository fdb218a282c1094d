"""Memory and speed of every assignment, derived anew; nothing is taken from the optimizer's options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from planner.layout import Layout
from planner.options.asks import PoolFacts, ServingAsk, TrainingAsk
from planner.verify.allowed_training import arithmetic_types
from planner.verify.case import Case, Part
from planner.verify.derive_by_size import derive_by_size
from planner.verify.derive_serving import derive_serving
from planner.verify.derive_training import derive_training
from planner.verify.figures import Figures
from planner.verify.problem import Problem

Derived = Mapping[int, Figures]
"""Figures by the position of the assignment in `Case.parts`."""


def derive_all(case: Case) -> tuple[dict[int, Figures], tuple[Problem, ...]]:
    """Figures of all assignments, and a problem for each whose figures do not exist."""
    found: dict[int, Figures] = {}
    problems = []
    for number, part in enumerate(case.parts):
        try:
            found[number] = derive(part)
        except (ArithmeticError, LookupError, ValueError) as error:
            problems.append(
                Problem("memory", part.name, f"{part.where}: can't be re-derived: {error}")
            )
    return found, tuple(problems)


def derive(part: Part) -> Figures:
    """The figures of one assignment, what interruptions of spot nodes cost taken off its speed."""
    figures = _undisturbed(part)
    lost = part.supply.interruption
    if lost is None:
        return figures
    return replace(figures, speed=figures.speed.after(float(lost), run=part.trains))


def _undisturbed(part: Part) -> Figures:
    ask = part.ask
    if isinstance(ask, ServingAsk) and ask.by_size:
        return derive_by_size(ask, part.facts, part.layout)
    if isinstance(ask, ServingAsk):
        return _serving(ask, part.facts, part.layout)
    assert isinstance(ask, TrainingAsk)
    types = dict.fromkeys(arithmetic_types(part, ask))
    if ask.base is None:
        types = {part.layout.weights: None}
    each = [derive_training(ask, part.facts, part.layout, t) for t in types]  # type: ignore[arg-type]
    # A frozen quantized base does not tell the arithmetic: any listed type may be the one meant.
    return min(each, key=lambda f: abs(f.speed.rate - part.given.speed.rate))


@lru_cache(maxsize=4096)
def _serving(ask: ServingAsk, facts: PoolFacts, layout: Layout) -> Figures:
    """Derived once for all the plans of one run that use it: the figures follow from these three alone."""
    return derive_serving(ask, facts, layout)
