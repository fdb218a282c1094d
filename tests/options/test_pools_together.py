"""Pools computed together give what each gives alone: the array of layouts is no part of the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.api import load
from planner.options.consider import consider, consider_one
from planner.options.from_scenario import question_of
from planner.options.records import Considered

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


def figures(part: Considered) -> list[tuple[object, ...]]:
    options = [
        (o.workload, o.pool, o.layout, o.units, o.replicas, o.host_bytes, o.timing.limit)
        for o in part.options
    ]
    rejections = [(r.workload, r.pool, r.layout, r.reason, r.message) for r in part.rejections]
    return [*options, *rejections, (part.dominated, part.rejected)]


@pytest.mark.parametrize("name", ["lab", "serving-mix", "finetune-offload"])
def test_the_same_alone_and_together(name: str) -> None:
    question = question_of(load(SCENARIOS / f"{name}.yaml"))
    together = consider(question)
    for ask in question.asks:
        for supplier, part in zip(question.suppliers, together[ask.name], strict=True):
            alone = consider_one(ask, supplier.facts)
            assert figures(alone) == figures(part)
            for one, other in zip(alone.options, part.options, strict=True):
                assert one.timing.rate_low == pytest.approx(other.timing.rate_low, rel=1e-12)
                assert one.account.upper_gib == pytest.approx(other.account.upper_gib, rel=1e-12)
                assert one.account.components == other.account.components
