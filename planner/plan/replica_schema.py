"""Records of one replica in a plan: its memory account, its layout, its speed."""

from __future__ import annotations

from planner.plan.base import PlanModel


class LedgerLine(PlanModel):
    """One component of the memory account of one GPU."""

    gib: float
    upper_gib: float
    formula: str
    tag: str


class PlanLedger(PlanModel):
    """Memory of the fullest GPU of a replica."""

    components: dict[str, LedgerLine]
    total_gib: float
    upper_gib: float
    """With the margin that a verdict at default risk carries."""
    usable_gib: float
    usable_formula: str
    host_gib: float = 0.0
    nvme_gib: float = 0.0
    extrapolated: bool = False


class PlanLayout(PlanModel):
    """How one replica lies on its GPUs."""

    text: str
    """As the table prints it, such as `tp2 fp8`."""
    engine: str
    tp: int
    pp: int
    dp: int
    cp: int
    ep: int
    weights: str
    kv: str = ""
    attention: str = ""
    sharding: str = "none"
    zero: int = 0
    micro_batch: int = 0
    accumulation: int = 0
    recompute: str = "none"
    offload_optimizer: str = "none"
    offload_parameters: str = "none"
    offload_activations: str = "none"
    offload_weights_gib: float = 0.0


class PlanSpeed(PlanModel):
    """Speed of one replica with its interval, and what limits it."""

    rate: float
    rate_low: float
    rate_high: float
    unit: str
    limit: str
    ttft_s: float | None = None
    tpot_s: float | None = None
    step_s: float | None = None
    mfu: float | None = None
    hours: float | None = None
    concurrency: float | None = None
    extrapolated: bool = False
