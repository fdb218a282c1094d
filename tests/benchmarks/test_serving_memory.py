"""Throughput of the serving memory model over arrays of layouts."""

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from planner.catalog import gpu, model
from planner.catalog.engines import serving_engine
from planner.memory.serving import ServingMemory, ServingSetup, serving_memory

LAYOUTS = 1_000_000


def test_a_million_layouts_of_a_dense_model(benchmark: BenchmarkFixture) -> None:
    rng = np.random.default_rng(0)
    tp, pp, dp = (rng.integers(1, most, LAYOUTS) for most in (65, 17, 9))

    def run() -> ServingMemory:
        return serving_memory(
            model("llama-3.1-70b"), gpu("h100-sxm5-80gb"), serving_engine("vllm"), ServingSetup(context=8192),
            tp=tp, pp=pp, dp=dp,
        )  # fmt: skip

    memory = benchmark(run)
    assert np.asarray(memory.runs).shape == (LAYOUTS,)
    benchmark.extra_info["layouts_per_s"] = (
        LAYOUTS / benchmark.stats["min"] if benchmark.stats else 0
    )
