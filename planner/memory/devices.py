"""What the GPU of each training layout offers, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalog.frameworks import FrameworkMemory
from planner.catalog.records import Gpu
from planner.memory.arrays import Floats
from planner.memory.ledger import Number, Tag
from planner.units import GIB, MIB


@dataclass(frozen=True, slots=True)
class DeviceRows:
    """The GPU of each row; without an axis where all layouts share one."""

    number: NDArray[np.int64]
    usable: Floats
    """CUDA total in bytes."""
    usable_low: Floats
    context: Floats
    """CUDA context and loaded kernels of one process, in bytes: data of the framework by architecture."""
    context_upper: Floats
    context_tag: Tag
    unmeasured: tuple[str, ...]
    """Architecture of each GPU (not row) on which no run of the framework was measured, else nothing."""


def device_rows(gpus: Sequence[Gpu], memory: FrameworkMemory, number: Number) -> DeviceRows:
    """GPUs whose context figures rest on the same kind of evidence, spread over the rows."""
    contexts = [memory.context(gpu) for gpu in gpus]
    if len({constant.tag for constant in contexts}) > 1:
        raise ValueError("GPUs whose contexts have different tags are accounted apart")
    rows = np.asarray(number).astype(np.int64)

    def spread(values: list[float]) -> Floats:
        return np.asarray(np.array(values, np.float64)[rows])

    return DeviceRows(
        rows,
        spread([float(gpu.memory.cuda_total_mib) * MIB for gpu in gpus]),
        spread([float(gpu.memory.cuda_total_low_mib) * MIB for gpu in gpus]),
        spread([constant.best * GIB for constant in contexts]),
        spread([constant.upper * GIB for constant in contexts]),
        contexts[0].tag,
        tuple(
            "" if gpu.architecture in memory.envelope.architectures else gpu.architecture
            for gpu in gpus
        ),
    )
