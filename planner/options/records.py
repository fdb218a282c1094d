"""What every candidate becomes: an option, or a rejection that says why with both numbers. None vanishes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from planner.layout import Layout


class Reason(StrEnum):
    """Why a candidate is no option; the value is the stable code in JSON."""

    NOT_ALLOWED = "not-allowed"
    """The user's allow or deny list, GPU limit or engine choice excludes it."""
    CAPABILITY = "capability"
    """The GPU or the engine cannot run it: compute capability, format, attention kernel."""
    ILLEGAL_LAYOUT = "illegal-layout"
    """Heads, layers, experts or batch do not divide."""
    MEMORY = "memory"
    """GPU memory is short."""
    HOST_RAM = "host-ram"
    NVME = "nvme"
    """Host RAM or NVMe of the node is short."""
    INTERCONNECT = "interconnect"
    """The link is slower than the stated minimum, or a tensor parallel group leaves its domain."""
    LATENCY = "latency"
    """TTFT or TPOT misses the SLO at any load."""
    DEADLINE = "deadline"
    """The work does not finish in time."""
    COUNT = "count"
    """More GPUs or nodes than the pool can have."""


@dataclass(frozen=True, slots=True)
class Account:
    """The ledger of an option in GiB, ready to print: component -> (best, upper, formula, tag)."""

    components: tuple[tuple[str, float, float, str, str], ...]
    total_gib: float
    upper_gib: float
    usable_gib: float
    usable_low_gib: float
    usable_formula: str
    host_gib: float = 0.0
    nvme_gib: float = 0.0
    extrapolated: bool = False


R = TypeVar("R", "Rejection", "Option")


def renamed(record: R, names: Sequence[str], workload: str, pool: str) -> R:
    """The record, of these fields, under other names; many are, so that it is done without its constructor."""
    same = object.__new__(type(record))
    put = object.__setattr__
    for name in names:
        put(same, name, getattr(record, name))
    put(same, "workload", workload)
    put(same, "pool", pool)
    return same


@dataclass(frozen=True, slots=True)
class Rejection:
    """A candidate that is no option: need and have in the same unit, and where it pinches."""

    workload: str
    pool: str
    layout: Layout
    reason: Reason
    message: str
    need: float | None = None
    have: float | None = None
    unit: str = ""
    """GiB, GB/s, h, ms, GPUs, sm (compute capability), ..."""
    bottleneck: str = ""
    """The largest component (weights, kv_cache, loss, ...) or the link."""
    account: Account | None = None
    """The memory account of the layout, where it was computed."""

    @property
    def short(self) -> float | None:
        """How much is missing, None where the reason has no numbers."""
        if self.need is None or self.have is None:
            return None
        return self.need - self.have

    def dedupe_key(self) -> tuple[str, str, str, str, str]:
        """Equal for rejections that differ in nothing but numbers and degrees of parallelism."""
        return (self.workload, self.pool, self.layout.weights, self.reason, self.bottleneck)

    def named(self, workload: str, pool: str) -> Rejection:
        """The same for another workload or pool that asks the same."""
        return renamed(self, Rejection.__slots__, workload, pool)

    def on(self, change: Callable[[Layout], Layout]) -> Rejection:
        """The same for another layout."""
        return replace(self, layout=change(self.layout))


@dataclass(frozen=True, slots=True)
class Timing:
    """The speed of one replica; figures that do not apply are None."""

    rate: float
    """Best estimate: requests/s (inference), tokens/s (training, batch) of one replica."""
    rate_low: float
    """What the plan counts on at default risk."""
    rate_high: float
    unit: str
    limit: str
    """What limits it: compute, hbm, nvlink, pcie, network, host link, kv cache, slo, ..."""
    ttft_s: float | None = None
    tpot_s: float | None = None
    step_s: float | None = None
    mfu: float | None = None
    hours: float | None = None
    """Hours to finish a finite job at `rate_low`."""
    concurrency: float | None = None
    extrapolated: bool = False
    details: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """Workload x pool x layout that fits: what one replica takes and gives."""

    workload: str
    pool: str
    layout: Layout
    gpus: int
    """GPUs of one replica."""
    nodes: int
    """Whole nodes of one replica; 0 where it shares a node."""
    replicas: int
    """Replicas that meet the demand alone (1 for a job)."""
    units: int
    """Rate of one replica in 1/2000 of the workload's demand, rounded down; a job has 2000."""
    host_bytes: int
    nvme_bytes: int
    preference: int
    """Place in the user's list of formats and methods; lower is wanted more."""
    utilisation: Fraction
    """Share of its hours in which a replica works at most: a service's demand over its rate, in 1/2000 rounded up;
    1 for a training run, whose hours are counted by themselves."""
    account: Account
    timing: Timing
    interconnect_gb_s: float
    """Both directions summed between the ranks of the widest group."""
    assumptions: tuple[str, ...] = ()
    interruption: Fraction | None = None
    """Share of hours lost on spot nodes that its speed and units count already; None: not interrupted."""
    loads: tuple[int, ...] = ()
    """Where requests are shared out by size: what all requests of each size weigh on one replica, in 1/2000 of it,
    rounded up; -1 for a size it can't serve."""
    size_rates: tuple[float, ...] = ()
    """Behind `loads`: requests/s that may be counted on if all requests had that size; 0 for a size it can't serve."""

    @property
    def rate_low(self) -> float:
        """What the plan counts on at default risk."""
        return self.timing.rate_low

    def content(self) -> tuple[object, ...]:
        """Decides between options that are alike in all that plans count with."""
        layout = self.layout
        return (
            self.account.total_gib,
            layout.pp, layout.tp, layout.zero, -layout.micro_batch, layout.recompute, repr(layout),
        )  # fmt: skip

    def named(self, workload: str, pool: str) -> Option:
        """The same for another workload or pool that asks the same."""
        return renamed(self, Option.__slots__, workload, pool)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for one workload on one pool: records, and how many candidates stand behind them."""

    options: tuple[Option, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    dominated: int = 0
    """Candidates that fit but have a better one beside them: same pool and GPUs, no slower."""
    rejected: int = 0
    """Candidates behind `rejections`, those folded into one counted each."""
    pruned: bool = False
    """Whether none of the options is beaten by another of them."""

    def plus(self, other: Found) -> Found:
        """Both together."""
        return Found(
            self.options + other.options,
            self.rejections + other.rejections,
            self.dominated + other.dominated,
            self.rejected + other.rejected,
            (self.pruned or not self.options)
            and (other.pruned or not other.options)
            and not (self.options and other.options),
        )


@dataclass(frozen=True, slots=True)
class Considered:
    """All candidates of one workload on one pool."""

    workload: str
    pool: str
    options: tuple[Option, ...] = ()
    pruned: tuple[tuple[Option, Option], ...] = ()
    """(option, the one that is at least as good in everything)."""
    rejections: tuple[Rejection, ...] = ()
    dominated: int = 0
    """Candidates that fit and lost to a better one, those in `pruned` included."""
    rejected: int = 0
