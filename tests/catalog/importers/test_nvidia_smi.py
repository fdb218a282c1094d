"""The machine one has becomes an inventory pool: the GPU, its NVLink, its PCIe."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog.importers.nvidia_smi import inventory_yaml, match_gpu, read_nvidia_smi
from planner.catalog.importers.topo import read_topology
from planner.catalog.lookup import gpu, ids
from planner.diagnostics import DiagnosticError

HEADER = "index, name, memory.total [MiB], pci.bus_id, pcie.link.gen.max, pcie.link.width.max, power.limit [W]\n"


def smi(name: str, memory: int, count: int, gen: int = 4, lanes: int = 16) -> str:
    rows = "".join(
        f"{i}, {name}, {memory} MiB, 00000000:{i:02X}:00.0, {gen}, {lanes}, 300.00 W\n"
        for i in range(count)
    )
    return HEADER + rows


def matrix(cells: list[list[str]], nics: int = 0) -> str:
    """`nvidia-smi topo -m` with the columns that follow the GPUs, and the legend below."""
    n = len(cells)
    names = [f"GPU{i}" for i in range(n)] + [f"NIC{i}" for i in range(nics)]
    lines = ["\t" + "\t".join([*names, "CPU Affinity", "NUMA Affinity", "GPU NUMA ID"])]
    lines += [
        "\t".join([f"GPU{i}", *row, *["SYS"] * nics, "0-23,96-119", "0", "", "N/A"])
        for i, row in enumerate(cells)
    ]
    lines += ["\t".join([f"NIC{i}", *["SYS"] * n, *["PIX"] * nics]) for i in range(nics)]
    legend = (
        "\nLegend:\n\n  X    = Self\n  NV#  = Connection traversing a bonded set of # NVLinks\n"
    )
    return "\n".join(lines) + "\n" + legend


def uniform(n: int, link: str) -> list[list[str]]:
    return [[" X " if i == j else link for j in range(n)] for i in range(n)]


def pool(csv: str, topology: str = ""):
    (found,) = read_nvidia_smi(csv, topology=topology).pools
    return found


def test_four_v100_in_a_mesh():
    found = pool(smi("Tesla V100-SXM2-32GB", 32768, 4, gen=3), matrix(uniform(4, "NV2")))
    assert (found.gpu, found.gpus) == ("v100-sxm2-32gb", 4)
    assert (found.nvlink_gb_s, found.topology, found.nvlink_domain) == (300, "mesh", 4)
    assert found.pcie == "gen3 x16"


def test_hybrid_cube_mesh_of_a_dgx_1():
    rows = ["X NV1 NV1 NV2 NV2 SYS SYS SYS", "NV1 X NV2 NV1 SYS NV2 SYS SYS", "NV1 NV2 X NV2 SYS SYS NV1 SYS",
            "NV2 NV1 NV2 X SYS SYS SYS NV1", "NV2 SYS SYS SYS X NV1 NV1 NV2", "SYS NV2 SYS SYS NV1 X NV2 NV1",
            "SYS SYS NV1 SYS NV1 NV2 X NV2", "SYS SYS SYS NV1 NV2 NV1 NV2 X"]  # fmt: skip
    cells = [row.split() for row in rows]
    found = pool(smi("Tesla V100-SXM2-16GB", 16384, 8, gen=3), matrix(cells))
    assert (found.nvlink_gb_s, found.topology, found.nvlink_domain) == (300, "mesh", 8)


@pytest.mark.parametrize(
    ("name", "memory", "link", "id_", "speed"),
    [
        ("NVIDIA A100-SXM4-80GB", 81920, "NV12", "a100-sxm4-80gb", 600),
        ("NVIDIA H100 80GB HBM3", 81559, "NV18", "h100-sxm5-80gb", 900),
        ("NVIDIA H800", 81559, "NV8", "h800-sxm5-80gb", 400),
        ("NVIDIA A800-SXM4-80GB", 81920, "NV8", "a800-sxm4-80gb", 400),
        ("NVIDIA B200", 183359, "NV18", "b200-sxm", 1800),
    ],
)
def test_eight_gpus_behind_switches(name, memory, link, id_, speed):
    found = pool(smi(name, memory, 8), matrix(uniform(8, link), nics=9))
    assert (found.gpu, found.nvlink_gb_s, found.topology) == (id_, speed, "nvswitch")
    assert found.nvlink_domain == 8


def test_four_a100_without_a_switch_are_a_mesh():
    found = pool(smi("NVIDIA A100-SXM4-40GB", 40960, 4), matrix(uniform(4, "NV4")))
    assert (found.nvlink_gb_s, found.topology) == (600, "mesh")


def test_bridged_pairs():
    cells = [
        ["X", "NV4", "SYS", "SYS"],
        ["NV4", "X", "SYS", "SYS"],
        ["SYS", "SYS", "X", "NV4"],
        ["SYS", "SYS", "NV4", "X"],
    ]
    found = pool(smi("NVIDIA RTX A6000", 49140, 4), matrix(cells))
    assert (found.nvlink_gb_s, found.topology, found.nvlink_domain) == (112.5, "bridge-pairs", 2)


def test_one_bridge_among_four_cards_counts_for_nothing_and_says_so():
    cells = uniform(4, "PHB")
    cells[0][1] = cells[1][0] = "NV4"
    found = pool(smi("NVIDIA GeForce RTX 3090", 24576, 4), matrix(cells))
    assert (found.nvlink_gb_s, found.topology) == (0, "none")
    assert "GPU 2, 3 has no NVLink" in found.notes[0]


@pytest.mark.parametrize("link", ["PHB", "PIX", "PXB", "NODE", "SYS"])
def test_pcie_is_no_nvlink(link):
    found = pool(smi("NVIDIA GeForce RTX 4090", 24564, 2), matrix(uniform(2, link)))
    assert (found.nvlink_gb_s, found.topology, found.p2p) == (0, "none", False)


def test_modded_card_is_told_by_its_memory():
    assert match_gpu("NVIDIA GeForce RTX 2080 Ti", 22528) == "rtx-2080-ti-22gb"
    assert match_gpu("NVIDIA GeForce RTX 2080 Ti", 11264) == "rtx-2080-ti-11gb"


@pytest.mark.parametrize(
    "id_", [i for i in ids("gpus") if gpu(i).vendor == "nvidia" and gpu(i).memory.driver_total_mib]
)
def test_every_card_is_found_by_its_own_id_and_memory(id_):
    assert match_gpu(id_, gpu(id_).memory.driver_total_mib) == id_


def test_slot_narrower_than_the_card():
    csv = "index, name, memory.total [MiB], pcie.link.gen.max, pcie.link.width.current, pcie.link.width.max\n"
    csv += "0, NVIDIA GeForce RTX 2080 Ti, 22528 MiB, 3, 8, 16\n1, NVIDIA GeForce RTX 2080 Ti, 22528 MiB, 3, 16, 16\n"
    found = pool(csv)
    assert found.pcie == "gen3 x8"
    assert any("slowest" in note for note in found.notes)


def test_without_the_matrix_nvlink_is_left_to_the_catalog():
    found = pool(smi("NVIDIA A100-SXM4-80GB", 81920, 8))
    assert (found.nvlink_gb_s, found.topology) == (None, None)
    assert "--topo" in found.notes[0]


def test_matrix_below_the_table_and_underlined_header():
    text = smi("Tesla V100-SXM2-32GB", 32768, 4, gen=3)
    topology = (
        matrix(uniform(4, "NV2"))
        .replace("\tGPU0", "\t\x1b[4mGPU0", 1)
        .replace("GPU NUMA ID", "GPU NUMA ID\x1b[0m", 1)
    )
    assert pool(text + "\n" + topology).nvlink_gb_s == 300


def test_mixed_machine_gives_a_pool_each():
    text = smi("NVIDIA L40S", 46068, 2) + "2, NVIDIA A40, 46068 MiB, x, 4, 16, 300.00 W\n"
    found = read_nvidia_smi(text).pools
    assert [(p.gpu, p.gpus) for p in found] == [("l40s", 2), ("a40", 1)]


def test_nounits_and_not_available():
    csv = "index, name, memory.total [MiB], pcie.link.gen.max, pcie.link.width.max\n"
    csv += "0, NVIDIA H20, 97871, [N/A], [N/A]\n"
    assert pool(csv).pcie == ""


def test_unknown_card_is_skipped_with_its_line():
    text = smi("NVIDIA L40S", 46068, 1) + "1, GeForce GTX 1080 Ti, 11178 MiB, x, 3, 16, 250 W\n"
    result = read_nvidia_smi(text)
    assert [(s.line, s.what) for s in result.log.skipped] == [(3, "GeForce GTX 1080 Ti")]
    assert len(result.pools) == 1


def failure(csv: str, topology: str = ""):
    with pytest.raises(DiagnosticError) as caught:
        read_nvidia_smi(csv, topology=topology)
    return caught.value.diagnostics


def test_nothing_known_is_an_error():
    assert failure(HEADER + "0, Quadro P2000, 5059 MiB, x, 3, 16, 75 W\n")[0].code == "P405"


def test_file_without_header_says_how_to_make_one():
    (found,) = failure("0, Tesla V100-SXM2-32GB, 32768 MiB\n")
    assert found.code == "P005"
    assert "--query-gpu=index,name,memory.total" in found.help[0]


def test_broken_matrix_is_located():
    csv = smi("NVIDIA L40S", 46068, 2)
    broken = "\tGPU0\tGPU1\nGPU0\tX\tNV2\nGPU1\tWAT\tX\n"
    (found,) = failure(csv, broken)
    assert (found.code, found.span.line) == ("P005", 3)
    assert failure(csv, "\tGPU0\tGPU1\nGPU0\tX\tNV2\n")[0].code == "P005"
    assert failure(csv, "no matrix here")[0].code == "P005"


def test_yaml_is_a_list_of_pools_of_the_scenario():
    machine = read_nvidia_smi(
        smi("NVIDIA GeForce RTX 4090", 24564, 2), topology=matrix(uniform(2, "PHB"))
    )
    data = yaml.safe_load(inventory_yaml(machine, ["nvidia-smi.csv", "topo.txt"]))
    assert data == {
        "inventory": [
            {
                "pool": "rtx-4090-box",
                "gpu": "rtx-4090",
                "node": {"gpus": 2, "topology": "none", "pcie": "gen4 x16", "p2p": False},
                "owned": {"nodes": 1},
            }
        ]
    }


@given(st.integers(2, 8), st.data())
def test_domain_is_what_nvlink_connects(n, data):
    pairs = data.draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))))
    links = {frozenset(p) for p in pairs if p[0] != p[1]}
    cells = [
        ["X" if i == j else "NV1" if frozenset((i, j)) in links else "SYS" for j in range(n)]
        for i in range(n)
    ]
    found = read_topology(matrix(cells))
    groups = [{i} for i in range(n)]
    for pair in links:
        joined = set().union(*(g for g in groups if g & pair))
        groups = [g for g in groups if not g & pair] + [joined]
    for gpu_ in range(n):
        assert found.domain(gpu_) == next(g for g in groups if gpu_ in g)


@given(st.text(max_size=120))
def test_any_text_is_read_or_refused_with_a_code(text):
    try:
        codes = {d.code for d in read_nvidia_smi(text).log.diagnostics()}
    except DiagnosticError as error:
        codes = {d.code for d in error.diagnostics}
    assert codes <= {"P005", "P405"}
