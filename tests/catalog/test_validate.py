"""The shipped catalog is clean, and each kind of mistake in a user's catalog is found where it is written."""

import pytest
import yaml

from planner.catalog import use_catalog
from planner.catalog.lookup import only_shipped
from planner.catalog.paths import data_dir
from planner.catalog.validate import validate_catalog


@pytest.fixture(autouse=True)
def _shipped_only():
    with only_shipped():
        yield


def test_the_shipped_catalog_is_clean():
    assert validate_catalog() == []


def _changed(tmp_path, folder, id_, change):
    """A user catalog with one shipped record, changed."""
    record = yaml.safe_load((data_dir("catalogs") / folder / f"{id_}.yaml").read_text("utf-8"))
    change(record)
    (tmp_path / folder).mkdir()
    path = tmp_path / folder / f"{record['id']}.yaml"
    path.write_text(yaml.safe_dump(record, sort_keys=False), "utf-8")
    use_catalog(tmp_path)
    return path


def _set(*keys, value):
    def change(record):
        for key in keys[:-1]:
            record = record[key]
        record[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("folder", "id_", "change", "code", "line_of", "says"),
    [
        (
            "models",
            "llama-65b",
            _set("intermediate_size", value=32768),
            "P210",
            "published_params",
            "+32.38%",
        ),
        (
            "models",
            "gemma-2-9b",
            _set("layer_pattern", value="SF"),
            "P210",
            "layer_pattern",
            "2 letters",
        ),
        (
            "models",
            "llama-65b",
            _set("num_key_value_heads", value=7),
            "P210",
            "num_key_value_heads",
            "64",
        ),
        ("models", "llama-65b", _set("hiden_size", value=1), "P101", "hiden_size", "hiden_size"),
        (
            "gpus",
            "v100-sxm2-32gb",
            _set("memory", "cuda_total_mib", value=33000),
            "P210",
            "cuda_total_mib",
            "above the driver's",
        ),
        (
            "gpus",
            "v100-sxm2-32gb",
            _set("dtypes", value=["fp32", "fp16", "bf16"]),
            "P210",
            "dtypes",
            "7.0",
        ),
        ("gpus", "t4", _set("aliases", value=["4090"]), "P205", "aliases", "rtx-4090"),
        ("nodes", "onprem-dgx-h100", _set("gpu", value="h100-sxm"), "P202", "gpu:", "h100-sxm"),
        (
            "nodes",
            "onprem-hgx-h800",
            _set("link", "nvlink_gb_s", value=900),
            "P210",
            "nvlink_gb_s",
            "more than a h800-sxm5-80gb has (400)",
        ),
        ("nodes", "onprem-dgx-h100", _set("gpus", value=0), "P102", "gpus", "greater than"),
    ],
)
def test_a_mistake_is_found_at_its_line(tmp_path, folder, id_, change, code, line_of, says):
    path = _changed(tmp_path, folder, id_, change)
    found = [d for d in validate_catalog() if d.span.file == str(path)]
    assert code in {d.code for d in found}
    problem = next(d for d in found if d.code == code and says in d.message)
    lines = path.read_text("utf-8").splitlines()
    # A field inside a list is located at its first element, on the line after its key.
    assert any(line_of in lines[n] for n in (problem.span.line - 1, problem.span.line - 2))


def test_a_key_written_twice_is_found(tmp_path):
    path = _changed(tmp_path, "gpus", "t4", lambda _: None)
    path.write_text(path.read_text("utf-8") + "tdp_w: 71\n", "utf-8")
    (found,) = (d for d in validate_catalog() if d.span.file == str(path))
    assert (found.code, found.span.line) == ("P003", len(path.read_text("utf-8").splitlines()))


def test_an_id_must_be_the_name_of_its_file(tmp_path):
    path = _changed(tmp_path, "gpus", "t4", lambda _: None)
    path.rename(path.with_name("t4-cheap.yaml"))
    use_catalog(tmp_path)
    messages = [d.message for d in validate_catalog()]
    assert "the id is not the file's name t4-cheap" in messages


def test_an_offer_of_an_unknown_gpu_is_found(tmp_path):
    folder = tmp_path / "offers" / "rent"
    folder.mkdir(parents=True)
    header = (
        "provider,region,instance,gpu,gpus,on_demand_usd_per_hour,spot_usd_per_hour,date,source"
    )
    row = "cellar,here,box,gtx-1080,1,0.1,,2026-11-01,quote"
    (folder / "cellar.csv").write_text(f"{header}\n{row}\n", "utf-8")
    use_catalog(tmp_path)
    (found,) = validate_catalog()
    assert (found.code, found.span.line) == ("P202", 2)


def test_no_gpu_is_more_than_it_is_sold_as_and_low_totals_are_low():
    from planner.catalog import gpu, ids

    for name in ids("gpus"):
        memory = gpu(name).memory
        assert memory.cuda_total_low_mib <= memory.cuda_total_mib <= memory.marketed_gb * 1024
        assert memory.cuda_total_source
        if memory.driver_total_mib:
            reserve = memory.driver_total_mib - memory.cuda_total_mib
            assert 0 < reserve < 0.04 * memory.driver_total_mib + 200


def test_totals_that_were_read_off_cards():
    """Totals in GiB printed by engines: see the sources in the records."""
    from planner.catalog import gpu

    printed = {
        "t4": 14.56, "rtx-3090": 23.58, "v100-sxm2-32gb": 31.74, "a100-sxm4-40gb": 39.39, "l40s": 44.42,
        "h100-nvl-94gb": 93.09, "h200-sxm": 139.80, "b200-sxm": 178.35, "rtx-5090": 31.37,
    }  # fmt: skip
    for name, total in printed.items():
        assert gpu(name).memory.cuda_total_mib / 1024 == pytest.approx(total, abs=0.05)
        assert gpu(name).memory.cuda_total_tag == "measured"


def test_export_variants_inherit_all_but_the_link():
    from planner.catalog import gpu

    for cut, full in (("a800-sxm4-80gb", "a100-sxm4-80gb"), ("h800-sxm5-80gb", "h100-sxm5-80gb")):
        assert gpu(cut).nvlink.total_gb_s == 400 < gpu(full).nvlink.total_gb_s
        assert gpu(cut).memory.cuda_total_mib == gpu(full).memory.cuda_total_mib
        assert gpu(cut).tflops == gpu(full).tflops
