"""Host RAM and NVMe that a training rank uses: offloaded states, gradients for the CPU optimizer, pinned copies."""

from __future__ import annotations

from dataclasses import dataclass

from planner.catalog.frameworks import HostRules
from planner.memory.arrays import Floats
from planner.memory.overhead import Range
from planner.memory.setup import TrainingSetup
from planner.memory.states import State
from planner.units import GIB


@dataclass(frozen=True, slots=True)
class Offloaded:
    """Bytes of one rank outside its GPU."""

    host: Range
    nvme: Floats


def offloaded(
    setup: TrainingSetup, rules: HostRules, state: State, activations: Floats, owned: Floats
) -> Offloaded:
    """Host and NVMe bytes of one rank.

    host = (offloaded states + gradients and staging copies per owned parameter + activations) x pinned rounding +
    process. `owned` is the trained parameters of the rank's shard. With everything on the CPU ZeRO-3 takes 23 to 25
    bytes per parameter, of which states sent to NVMe free 8.6 to 9.
    """
    pinned = state.host + activations
    if "cpu" in (setup.offload_optimizer, setup.offload_parameters) or "nvme" in (
        setup.offload_optimizer,
        setup.offload_parameters,
    ):
        if setup.offload_optimizer != "none":
            pinned = pinned + owned * rules.gradient_bytes
        pinned = pinned + owned * rules.staging_bytes
    low, high = rules.pinned_rounding.best, rules.pinned_rounding.upper
    host = Range(
        pinned * low + rules.process_gib.best * GIB, pinned * high + rules.process_gib.upper * GIB
    )
    return Offloaded(host, state.nvme)
