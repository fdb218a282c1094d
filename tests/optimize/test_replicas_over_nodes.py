"""Replicas on several whole nodes: tensor parallel inside a node, pipeline and data parallel across."""

from collections import defaultdict
from pathlib import Path

import planner
from planner.plan.schema import Assignment, Plan
from planner.verify.plan import verify_plan

BASE = Path(__file__).parent / "scenarios" / "two-nodes.yaml"


def solved(*overrides: str) -> Plan:
    scenario = planner.load(BASE, overrides)
    plan = planner.solve(scenario)
    if plan.cost is not None:
        assert verify_plan(scenario, plan) == []
    return plan


def part(plan: Plan, name: str) -> Assignment:
    (found,) = next(w for w in plan.workloads if w.name == name).assignment
    return found


def test_model_larger_than_a_node_takes_whole_nodes() -> None:
    big = part(solved(), "big")
    assert (big.layout.tp, big.layout.pp, big.gpus, big.nodes) == (8, 2, 16, 2)
    by_replica = defaultdict(list)
    for place in big.placement:
        by_replica[place.replica].append(place)
    assert all([len(p.gpus) for p in places] == [8, 8] for places in by_replica.values())


def test_training_over_nodes_is_billed_by_whole_nodes() -> None:
    plan = solved()
    sft = part(plan, "sft")
    assert sft.gpus == 8 * sft.nodes
    assert sft.nodes > 1
    assert sft.term == "rented for the run"


def test_one_node_is_enough_where_it_holds_the_model() -> None:
    small = part(solved("workloads.big.model=llama-3.1-70b"), "big")
    assert small.nodes == 1


def test_most_gpus_keep_a_replica_on_one_node() -> None:
    plan = solved("workloads.big.gpus={max: 8}")
    assert plan.status == "infeasible"


def test_no_replica_spans_nodes_without_a_network() -> None:
    plan = solved(
        "inventory[0]={pool: h100, gpu: h100-sxm5-80gb, node: {gpus: 8}, owned: {nodes: 3}}"
    )
    assert plan.status == "infeasible"


def test_replicas_over_nodes_share_stock_with_others() -> None:
    """Three nodes hold one replica of two nodes; a second one has no place."""
    plan = solved("workloads.big.replicas={min: 2}")
    assert plan.status == "infeasible"
