"""The same plan no longer holds when the scenario asks or offers something else."""

import pytest

from planner.api import load
from planner.verify.plan import verify_plan
from tests.verify.edit import path_of, plan_of

CHANGES = [
    ("services", "energy.price=0.16 USD/kWh", "money"),
    ("services", "energy.pue=1.3", "money"),
    ("services", "energy.idle=10 %", "money"),
    ("services", "inventory.box.node.power=2 kW", "money"),
    ("services", "inventory.box.owned.upkeep=151 USD/node-month", "money"),
    ("services", "inventory.pair.rent.price=4.206 USD/node-hour", "money"),
    ("services", "limits.opex=3000 USD/month", "limits"),
    ("services", "limits.power=1 kW", "limits"),
    ("services", "inventory.box.spare_nodes=3", "capacity"),
    ("services", "workloads.chat.replicas.min=4", "demand"),
    ("services", "workloads.chat.replicas.max=2", "demand"),
    ("services", "workloads.chat.replicas.spare=5", "demand"),
    ("services", "workloads.chat.demand.requests=40 /s", "demand"),
    ("services", "workloads.chat.context=131072", "memory"),
    ("services", "workloads.chat.slo.tpot=1 ms", "speed"),
    ("services", "workloads.chat.slo.ttft=1 ms", "speed"),
    ("services", "workloads.chat.gpus={max: 1}", "allowed"),
    ("services", "workloads.chat.pools=pair", "allowed"),
    ("services", "workloads.chat.parallel={tp: [2]}", "allowed"),
    ("services", "workloads.chat.precision=fp8", "allowed"),
    ("services", "workloads.big.interconnect.min=700 GB/s", "allowed"),
    ("services", "inventory.pair.node.nvlink=300 GB/s", "allowed"),
    ("services", "workloads.chat.model=qwen2.5-7b", "structure"),
    ("jobs", "inventory.cards.rent.price=0.88 USD/GPU-hour", "money"),
    ("jobs", "inventory.nodes.rent[0].price=9.4 USD/node-hour", "money"),
    ("jobs", "workloads.nightly.every=2 d", "money"),
    ("jobs", "workloads.tune.deadline=1 h", "speed"),
    ("jobs", "workloads.tune.dataset.epochs=3", "speed"),
    ("jobs", "workloads.tune.lora.rank=64", "memory"),
    ("jobs", "workloads.sft.global_batch=128 sequences", "allowed"),
    ("jobs", "workloads.sft.zero=[1]", "allowed"),
    ("offload", "inventory.box.node.host_ram=128 GiB", "node memory"),
    ("offload", "workloads.huge.required=true", "served"),
    ("offload", "inventory.box.owned.nodes=2", "capacity"),
]


@pytest.mark.parametrize(("name", "override", "check"), CHANGES)
def test_change_is_found(name: str, override: str, check: str) -> None:
    changed = load(path_of(name), [override])
    found = verify_plan(changed, plan_of(name))
    assert check in {p.check for p in found}, [str(p) for p in found]


def test_what_does_not_matter_is_no_problem() -> None:
    for override in ("inventory.pair.rent.max_nodes=3", "limits.opex=9001 USD/month"):
        assert verify_plan(load(path_of("services"), [override]), plan_of("services")) == []
