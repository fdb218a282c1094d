"""What the optimizer is asked with and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.optimize.bound import Assignment


class Status(StrEnum):
    """The five outcomes, kept apart."""

    PROVEN = "proven"
    """Each round closed: no plan is cheaper."""
    FEASIBLE = "feasible"
    """A plan and a bound with a gap between them."""
    INFEASIBLE = "infeasible"
    """No plan exists, by the exact model and a second solver (or a block without candidates)."""
    UNKNOWN = "unknown"
    """Nothing found within the limits, or the two routes do not agree that nothing exists."""
    INVALID = "invalid"
    """The problem is malformed or a solver contradicted itself: a bug of ours."""


@dataclass(frozen=True, slots=True)
class SolveLimits:
    """Work limits, not seconds: the same problem gives the same answer on a slow day."""

    deterministic_time: float = 60.0
    """Work of all rounds together, in CP-SAT's deterministic seconds (about one second each)."""
    wall_s: float | None = None
    """Wall-clock limit; None keeps the run deterministic."""
    gap: float = 0.0
    """Stop at this relative gap."""
    tie_break: bool = True
    confirm_infeasible: bool = True
    explain_conflict: bool = True
    compare: bool = True
    """Whether a plan is also laid beside others: the price of caution, of first formats, of each order."""
    quick: bool = False
    """CP-SAT alone, and only counting where nodes can be filled in many ways: what these do not prove stays open."""
    second_process: bool = False
    """Whether forked children may do parts of the work meanwhile; not safe in every program."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One event for the progress line."""

    stage: str
    wall_s: float
    incumbent_cents: int | None
    bound_cents: int | None

    @property
    def gap(self) -> float | None:
        """(incumbent - bound) / incumbent; None until both exist."""
        if self.incumbent_cents is None or self.bound_cents is None:
            return None
        return relative_gap(self.incumbent_cents, self.bound_cents)


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, order=True)
class Choice:
    """Replicas of one candidate that one copy of a block gets."""

    candidate: int
    replicas: int


@dataclass(frozen=True, slots=True, order=True)
class Share:
    """Parts of the requests of one size that go to replicas of one kind."""

    size: int
    candidates: tuple[int, ...]
    """Candidates of that kind that have replicas."""
    parts: int


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """What one block gets; `copies` has one entry for each of its `multiplicity` identical workloads."""

    block: int
    copies: tuple[tuple[Choice, ...], ...]
    """An empty entry is a copy left unserved."""
    shares: tuple[tuple[Share, ...], ...] = ()
    """Per copy, which kind of replica serves which requests; empty unless they are shared out by size."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The choices of all copies added up."""
        total: dict[int, int] = {}
        for copy in self.copies:
            for choice in copy:
                total[choice.candidate] = total.get(choice.candidate, 0) + choice.replicas
        return tuple(Choice(c, r) for c, r in sorted(total.items()))

    @property
    def unserved(self) -> int:
        """Copies that got nothing."""
        return sum(1 for copy in self.copies if not copy)


@dataclass(frozen=True, slots=True, order=True)
class Placed:
    """One replica, or one whole node of it, on a node."""

    block: int
    copy: int
    candidate: int
    replica: int
    """Counts the replicas of this candidate in this copy from 0."""
    gpus: tuple[int, ...]
    """GPU indices on the node."""
    part: int = 0
    """0 for a replica on a shared node; whole nodes of a multi-node replica count from 0 as well."""


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One node that is used: who sits on which of its GPUs."""

    supply: int
    index: int
    """Counts the used nodes of the supply from 0."""
    placed: tuple[Placed, ...]
    own: bool = False
    """Billed within a candidate's cost, not by the supply."""


@dataclass(frozen=True, slots=True)
class Round:
    """One lexicographic round: what was minimised, its value, and its proven bound."""

    name: str
    value: int
    bound: int

    @property
    def closed(self) -> bool:
        """Whether the value is proven least."""
        return self.bound >= self.value


@dataclass(frozen=True, slots=True)
class Conflict:
    """Facts that cannot all hold: drop any one and a plan exists (if `minimal`)."""

    members: tuple[str, ...]
    """Row groups: `block:NAME`, `supply:POOL/TERM`, `limit:NAME`."""
    minimal: bool
    """False: the work limit ended the shrinking; the set is still jointly impossible."""
    groups: tuple[tuple[str, int], ...] = ()
    """(limit | supply | block, index) of each member in the problem."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Work and size figures."""

    deterministic_time: float = 0.0
    wall_s: float = 0.0
    columns: int = 0
    rows: int = 0
    candidates: int = 0
    pruned: int = 0
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pruned:
    """A candidate left out because another of the same block is never worse."""

    block: int
    candidate: int
    dominator: int


@dataclass(frozen=True)
class Start:
    """Where the search in a like problem starts: a plan, and the prices and assignments of its proof."""

    work_out: Callable[[], Mapping[tuple[str, int], int]]
    """Gives `columns`."""
    shape: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    """Names of columns and of linking rows: prices and assignments fit models of the same shape only."""
    duals: tuple[int, ...] = ()
    assignments: tuple[Assignment, ...] = ()

    @cached_property
    def columns(self) -> Mapping[tuple[str, int], int]:
        """Columns of the exact model that are not 0, by name and place among equal names; worked out when asked for."""
        return self.work_out()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one problem. Fields about the plan are empty unless there is one."""

    status: Status
    plans: tuple[BlockPlan, ...] = ()
    """One for each block, in order."""
    nodes: tuple[int, ...] = ()
    """Nodes used per supply, own nodes included."""
    billed_nodes: tuple[int, ...] = ()
    """Nodes per supply that cost `node_cost_cents`."""
    packing: tuple[tuple[NodePlan, ...], ...] = ()
    """Per supply its used nodes."""
    acquired: tuple[int, ...] = ()
    """Nodes per acquisition of the problem."""
    unserved: tuple[int, ...] = ()
    """Indices of blocks of which a copy is unserved."""
    rounds: tuple[Round, ...] = ()
    cost_cents: int | None = None
    bound_cents: int | None = None
    tie_break_applied: bool = False
    route: str = ""
    interrupted: bool = False
    conflict: Conflict | None = None
    pruned: tuple[Pruned, ...] = ()
    message: str = ""
    stats: Stats = field(default_factory=Stats)
    start: Start | None = field(default=None, compare=False, repr=False)
    """What the search in a problem that differs little can start from."""

    @property
    def gap(self) -> float | None:
        """Relative gap from our own bound; None without a plan or a bound."""
        if self.cost_cents is None or self.bound_cents is None:
            return None
        return relative_gap(self.cost_cents, self.bound_cents)

    @property
    def has_plan(self) -> bool:
        """Whether `plans` holds a complete plan."""
        return self.status in (Status.PROVEN, Status.FEASIBLE)


def relative_gap(value: int, bound: int) -> float:
    """(value - bound) / |value|, 0 where they meet.

    >>> relative_gap(200, 199), relative_gap(0, 0)
    (0.005, 0.0)
    """
    return max(0, value - bound) / max(1, abs(value))
