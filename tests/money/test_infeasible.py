"""A horizon without a plan says which facts clash and when."""

from pathlib import Path

import planner
from planner.plan.schema import Plan, Status
from planner.report.text import render_text

TEXT = """\
scenario: inf
horizon: {start: 2026-10-01, length: 2 quarters, period: 1 quarter}
limits: {capex: 100 USD}
inventory:
  - pool: l40s
    gpu: l40s
    node: {gpus: 1}
    owned: {nodes: 1, retires: 2027-01-01}
    buy: {price: 25000 USD/node}
workloads:
  - name: chat
    kind: inference
    model: llama-3.1-8b
    context: 4096
    demand: {concurrent: 4, prompt: 900, output: 250}
"""


def solved(tmp_path: Path, *overrides: str) -> Plan:
    path = tmp_path / "inf.yaml"
    path.write_text(TEXT)
    return planner.solve(planner.load(path, overrides))


def test_a_budget_that_forbids_the_needed_purchase(tmp_path: Path) -> None:
    plan = solved(tmp_path)
    assert plan.status is Status.INFEASIBLE
    assert {row.name for row in plan.conflict} == {"limits.capex", "l40s 2027-01", "chat 2027-01"}
    assert "must be served in 2027-01" in render_text(plan)


def test_an_optional_service_is_left_out_where_it_cannot_be(tmp_path: Path) -> None:
    plan = solved(tmp_path, "workloads.chat.required=false")
    assert plan.status is Status.PROVEN
    assert [w.served for p in plan.periods for w in p.workloads] == [True, False]
    assert "not served in 2027-01" in render_text(plan)


def test_a_period_without_any_option_is_named(tmp_path: Path) -> None:
    plan = solved(tmp_path, "inventory.l40s.buy.lead_time=8 months")
    assert plan.status is Status.INFEASIBLE
    assert "from 2027-01-01" in render_text(plan)
