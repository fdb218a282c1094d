"""From live bytes to what a device shows: the allocator's reserve, the CUDA context, and NCCL."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.catalog.frameworks import FrameworkMemory
from planner.catalog.records import Gpu
from planner.memory.ledger import Number
from planner.units import GIB


@dataclass(frozen=True, slots=True)
class Range:
    """A best and an upper value."""

    best: Number
    upper: Number


def context_bytes(memory: FrameworkMemory, gpu: Gpu) -> Range:
    """CUDA context and loaded kernels of one process: data of the framework by GPU architecture."""
    constant = memory.context(gpu)
    return Range(constant.best * GIB, constant.upper * GIB)


def nccl_bytes(memory: FrameworkMemory, world: Number) -> Range:
    """Communicators of a process that has peers; nothing on a single GPU."""
    many = np.greater(world, 1) * float(GIB)
    return Range(many * memory.nccl_gib.best, many * memory.nccl_gib.upper)


def reserved_bytes(memory: FrameworkMemory, allocated: Range, room: Number) -> Range:
    """What the caching allocator holds: allocated x a ratio of the framework, at most what the device leaves.

    Not a need: the allocator gives cached blocks back before it fails.
    """
    low, high = memory.reserved.best, memory.reserved.upper
    most = np.maximum(room, allocated.best)
    upper = np.maximum(allocated.best * high, allocated.upper * low)
    return Range(np.minimum(allocated.best * low, most), np.minimum(upper, most))


def fragmentation_bytes(memory: FrameworkMemory, allocated: Number) -> Range:
    """Memory that can't be used although it is free, when memory is short."""
    return Range(allocated * memory.fragmentation.best, allocated * memory.fragmentation.upper)
