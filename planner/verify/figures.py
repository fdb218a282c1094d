"""What one replica needs and gives, computed anew for one layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from planner.memory.ledger import Ledger, Number
from planner.units import GIB

Figure = Callable[[Number], float]


@dataclass(frozen=True, slots=True)
class Memory:
    """The account of the fullest GPU in GiB, and what the replica takes of its node."""

    components: dict[str, tuple[float, float]]
    """Name -> (best, upper)."""
    total_gib: float
    upper_gib: float
    usable_gib: float
    need_gib: float
    """What the verdict compares: upper at default risk."""
    have_gib: float
    """With what: the least that may be usable at default risk."""
    fits: bool
    host_gib: float
    """As the account prints it."""
    nvme_gib: float
    host_bytes: float
    """Of the whole replica on its node."""
    nvme_bytes: float
    extrapolated: bool


@dataclass(frozen=True, slots=True)
class Speed:
    """The speed of one replica."""

    rate: float
    rate_low: float
    rate_high: float
    counted: float
    """What a plan may count on: the low rate at default risk."""
    demand: float
    """What all replicas together must carry, in the unit of `counted`."""
    hours: float | None
    """Hours of one run; None for a service."""
    ttft_s: float | None = None
    tpot_s: float | None = None
    step_s: float | None = None
    mfu: float | None = None
    concurrency: float | None = None
    extrapolated: bool = False
    by_size: tuple[float, ...] = ()
    """What may be counted on if all requests had one size, size by size; 0 where it can't be served."""

    def after(self, lost: float, *, run: bool) -> Speed:
        """With a share of the hours lost: less is done in them, or a training run takes more of them."""
        left = 1 - lost
        return replace(
            self,
            rate=self.rate * left,
            rate_low=self.rate_low * left,
            rate_high=self.rate_high * left,
            counted=self.counted * left,
            hours=self.hours / left if run and self.hours is not None else self.hours,
            by_size=tuple(rate * left for rate in self.by_size),
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """Memory and speed of one replica."""

    memory: Memory
    speed: Speed


def one(value: Number) -> float:
    """The only element of an array over one layout, or the number itself.

    >>> one(np.array([2.0])), one(3)
    (2.0, 3.0)
    """
    return float(np.asarray(value, dtype=np.float64).reshape(-1)[0])


def ledger_lines(ledger: Ledger) -> dict[str, tuple[float, float]]:
    """Best and upper GiB of each component."""
    return {c.name: (one(c.best) / GIB, one(c.upper) / GIB) for c in ledger.components}
