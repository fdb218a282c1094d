"""Optimizer states: bytes per trained parameter between steps, and what a step allocates on top."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from planner.memory.trainable import Section

Width = Literal["param", "fp32", "int8"]
QUANTIZED_STATE_BYTES = 1 + 4 / 256
"""An 8-bit state: one byte, and an fp32 scale per block of 256 (Dettmers et al. 2021)."""


class UnknownOptimizer(ValueError):  # noqa: N818 - reads as what it is at the call site
    """An optimizer nobody knows."""


@dataclass(frozen=True, slots=True)
class Optimizer:
    """How many states an optimizer keeps, how wide, and how its step is implemented."""

    states: float
    """States of a parameter's size."""
    eight_bit: bool = False
    paged: bool = False
    """States live in unified memory and leave the GPU under pressure."""
    factored: bool = False
    """Adafactor: row and column sums instead of a second moment."""
    matrices_only: bool = False
    """Muon: momentum for matrices, AdamW for embeddings, head and vectors."""
    step: Literal["foreach", "fused", "forloop"] = "forloop"
    foreach_copy: bool = True
    """Whether the foreach step makes one temporary of the parameters' size."""
    temporaries: float = 0.0
    """Tensors of the largest parameter's size that a for-loop step holds."""


_KNOWN: dict[str, Optimizer] = {
    "adamw": Optimizer(2),
    "adam": Optimizer(2),
    "adamw-8bit": Optimizer(2, eight_bit=True, step="fused"),
    "paged-adamw": Optimizer(2, paged=True, step="fused"),
    "paged-adamw-8bit": Optimizer(2, eight_bit=True, paged=True, step="fused"),
    "adafactor": Optimizer(0, factored=True, temporaries=2),
    "lion": Optimizer(1),
    "lion-8bit": Optimizer(1, eight_bit=True, step="fused"),
    "paged-lion-8bit": Optimizer(1, eight_bit=True, paged=True, step="fused"),
    "muon": Optimizer(1, matrices_only=True, temporaries=3),
    "sgd": Optimizer(0, foreach_copy=False),
    "sgd-momentum": Optimizer(1, foreach_copy=False),
}
_STEPS: dict[str, Literal["foreach", "fused", "forloop"]] = {
    "foreach": "foreach", "fused": "fused", "forloop": "forloop",
}  # fmt: skip
OPTIMIZERS = tuple(_KNOWN)


def optimizer(name: str, default_step: Literal["foreach", "fused", "forloop"]) -> Optimizer:
    """The optimizer of a name; `-foreach`, `-fused` and `-forloop` pick PyTorch's implementation.

    >>> optimizer("adamw-fused", "foreach").step, optimizer("adamw", "foreach").step
    ('fused', 'foreach')
    """
    base, _, suffix = name.rpartition("-")
    if suffix in _STEPS and base in _KNOWN:
        known = _KNOWN[base]
        step = _STEPS[suffix]
    elif name in _KNOWN:
        known = _KNOWN[name]
        step = known.step if known.step == "fused" else default_step
    else:
        raise UnknownOptimizer(f"`{name}` is not an optimizer; one of {', '.join(_KNOWN)}")
    if step == "foreach" and not (known.foreach_copy and known.states and not known.temporaries):
        step = "forloop"
    return replace(known, step=step)


def state_bytes(opt: Optimizer, width: int) -> float:
    """Bytes of states per trained parameter; `width` is the bytes of one state.

    states x width; 8-bit optimizers: states x (1 + 4/256).

    >>> state_bytes(optimizer("adamw", "fused"), 4), state_bytes(optimizer("adamw-8bit", "fused"), 2)
    (8.0, 2.03125)
    """
    if opt.eight_bit:
        return opt.states * QUANTIZED_STATE_BYTES
    return float(opt.states * width)


def section_states(opt: Optimizer, section: Section, width: int) -> float:
    """Mean bytes of states per parameter of a section, where vectors and matrices differ.

    Adafactor keeps fp32 row and column sums; Muon keeps a second AdamW state for what is no layer's matrix.
    """
    base = state_bytes(opt, width)
    total = section.count.total
    if not total or not (opt.factored or opt.matrices_only):
        return base
    if opt.factored:
        sums = sum(copies * (rows + cols) for _, rows, cols, copies in section.matrices)
        inside = sum(copies * rows * cols for _, rows, cols, copies in section.matrices)
        return 4.0 * (sums + (total - inside)) / total
    inner = sum(
        copies * rows * cols
        for name, rows, cols, copies in section.matrices
        if not name.startswith(("embed", "lm_head"))
    )
    return base + width * (total - inner) / total


def step_bytes(opt: Optimizer, width: int) -> float:
    """Bytes per trained parameter that the step allocates: one temporary for foreach, none for fused.

    >>> step_bytes(optimizer("adamw", "foreach"), 2), step_bytes(optimizer("adamw-fused", "foreach"), 2)
    (2.0, 0.0)
    """
    return float(width) if opt.step == "foreach" and not opt.eight_bit else 0.0
