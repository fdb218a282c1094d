"""Random mixes of supply, demand and limits: whatever is solved verifies, its tables and rules included."""

from pathlib import Path
from random import Random

import pytest

import planner
from planner.plan.schema import Plan

SUPPLY = """\
  - pool: own
    gpu: {gpu}
    node: {{gpus: {gpus}, host_ram: 256 GiB, rack_units: 3{power}}}
    owned: {{nodes: 4, upkeep: 33.33 USD/node-month}}
{buy}  - pool: cloud
    gpu: l40s
    node: {{gpus: 4, host_ram: 256 GiB}}
    rent: [{{price: 3.33 USD/{unit}}}{spot}]
"""
SIZES = "[{prompt: 300, output: 100, share: 60 %}, {prompt: 1500, output: 300, share: 40 %}]"
REPLICAS = (
    "", "replicas: {min: 2}", "replicas: {spare: 1}", "replicas: {min: 2, spare: 1}", "replicas: {max: 5}",
    "replicas: {min: 2, max: 6, spare: 1}", "gpus: {max: 6}",
)  # fmt: skip
SEEDS = range(18)


def scenario(random: Random) -> str:
    horizon = random.random() < 0.5
    lines = ["scenario: random"]
    if horizon:
        how = random.choice(["accrual", "cash"])
        lines.append(
            f"horizon: {{start: 2026-10-01, length: 2 quarters, period: 1 quarter, convention: {how}}}"
        )
    idle = random.choice([0, 7, 20, 100])
    lines.append(f"energy: {{price: 0.17 USD/kWh, pue: 1.37, idle: {idle} %}}")
    if random.random() < 0.5:
        watts, units = random.randint(3000, 20000), random.randint(6, 30)
        lines.append(f"limits: {{power: {watts} W, rack_units: {units}}}")
    buy = "    buy: {price: 20000 USD/node, max_nodes: 3, residual: 13 %}\n"
    supply = SUPPLY.format(
        gpu=random.choice(["l40s", "a100-pcie-80gb"]),
        gpus=random.choice([2, 4, 8]),
        power=random.choice(["", f", power: {random.randint(900, 3000)} W"]),
        buy=buy if horizon and random.random() < 0.7 else "",
        unit=random.choice(["node-hour", "GPU-hour"]),
        spot=random.choice(["", ", {price: 1.2 USD/node-hour, interruption: 20 %}"]),
    )
    return "\n".join([*lines, "inventory:", supply + "workloads:", *workloads(random, horizon)])


def workloads(random: Random, horizon: bool) -> list[str]:
    demand = random.choice(
        [
            f"requests: {random.choice([0.5, 2.3, 11])} /s, prompt: 900, output: 200",
            f"concurrent: {random.choice([3, 17, 120])}, prompt: 900, output: 200",
            f"requests: {random.choice([1, 3.3, 6])} /s, sizes: {SIZES}",
        ]
    )
    lines = [
        "  - name: chat", "    kind: inference", "    model: llama-3.1-8b", "    context: 4096",
        f"    demand: {{{demand}}}", "    slo: {ttft: 3 s, tpot: 90 ms}", f"    {random.choice(REPLICAS)}",
    ]  # fmt: skip
    if random.random() < 0.6:
        more = random.choice(["", ", every: 3 d"]) + random.choice(["", ", gpus: {max: 8}"])
        lines.append(
            "  - {name: embed, kind: embedding, model: bge-m3, demand: {tokens: 3e9}, deadline: 2 d"
            + more + "}"
        )  # fmt: skip
    if random.random() < 0.6:
        deadline = random.choice(["20 d", "2 quarters"]) if horizon else "30 d"
        more = random.choice(["", ", every: 1 month"])
        lines.append(
            "  - {name: tune, kind: lora, model: llama-3.1-8b, sequence: 1024, global_batch: 8 sequences, "
            f"tokens: {random.choice(['1e7', '2e9'])}, deadline: {deadline}{more}}}"
        )
    return lines


def solved(seed: int, folder: Path) -> Plan:
    path = folder / "random.yaml"
    path.write_text(scenario(Random(seed)), "utf-8")
    return planner.solve(planner.load(path))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_solved_verifies(seed: int, tmp_path: Path) -> None:
    plan = solved(seed, tmp_path)
    assert plan.status in ("proven", "infeasible")
    assert plan.verified == (plan.status == "proven")
    assert bool(plan.cost) == plan.verified
