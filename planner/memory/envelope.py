"""Where predictions have been measured: outside, intervals are doubled and the account says `extrapolated`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.catalog.frameworks import FrameworkMemory
from planner.catalog.records import Gpu, Model
from planner.memory.arrays import Floats
from planner.memory.ranks import Ranks
from planner.memory.setup import TrainingSetup

WIDER = 2.0
"""Factor on the margins of what was never measured."""


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """How far margins grow, and why."""

    factor: float | Floats
    reasons: tuple[str, ...]


def extrapolation(
    model: Model, gpu: Gpu, memory: FrameworkMemory, setup: TrainingSetup, ranks: Ranks
) -> Extrapolation:
    """Whether a layout lies outside what was measured for its framework, and how.

    GPU generation, attention kernel, offload target, model structure, and the kinds of parallelism that no measured
    run used. The last differ by layout.
    """
    known = memory.envelope
    reasons = []
    if gpu.architecture not in known.architectures:
        reasons.append(f"no measured run on {gpu.architecture}")
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
    if reasons:
        return Extrapolation(WIDER, tuple(reasons))
    degrees = {"tensor": ranks.tp, "pipeline": ranks.pp, "context": ranks.cp, "expert": ranks.ep}
    outside = np.zeros_like(ranks.tp, dtype=np.bool_)
    for name, degree in degrees.items():
        if name in known.parallelism:
            continue
        above = np.greater(degree, 1)
        if np.any(above):
            outside = np.logical_or(outside, above)
            reasons.append(f"no measured run with {name} parallelism")
    if not reasons:
        return Extrapolation(1.0, ())
    return Extrapolation(np.where(outside, WIDER, 1.0), tuple(reasons))
