"""Power of nodes and GPUs: what a limit counts, and what energy is paid for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from planner.scenario.resolved import ResolvedPool


@dataclass(frozen=True, slots=True)
class Draw:
    """Power of one node and of each of its GPUs at full load, in W."""

    gpus: int = 1
    gpu_w: Fraction = Fraction(0)
    """TDP of one GPU, or its share of the node's power where that is less."""
    node_w: Fraction | None = None
    """The whole node; None where only the GPUs are known."""

    @property
    def peak_node_w(self) -> int:
        """What a limit counts for a node in use, in whole W rounded up; 0 where only its GPUs are known."""
        return math.ceil(self.node_w or 0)

    def peak_gpus_w(self, gpus: int) -> int:
        """What a limit counts for GPUs in use, in whole W rounded up; 0 where the whole node counts."""
        return 0 if self.node_w is not None else math.ceil(self.gpu_w * gpus)

    def standing_node_w(self, idle: Fraction) -> Fraction:
        """What a node in use draws before its GPUs work: P - GPUs x TDP x (1 - idle).

        >>> Draw(8, Fraction(700), Fraction(10200)).standing_node_w(Fraction(1, 5))
        Fraction(5720, 1)
        """
        if self.node_w is None:
            return Fraction(0)
        return self.node_w - self.gpus * self.gpu_w * (1 - idle)

    def watt_hours(
        self, gpus: int, idle: Fraction, *, busy_h: Fraction, held_h: Fraction
    ) -> Fraction:
        """Wh of GPUs in use besides what the node draws: TDP x ((1 - idle) x busy hours + idle x held hours).

        Where the whole node is known, its standing power has the idle part already.

        >>> Draw(8, Fraction(700)).watt_hours(1, Fraction(1, 5), busy_h=Fraction(100), held_h=Fraction(730))
        Fraction(158200, 1)
        """
        standing = idle * held_h if self.node_w is None else Fraction(0)
        return gpus * self.gpu_w * ((1 - idle) * busy_h + standing)


GPU_ONLY = Draw()
"""Nothing known: draws nothing."""


def draw_of(pool: ResolvedPool) -> Draw:
    """The power of a pool's nodes: the scenario's or the catalog's figure of the node, and the GPU's TDP.

    A node whose power is less than that of its GPUs together caps them.
    """
    node_w, gpus = pool.node.power_w, pool.node.gpus
    tdp = Fraction(str(pool.gpu.tdp_w or 0))
    if node_w is not None:
        tdp = min(tdp, node_w / gpus)
    return Draw(gpus, tdp, node_w)


def scaled(draw: Draw, gpus: int) -> Draw:
    """The power of a node with another number of the same GPUs, all parts growing alike."""
    node_w = None if draw.node_w is None else draw.node_w * gpus / draw.gpus
    return Draw(gpus, draw.gpu_w, node_w)
