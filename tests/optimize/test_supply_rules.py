"""Where replicas may be and what nodes are kept free: from a scenario to a verified plan."""

from decimal import Decimal
from pathlib import Path

import planner
from planner.plan.schema import Assignment, Plan
from planner.verify.plan import verify_plan

BASE = Path(__file__).parent / "scenarios" / "supply.yaml"


def solved(*overrides: str) -> Plan:
    scenario = planner.load(BASE, overrides)
    plan = planner.solve(scenario)
    if plan.cost is not None:
        assert plan.verified
        assert verify_plan(scenario, plan) == []
    return plan


def parts(plan: Plan) -> tuple[Assignment, ...]:
    return tuple(a for w in plan.workloads for a in w.assignment)


def replicas(plan: Plan) -> int:
    return sum(a.replicas for a in parts(plan))


def nodes(plan: Plan) -> list[tuple[str, int]]:
    return [(a.pool, p.node) for a in parts(plan) for p in a.placement]


def cost(plan: Plan) -> Decimal:
    assert plan.cost is not None
    return plan.cost.total


ONLY_CLOUD = "workloads.chat.pools=[cloud]"
ONLY_SINGLE = "workloads.chat.pools=[single]"


def test_cheapest_pool_is_taken_and_owned_nodes_cost_their_upkeep() -> None:
    plan = solved()
    assert [(a.pool, a.replicas) for a in parts(plan)] == [("own", 1)]
    assert cost(plan) == Decimal("10.00")


def test_spare_replicas() -> None:
    assert replicas(solved("workloads.chat.replicas={spare: 1}")) == 2
    assert replicas(solved("workloads.chat.replicas={min: 2, spare: 2}")) == 4


def test_spare_nodes_stay_free() -> None:
    plan = solved("inventory[0].spare_nodes=2")
    assert all(a.pool != "own" for a in parts(plan))
    assert solved("inventory[0].spare_nodes=1").status == "proven"


def test_distinct_nodes() -> None:
    plan = solved("workloads.chat.replicas={min: 3, distinct_nodes: true}")
    assert replicas(plan) == 3
    assert len(set(nodes(plan))) == 3
    near = solved("workloads.chat.replicas={min: 3}")
    assert len(set(nodes(near))) == 1
    assert cost(plan) > cost(near)


def test_distinct_nodes_that_are_not_there() -> None:
    plan = solved("workloads.chat.replicas={min: 9, distinct_nodes: true}")
    assert plan.status == "infeasible"


def test_same_pool() -> None:
    """Two owned nodes give two distinct ones; the third must come from a pool that has three."""
    spread = solved("workloads.chat.replicas={min: 3, distinct_nodes: true}")
    assert {a.pool for a in parts(spread)} == {"own", "single"}
    plan = solved("workloads.chat.replicas={min: 3, distinct_nodes: true, same_pool: true}")
    assert {a.pool for a in parts(plan)} == {"cloud"}


def test_rental_per_gpu_pays_for_gpus_and_per_node_for_nodes() -> None:
    assert cost(solved(ONLY_SINGLE)) == Decimal("1095.00")  # 1.50 x 730 h x 1 GPU
    assert cost(solved(ONLY_CLOUD)) == Decimal("2920.00")  # 4 x 730 h x 1 node


def test_per_gpu_rental_is_left_for_whole_nodes_when_they_are_cheaper() -> None:
    plan = solved("workloads.chat.pools=[single, cloud]", "workloads.chat.replicas={min: 3}")
    assert {a.pool for a in parts(plan)} == {"cloud"}
    assert cost(plan) == Decimal("2920.00")


def test_several_rent_terms_are_used_in_order_of_price() -> None:
    terms = (
        "inventory[1].rent=[{price: 3 USD/node-hour, max_nodes: 1}, "
        "{price: 4 USD/node-hour, max_nodes: 4}]"
    )
    plan = solved(ONLY_CLOUD, terms, "workloads.chat.replicas={min: 6}")
    assert sorted((a.term, a.replicas) for a in parts(plan)) == [("rented 1", 4), ("rented 2", 2)]
    assert cost(plan) == Decimal("5110.00")


def test_per_gpu_and_per_node_terms_of_one_pool() -> None:
    terms = (
        "inventory[1].rent=[{price: 4 USD/node-hour, max_nodes: 4}, "
        "{price: 1.20 USD/GPU-hour, max_nodes: 1}]"
    )
    plan = solved(ONLY_CLOUD, terms, "workloads.chat.replicas={min: 5}")
    assert sorted((a.term, a.replicas) for a in parts(plan)) == [("rented 1", 4), ("rented 2", 1)]
    assert cost(plan) == Decimal("3796.00")


def test_allow_and_deny_lists() -> None:
    assert {a.pool for a in parts(solved(ONLY_CLOUD))} == {"cloud"}
    plan = solved("workloads.chat.exclude_pools=[own]")
    assert {a.pool for a in parts(plan)} == {"single"}


def test_most_replicas_and_most_gpus_bound_a_mix() -> None:
    plan = solved("workloads.chat.replicas={min: 2, max: 2}", "workloads.chat.gpus={max: 2}")
    assert replicas(plan) == 2


def test_spare_replicas_on_distinct_nodes_outlive_any_node() -> None:
    plan = solved("workloads.chat.replicas={spare: 1, distinct_nodes: true}")
    assert replicas(plan) == 2
    assert len(set(nodes(plan))) == 2
