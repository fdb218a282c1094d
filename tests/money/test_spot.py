"""Spot nodes: with a tenth of the hours lost, work is as if there were 1/0.9 of it, and deadlines still hold."""

import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import planner
from planner.options.consider import consider
from planner.options.from_scenario import question_of
from planner.options.problem import DEMAND_UNITS
from planner.plan.schema import Assignment, Plan
from planner.report.text import render_text
from planner.scenario import Scenario
from planner.verify.plan import verify_plan

SPOT = "{price: 2.00 USD/node-hour, interruption: 10 %}"
FIRM = "{price: 2.00 USD/node-hour}"
TEXT = """\
scenario: spot
HORIZONinventory:
  - pool: cloud
    gpu: l40s
    node: {gpus: 2, host_ram: 256 GiB}
    rent: RENT
workloads:
"""
TUNE = """\
  - name: tune
    kind: lora
    model: llama-3.1-8b
    sequence: 2048
    global_batch: 16 sequences
    tokens: TOKENS
    deadline: DEADLINE
"""
CHAT = """\
  - name: chat
    kind: inference
    model: llama-3.1-8b
    context: 4096
    demand: {requests: RATE /s, prompt: 900, output: 250}
"""
BATCH = """\
  - name: night
    kind: batch
    model: llama-3.1-8b
    demand: {requests: COUNT, prompt: 900, output: 200}
    deadline: 12 h
"""
YEAR = "horizon: {start: 2026-10-01, length: 1 year, period: 1 quarter}\n"


def scenario_of(
    folder: Path, rent: str, workloads: str, *changes: str, horizon: str = ""
) -> Scenario:
    path = folder / "spot.yaml"
    path.write_text(TEXT.replace("RENT", rent).replace("HORIZON", horizon) + workloads)
    return planner.load(path, changes)


def solved(
    folder: Path, rent: str, workloads: str, *changes: str, horizon: str = ""
) -> tuple[Scenario, Plan]:
    scenario = scenario_of(folder, rent, workloads, *changes, horizon=horizon)
    plan = planner.solve(scenario)
    assert plan.status == "proven"
    assert not verify_plan(scenario, plan)
    return scenario, plan


def total(plan: Plan) -> Decimal:
    assert plan.cost is not None
    return plan.cost.total


def only(plan: Plan) -> Assignment:
    (part,) = plan.workloads[0].assignment
    return part


def tune(tokens: float, deadline: str = "30 d") -> str:
    return TUNE.replace("TOKENS", f"{tokens:.0f}").replace("DEADLINE", deadline)


@pytest.mark.parametrize("horizon", ["", YEAR])
def test_a_run_takes_as_long_as_more_work_would_on_firm_nodes(tmp_path: Path, horizon: str) -> None:
    _, spot = solved(tmp_path, SPOT, tune(9e7), horizon=horizon)
    _, firm = solved(tmp_path, FIRM, tune(9e7), horizon=horizon)
    _, more = solved(tmp_path, FIRM, tune(1e8), horizon=horizon)
    hours = only(firm).speed.hours
    assert hours is not None
    assert only(spot).speed.hours == pytest.approx(hours / 0.9)
    assert only(spot).speed.rate_low == pytest.approx(0.9 * only(firm).speed.rate_low)
    assert total(spot) == total(more) == 2 * math.ceil(hours / 0.9)
    assert (only(spot).term, only(spot).interruption) == ("spot for the run", 0.1)


def test_the_deadline_holds_with_the_hours_lost(tmp_path: Path) -> None:
    """Between the run's hours and those with a tenth lost only the firm nodes do, whatever they cost."""
    _, firm = solved(tmp_path, FIRM, tune(9e7))
    hours = only(firm).speed.hours
    assert hours is not None
    both = f"[{SPOT}, {{price: 9.00 USD/node-hour}}]"
    _, tight = solved(tmp_path, both, tune(9e7, f"{1.05 * hours:.2f} h"))
    _, loose = solved(tmp_path, both, tune(9e7, f"{1.12 * hours:.2f} h"))
    assert [only(p).term for p in (tight, loose)] == ["rented 2 for the run", "spot 1 for the run"]


def test_on_spot_nodes_alone_the_missed_deadline_is_explained(tmp_path: Path) -> None:
    _, firm = solved(tmp_path, FIRM, tune(9e7))
    deadline = f"{1.05 * (only(firm).speed.hours or 0):.2f} h"
    plan = planner.solve(
        scenario_of(tmp_path, SPOT, tune(9e7, deadline), "workloads.tune.gpus.max=1")
    )
    assert plan.status == "infeasible"
    assert "with 10 % of the hours lost to interruptions" in " ".join(render_text(plan).split())


def test_a_service_keeps_off_spot_nodes_unless_it_says_so(tmp_path: Path) -> None:
    chat = CHAT.replace("RATE", "5")
    both = "[{price: 0.50 USD/node-hour, interruption: 10 %}, {price: 2.00 USD/node-hour}]"
    _, careful = solved(tmp_path, both, chat)
    assert {a.term for a in careful.workloads[0].assignment} == {"rented 2"}
    assert "`spot: true`: 1 GPU of `cloud`" in " ".join(render_text(careful).split())
    _, daring = solved(tmp_path, both, chat + "    spot: true\n")
    assert {a.term for a in daring.workloads[0].assignment} == {"spot 1"}
    plan = planner.solve(scenario_of(tmp_path, SPOT, chat))
    assert plan.status == "infeasible"
    assert "all its nodes are spot" in " ".join(render_text(plan).split())


def test_a_job_can_be_kept_off_spot_nodes(tmp_path: Path) -> None:
    both = f"[{SPOT}, {{price: 9.00 USD/node-hour}}]"
    _, plan = solved(tmp_path, both, tune(9e7) + "    spot: false\n")
    assert only(plan).term.startswith("rented 2")


@pytest.mark.parametrize("rate", [5, 9, 14, 23])
def test_a_service_needs_the_gpus_of_a_larger_demand(tmp_path: Path, rate: int) -> None:
    chat = CHAT + "    spot: true\n"
    lost = SPOT.replace("10 %", "50 %")
    _, spot = solved(tmp_path, lost, chat.replace("RATE", str(rate)))
    _, firm = solved(tmp_path, FIRM, chat.replace("RATE", str(2 * rate)))
    assert total(spot) == total(firm)
    gpus = [sum(a.gpus for a in p.workloads[0].assignment) for p in (spot, firm)]
    assert gpus[0] == gpus[1]


def test_requests_by_size_weigh_more(tmp_path: Path) -> None:
    sizes = "demand: {requests: 20 /s, sizes: [{prompt: 900, output: 250, share: 100 %}]}"
    chat = CHAT.replace("demand: {requests: RATE /s, prompt: 900, output: 250}", sizes)
    _, spot = solved(tmp_path, SPOT.replace("10 %", "50 %"), chat + "    spot: true\n")
    _, firm = solved(tmp_path, FIRM, chat.replace("20 /s", "40 /s"))
    assert total(spot) == total(firm)


def test_a_batch_gets_less_done_by_its_deadline(tmp_path: Path) -> None:
    _, spot = solved(tmp_path, SPOT.replace("10 %", "50 %"), BATCH.replace("COUNT", "2e5"))
    _, firm = solved(tmp_path, FIRM, BATCH.replace("COUNT", "4e5"))
    assert total(spot) == total(firm)
    assert only(spot).term.startswith("spot")


def test_a_run_over_several_periods_of_spot_nodes(tmp_path: Path) -> None:
    months = YEAR.replace("1 quarter", "1 month")
    _, spot = solved(
        tmp_path, SPOT, tune(1.8e10, "1 year"), "workloads.tune.gpus.max=1", horizon=months
    )
    _, more = solved(
        tmp_path, FIRM, tune(2e10, "1 year"), "workloads.tune.gpus.max=1", horizon=months
    )
    assert len([p for p in spot.periods if p.runs]) > 1
    assert total(spot) == total(more)


def test_the_assumption_is_printed(tmp_path: Path) -> None:
    for horizon in ("", YEAR):
        _, plan = solved(tmp_path, SPOT, tune(9e7), horizon=horizon)
        assert sum("10 % of their hours are lost" in text for text in plan.assumptions) == 1
    assert "x l40s spot" in render_text(plan)
    _, plan = solved(tmp_path, FIRM, tune(9e7))
    assert not any("spot" in text for text in plan.assumptions)


def part(plan: Plan, **update: object) -> Plan:
    first = plan.workloads[0]
    parts = tuple(a.model_copy(update=update) for a in first.assignment)
    changed = first.model_copy(update={"assignment": parts})
    return plan.model_copy(update={"workloads": (changed, *plan.workloads[1:])})


def undisturbed(plan: Plan) -> Plan:
    speed = only(plan).speed
    assert speed.hours is not None
    return part(plan, speed=speed.model_copy(update={"hours": 0.9 * speed.hours}))


CHANGES: dict[str, Callable[[Plan], Plan]] = {
    "no interruption": lambda p: part(p, interruption=None),
    "a smaller one": lambda p: part(p, interruption=0.05),
    "the hours without it": undisturbed,
    "firm nodes": lambda p: part(p, term="rented for the run"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_figure_is_found(tmp_path: Path, name: str) -> None:
    scenario, plan = solved(tmp_path, SPOT, tune(9e7))
    assert verify_plan(scenario, CHANGES[name](plan))


@pytest.mark.parametrize(
    "change", ["inventory.cloud.rent.interruption=20 %", "workloads.tune.spot=false"]
)
def test_another_scenario_is_found(tmp_path: Path, change: str) -> None:
    _, plan = solved(tmp_path, SPOT, tune(9e7))
    assert verify_plan(scenario_of(tmp_path, SPOT, tune(9e7), change), plan)


def test_two_shares_in_one_pool(tmp_path: Path) -> None:
    """The pool has spot nodes only; the cheaper ones lose so much that they are the dearer ones."""
    both = "[{price: 2.00 USD/node-hour, interruption: 20 %}, {price: 1.50 USD/node-hour, interruption: 60 %}]"
    _, two = solved(tmp_path, both, tune(9e7, "60 d"))
    _, one = solved(tmp_path, SPOT.replace("10 %", "20 %"), tune(9e7, "60 d"))
    assert (only(two).term, only(two).interruption) == ("spot 1 for the run", 0.2)
    assert total(two) == total(one)
    dear = both.replace("1.50", "0.90")
    _, other = solved(tmp_path, dear, tune(9e7, "60 d"))
    assert only(other).interruption == 0.6
    assert only(other).speed.hours == pytest.approx(2 * (only(one).speed.hours or 0))


def test_an_order_is_weighed_against_rent_on_demand_not_spot(tmp_path: Path) -> None:
    """A node of two GPUs at 16,000 is written off at 1,000 a quarter, 2,190 hours at 2.00 are 4,380."""
    both = f"[{FIRM}, {{price: 0.10 USD/node-hour, interruption: 10 %}}]\n    buy: {{price: 16000 USD/node}}"
    _, plan = solved(tmp_path, both, CHAT.replace("RATE", "2"), horizon=YEAR)
    (order,) = plan.orders
    assert order.break_even == pytest.approx(1000 / 4380, abs=1e-4)


def test_a_small_replica_that_interruptions_rule_out_beats_no_larger_one(tmp_path: Path) -> None:
    def gpus(rent: str, rate: float) -> list[int]:
        text = CHAT.replace("RATE", f"{rate:.3f}").replace("demand", "spot: true\n    demand")
        question = question_of(scenario_of(tmp_path, rent, text))
        return [o.gpus for part in consider(question)["chat"] for o in part.options]

    text = CHAT.replace("RATE", "1").replace("demand", "spot: true\n    demand")
    question = question_of(scenario_of(tmp_path, FIRM, text))
    alone = next(o for o in consider(question)["chat"][0].options if o.gpus == 1)
    # At this rate one GPU counts for a two-thousandth of the demand, and for none once interrupted.
    rate = alone.timing.rate_low * DEMAND_UNITS / 1.05
    assert gpus(FIRM, rate) == [1]
    assert gpus(SPOT, rate) == [2]
