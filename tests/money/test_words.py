"""Sentences of the report about spot nodes beside others of their pool, and purchases that do not pay off."""

from __future__ import annotations

from pathlib import Path

import planner
from planner.options.tiers import UNLIMITED_NODES
from planner.report.text import render_text
from planner.scenario.reference import render_reference

SCENARIO = """
scenario: words
horizon: {start: 2026-10-01, length: 1 year, period: 1 quarter}
currency: USD
inventory:
INVENTORY
workloads:
  - name: chat
    kind: inference
    model: llama-3.1-8b
    precision: [16bit]
    context: 8192
    demand: {requests: 4 /s, prompt: 900, output: 200}
    throughput: {measured: [{gpu: l40s, gpus: 1, rates: 1 /s}]}
    spot: true
"""
NODE = "    gpu: l40s\n    node: {gpus: 1, host_ram: 256 GiB, network: 100 Gbit/s}\n"


def report(tmp_path: Path, inventory: str) -> str:
    file = tmp_path / "words.yaml"
    file.write_text(SCENARIO.replace("INVENTORY", inventory))
    return " ".join(render_text(planner.solve(planner.load(file))).split())


def test_spot_nodes_are_told_apart_from_others_of_the_same_pool(tmp_path: Path) -> None:
    rent = (
        "    rent: [{price: 1.20 USD/node-hour, max_nodes: 2},"
        " {price: 0.5 USD/node-hour, interruption: 50 %, max_nodes: 4}]\n"
    )
    text = report(tmp_path, "  - pool: con\n" + NODE + rent)

    assert "50.0 % to con, 50.0 % to con spot" in text
    assert "4 x `con` spot 100 % busy" in text


def test_a_purchase_that_outlives_itself_by_cash_is_told_as_such(tmp_path: Path) -> None:
    cloud = "  - pool: cloud\n" + NODE + "    rent: {price: 0.30 USD/node-hour}\n"
    buy = "    buy: {price: 11000 USD/node, life: 4 years, residual: 40 %}\n"
    text = report(tmp_path, cloud + "  - pool: own\n" + NODE + buy)

    assert "by cash, not before its end on 2030-10-01: that takes 50.2 months of full use" in text


def test_documentation_names_the_nodes_considered_where_no_most_is_given() -> None:
    rows = [r for r in render_reference().splitlines() if r.startswith("| `max_nodes`")]

    assert len(rows) == 2
    assert all(f"absent: {UNLIMITED_NODES} are considered" in row for row in rows)
