"""Periods: dates, stock, demand and prices as they stand in each."""

from datetime import date
from pathlib import Path

import planner
from planner.options.deals import deals_of
from planner.scenario.periods import in_period, periods_of, stock

TEXT = """\
scenario: periods
horizon: {start: 2026-10-01, length: 1 year, period: 1 quarter}
inventory:
  - pool: box
    gpu: l40s
    owned: {nodes: 6, available: 1}
    reserved: [{nodes: 3, until: 2027-01-01}, {nodes: 1, until: 2027-02-01}, {nodes: 1}]
    ordered: [{nodes: 2, arrives: 2026-12-15}]
    contracts: {nodes: 2, until: 2027-05-16, price: 1.00 USD/node-hour}
    buy: {price: 10000 USD/node, lead_time: 14 weeks, life: 6 months, valid_until: 2027-01-31, growth: +10 %/quarter}
    rent:
      - {price: 2.00 USD/node-hour, growth: -10 %/quarter}
      - {price: 1.50 USD/GPU-hour, commit: 2 quarters, upfront: 50 %}
  - pool: old
    gpu: l40s
    owned: {nodes: 1, retires: 2027-05-01}
workloads:
  - name: grows
    kind: inference
    model: llama-3.1-8b
    context: 2048
    demand: {requests: 5 /s, prompt: 200, output: 100, growth: +20 %/quarter}
  - name: campaign
    kind: inference
    model: llama-3.1-8b
    context: 2048
    demand: {concurrent: 10, prompt: 200, output: 100, periods: [0 %, 100 %, 125 %, 0 %]}
  - {name: tune, kind: lora, model: llama-3.1-8b, tokens: 1e7, deadline: 2 quarters}
"""


def load(tmp_path: Path) -> planner.Scenario:
    path = tmp_path / "periods.yaml"
    path.write_text(TEXT)
    return planner.load(path)


def test_dates_and_hours(tmp_path: Path) -> None:
    periods = periods_of(load(tmp_path))
    assert [p.name for p in periods] == ["2026-10", "2027-01", "2027-04", "2027-07"]
    assert periods[-1].end == date(2027, 10, 1)
    assert {p.hours for p in periods} == {2190}


def test_stock_counts_what_is_there_throughout(tmp_path: Path) -> None:
    scenario = load(tmp_path)
    periods = periods_of(scenario)
    # 1 available; 2 ordered and 3 freed by January; 1 freed in February counts from April; 1 never.
    assert [stock(scenario.pool("box"), p) for p in periods] == [1, 6, 7, 7]
    assert [stock(scenario.pool("old"), p) for p in periods] == [1, 1, 0, 0]


def test_demand_and_prices_of_each_period(tmp_path: Path) -> None:
    scenario = load(tmp_path)
    here = [in_period(scenario, p) for p in periods_of(scenario)]
    names = [[w.name for w in s.workloads] for s in here]
    assert names == [
        ["grows", "tune"],
        ["grows", "campaign", "tune"],
        ["grows", "campaign"],
        ["grows"],
    ]
    rates = [float(s.workload("grows").spec.demand.requests) for s in here]  # type: ignore[union-attr,arg-type]
    assert rates == [5, 6, 7.2, 8.64]
    assert here[2].workload("campaign").spec.demand.concurrent == 13  # type: ignore[union-attr]
    rents = [float(s.pool("box").spec.rent[0].price[0].amount) for s in here]
    assert rents == [2, 1.8, 1.62, 1.458]
    assert [len(s.pool("box").spec.rent) for s in here] == [1, 1, 1, 1]


def test_deals_by_hand(tmp_path: Path) -> None:
    deals = deals_of(load(tmp_path))
    (buy,) = [d for d in deals if d.action == "buy"]
    # 14 weeks before October and January lie before the horizon; July's order day is after the quote's end.
    assert (buy.first, buy.last, buy.order_by) == (2, 4, date(2026, 12, 24))
    assert buy.price_cents == 1_210_000
    assert buy.spread == (0, 0, 605_000, 605_000)
    assert buy.book_cents == 0
    commits = [d for d in deals if d.action == "commit"]
    assert [(d.first, d.last) for d in commits] == [(0, 2), (1, 3), (2, 4), (3, 4)]
    assert commits[0].price_cents == 150 * 2 * 2190
    assert commits[0].spread == (328_500, 328_500, 0, 0)
    assert commits[0].opex == (328_500 + 164_250, 164_250, 0, 0)
    assert (commits[3].opex[3], commits[3].after_cents) == (492_750, 164_250)
    (contract,) = [d for d in deals if d.action == "contract"]
    # 45 of the 91 days from April to June are covered: it is paid for them, and has no nodes for the whole period.
    assert (contract.first, contract.last) == (0, 2)
    assert contract.opex == (219_000, 219_000, -(-219_000 * 45 // 91), 0)
