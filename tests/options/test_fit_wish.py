"""`planner.fit`: the same answers as the command, from typed parameters, and refusals that say what to change."""

import json
import subprocess
import sys

import pytest

import planner
from planner.catalog import model
from tests.cli.terminal_runs import ROOT, environment

CARDS = "4xv100-sxm2-32gb"


def test_python_and_the_command_give_one_answer() -> None:
    words = [
        "--kind",
        "inference",
        "--kind",
        "full",
        "--zero",
        "3",
        "--offload",
        "cpu",
        "--context",
        "4096",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "planner", "fit", "llama-7b", "--on", CARDS, *words, "--format", "json"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = planner.fit(
        "llama-7b", CARDS, kinds=["inference", "full"], zero=[3], offload="cpu", context=4096
    )
    assert json.loads(done.stdout) == json.loads(found.to_json())


def test_a_record_and_a_name_are_one() -> None:
    by_name = planner.fit("llama-7b", "l40s", kinds=["lora"])
    assert planner.fit(model("llama-7b"), "l40s", kinds="lora") == by_name  # type: ignore[arg-type]
    assert by_name.kinds[0].kind == "lora"


def test_the_solver_stays_away() -> None:
    code = (
        "import planner, sys; planner.fit('llama-7b', 'l40s'); assert 'ortools' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=environment())


def test_what_is_given_is_counted_as_given() -> None:
    """A prompt of more than half the context is not cut down."""
    short = planner.fit(
        "llama-7b", "l40s", kinds=["inference"], context=2048, prompt=1000, output=200
    )
    long = planner.fit(
        "llama-7b", "l40s", kinds=["inference"], context=2048, prompt=1800, output=200
    )
    assert short.kinds[0].layouts[0].speed != long.kinds[0].layouts[0].speed
    assumed = planner.fit("llama-7b", "l40s", kinds=["inference"], prompt=6000).kinds[0].assumed
    assert "context 6400" in assumed
    assert not any(a.startswith("prompt") for a in assumed)


def test_a_checkpoint_published_quantized_is_taken_as_it_is() -> None:
    found = planner.fit("gpt-oss-20b", "l40s", kinds=["inference"]).kinds[0]
    assert found.layouts[0].layout.weights == "mxfp4"
    assert "precision mxfp4, the checkpoint's own" in found.assumed
    asked = planner.fit("gpt-oss-20b", "2xl40s", kinds=["inference"], precision=["16bit"]).kinds[0]
    assert asked.layouts[0].layout.weights == "bf16"


def test_offloading_takes_a_framework_that_can() -> None:
    found = planner.fit("llama-3.1-8b", "4xl40s", kinds=["full"], offload="cpu").kinds[0]
    assert found.layouts[0].layout.engine == "deepspeed"
    assert "framework deepspeed" in found.assumed


def test_a_rate_says_how_many_replicas_it_takes() -> None:
    rate = 3.0
    found = planner.fit(
        "mixtral-8x7b", "4xl40s", kinds=["inference"], requests=rate, prompt=3000, output=500
    )
    for part in found.kinds[0].layouts:
        assert part.replicas_asked is not None
        assert (part.replicas_asked - 1) * part.speed.rate_low < rate
        assert part.replicas_asked * part.speed.rate_low >= rate
    assert (
        planner.fit("llama-7b", "l40s", kinds=["inference"]).kinds[0].layouts[0].replicas_asked
        is None
    )


REFUSED = [
    ({"kinds": ["loras"]}, "kinds", "inference, lora, qlora and full"),
    ({"kinds": []}, "kinds", "no kind"),
    ({"kinds": ["lora"], "context": 4096}, "context", "inference"),
    ({"kinds": ["inference"], "rank": 8}, "rank", "lora and qlora"),
    ({"kinds": ["qlora"], "offload": "cpu"}, "offload", "full"),
    ({"kinds": ["full"], "precision": ["fp8"]}, "precision", "bf16"),
    ({"context": 1024, "prompt": 1000, "output": 100}, "context", "1100"),
    ({"requests": 1.0, "concurrent": 4}, "requests", "not both"),
    ({"context": 0}, "context", "0"),
    ({"tokens": float("nan")}, "tokens", "nan"),
    ({"memory_fraction": 1.2}, "memory_fraction", "1.2"),
    ({"zero": [4]}, "zero", "4"),
    ({"engine": "vlm"}, "engine", "vllm"),
    ({"optimizer": "adamv"}, "optimizer", "adamw"),
    ({"precision": ["fp9"]}, "precision", "fp8"),
    ({"contxt": 1}, "contxt", "context"),
    ({"nvlink": "300"}, "nvlink", "300 GB/s"),
]


@pytest.mark.parametrize(("options", "parameter", "named"), REFUSED)
def test_refusals_name_the_parameter_and_the_way_out(
    options: dict[str, object], parameter: str, named: str
) -> None:
    with pytest.raises(planner.FitError) as refused:
        planner.fit("llama-7b", "2xl40s", **options)  # type: ignore[arg-type]
    assert refused.value.parameter == parameter
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("name", "cards", "parameter", "named"),
    [
        ("llama-7", "l40s", "model", "llama-7b"),
        ("llama-7b", "l40z", "gpu", "l40s"),
        ("llama-7b", "0xl40s", "gpu", "576"),
        ("llama-7b", "V100-32GB", "gpu", "v100-pcie-32gb"),
    ],
)
def test_unknown_names_are_told_with_those_like_them(
    name: str, cards: str, parameter: str, named: str
) -> None:
    with pytest.raises(planner.FitError) as refused:
        planner.fit(name, cards)
    assert refused.value.parameter == parameter
    assert named in str(refused.value)


def test_a_node_type_brings_its_own_links() -> None:
    found = planner.fit("llama-65b", "aws-p4de.24xlarge", kinds=["inference"], tp=[8])
    assert found.kinds[0].layouts[0].gpus == 8
    with pytest.raises(planner.FitError, match="node type"):
        planner.fit("llama-65b", "aws-p4de.24xlarge", nvlink="300 GB/s")
