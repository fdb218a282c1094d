"""Where a node is too small: a larger node only if such nodes exist, else the fewest nodes it takes."""

from __future__ import annotations

from planner import fit
from planner.catalog import model
from planner.options.explain.larger import larger, over_nodes, smallest_node
from planner.options.fit_pool import pool_of
from planner.options.fit_wish import wish_of
from planner.report.fit import render_fit


def test_a_node_type_that_is_large_enough_is_named() -> None:
    ask = wish_of(kinds=["inference"]).asks(model("llama-65b"))[0]
    found = larger(ask, pool_of("4xv100-sxm2-32gb"))
    assert found.real
    assert (found.gpus, found.node_type, found.nodes) == (5, "onprem-dgx-1-v100", None)


def test_where_no_node_is_large_enough_the_fewest_nodes_are_told() -> None:
    ask = wish_of(kinds=["full"]).asks(model("llama-3.1-70b"))[0]
    pool = pool_of("8xl40s")
    found = larger(ask, pool)
    assert not found.real
    assert found.nodes is not None
    assert over_nodes(ask, pool, 8, found.nodes) is not None
    assert over_nodes(ask, pool, 8, found.nodes - 1) is None
    assert found.gpus is not None
    assert 8 * (found.nodes - 1) < found.gpus <= 8 * found.nodes


def test_the_report_claims_no_node_that_does_not_exist() -> None:
    text = " ".join(render_fit(fit("llama-3.1-70b", "8xl40s", kinds=["full"])).split())
    assert "fits over 6 nodes of 8 of these GPUs" in text
    assert "6 nodes of 8 x NVIDIA L40S" in text
    assert "x NVIDIA L40S in one node" not in text


def test_servers_of_ones_own_come_before_those_to_rent() -> None:
    assert smallest_node("h100-sxm5-80gb", 8) == "onprem-dgx-h100"
    assert smallest_node("h100-sxm5-80gb", 9) == ""
