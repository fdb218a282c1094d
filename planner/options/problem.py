"""The problem the optimizer solves, in integers only: blocks (workloads), supplies (pool x term), limits.

Everything is an integer, rounded once, in the safe direction: rates down to 1/2000 of the demand, cost up to
the cent, limits down. The optimizer, the proof and the brute force see exactly these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

DEMAND_UNITS = 2000
"""The demand of each workload; a replica's rate is a whole number of these, rounded down."""

LOAD_UNITS = 2000
"""What one replica carries, where requests are shared out by size."""
SIZE_PARTS = 2520
"""Equal parts into which the requests of one size may be split: divisible by every number up to 10."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A further supply on which one replica of a candidate holds as much as on its first: a run that goes on."""

    supply: int
    cost_cents: int
    """Part of the candidate's cost that arises there."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a training run in a shared node takes of the time of its GPUs, where others may run on them as well."""

    minutes: int
    """Of one run, rounded up."""
    window: int
    """Minutes in which one run of each that shares the GPUs must end together, rounded down."""
    guest_cents: int
    """Its cost on GPUs that another run holds: the energy of its work, and rent per GPU."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One option of a block on one supply."""

    key: str
    """Content key (never position or name in the file), for canonical ties: layout and pool facts."""
    supply: int
    gpus: int
    """GPUs that one replica takes from shared nodes; 0 when it takes whole nodes only."""
    whole_nodes: int
    """Whole nodes that one replica takes (multi-node replicas, or a job on nodes of its own)."""
    units: int
    """Demand units that one replica covers; a job's candidate covers all of them."""
    cost_cents: int
    """Cost of one replica besides nodes: energy, per-GPU rent, a job's own node-hours."""
    host_sixteenths: int = 0
    """Share of a node's free host RAM, rounded up to sixteenths."""
    preference: int = 0
    max_replicas: int | None = None
    power_w: int = 0
    own_nodes: bool = False
    """True: `whole_nodes` are billed in cost_cents (a job's own rental), not by the supply's node price."""
    option: int = -1
    """Index of the Option this came from."""
    loads: tuple[int, ...] = ()
    """Load of all requests of each size on one replica, in 1/LOAD_UNITS of it, rounded up; -1: not served."""
    later: tuple[Hold, ...] = ()
    """Supplies of later periods, of nodes of the same size, that a job holds as well until it ends."""
    turn: Turn | None = None
    lane: int = -1
    """Number, unique in the problem, under which others may take turns on the GPUs it holds; -1: none may."""
    guest_of: int = -1
    """Lane on whose GPUs it takes its turns; it then holds none of its own."""

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Every supply it takes from, in order, with its share of the cost."""
        rest = sum(hold.cost_cents for hold in self.later)
        return (Hold(self.supply, self.cost_cents - rest), *self.later)

    @property
    def supplies(self) -> tuple[int, ...]:
        """Every supply it takes from, in order."""
        return (self.supply, *(hold.supply for hold in self.later))


@dataclass(frozen=True, slots=True)
class Block:
    """One workload (or `multiplicity` identical ones)."""

    name: str
    candidates: tuple[Candidate, ...]
    exactly_one: bool
    """True: one replica of one candidate (a job). False: any mix of replicas that covers the demand."""
    min_replicas: int = 1
    spare_replicas: int = 0
    """Further replicas: covering the demand must survive the loss of that many of the largest ones."""
    distinct_nodes: bool = False
    same_pool: bool = False
    """All replicas on one pool."""
    same_candidate: bool = False
    """All replicas alike (one option)."""
    required: bool = True
    priority: int = 1
    multiplicity: int = 1
    size_parts: int = 0
    """Above 0, coverage is by request size, not by units: the requests of each size come in that many equal parts,
    each for replicas of one kind (GPU type and loads). `spare_replicas` then come on top of what each kind that
    serves needs, so that requests keep their way when replicas are lost."""
    whole_sizes: bool = False
    """All requests of one size go to one GPU type."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Identical nodes under one price term: (pool, owned), (pool, rented on demand), ..."""

    pool: str
    term: str
    node_gpus: int
    max_nodes: int
    node_cost_cents: int
    """Cost of holding one node for the horizon, used or not by more than one replica; 0 for owned."""
    gpu_type: str
    spare_nodes: int = 0
    """Nodes to keep free."""
    has_host_ram: bool = True
    group: str = ""
    """Supplies of one pool share `group`; a pool-wide node limit is a Limit row."""
    base_nodes: int | None = None
    """Nodes there without any acquisition; None: `max_nodes`, and none can be acquired."""
    node_energy_cents: int = 0
    """Part of `node_cost_cents` that is energy."""
    node_power_w: int = 0
    """What a node in use counts against power limits, besides the `power_w` of what runs on it."""
    rack_units: int = 0
    """What a node in use counts against limits of rack units."""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Nodes to buy or commit to: one decision that raises several supplies, one per period it lasts."""

    key: str
    """What it is, such as `buy dgx 2027-01`."""
    most: int
    cost_cents: int
    """Of one node over the horizon, in the objective."""
    supplies: tuple[int, ...]
    """Supplies of which each node acquired is one more."""
    least: int = 0
    """Nodes in any case; `least = most` for a contract that is signed already."""
    fewest: int = 1
    """None, or at least this many: the size of an order from which on its price holds."""
    group: int = -1
    """At most one acquisition of a group is taken: one offer for one period, at one price. -1: of no group."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A linear limit: sum of coefficients over supplies (per node in use) and candidates' costs or power."""

    name: str
    """budget, power, nodes[pool], ... with its unit in the report."""
    kind: str
    """`cost` (all cents), `power` (W), `racks` (rack units), `nodes` (nodes of the listed supplies) or `acquired`
    (acquisitions only)."""
    bound: int
    supplies: tuple[int, ...] = ()
    """Empty: all supplies."""
    acquisitions: tuple[tuple[int, int], ...] = ()
    """(acquisition, coefficient per node)."""
    slot: int | None = None
    """Period in which it holds; None: over all of them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Blocks, supplies and limits; over several periods each supply and service is there once per period."""

    blocks: tuple[Block, ...]
    supplies: tuple[Supply, ...]
    limits: tuple[Limit, ...] = ()
    slots: int = 1
    acquisitions: tuple[Acquisition, ...] = ()
