"""Names people type, names that mean several things, and catalogs of one's own."""

import pytest

from planner.catalog import (
    AmbiguousRecord,
    UnknownRecord,
    add_record,
    gpu,
    ids,
    model,
    node,
    overrides,
    resolve,
    use_catalog,
)
from planner.catalog.aliases import render_index
from planner.catalog.lookup import INDEX, only_shipped
from planner.catalog.names import words
from planner.catalog.paths import data_dir
from planner.diagnostics import DiagnosticError


@pytest.fixture(autouse=True)
def _shipped_only():
    with only_shipped():
        yield


@pytest.mark.parametrize(
    ("typed", "id_"),
    [
        ("4090", "rtx-4090"),
        ("RTX 4090", "rtx-4090"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("4090D", "rtx-4090-d"),
        ("2080ti-22g", "rtx-2080-ti-22gb"),
        ("2080Ti", "rtx-2080-ti-11gb"),
        ("A100-80G", "a100-sxm4-80gb"),
        ("A100-80GB", "a100-sxm4-80gb"),
        ("NVIDIA A100-SXM4-80GB", "a100-sxm4-80gb"),
        ("NVIDIA A100 80GB PCIe", "a100-pcie-80gb"),
        ("Tesla V100-SXM2-32GB", "v100-sxm2-32gb"),
        ("v100_sxm2_32g", "v100-sxm2-32gb"),
        ("H100", "h100-sxm5-80gb"),
        ("NVIDIA H100 80GB HBM3", "h100-sxm5-80gb"),
        ("h100 nvl", "h100-nvl-94gb"),
        ("H100-PCIe", "h100-pcie-80gb"),
        ("H200", "h200-sxm"),
        ("T4", "t4"),
        ("Tesla T4", "t4"),
        ("a6000", "rtx-a6000"),
        ("NVIDIA RTX 6000 Ada Generation", "rtx-6000-ada"),
        ("mi300x", "mi300x"),
        ("AMD Instinct MI300X OAM", "mi300x"),
        ("B200", "b200-sxm"),
        ("H800", "h800-sxm5-80gb"),
    ],
)
def test_gpu_names(typed, id_):
    assert gpu(typed).id == id_


@pytest.mark.parametrize(
    ("typed", "id_"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b"),
        ("meta-llama/Meta-Llama-3.1-8B", "llama-3.1-8b"),
        ("llama3.1-8b", "llama-3.1-8b"),
        ("Llama 3.1 8B", "llama-3.1-8b"),
        ("meta-llama/Llama-2-70b-chat-hf", "llama-2-70b"),
        ("huggyllama/llama-65b", "llama-65b"),
        ("Qwen/Qwen2.5-7B-Instruct", "qwen2.5-7b"),
        ("Qwen/Qwen3-8B-Base", "qwen3-8b"),
        ("mistralai/Mistral-7B-Instruct-v0.1", "mistral-7b-v0.1"),
        ("google/gemma-3-27b-it", "gemma-3-27b"),
        ("deepseek-ai/DeepSeek-V3", "deepseek-v3"),
        ("mixtral8x7b", "mixtral-8x7b"),
        ("thenlper/gte-base", "gte-base"),
    ],
)
def test_model_names(typed, id_):
    assert model(typed).id == id_


@pytest.mark.parametrize(
    ("typed", "id_"),
    [
        ("dgx-h100", "onprem-dgx-h100"),
        ("DGX A100 640GB", "onprem-dgx-a100-640gb"),
        ("p5.48xlarge", "aws-p5.48xlarge"),
        ("a3-highgpu-8g", "gcp-a3-highgpu-8g"),
        ("Standard_ND96isr_H100_v5", "azure-Standard_ND96isr_H100_v5"),
        ("hgx-h800", "onprem-hgx-h800"),
    ],
)
def test_node_names(typed, id_):
    assert node(typed).id == id_


@pytest.mark.parametrize(
    ("typed", "some"),
    [
        ("V100-32GB", {"v100-pcie-32gb", "v100-sxm2-32gb"}),
        ("A100", {"a100-sxm4-40gb", "a100-sxm4-80gb"}),
        ("V100", {"v100-sxm2-16gb", "v100-sxm2-32gb"}),
        ("RTX 6000", {"quadro-rtx-6000", "rtx-6000-ada"}),
        ("P100", {"p100-pcie-16gb", "p100-sxm2-16gb"}),
        ("GH200", {"gh200-96gb", "gh200-144gb"}),
    ],
)
def test_a_name_of_several_gpus_lists_them(typed, some):
    with pytest.raises(AmbiguousRecord) as caught:
        gpu(typed)
    assert some <= set(caught.value.candidates)
    assert all(name in str(caught.value) for name in some)


def test_an_assumption_is_told():
    found = resolve("gpus", "A100-80G")
    assert (found.id, found.how, found.others) == (
        "a100-sxm4-80gb",
        "assumed",
        ("a100-pcie-80gb",),
    )
    assert resolve("gpus", "4090").others == ()


def test_mistyped_names_get_the_nearest():
    with pytest.raises(UnknownRecord) as caught:
        gpu("h100-sxm5-80bg")
    assert caught.value.nearest[0] == "h100-sxm5-80gb"
    with pytest.raises(UnknownRecord) as caught:
        model("lama-3.1-8b")
    assert "llama-3.1-8b" in caught.value.nearest
    with pytest.raises(UnknownRecord):
        gpu("")


def test_every_id_finds_itself_and_no_two_share_words():
    for folder in ("gpus", "models", "nodes"):
        seen = {}
        for id_ in ids(folder):
            assert resolve(folder, id_).id == id_
            assert seen.setdefault(words(id_), id_) == id_


def test_the_alias_index_is_up_to_date():
    assert (data_dir("catalogs") / INDEX).read_text("utf-8") == render_index()


@pytest.fixture
def own(tmp_path):
    shipped = (data_dir("catalogs") / "gpus" / "rtx-4090.yaml").read_text("utf-8")
    (tmp_path / "gpus").mkdir()
    cheap = shipped.replace("tdp_w: 450", "tdp_w: 300")
    (tmp_path / "gpus" / "rtx-4090.yaml").write_text(cheap, "utf-8")
    modded = shipped.replace("id: rtx-4090", "id: rtx-4090-48gb\naliases: [4090 turbo]", 1)
    (tmp_path / "gpus" / "rtx-4090-48gb.yaml").write_text(modded, "utf-8")
    return tmp_path


def test_a_user_catalog_adds_and_replaces(own):
    assert gpu("rtx-4090").tdp_w == 450
    added = use_catalog(own)
    assert {(o.id, o.replaces) for o in added} == {("rtx-4090", True), ("rtx-4090-48gb", False)}
    assert gpu("rtx-4090").tdp_w == 300
    assert gpu("4090 Turbo").id == "rtx-4090-48gb"
    assert "rtx-4090-48gb" in ids("gpus")
    assert {o.kind for o in overrides()} == {"GPU"}


def test_user_catalogs_leave_no_trace_after(own):
    with only_shipped():
        use_catalog(own)
    assert overrides() == ()
    assert gpu("rtx-4090").tdp_w == 450


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(NotADirectoryError):
        use_catalog(tmp_path / "nowhere")


def test_inline_records_win_over_files(own):
    use_catalog(own)
    add_record(gpu("rtx-4090").model_copy(update={"tdp_w": 200.0}), "lab.yaml:7")
    assert gpu("rtx-4090").tdp_w == 200
    assert [o.origin for o in overrides() if o.id == "rtx-4090"] == ["lab.yaml:7"]


def test_a_broken_user_record_is_located(own):
    path = own / "gpus" / "rtx-4090.yaml"
    lines = path.read_text("utf-8").splitlines()
    lines = [line.replace("tdp_w: 300", "tdp_w: much\nwatts: 3") for line in lines]
    path.write_text("\n".join(lines), "utf-8")
    use_catalog(own)
    with pytest.raises(DiagnosticError) as caught:
        gpu("rtx-4090")
    found = {d.code: d for d in caught.value.diagnostics}
    assert set(found) == {"P101", "P102"}
    line = next(i for i, text in enumerate(path.read_text().splitlines(), 1) if "watts" in text)
    assert found["P101"].span.line == line
    assert found["P101"].span.file == str(path)
    assert (found["P102"].span.line, found["P102"].span.column) == (line - 1, 8)


def test_invalid_yaml_is_located(own):
    (own / "gpus" / "rtx-4090.yaml").write_text("id: [a\nb: c", "utf-8")
    use_catalog(own)
    with pytest.raises(DiagnosticError) as caught:
        gpu("rtx-4090")
    assert caught.value.diagnostics[0].code == "P002"
    assert caught.value.diagnostics[0].span.line == 2
