"""From live bytes to what a device shows: the allocator's reserve, the CUDA context, and NCCL."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.catalog.engines import Constant
from planner.catalog.frameworks import FrameworkMemory
from planner.memory.arrays import Floats
from planner.memory.devices import DeviceRows
from planner.units import GIB


@dataclass(frozen=True, slots=True)
class Range:
    """A best and an upper value."""

    best: Floats
    upper: Floats


def context_bytes(devices: DeviceRows, like: Floats) -> Range:
    """CUDA context and loaded kernels of one process: data of the framework by GPU architecture."""
    return Range(
        np.broadcast_to(devices.context, like.shape),
        np.broadcast_to(devices.context_upper, like.shape),
    )


def constant_bytes(constant: Constant, like: Floats) -> Range:
    """A constant in GiB as bytes, in the shape of `like`."""
    return Range(np.full_like(like, constant.best * GIB), np.full_like(like, constant.upper * GIB))


def nccl_bytes(memory: FrameworkMemory, world: Floats) -> Range:
    """Communicators of a process that has peers; nothing on a single GPU."""
    many = np.greater(world, 1) * float(GIB)
    return Range(many * memory.nccl_gib.best, many * memory.nccl_gib.upper)


def reserved_bytes(memory: FrameworkMemory, allocated: Range, room: Floats) -> Range:
    """What the caching allocator holds: allocated x a ratio of the framework, at most what the device leaves.

    Not a need: the allocator gives cached blocks back before it fails.
    """
    low, high = memory.reserved.best, memory.reserved.upper
    most = np.maximum(room, allocated.best)
    upper = np.maximum(allocated.best * high, allocated.upper * low)
    return Range(np.minimum(allocated.best * low, most), np.minimum(upper, most))


def fragmentation_bytes(memory: FrameworkMemory, allocated: Floats) -> Range:
    """Memory that can't be used although it is free, when memory is short."""
    return Range(allocated * memory.fragmentation.best, allocated * memory.fragmentation.upper)
