"""The memory account of one GPU: components with a best and an upper value, and where each comes from.

All values are bytes, and may be NumPy arrays over a layout axis: every function that builds a ledger works on plain
numbers and on arrays alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Number: TypeAlias = int | float | NDArray[np.int64] | NDArray[np.float64]
"""One layout or an array of them."""
Tag = Literal["measured", "calibrated", "modelled"]


@dataclass(frozen=True, slots=True)
class Component:
    """One line of the account."""

    name: str
    """weights, kv_cache, activations, gradients, optimizer, cuda_graphs, non_torch, context, reserve, ..."""
    best: Number
    upper: Number
    formula: str
    """Name of the function that computed it: `planner explain` and the report print it."""
    tag: Tag = "modelled"


@dataclass(frozen=True, slots=True)
class Ledger:
    """Memory of the fullest GPU of a replica, against what that GPU offers."""

    components: tuple[Component, ...]
    usable: Number
    """Bytes the run may use: the CUDA total, or the engine's fraction of it (`usable_formula` says which)."""
    usable_low: Number
    """The least it may turn out to be; a verdict at default risk compares `upper` with it."""
    usable_formula: str
    host_bytes: Number = 0
    """Host RAM of the whole replica on one node (offload and pinned buffers)."""
    nvme_bytes: Number = 0
    """NVMe of the whole replica on one node."""
    extrapolated: bool | NDArray[np.bool_] = False
    """Outside what has been measured (GPU generation, offload, kernel): intervals are doubled."""
    notes: tuple[str, ...] = field(default=())

    @property
    def best(self) -> Number:
        """Best estimate of the bytes used."""
        return sum((c.best for c in self.components), 0)

    @property
    def upper(self) -> Number:
        """Upper estimate of the bytes used; independent errors do not all peak together, see `combine`."""
        return combine(self.components)

    def fits(self, risk: Literal["upper", "best"] = "upper") -> Number | np.bool_ | bool:
        """Whether it fits: upper against the low usable by default, best against best when risked."""
        if risk == "best":
            return np.less_equal(self.best, self.usable)
        return np.less_equal(self.upper, self.usable_low)


def combine(components: tuple[Component, ...]) -> Number:
    """Upper value of a sum: best values plus the root of the summed squares of the margins.

    The margins of weights (exact), activations and overheads come from unrelated causes, so that their plain sum
    would overstate the 90th percentile; a single margin passes through unchanged.

    >>> from planner.memory.ledger import Component
    >>> float(combine((Component("a", 10, 13, "f"), Component("b", 10, 14, "f"))))
    25.0
    """
    best = sum((np.asarray(c.best, dtype=np.float64) for c in components), np.float64(0))
    square = sum(
        ((np.asarray(c.upper) - np.asarray(c.best)) ** 2.0 for c in components), np.float64(0)
    )
    result: Number = best + np.sqrt(square)
    return result
