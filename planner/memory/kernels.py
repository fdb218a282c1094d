"""Which attention kernel a GPU runs, and why not the one that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner.catalog.records import Gpu

Kernel = Literal["flash", "sdpa", "eager"]


@dataclass(frozen=True, slots=True)
class KernelChoice:
    """The kernel that runs, or the reason why the wanted one does not and what runs instead."""

    kernel: Kernel
    refused: str = ""
    """Empty if the wanted kernel runs."""
    linear: bool = True
    """Whether its memory grows linearly with the sequence."""


def attention_kernel(gpu: Gpu, wanted: Literal["auto", "flash", "sdpa", "eager"]) -> KernelChoice:
    """The kernel PyTorch runs on this GPU.

    FlashAttention-2 needs compute capability 8.0; Turing has FlashAttention-1 only, Volta none. There `auto` and
    `sdpa` take PyTorch's memory-efficient kernel, whose memory is linear too. Score matrices only where eager is
    forced.

    >>> from planner.catalog import gpu
    >>> attention_kernel(gpu("v100-sxm2-32gb"), "auto").kernel
    'sdpa'
    >>> attention_kernel(gpu("v100-sxm2-32gb"), "flash").refused
    'FlashAttention-2 needs compute capability 8.0, v100-sxm2-32gb has 7.0'
    """
    has_flash = any(version >= 2 for version in gpu.flash_attention)
    if wanted == "eager":
        return KernelChoice("eager", linear=False)
    if wanted == "sdpa":
        return KernelChoice("sdpa")
    if has_flash:
        return KernelChoice("flash")
    if wanted == "auto":
        return KernelChoice("sdpa")
    if gpu.compute_capability is None:
        return KernelChoice("sdpa", f"{gpu.id} has no FlashAttention-2")
    need = "FlashAttention-2 needs compute capability 8.0"
    return KernelChoice("sdpa", f"{need}, {gpu.id} has {gpu.compute_capability}")
