"""Where predictions have been measured: outside, intervals are doubled and the account says `extrapolated`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalog.frameworks import FrameworkMemory
from planner.catalog.records import Model
from planner.memory.arrays import Floats
from planner.memory.devices import DeviceRows
from planner.memory.ledger import Number
from planner.memory.ranks import Ranks
from planner.memory.setup import TrainingSetup

WIDER = 2.0
"""Factor on the margins of what was never measured."""


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """How far margins grow, and why."""

    factor: float | Floats
    reasons: tuple[str, ...]
    rows: bool | NDArray[np.bool_]
    """Layouts of the groups that the reasons hold for."""


def extrapolation(
    model: Model,
    devices: DeviceRows,
    memory: FrameworkMemory,
    setup: TrainingSetup,
    ranks: Ranks,
    groups: Number,
) -> Extrapolation:
    """Whether a layout lies outside what was measured for its framework, and how.

    GPU generation, attention kernel, offload target, model structure, and the kinds of parallelism that no measured
    run used. The last differ by layout; one layout outside marks all of its group, as they are read side by side.
    """
    known = memory.envelope
    reasons = []
    if setup.attention not in known.kernels:
        reasons.append(f"no measured run with {setup.attention} attention")
    targets = {
        "optimizer": setup.offload_optimizer,
        "parameters": setup.offload_parameters,
        "activations": setup.offload_activations,
    }
    for what, target in targets.items():
        if target == "nvme" or (target == "cpu" and what not in known.offload):
            reasons.append(f"no measured run with {what} on {target}")
    if (model.moe is not None or model.mla is not None) and not known.experts:
        reasons.append("no measured run of a mixture of experts or latent attention")
    strange = [f"no measured run on {name}" for name in dict.fromkeys(devices.unmeasured) if name]
    if reasons or all(devices.unmeasured):
        return Extrapolation(WIDER, (*strange, *reasons), True)
    degrees = {"tensor": ranks.tp, "pipeline": ranks.pp, "context": ranks.cp, "expert": ranks.ep}
    outside = np.zeros_like(ranks.tp, dtype=np.bool_)
    for name, degree in degrees.items():
        if name in known.parallelism:
            continue
        above = np.greater(degree, 1)
        if np.any(above):
            outside = np.logical_or(outside, above)
            reasons.append(f"no measured run with {name} parallelism")
    if not reasons and not strange:
        return Extrapolation(1.0, (), False)
    unmeasured = np.array([bool(name) for name in devices.unmeasured])
    outside = np.logical_or(outside, unmeasured[devices.number])
    group = np.asarray(groups).astype(np.int64)
    number, beyond = np.broadcast_arrays(group, outside)
    marked = np.zeros(int(number.max(initial=0)) + 1, np.bool_)
    marked[number[beyond]] = True
    reasons = [*strange, *reasons]
    return Extrapolation(np.where(outside, WIDER, 1.0), tuple(reasons), marked[group])
