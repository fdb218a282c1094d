"""What the plan says about each workload is true: what binds, with numbers that add up, and how sure a deadline is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planner.api import load, solve
from planner.units import HOUR_S

FOLDER = Path(__file__).resolve().parents[2] / "scenarios" / "infeasible"

STOCK = """\
scenario: scarce
energy: {price: 0.12 USD/kWh}
inventory:
  - {pool: cheap, gpu: l40s, node: {gpus: 1, host_ram: 128 GiB}, owned: {nodes: 1}}
  - {pool: dear, gpu: l40s, node: {gpus: 1, host_ram: 128 GiB}, rent: {price: 3 USD/node-hour, max_nodes: 3}}
limits: {opex: 9000 USD/month}
workloads:
  - {name: one, kind: inference, model: llama-3.1-8b, context: 4096, demand: {concurrent: 2, prompt: 500, output: 100}}
  - {name: two, kind: inference, model: llama-3.1-8b, context: 4096, demand: {concurrent: 2, prompt: 500, output: 100}}
"""


def test_stock_binds_where_a_cheaper_pool_is_full(tmp_path: Path) -> None:
    file = tmp_path / "scarce.yaml"
    file.write_text(STOCK, "utf-8")
    plan = solve(load(file))
    on = {w.name: w.assignment[0].pool for w in plan.workloads}
    assert sorted(on.values()) == ["cheap", "dear"]
    late = next(w for w in plan.workloads if on[w.name] == "dear")
    assert late.binding.startswith("stock binds: 1 GPU of `cheap`")
    early = next(w for w in plan.workloads if on[w.name] == "cheap")
    assert "stock binds" not in early.binding
    assert f"1 GPU of `dear` (bf16) at {late.cost:,.2f}" in early.binding


def test_slack_counts_gpus_and_money(tmp_path: Path) -> None:
    file = tmp_path / "scarce.yaml"
    file.write_text(STOCK, "utf-8")
    plan = solve(load(file))
    assert plan.cost is not None
    assert "2 of 3 GPUs of `dear`" in plan.slack
    assert f"{9000 - plan.cost.total:,.2f} of 9,000.00 of `opex`" in plan.slack


def test_memory_that_binds_is_short_by_the_difference() -> None:
    plan = solve(
        load(
            FOLDER / "budget.yaml",
            ["limits.opex=9000 USD/month", "inventory.cloud-a10g.rent.max_nodes=1"],
        )
    )
    text = next(w.binding for w in plan.workloads if w.name == "assistant")
    found = re.search(r"lacks? ([\d.]+) GiB(?: each)?: ([\d.]+) needed, ([\d.]+) usable", text)
    assert found is not None, text
    short, need, have = (float(x) for x in found.groups())
    assert short == pytest.approx(need - have, abs=0.11)


def test_a_deadline_met_only_at_the_best_estimate_is_said_to_be() -> None:
    file = FOLDER / "deadline.yaml"
    roomy = solve(load(file, ["workloads.sft.deadline=20 d"])).workloads[0].assignment[0].speed
    tokens = 2e9
    best_h, low_h = tokens / roomy.rate / HOUR_S, tokens / roomy.rate_low / HOUR_S
    between = f"workloads.sft.deadline={round((best_h + low_h) / 2 * 60)} min"
    risky = solve(load(file, [between, "workloads.sft.risk=best"]))
    assert "met only at the best estimate" in risky.workloads[0].summary
    careful = solve(load(file, ["workloads.sft.deadline=20 d"]))
    assert "only at the best" not in careful.workloads[0].summary
