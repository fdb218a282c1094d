"""The price of the format listed first is told, or that it is left out; never silently neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner import api
from planner.optimize import first_choice, period_variants
from planner.units import money

LAB = Path(__file__).resolve().parents[2] / "scenarios" / "lab.yaml"


def test_told_where_it_is_little_work_and_else_said_to_be_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scenario = api.load(LAB)
    told = api.solve(scenario)
    monkeypatch.setattr(first_choice, "MOST_WORK", 0)
    short = api.solve(scenario)
    priced = [w.name for w in told.workloads if "listed first" in w.binding]
    assert priced
    assert not any("listed first, would cost" in w.binding for w in short.workloads)
    left_out = [text for text in short.assumptions if "is left out" in text]
    assert len(left_out) == 1
    assert f"{len(priced)} workloads" in left_out[0]
    assert told.cost == short.cost


TEXT = """\
scenario: formats
horizon: {start: 2026-10-01, length: 6 months, period: 1 quarter}
inventory:
  - {pool: small, gpu: l40s, node: {gpus: 2, host_ram: 256 GiB}, rent: {price: 2 USD/node-hour, max_nodes: 2}}
  - {pool: large, gpu: a100-sxm4-80gb, node: {gpus: 4, host_ram: 512 GiB}, rent: {price: 9 USD/node-hour, max_nodes: 2}}
workloads:
  - name: chat
    kind: inference
    model: llama-3.3-70b
    precision: [16bit, gptq-int4]
    context: 4096
    demand: {concurrent: 2, prompt: 500, output: 100, growth: +20 %/quarter}
"""


def test_over_a_horizon_it_is_the_price_of_that_format_in_all_periods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "formats.yaml"
    file.write_text(TEXT, "utf-8")
    plan = api.solve(api.load(file))
    first = api.solve(api.load(file, ["workloads.chat.precision=[16bit]"]))
    assert plan.cost is not None
    assert first.cost is not None
    more = money(first.cost.total - plan.cost.total)
    assert (
        plan.workloads[0].binding == f"16bit, listed first, would cost {more} more over all periods"
    )
    monkeypatch.setattr(period_variants, "MOST_BUILT", 0)
    short = api.solve(api.load(file))
    assert short.workloads[0].binding == ""
    assert any("listed first would cost was not worked out" in text for text in short.assumptions)
