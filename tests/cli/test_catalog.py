"""`planner catalog`: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from planner.catalog.lookup import gpu, ids, model, only_shipped, use_catalog
from planner.catalog.offers import rental_offers
from planner.catalog.records import Model
from planner.cli import catalog_prices
from planner.cli.catalog import catalog

SAMPLES = Path(__file__).parents[1] / "catalog" / "importers" / "samples"


@pytest.fixture(autouse=True)
def _fixed_surroundings(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(catalog_prices, "today", lambda: date(2026, 8, 1))


def run(*args: str, code: int = 0):
    result = CliRunner().invoke(catalog, args)
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def names(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines()[1:]]


# ---------------------------------------------------------------------------------------------- list


def test_gpus_by_memory():
    found = names(run("list", "gpus", "--memory", "24..48", "--vendor", "nvidia").stdout)
    assert {"a40", "rtx-4090", "v100-sxm2-32gb"} <= set(found)
    assert all(24 <= gpu(name).memory.marketed_gb <= 48 for name in found)
    assert len(found) == sum(
        24 <= gpu(i).memory.marketed_gb <= 48 and gpu(i).vendor == "nvidia" for i in ids("gpus")
    )


@pytest.mark.parametrize(
    ("text", "wanted"), [("80", {80.0}), ("180..", {180, 192, 256, 288}), ("..8", {8.0})]
)
def test_open_and_single_ranges(text, wanted):
    sizes = {gpu(n).memory.marketed_gb for n in names(run("list", "gpus", "--memory", text).stdout)}
    assert sizes
    assert sizes <= {*wanted, *(s for s in sizes if text.startswith(("180", "..")))}


def test_models_by_size():
    found = names(run("list", "models", "--params", "60B..80B").stdout)
    assert {"llama-65b", "llama-3.1-70b", "qwen2.5-72b"} <= set(found)
    assert "llama-3.1-8b" not in found


def test_models_by_architecture():
    found = set(names(run("list", "models", "--architecture", "mla").stdout))
    assert found == {i for i in ids("models") if model(i).mla is not None}


def test_nodes_by_gpu_and_provider():
    found = names(run("list", "nodes", "--gpu", "h100-sxm5-80gb", "--provider", "aws").stdout)
    assert "aws-p5.48xlarge" in found
    assert all(name.startswith("aws-") for name in found)


def test_offers_are_sorted_by_the_price_of_a_gpu_hour():
    rows = json.loads(run("list", "offers", "--gpu", "h100-sxm5-80gb", "--format", "json").stdout)
    prices = [float(r["on_demand_usd_h"]) / float(r["gpus"]) for r in rows if r["on_demand_usd_h"]]
    assert prices == sorted(prices)
    assert {r["gpu"] for r in rows} == {"h100-sxm5-80gb"}


def test_old_prices_are_marked_and_warned_about(monkeypatch):
    monkeypatch.setattr(catalog_prices, "today", lambda: date(2028, 1, 1))
    result = run("list", "offers", "--gpu", "h100-sxm5-80gb")
    assert all("(!)" in line for line in result.stdout.splitlines()[1:])
    assert "P401" in result.stderr


def test_engines_and_frameworks():
    text = run("list", "engines").stdout
    assert "vllm" in text
    assert "megatron" in text


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("kind", ["gpus", "models", "nodes", "offers", "engines"])
def test_lists_fit_the_width(monkeypatch, kind, width):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = run("list", kind).stdout.splitlines()
    assert len(lines) > 20
    assert max(map(len, lines)) <= width


def test_nothing_found_says_so():
    result = run("list", "gpus", "--memory", "1000..")
    assert result.stdout == ""
    assert "no gpus match --memory" in result.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("gpus", "--memory", "x"), "is no range"),
        (("gpus", "--memory", ".."), "at least one end"),
        (("gpus", "--memory", "48..24"), "holds nothing"),
        (("gpus", "--params", "7B"), "--params says nothing about gpus"),
        (("gpus", "--architecture", "hoper"), "nothing is called `hoper`"),
        (("nodes", "--provider", "azzure"), "nothing is called `azzure`"),
        (("gpus", "--vendor", "nvida"), "nvida"),
        (("boats",), "boats"),
    ],
)
def test_usage_errors(args, words):
    assert words in run("list", *args, code=2).stderr


# ---------------------------------------------------------------------------------------------- show


@pytest.mark.parametrize(
    "name",
    ["a800-sxm4-80gb", "mi300x", "tpu-v5e", "gb200", "llama-4-scout-17b-16e", "deepseek-v3", "gemma-3-27b",
     "whisper-large-v3", "bge-m3", "llama-3.2-90b-vision", "aws-p5.48xlarge", "onprem-ws-4x3090", "vllm",
     "llama.cpp", "deepspeed", "rtx-pro-6000-blackwell-server"],
)  # fmt: skip
@pytest.mark.parametrize("width", [80, 100])
def test_pages_fit_the_width_and_name_their_sources(monkeypatch, name, width):
    monkeypatch.setenv("COLUMNS", str(width))
    text = run("show", name).stdout
    assert text.startswith(f"{name}: ")
    assert "Provenance" in text
    too_long = [line for line in text.splitlines() if len(line) > width]
    # A path or an address is not broken, so that it can be copied.
    assert all("/" in max(line.split(), key=len) for line in too_long)


def test_gpu_page_keeps_the_three_sizes_apart():
    text = run("show", "v100-sxm2-32gb").stdout
    assert "32 GB HBM2" in text
    assert "32,768 MiB" in text
    assert "31.74 GiB" in text


def test_model_page_counts_by_part():
    text = run("show", "llama-3.1-8b").stdout
    assert "8,030,261,248" in text
    assert "as published" in text
    assert "131,072 bytes per token" in text
    assert "16.1 GB = 15.0 GiB" in text


def test_model_parts_add_up():
    derived = json.loads(run("show", "deepseek-v3", "--format", "json").stdout)["derived"]
    assert sum(derived["parts"].values()) == derived["total"] == 684489845504
    assert derived["active"] == 37552297472
    assert derived["kv_bytes_per_token"] == 70272


def test_sliding_layers_are_told_apart():
    derived = json.loads(run("show", "gemma-3-27b", "--format", "json").stdout)["derived"]
    per_layer = 2 * 16 * 128 * 2
    assert derived["kv_bytes_per_token"] == 10 * per_layer
    assert derived["window_bytes_per_token"] == 52 * per_layer


def test_unverified_fields_are_marked():
    text = run("show", "aws-p5.48xlarge").stdout
    assert re.search(r"CPU +192 vCPUs \(unverified\)", text)
    assert "measured total (unverified)" not in text


def test_names_people_type():
    result = run("show", "A100-80G")
    assert result.stdout.startswith("a100-sxm4-80gb")
    assert "a100-pcie-80gb" in result.stderr


def test_ambiguous_name_lists_the_candidates():
    result = run("show", "V100-32GB", code=1)
    assert result.stdout == ""
    assert "P206" in result.stderr
    assert "v100-sxm2-32gb" in result.stderr
    assert "v100-pcie-32gb" in result.stderr


def test_unknown_name_gives_the_nearest():
    result = run("show", "lama-65b", code=1)
    assert "P201" in result.stderr
    assert "`llama-65b`" in result.stderr


def test_kind_narrows_the_search():
    assert run("show", "litgpt", "--kind", "framework").stdout.startswith("litgpt: LitGPT")
    run("show", "litgpt", "--kind", "gpu", code=1)


# ------------------------------------------------------------------------------------ search, compare


def test_search_needs_all_words():
    hits = json.loads(run("search", "v100 32", "--format", "json").stdout)
    found = {h["id"] for h in hits}
    assert {"v100-sxm2-32gb", "v100-pcie-32gb", "aws-p3dn.24xlarge"} <= found
    assert "v100-sxm2-16gb" not in found


def test_search_without_a_hit():
    assert "zzz" in run("search", "zzz", code=1).stderr


def test_compare_gives_the_same_figures_as_the_records():
    a, b = json.loads(run("compare", "a100-sxm4-80gb", "h100-sxm5-80gb", "--format", "json").stdout)
    assert (a["memory_gb"], b["bandwidth_gb_s"]) == (80, 3350)
    assert a["tflops_16bit_per_w"] == pytest.approx(312 / 400)
    price = float(b["usd_gpu_h"])
    assert b["gb_s_per_usd_h"] == pytest.approx(3350 / price, abs=0.01)
    assert b["price_date"] is not None


def test_cheapest_is_a_recent_offer_before_an_old_one():
    best = catalog_prices.cheapest("a100-sxm4-40gb").on_demand
    recent = [
        o
        for o in rental_offers(gpu="a100-sxm4-40gb")
        if o.on_demand_usd_h and o.date and o.date > date(2026, 2, 2)
    ]
    assert best.on_demand_usd_gpu_h == min(o.on_demand_usd_gpu_h for o in recent)


def test_compare_shows_the_precision_matrix():
    text = run("compare", "v100-sxm2-32gb", "a100-sxm4-80gb", "h100-sxm5-80gb").stdout
    rows = {
        line.split()[0]: line.split()[1:]
        for line in text.split("Native types")[1].splitlines()
        if line.strip()
    }
    assert rows["bf16"] == ["no", "yes", "yes"]
    assert rows["fp8"] == ["no", "as", "bf16", "native"]
    assert rows["awq-int4"][0] == "no"


@pytest.mark.parametrize("width", [80, 100])
def test_many_gpus_stand_below_one_another(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    cards = [
        "h100-sxm5-80gb",
        "h200-sxm",
        "b200-sxm",
        "mi300x",
        "rtx-pro-6000-blackwell-server",
        "gb10",
    ]
    text = run("compare", *cards).stdout
    assert max(map(len, text.splitlines())) <= width
    assert all(card in text for card in cards)


def test_compare_marks_unverified_figures():
    result = run("compare", "gb10", "h100-sxm5-80gb")
    assert "?" in result.stdout
    assert "no public source" in result.stderr


def test_compare_names_what_it_does_not_know():
    assert "P202" in run("compare", "h100-sxm5-80gb", "h1000", code=1).stderr


# ---------------------------------------------------------------------------------- import, validate


def test_imported_config_is_a_record_of_a_user_catalog(tmp_path):
    configs = json.loads((SAMPLES / "hf_configs.json").read_text("utf-8"))
    file = tmp_path / "config.json"
    file.write_text(json.dumps(configs["qwen3-30b-a3b"]["config"]), "utf-8")
    models = tmp_path / "mine" / "models"
    models.mkdir(parents=True)
    result = run("import", str(file), "--id", "ours", "-o", str(models / "ours.yaml"))
    assert "30,532,122,624 parameters" in result.stderr
    assert (
        Model.model_validate(yaml.safe_load((models / "ours.yaml").read_text("utf-8"))).moe
        is not None
    )
    shown = run("show", "ours", "--catalog", str(tmp_path / "mine"))
    assert "30,532,122,624" in shown.stdout
    assert "is added" in shown.stderr
    assert "ours" not in ids("models")


def test_imported_offers_are_read_by_the_catalog(tmp_path):
    folder = tmp_path / "offers" / "rent"
    folder.mkdir(parents=True)
    sample = SAMPLES / "skypilot_v8_nebius_vms.csv"
    result = run("import", str(sample), "--date", "2026-07-01", "-o", str(folder / "nebius.csv"))
    assert "5 offers of nebius from 6 rows, 1 left out" in " ".join(result.stderr.split())
    assert "P405" in result.stderr
    with only_shipped():
        use_catalog(tmp_path)
        offers = rental_offers(provider="nebius", gpu="b200-sxm")
        assert [(str(o.on_demand_usd_h), str(o.date)) for o in offers] == [("44.00", "2026-07-01")]


def test_offers_on_stdout_are_csv_only():
    rows = list(
        csv.DictReader(io.StringIO(run("import", str(SAMPLES / "skypilot_v5_aws_vms.csv")).stdout))
    )
    assert {row["provider"] for row in rows} == {"aws"}
    assert len(rows) == 47


def test_price_list_without_a_provider_is_a_usage_error():
    assert "--provider" in run("import", str(SAMPLES / "gpuhunt_v1_fixture.csv"), code=2).stderr


def test_machine_becomes_a_pool(tmp_path):
    file = tmp_path / "gpus.csv"
    file.write_text(
        "index, name, memory.total [MiB], pcie.link.gen.max, pcie.link.width.max\n"
        "0, NVIDIA L40S, 46068 MiB, 4, 16\n1, NVIDIA L40S, 46068 MiB, 4, 16\n"
    )
    topo = tmp_path / "topo.txt"
    topo.write_text("\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tSYS\t0-15\nGPU1\tSYS\t X \t16-31\n")
    data = yaml.safe_load(run("import", str(file), "--topo", str(topo)).stdout)
    (pool,) = data["inventory"]
    assert (pool["gpu"], pool["node"]["gpus"], pool["node"]["topology"]) == ("l40s", 2, "none")


def test_safetensors_sizes(tmp_path):
    header = json.dumps({"w": {"dtype": "BF16", "shape": [8], "data_offsets": [0, 16]}}).encode()
    file = tmp_path / "model.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
    data = json.loads(run("import", str(file), "--format", "json").stdout)
    assert (data["total_bytes"], data["bytes_by_type"]) == (16, {"BF16": 16})
    assert "BF16" in run("import", str(tmp_path)).stdout


def test_gguf_sizes(tmp_path):
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 2)
    head += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    head += text("llama.block_count") + struct.pack("<II", 4, 32)
    head += text("w") + struct.pack("<IQQIQ", 2, 256, 4, 12, 0)
    file = tmp_path / "model.bin"
    file.write_bytes(head)
    result = run("import", str(file), "--format", "json")
    data = json.loads(result.stdout)
    assert (data["bytes_by_type"], data["architecture"]) == ({"Q4_K": 576}, "llama")
    assert data["shape"] == {"llama.block_count": 32}
    assert "32 layers" in result.stderr


def test_offers_as_json():
    data = json.loads(
        run("import", str(SAMPLES / "skypilot_v8_runpod_vms.csv"), "--format", "json").stdout
    )
    assert data["provider"] == "runpod"
    assert [o["gpus"] for o in data["offers"]] == [1, 2, 4]


def test_unknown_file_lists_the_kinds(tmp_path):
    file = tmp_path / "x.txt"
    file.write_text("hello")
    result = run("import", str(file), code=1)
    assert "P005" in result.stderr
    assert "--as" in result.stderr


def test_override_is_said(tmp_path):
    (tmp_path / "gpus").mkdir()
    record = gpu("t4").model_dump(mode="json", exclude_defaults=True)
    record["tdp_w"] = 65
    (tmp_path / "gpus" / "t4.yaml").write_text(yaml.safe_dump(record), "utf-8")
    result = run("show", "t4", "--catalog", str(tmp_path))
    assert "65 W" in result.stdout
    assert "replaces the shipped record" in result.stderr
    assert gpu("t4").tdp_w == 70


def test_shipped_catalog_is_valid():
    assert re.match(r"no problems in \d+ gpus, \d+ models, \d+ nodes", run("validate").stdout)


def test_mistake_in_a_user_record_is_located(tmp_path):
    (tmp_path / "gpus").mkdir()
    (tmp_path / "gpus" / "mine.yaml").write_text("id: mine\nname: Mine\nvendr: nvidia\n", "utf-8")
    result = run("validate", "--catalog", str(tmp_path), code=1)
    assert "P101" in result.stderr
    assert "mine.yaml:3:1" in result.stderr


def test_missing_catalog_folder_is_a_usage_error():
    run("list", "gpus", "--catalog", "nowhere", code=2)


def test_solver_is_never_imported():
    code = (
        "import sys; from click.testing import CliRunner; from planner.cli.catalog import catalog;"
        "CliRunner().invoke(catalog, ['show', 'llama-3.1-8b']);"
        "CliRunner().invoke(catalog, ['compare', 't4', 'l4']);"
        "sys.exit('ortools' in sys.modules or 'pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
