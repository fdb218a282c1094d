"""Small questions to consider."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from planner.options.from_scenario import question_of
from planner.options.question import Question
from planner.scenario import load

ROOT = Path(__file__).resolve().parents[2]

HEAD = """\
scenario: small
inventory:
  - pool: box
    gpu: {gpu}
    node: {{gpus: {gpus}, nvlink: {nvlink} GB/s, topology: nvswitch, host_ram: 512 GiB}}
    owned: {{nodes: 1}}
workloads:
"""


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Question]:
    """A question with one pool, from the workloads' YAML."""

    def build(
        workloads: str, gpu: str = "a100-sxm4-80gb", gpus: int = 8, nvlink: int = 600
    ) -> Question:
        file = tmp_path / "scenario.yaml"
        file.write_text(HEAD.format(gpu=gpu, gpus=gpus, nvlink=nvlink) + workloads, "utf-8")
        return question_of(load(file))

    return build


@pytest.fixture(scope="session")
def lab() -> Question:
    """The shipped lab."""
    return question_of(load(ROOT / "scenarios" / "lab.yaml"))
