"""Throughput of the training memory model over arrays of layouts."""

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from planner.catalog import gpu, model
from planner.catalog.frameworks import training_framework
from planner.memory.training import TrainingMemory, TrainingSetup, training_memory

LAYOUTS = 1_000_000


def test_a_million_layouts_of_a_dense_model(benchmark: BenchmarkFixture) -> None:
    rng = np.random.default_rng(0)
    micro, dp, zero = (rng.integers(low, high, LAYOUTS) for low, high in ((1, 17), (1, 65), (0, 4)))
    setup = TrainingSetup(sharding="zero", recompute="full")

    def run() -> TrainingMemory:
        return training_memory(
            model("llama-3.1-8b"), gpu("h100-sxm5-80gb"), training_framework("deepspeed"), setup,
            micro_batch=micro, dp=dp, zero=zero,
        )  # fmt: skip

    memory = benchmark(run)
    assert memory.allocated.best.shape == (LAYOUTS,)
    benchmark.extra_info["layouts_per_s"] = (
        LAYOUTS / benchmark.stats["min"] if benchmark.stats else 0
    )
