"""`planner init`: a scenario that is valid as written, never over an existing file."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from planner.catalog.lookup import ids
from planner.cli.main import cli
from planner.scenario import load


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["init", *args], input=stdin)


def test_what_it_writes_is_valid_and_commented(folder: Path) -> None:
    assert run().exit_code == 0
    scenario = load(folder / "scenario.yaml")
    assert scenario.warnings == ()
    text = (folder / "scenario.yaml").read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=./scenario.schema.json\n")
    assert (folder / "scenario.schema.json").is_file()
    assert text.count("#") > 15


def test_commented_parts_are_valid_too(folder: Path) -> None:
    run("a.yaml")
    lines = (folder / "a.yaml").read_text("utf-8").splitlines()
    opened = [
        line.replace("# ", "", 1) if line.lstrip().startswith(("# -", "#  ")) else line
        for line in lines
    ]
    (folder / "b.yaml").write_text("\n".join(opened), "utf-8")
    scenario = load(folder / "b.yaml")
    assert [w.name for w in scenario.workloads] == ["chat", "tune", "sft"]
    assert [p.name for p in scenario.pools] == ["ours", "cloud"]


def test_an_existing_file_is_never_overwritten(folder: Path) -> None:
    (folder / "scenario.yaml").write_text("mine", "utf-8")
    result = run()
    assert result.exit_code == 2
    assert "exists already" in result.output
    assert (folder / "scenario.yaml").read_text("utf-8") == "mine"


def test_an_existing_schema_stays(folder: Path) -> None:
    (folder / "scenario.schema.json").write_text("{}", "utf-8")
    assert run().exit_code == 0
    assert (folder / "scenario.schema.json").read_text("utf-8") == "{}"


def test_standard_output_and_no_schema(folder: Path) -> None:
    result = run("-", "--name", "x")
    assert yaml.safe_load(result.stdout)["scenario"] == "x"
    run("n.yaml", "--no-schema")
    assert [p.name for p in folder.iterdir()] == ["n.yaml"]


def test_options_and_prompts(folder: Path) -> None:
    assert (
        run("o.yaml", "--gpu", "v100-sxm2-32gb", "--gpus", "8", "--model", "llama-2-13b").exit_code
        == 0
    )
    scenario = load(folder / "o.yaml")
    assert (scenario.pools[0].gpu.id, scenario.pools[0].node.gpus) == ("v100-sxm2-32gb", 8)
    assert scenario.pools[0].node.nvlink_gb_s == 300
    assert run("i.yaml", "-i", stdin="rtx-4090\n2\nqwen2.5-7b\n").exit_code == 0
    assert load(folder / "i.yaml").pools[0].gpu.id == "rtx-4090"


@pytest.mark.parametrize(
    "args", [("--gpu", "l40z"), ("--model", "lama-65b"), ("--gpu", "a: b"), ("--name", "[x")]
)
def test_bad_options_write_nothing(folder: Path, args: tuple[str, str]) -> None:
    assert run("x.yaml", *args).exit_code == 1
    assert list(folder.iterdir()) == []


def test_any_gpu_of_the_catalog(folder: Path) -> None:
    for number, gpu in enumerate(ids("gpus")[::12]):
        result = run(f"g{number}.yaml", "--gpu", gpu, "--no-schema")
        assert result.exit_code == 0, result.output


SMI = """\
index, name, memory.total [MiB], pcie.link.gen.max, pcie.link.width.current
0, Tesla V100-SXM2-32GB, 32768 MiB, 3, 16
1, Tesla V100-SXM2-32GB, 32768 MiB, 3, 16
"""


def test_from_nvidia_smi(folder: Path) -> None:
    (folder / "smi.csv").write_text(SMI, "utf-8")
    result = run("mine.yaml", "--from-nvidia-smi", "smi.csv")
    assert result.exit_code == 0, result.output
    (pool,) = load(folder / "mine.yaml").pools
    assert (pool.gpu.id, pool.node.gpus, pool.owned_nodes) == ("v100-sxm2-32gb", 2, 1)


def test_from_a_file_that_is_not_nvidia_smi(folder: Path) -> None:
    (folder / "smi.csv").write_text("hello\n", "utf-8")
    result = run("mine.yaml", "--from-nvidia-smi", "smi.csv")
    assert result.exit_code == 1
    assert "P005" in result.output
    assert not (folder / "mine.yaml").exists()
    assert run("mine.yaml", "--from-nvidia-smi", "nope.csv").exit_code == 2
