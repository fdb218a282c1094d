"""Links and collectives: what users rely on when a layout is priced by its interconnect."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog import gpu, ids, node
from planner.speed.collectives import collective_s, group_s, link_kind, measured_link
from planner.speed.links import Link, both_directions_gb_s, link_of, link_of_node, pairwise_gb_s

H100 = link_of(gpu("h100-sxm5-80gb"), network_gbit_s=3200)
H800 = link_of(gpu("h800-sxm5-80gb"), network_gbit_s=3200)
A100 = link_of(gpu("a100-sxm4-80gb"), network_gbit_s=1600)
KINDS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv")


def bus_gb_s(kind, size, ranks, link, nodes=1):
    factor = {"all_reduce": 2 * (ranks - 1) / ranks, "send_recv": 1.0}.get(
        kind, (ranks - 1) / ranks
    )
    return factor * size / float(collective_s(kind, size, ranks, link, nodes)) / 1e9


@pytest.mark.parametrize(
    ("link", "kind", "ranks", "nodes", "published"),
    [
        (A100, "all_reduce", 8, 1, 232.5),  # NVIDIA/nccl-tests
        (H100, "all_reduce", 8, 1, 478.9),  # Azure ND H100 v5, NVLS
        (H800, "all_reduce", 8, 1, 215.0),  # NVIDIA/nccl issue
        (A100, "all_reduce", 16, 2, 192.0),  # 8 x 200 Gbit/s
        (link_of(gpu("mi300x")), "all_reduce", 2, 1, 47.7),  # stas00/ml-engineering
        (link_of(gpu("mi300x")), "all_reduce", 8, 1, 312.9),
    ],
)
def test_large_messages_reach_the_published_bus_bandwidth(link, kind, ranks, nodes, published):
    assert bus_gb_s(kind, 2**32, ranks, link, nodes) == pytest.approx(published, rel=0.12)


@pytest.mark.parametrize("kind", KINDS)
@given(size=st.floats(1, 2**34), ranks=st.integers(2, 8))
def test_a_slower_nvlink_never_helps(kind, size, ranks):
    assert collective_s(kind, size, ranks, H800) >= collective_s(kind, size, ranks, H100)


@pytest.mark.parametrize("kind", KINDS)
@given(size=st.floats(1, 2**33), more=st.floats(1.01, 8), ranks=st.integers(2, 64))
def test_more_bytes_take_longer(kind, size, more, ranks):
    nodes = -(-ranks // 8)
    assert collective_s(kind, size * more, ranks, A100, nodes) > collective_s(
        kind, size, ranks, A100, nodes
    )


@given(size=st.floats(1e6, 2**33), ranks=st.integers(2, 8))
def test_nothing_beats_the_wire(size, ranks):
    for kind in ("all_gather", "reduce_scatter", "all_to_all"):
        assert bus_gb_s(kind, size, ranks, A100) < 300.0
    slow = Link(pcie_generation=4, gpus_per_node=8)
    assert bus_gb_s("all_reduce", size, ranks, slow) < slow.pcie_gb_s


def test_one_rank_takes_no_time_and_arrays_broadcast():
    times = collective_s("all_reduce", np.array([1e6, 1e9])[:, None], np.array([1, 2, 8]), A100)
    assert times.shape == (2, 3)
    assert (times[:, 0] == 0).all()
    assert (times[:, 1:] > 0).all()


def test_without_peer_to_peer_pcie_is_slower_still():
    direct = Link(pcie_generation=4, gpus_per_node=8)
    staged = replace(direct, pcie_p2p=False)
    for ranks in (2, 4, 8):
        assert collective_s("all_reduce", 1e8, ranks, staged) > collective_s(
            "all_reduce", 1e8, ranks, direct
        )


def test_crossing_nodes_costs_the_network():
    assert collective_s("all_reduce", 1e9, 16, H100, 2) > collective_s("all_reduce", 1e9, 8, H100)
    thin = replace(H100, network_gbit_s=100)
    assert collective_s("all_gather", 1e9, 16, thin, 2) > 5 * collective_s(
        "all_gather", 1e9, 16, H100, 2
    )
    tcp = replace(thin, network_kind="ena")
    assert collective_s("all_gather", 1e9, 16, tcp, 2) > collective_s(
        "all_gather", 1e9, 16, thin, 2
    )


def test_a_rack_is_one_domain():
    rack = link_of(gpu("gb200"), gpus_per_node=4, network_gbit_s=1600)
    assert link_kind(rack, 72, 18) == "nvlink5"
    assert link_kind(rack, 144, 36) == "infiniband"


def test_strided_groups_leave_the_node():
    # Eight data-parallel ranks, each a tp group of eight: one rank per node.
    assert group_s("all_reduce", 1e9, 8, 8, H100) > 2 * group_s("all_reduce", 1e9, 8, 1, H100)


def test_bridges_only_when_stated():
    card = gpu("a100-pcie-80gb")
    assert not link_of(card).scale_up
    bridged = link_of(card, bridges=True)
    assert bridged.nvlink_gb_s == 600
    assert both_directions_gb_s(bridged, "tp", 2) == 600
    assert both_directions_gb_s(bridged, "tp", 4) == pytest.approx(63, rel=0.01)


def test_interconnect_minimum_compares_both_directions():
    assert both_directions_gb_s(H800, "tp", 8) == 400
    assert both_directions_gb_s(H100, "replica", 8) == 900
    assert both_directions_gb_s(replace(H100, network_gbit_s=100), "nodes", 16) == 25
    assert both_directions_gb_s(replace(H100, network_gbit_s=100), "tp", 16) == 25
    assert pairwise_gb_s(Link(nvlink_gb_s=300, topology="mesh", domain=4)) == 100


def test_what_was_measured_is_told_from_what_is_scaled():
    assert measured_link(H100, 8)
    assert not measured_link(H800, 8)
    assert measured_link(H800, 1)
    assert not measured_link(link_of(gpu("v100-sxm2-32gb")), 4)


def test_every_gpu_and_node_of_the_catalog_has_a_link():
    for name in ids("gpus"):
        assert collective_s("all_reduce", 1e8, 2, link_of(gpu(name))) > 0
    for name in ids("nodes"):
        host = node(name)
        link = link_of_node(host, gpu(host.gpu))
        assert link.gpus_per_node == host.gpus
        if host.gpus > 1:
            assert collective_s("all_reduce", 1e8, host.gpus, link) > 0
