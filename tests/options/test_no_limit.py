"""An offer without `max_nodes` is no stock that runs out."""

from pathlib import Path

from planner import api

SCENARIO = """
scenario: many
inventory:
  - pool: cloud
    gpu: l4
    node: {gpus: 1, host_ram: 64 GiB}
    rent: {price: 0.7 USD/node-hour}
workloads:
  - name: search
    kind: inference
    model: llama-3.1-8b
    precision: [fp8]
    context: 4096
    demand: {requests: 400 /s, prompt: 600, output: 200}
    slo: {ttft: 3 s, tpot: 120 ms, percentile: 95}
"""


def test_a_hundred_nodes_are_rented_and_none_are_said_to_be_left(tmp_path: Path) -> None:
    file = tmp_path / "many.yaml"
    file.write_text(SCENARIO)
    plan = api.solve(api.load(file))
    assert plan.status == "proven"
    assert plan.pools[0].rented > 100
    assert plan.slack == ()
    capped = api.solve(api.load(file, overrides=["inventory.cloud.rent.max_nodes=120"]))
    left = 120 - plan.pools[0].rented
    assert capped.slack == (f"{left} of 120 GPUs of `cloud`",)
