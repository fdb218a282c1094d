"""Power, racks and energy of one's own nodes, worked out by hand and re-checked."""

import math
from decimal import Decimal
from pathlib import Path

import pytest

import planner
from planner.plan.schema import Plan
from planner.verify.plan import verify_plan

TEXT = """\
scenario: hall
energy: {price: 0.10 USD/kWh, pue: 1.5, idle: 10 %}
limits: {power: 6 kW, rack_units: 12}
inventory:
  - pool: own
    gpu: l40s
    node: {gpus: 4, host_ram: 256 GiB, power: 2 kW, rack_units: 4}
    owned: {nodes: 4}
  - pool: cloud
    gpu: l40s
    node: {gpus: 4, host_ram: 256 GiB}
    rent: {price: 4.00 USD/node-hour}
workloads:
  - name: chat
    kind: inference
    model: llama-3.1-8b
    context: 2048
    demand: {concurrent: 100, prompt: 900, output: 250}
    pools: [own, cloud]
  - name: tune
    kind: lora
    model: llama-3.1-8b
    sequence: 1024
    global_batch: 8 sequences
    tokens: 1e7
    deadline: 20 d
    gpus: {max: 1}
    pools: own
"""


def solved(tmp_path: Path, *overrides: str) -> Plan:
    path = tmp_path / "hall.yaml"
    path.write_text(TEXT)
    scenario = planner.load(path, list(overrides))
    plan = planner.solve(scenario)
    assert plan.status == "proven"
    assert verify_plan(scenario, plan) == []
    return plan


def own_nodes(plan: Plan) -> int:
    return next(p.used_nodes for p in plan.pools if p.pool == "own")


def test_energy_by_hand(tmp_path: Path) -> None:
    """A node draws 2,000 - 4 x 350 x 0.9 = 740 W before its GPUs work; a GPU at work 315 W more."""
    plan = solved(tmp_path)
    assert plan.cost is not None
    price = Decimal("0.10") * Decimal("1.5") / 1000
    want = own_nodes(plan) * up(740 * 730 * price)
    for workload in plan.workloads:
        for part in workload.assignment:
            hours = 730 if part.speed.hours is None else math.ceil(part.speed.hours)
            busy = Decimal(part.busy) / 2000
            assert part.pool == "own"
            gpus = part.gpus // part.replicas
            want += part.replicas * up(315 * gpus * busy * hours * price)
    assert plan.cost.total == want


def up(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), "ROUND_UP")


def test_a_node_whose_power_is_unknown_counts_its_gpus(tmp_path: Path) -> None:
    """A job's GPU draws 350 W while it runs and 35 W for the rest of the month, in which it is kept."""
    text = TEXT.replace(", power: 2 kW", "").replace("pools: [own, cloud]", "pools: cloud")
    path = tmp_path / "hall.yaml"
    path.write_text(text)
    plan = planner.solve(planner.load(path))
    tune = next(w for w in plan.workloads if w.name == "tune")
    (part,) = tune.assignment
    hours = math.ceil(part.speed.hours or 0)
    watt_hours = 315 * hours + 35 * 730
    assert tune.cost == up(Decimal(watt_hours) * Decimal("0.10") * Decimal("1.5") / 1000)


@pytest.mark.parametrize("limit", ["limits.power=2 kW", "limits.rack_units=7"])
def test_a_limit_sends_work_to_rented_nodes(tmp_path: Path, limit: str) -> None:
    """Without limits two nodes are in use; each limit leaves room for one of 2 kW and 4 units."""
    free = solved(tmp_path, "workloads.chat.demand.concurrent=800")
    tight = solved(tmp_path, "workloads.chat.demand.concurrent=800", limit)
    assert own_nodes(free) == 2
    assert own_nodes(tight) == 1
    assert tight.cost is not None
    assert free.cost is not None
    assert tight.cost.total > free.cost.total
    assert any(a.pool == "cloud" for w in tight.workloads for a in w.assignment)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("limits.power=1.9 kW", "2,000 W, `limits.power` is 1,900 W"),
        ("limits.rack_units=3", "4 rack units, `limits.rack_units` is 3"),
        ("inventory.own.node.power=7 kW", "7,000 W"),
        ("inventory.own.node.rack_units=13", "13 rack units"),
    ],
)
def test_verify_counts_nodes_against_limits(tmp_path: Path, override: str, words: str) -> None:
    plan = solved(tmp_path)
    assert own_nodes(plan) == 1
    changed = planner.load(tmp_path / "hall.yaml", [override])
    found = [p.message for p in verify_plan(changed, plan) if p.check == "limits"]
    assert any(words in text for text in found), found


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("limits.power=1 kW", "`power: 2 kW` instead of 1 kW: the least that works"),
        ("limits.rack_units=3", "`rack_units: 4` instead of 3: the least that works"),
    ],
)
def test_infeasibility_names_the_limit_and_the_least_that_works(
    tmp_path: Path, limit: str, words: str
) -> None:
    path = tmp_path / "hall.yaml"
    path.write_text(TEXT)
    plan = planner.solve(planner.load(path, [limit]))
    assert plan.status == "infeasible"
    assert limit.split("=")[0] in {r.name for r in plan.conflict}
    assert words in {r.change for r in plan.repairs}


def test_a_bounded_batch_that_fills_nodes_of_its_own_verifies(tmp_path: Path) -> None:
    """Its replicas are whole nodes; how busy it is is told of each of the copies on them."""
    path = tmp_path / "own.yaml"
    path.write_text(
        "scenario: own\n"
        "inventory:\n"
        "  - {pool: cloud, gpu: l4, node: {gpus: 8, host_ram: 256 GiB}, rent: {price: 4.00 USD/node-hour}}\n"
        "workloads:\n"
        "  - {name: embed, kind: embedding, model: bge-m3, demand: {tokens: 3e11}, deadline: 5 d, gpus: {max: 40}}\n"
    )
    plan = planner.solve(planner.load(path))
    (part,) = plan.workloads[0].assignment
    assert part.term.endswith(" for the run")
    assert plan.verified
    assert 0 < part.busy < 2000
