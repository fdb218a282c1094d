"""Short ways to one training account."""

from collections.abc import Callable

import pytest

from planner.catalog import gpu, model
from planner.catalog.frameworks import training_framework
from planner.memory.training import TrainingMemory, TrainingSetup, training_memory

Account = Callable[..., TrainingMemory]


@pytest.fixture
def account() -> Account:
    def make(
        name: str = "llama-2-7b",
        *,
        on: str = "a100-sxm4-80gb",
        framework: str = "transformers",
        micro_batch: object = 1,
        sizes: dict[str, object] | None = None,
        **setup: object,
    ) -> TrainingMemory:
        return training_memory(
            model(name), gpu(on), training_framework(framework), TrainingSetup(**setup),
            micro_batch=micro_batch, **(sizes or {}),
        )  # fmt: skip

    return make
