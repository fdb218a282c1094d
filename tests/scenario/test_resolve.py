"""Pools and workloads with their catalog records: what planner reckons with."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog.paths import data_dir
from planner.scenario import ResolvedPool, Scenario, load
from planner.scenario.own_models import assumed_shape
from planner.scenario.resolve import usable_host_ram
from planner.units import GIB
from scenario.conftest import BASE

Loaded = Callable[[str], Scenario]
NODE = "{gpus: 4, pcie: gen4 x16, host_ram: 512 GiB, nvme: 4 TB, network: 100 Gbit/s}"


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    def run(text: str) -> Scenario:
        (tmp_path / "s.yaml").write_text(text, "utf-8")
        return load(tmp_path / "s.yaml", today=date(2026, 8, 1))

    return run


def box(loaded: Loaded, gpu: str, node: str) -> ResolvedPool:
    return loaded(BASE.replace("gpu: l40s", f"gpu: {gpu}").replace(NODE, node)).pools[0]


def test_node_described_in_the_scenario(loaded: Loaded) -> None:
    pool = loaded(BASE).pool("box")
    node = pool.node
    assert (node.gpus, node.nvlink_gb_s, node.nvlink_domain, node.topology) == (4, 0, 1, "none")
    assert node.host_ram_bytes == 512 * GIB * 97 // 100 - 16 * GIB
    assert node.nvme_bytes == 4 * 10**12
    assert node.network_gb_s == 12.5
    assert (node.pcie and (node.pcie.generation, node.pcie.lanes)) == (4, 16)
    assert (pool.owned_nodes, pool.available_nodes, pool.rent) == (2, 2, ())


def test_node_type_of_the_catalog(loaded: Loaded) -> None:
    pool = loaded(BASE).pool("cloud")
    node = pool.node
    assert pool.gpu.id == "a100-sxm4-80gb"
    assert (node.gpus, node.nvlink_gb_s, node.nvlink_domain, node.topology) == (
        8,
        600,
        8,
        "nvswitch",
    )
    assert node.host_ram_bytes == int(1121.8 * GIB) - 16 * GIB, (
        "a measured MemTotal is not cut by 0.97"
    )
    assert node.network_gb_s == 50
    assert pool.rent[0].price_per_node_hour == Decimal("27.44")
    assert pool.rent[0].max_nodes == 4


def test_fields_of_a_node_type_can_be_overridden(loaded: Loaded) -> None:
    text = BASE.replace(
        "node: aws-p4de.24xlarge", "node: {type: aws-p4de.24xlarge, host_ram: 256 GiB, gpus: 4}"
    )
    node = loaded(text).pool("cloud").node
    assert node.type == "aws-p4de.24xlarge"
    assert node.host_ram_bytes == usable_host_ram(256 * GIB)
    assert (node.gpus, node.nvlink_domain) == (4, 4)
    assert node.nvme_bytes == 8 * 10**12


def test_price_per_gpu_hour_becomes_a_price_per_node(loaded: Loaded) -> None:
    text = BASE.replace("27.44 USD/node-hour", "2.21 USD/GPU-hour")
    assert loaded(text).pool("cloud").rent[0].price_per_node_hour == Decimal("17.68")


@pytest.mark.parametrize(
    ("gpu", "node", "expected"),
    [
        ("v100-sxm2-32gb", "{gpus: 4}", (300, 4, "mesh")),
        ("v100-sxm2-32gb", "{gpus: 4, nvlink: 300 GB/s, topology: mesh}", (300, 4, "mesh")),
        ("v100-sxm2-32gb", "{gpus: 1}", (0, 1, "none")),
        ("a800-sxm4-80gb", "{gpus: 8}", (400, 8, "nvswitch")),
        ("h100-sxm5-80gb", "{gpus: 8, topology: none}", (0, 1, "none")),
        ("rtx-2080-ti-22gb", "{gpus: 4}", (0, 1, "none")),
        ("rtx-3090", "{gpus: 4}", (0, 1, "none")),
        ("rtx-3090", "{gpus: 4, topology: bridge-pairs}", (112.5, 2, "bridge-pairs")),
        ("gb200", "{gpus: 4, nvlink_domain: 72}", (1800, 72, "nvswitch")),
    ],
)
def test_links(loaded: Loaded, gpu: str, node: str, expected: tuple[float, int, str]) -> None:
    text = BASE.replace("zero: [1, 2, 3]\n    offload: {optimizer: [none, cpu]}", "zero: 1")
    found = box(
        lambda _: loaded(text.replace("gpu: l40s", f"gpu: {gpu}").replace(NODE, node)), gpu, node
    ).node
    assert (found.nvlink_gb_s, found.nvlink_domain, found.topology) == expected


def test_reserved_nodes_are_not_available(loaded: Loaded) -> None:
    text = BASE.replace(
        "owned: {nodes: 2}",
        "owned: {nodes: 6}\n    reserved: [{nodes: 5, until: 2027-01-01, by: us}]",
    )
    scenario = loaded(text)
    assert (scenario.pools[0].owned_nodes, scenario.pools[0].available_nodes) == (6, 1)
    assert {d.path: d.value for d in scenario.defaults}["inventory[0].owned.available"] == "1"


def test_defaults_are_listed_and_what_is_written_is_not(loaded: Loaded) -> None:
    scenario = loaded(BASE)
    found = {d.path: d.value for d in scenario.defaults}
    assert found["workloads[0].kv"] == "auto"
    assert found["workloads[0].slo.percentile"] == "95"
    assert found["workloads[1].optimizer"] == "adamw"
    assert found["energy.pue"] == "1.3"
    assert "workloads[0].precision" not in found
    assert "workloads[1].zero" not in found


def test_spans_point_at_the_users_own_lines(loaded: Loaded) -> None:
    scenario = loaded(BASE)
    lines = BASE.splitlines()
    span = scenario.span("workloads[0].demand.requests")
    assert lines[span.line - 1][span.column - 1 : span.end_column - 1] == "5 /s"
    assert scenario.span("workloads.chat.context") == scenario.span("workloads[0].context")
    key = scenario.key_span("workloads[1].zero")
    assert lines[key.line - 1][key.column - 1 : key.end_column - 1] == "zero"
    assert scenario.span("workloads[1].loss").line == scenario.span("workloads[1]").line


def test_quantities_are_exact(loaded: Loaded) -> None:
    chat, sft = (w.spec for w in loaded(BASE).workloads)
    assert chat.kind == "inference"
    assert chat.demand.requests == 5
    assert chat.slo.tpot == Fraction(1, 20)
    assert sft.kind == "full"
    assert sft.total_tokens == 10**9
    assert sft.deadline == 14 * 24 * 3600


def test_own_models(loaded: Loaded, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        '{"model_type": "llama", "num_hidden_layers": 10}', "utf-8"
    )
    models = """
models:
  alias: llama-3.1-8b
  longer: {base: llama-3.1-8b, max_position_embeddings: 1000000}
  hf: {config: ./config.json}
  shape: {hidden_size: 1024, intermediate_size: 4096, num_layers: 4, num_attention_heads: 16, vocab_size: 32000}
"""
    for name, layers in (("alias", 32), ("longer", 32), ("hf", 10), ("shape", 4)):
        text = BASE.replace("model: qwen2.5-7b", f"model: {name}").replace(
            "sequence: 4096", "sequence: 2048"
        )
        model = loaded(text + models).workload("sft").model
        assert (model.id, model.num_layers) == (name, layers)


@given(st.floats(min_value=1e8, max_value=1e12))
def test_assumed_shape_meets_the_count(params: float) -> None:
    from planner.catalog.parameters import total_params

    model = assumed_shape("x", int(params))
    assert model.hidden_size == model.num_attention_heads * model.head_dim
    # A small model is mostly vocabulary, which comes in whole widths of 1,024.
    tolerance = 0.12 if params > 1e9 else 2.0
    assert abs(total_params(model) / params - 1) < tolerance


@pytest.mark.parametrize(
    "path", sorted(data_dir("scenarios").rglob("*.yaml")), ids=lambda p: p.name
)
def test_shipped_scenarios_load(path: Path) -> None:
    scenario = load(path)
    assert scenario.workloads
    assert scenario.pools
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=")
