"""Alternatives cost little more, use other GPUs, and none cheaper of their kind exists."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.api import Answer, load, solve_fully, with_alternatives
from planner.plan.schema import PlanAlternative
from planner.report.text import render_text

TEXT = """\
scenario: choices
inventory:
  - {pool: a, gpu: l40s, node: {gpus: 4, host_ram: 512 GiB}, rent: {price: 8 USD/node-hour, max_nodes: 2}}
  - {pool: b, gpu: a100-sxm4-80gb, node: {gpus: 4, host_ram: 512 GiB}, rent: {price: 8.1 USD/node-hour, max_nodes: 2}}
  - {pool: c, gpu: h100-sxm5-80gb, node: {gpus: 4, host_ram: 512 GiB}, rent: {price: 20 USD/node-hour, max_nodes: 2}}
workloads:
  - {name: one, kind: inference, model: llama-3.1-8b, context: 4096, demand: {concurrent: 4, prompt: 500, output: 100}}
  - {name: two, kind: inference, model: llama-3.1-8b, context: 8192, demand: {concurrent: 4, prompt: 500, output: 100}}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, Path]:
    file = tmp_path_factory.mktemp("near") / "choices.yaml"
    file.write_text(TEXT, "utf-8")
    return solve_fully(load(file)), file


def others(found: tuple[Answer, Path], count: int, within: float) -> tuple[PlanAlternative, ...]:
    answer, file = found
    return with_alternatives(load(file), answer, count=count, within=within).plan.alternatives


def test_they_are_within_the_margin_and_sorted(found: tuple[Answer, Path]) -> None:
    best = found[0].plan.cost
    assert best is not None
    shown = others(found, 5, 0.03)
    assert shown
    costs = [o.cost for o in shown]
    assert costs == sorted(costs)
    assert all(best.total <= c <= best.total * 103 / 100 for c in costs)
    assert all(o.over == pytest.approx(float(o.cost / best.total) - 1, abs=1e-6) for o in shown)


def test_they_use_other_gpus_than_the_plan_and_than_each_other(
    found: tuple[Answer, Path],
) -> None:
    plan = found[0].plan
    mixes = [{(w.name, a.pool, a.gpus) for w in plan.workloads for a in w.assignment}]
    mixes += [{(u.workload, u.pool, u.gpus) for u in o.workloads} for o in others(found, 9, 5.0)]
    assert len({frozenset(m) for m in mixes}) == len(mixes)


def test_a_wider_margin_shows_the_dearer_pool_too(found: tuple[Answer, Path]) -> None:
    assert len(others(found, 9, 5.0)) >= len(others(found, 9, 0.0))
    assert len(others(found, 1, 5.0)) == 1


def test_they_cost_what_the_scenario_without_the_pool_costs(found: tuple[Answer, Path]) -> None:
    answer, file = found
    used = {a.pool for w in answer.plan.workloads for a in w.assignment}
    shown = [o for o in others(found, 9, 5.0) if o.change.startswith("`one` not on")]
    for other in shown:
        overrides = [f"workloads.one.exclude_pools=[{', '.join(sorted(used))}]"]
        second = solve_fully(load(file, overrides)).plan
        assert second.cost is not None
        assert second.cost.total == other.cost


def test_they_are_printed_with_what_moves(found: tuple[Answer, Path]) -> None:
    answer, file = found
    text = render_text(with_alternatives(load(file), answer, count=2, within=5.0).plan)
    assert "Plans within 500 % that use other GPUs" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_without_a_plan_there_are_none() -> None:
    file = Path(__file__).resolve().parents[2] / "scenarios" / "infeasible" / "slo.yaml"
    scenario = load(file)
    answer = solve_fully(scenario)
    assert with_alternatives(scenario, answer).plan.alternatives == ()
