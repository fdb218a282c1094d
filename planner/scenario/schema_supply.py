"""The supply side of the scenario file: pools of identical nodes, owned, rentable or buyable."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from planner.scenario.formats import BuyPrice, Day, GrowthRate, NodeUpkeep, Pcie, RentPrice
from planner.scenario.numbers import ONE_OR_LIST, Count, PositiveCount, Share
from planner.scenario.quantities import (
    Bandwidth,
    BandwidthOrZero,
    ByteSize,
    ByteSizeOrZero,
    Duration,
    Power,
)
from planner.scenario.schema_base import Flag, Part, Short, Text, Topology


class Node(Part):
    """A host: take a node type from the catalog and override fields, or describe it here."""

    type: Text | None = Field(default=None, examples=["onprem-dgx-h100"])
    """Node type of the catalog whose facts fill in what is not written here."""
    gpus: PositiveCount | None = Field(default=None, examples=[8])
    """GPUs in one node."""
    nvlink: BandwidthOrZero | None = Field(default=None, examples=["300 GB/s"])
    """NVLink bandwidth of one GPU, both directions summed over all its links."""
    topology: Topology | None = Field(default=None, examples=["mesh"])
    """How NVLink connects the GPUs: all to all by switches, a mesh, bridged pairs, or not at all."""
    nvlink_domain: PositiveCount | None = Field(default=None, examples=[72])
    """GPUs that reach one another over NVLink; may exceed one node (NVL72)."""
    pcie: Pcie | None = Field(default=None, examples=["gen4 x16"])
    """PCIe generation and lanes of each GPU."""
    p2p: Flag | None = Field(default=None, examples=[False])
    """Whether GPUs reach each other directly over PCIe; GeForce 40 and 50 do not."""
    host_ram: ByteSize | None = Field(default=None, examples=["256 GiB"])
    """Host RAM of one node as labelled; 0.97 of it less 16 GiB for the system is usable."""
    nvme: ByteSizeOrZero | None = Field(default=None, examples=["2 TB"])
    """Local NVMe of one node that offloading may use."""
    network: Bandwidth | None = Field(default=None, examples=["100 Gbit/s"])
    """All network ports of one node together, one direction."""
    network_kind: Text | None = Field(default=None, examples=["IB NDR"])
    """InfiniBand (IB ...), RoCE, EFA or eth; decides latency and efficiency."""
    power: Power | None = Field(default=None, examples=["10.2 kW"])
    """Power of one node at full load; absent: the node type's, and where that has none, the TDP of its GPUs alone."""
    rack_units: PositiveCount | None = Field(default=None, examples=[8])
    """Rack units one node takes, blank ones it needs above or below it included; for `limits.rack_units`."""


class Owned(Part):
    """Nodes one has."""

    nodes: Count = Field(examples=[1])
    """Nodes in the pool."""
    available: Annotated[tuple[Count, ...] | None, ONE_OR_LIST] = Field(default=None, examples=[1])
    """Nodes that workloads may use, default: all that are not reserved; or a list with one value per period."""
    upkeep: NodeUpkeep | None = Field(default=None, examples=["150 USD/node-month"])
    """Hosting, support and staff per node in use and month, besides energy; for bought nodes as well."""
    retires: Day | None = Field(default=None, examples=["2027-07-01"])
    """First day on which the nodes are gone; absent: they stay."""


class Reservation(Part):
    """Nodes that someone else holds until a day."""

    nodes: PositiveCount = Field(examples=[5])
    """Nodes held."""
    until: Day | None = Field(default=None, examples=["2027-01-01"])
    """First day on which they are free again; absent: no end known."""
    by: Text | None = Field(default=None, examples=["pretraining"])
    """Who holds them."""


class Rent(Part):
    """One way to rent nodes of the pool."""

    price: Annotated[tuple[RentPrice, ...], ONE_OR_LIST] = Field(examples=["27.44 USD/node-hour"])
    """Price per node-hour or GPU-hour; may be a list with one value per period."""
    max_nodes: Annotated[tuple[Count, ...] | None, ONE_OR_LIST] = Field(default=None, examples=[4])
    """Most nodes that can be rented, absent: 512 are considered; may be a list with one value per period."""
    commit: Literal["none"] | Duration = Field(default="none", examples=["none"])
    """Commitment: none, or the term one is bound to pay for; needs a `horizon` and whole periods."""
    upfront: Share = Field(default=Fraction(0), examples=["100 %"])
    """Share of a commitment's price that is paid at its start; the rest evenly over its term."""
    interruption: Share | None = Field(default=None, examples=["10 %"])
    """Spot nodes: share of their hours that interruptions cost, work done again included; absent: not interrupted."""
    growth: GrowthRate | None = Field(default=None, examples=["-5 %/quarter"])
    """How the price changes over the horizon; a commitment keeps the price of its start."""
    as_of: Day | None = Field(default=None, examples=["2026-07-20"])
    """Day of the quote; one older than 180 days is a warning."""
    source: Text | None = Field(default=None, examples=["quote 1234"])
    """Where the price comes from; printed beside it."""


class Tier(Part):
    """A lower price for larger orders."""

    nodes: PositiveCount = Field(examples=[4])
    """Nodes of one order from which on the price holds, for all of its nodes."""
    price: Annotated[tuple[BuyPrice, ...], ONE_OR_LIST] = Field(examples=["265000 USD/node"])
    """Purchase price, lower than that of every smaller order; may be a list with one value per period."""


class Buy(Part):
    """Nodes one may buy; needs a `horizon`. Paid on delivery."""

    price: Annotated[tuple[BuyPrice, ...], ONE_OR_LIST] = Field(examples=["280000 USD/node"])
    """Purchase price per node or GPU; may be a list with one value per period, of which that of arrival counts."""
    tiers: Annotated[tuple[Tier, ...], ONE_OR_LIST] = Field(
        default=(), examples=[[{"nodes": 4, "price": "265000 USD/node"}]]
    )
    """Volume prices: an order, what arrives for one period, has the price of the last tier it reaches for all nodes."""
    min_order: PositiveCount | None = Field(default=None, examples=[2])
    """Fewest nodes of one order; absent: single nodes can be had."""
    max_nodes: PositiveCount | None = Field(default=None, examples=[4])
    """Most nodes that can be bought over the horizon; absent: 512 are considered."""
    max_per_period: Annotated[tuple[Count, ...] | None, ONE_OR_LIST] = Field(
        default=None, examples=[2]
    )
    """Most nodes that can arrive for one period; may be a list with one value per period."""
    lead_time: Duration | None = Field(default=None, examples=["8 weeks"])
    """Time from order to use; absent: at once."""
    life: Duration | None = Field(default=None, examples=["4 years"])
    """Time over which the purchase is written off, and after which the node is gone; absent: 4 years."""
    residual: Share | None = Field(default=None, examples=["20 %"])
    """Share of the price that is left at the end of its life; absent: nothing."""
    installation: Share = Field(default=Fraction(0), examples=["12 %"])
    """Network, racks and installation as a share of the price, bought and written off with the node."""
    support: Share = Field(default=Fraction(0), examples=["5 %"])
    """Support contract per year as a share of the price, paid while the node is there."""
    growth: GrowthRate | None = Field(default=None, examples=["-5 %/quarter"])
    """How the price changes over the horizon; the price of the period of arrival counts."""
    valid_until: Day | None = Field(default=None, examples=["2026-12-31"])
    """Last day on which the quote can be ordered."""
    as_of: Day | None = Field(default=None, examples=["2026-07-20"])
    """Day of the quote."""
    source: Text | None = Field(default=None, examples=["quote 1234"])
    """Where the price comes from."""


class Order(Part):
    """Nodes ordered and not yet here; their price is spent. Needs a `horizon`."""

    nodes: PositiveCount = Field(examples=[2])
    """Nodes ordered."""
    arrives: Day = Field(examples=["2027-01-15"])
    """Day from which they can be used."""


class Contract(Part):
    """Nodes under a contract that is signed already: paid in any case. Needs a `horizon`."""

    nodes: PositiveCount = Field(examples=[2])
    """Nodes under contract."""
    until: Day = Field(examples=["2027-04-01"])
    """First day on which they are gone."""
    price: Annotated[tuple[RentPrice, ...] | None, ONE_OR_LIST] = Field(
        default=None, examples=["12.50 USD/node-hour"]
    )
    """What is still to be paid per node-hour or GPU-hour, absent: all is paid; may be a list, one value per period."""


class Pool(Part):
    """A supply of identical nodes."""

    pool: Text = Field(examples=["v100-box"])
    """Name of the pool."""
    gpu: Text | None = Field(default=None, examples=["v100-sxm2-32gb"])
    """GPU of the catalog; not needed where `node` names a node type."""
    node: Annotated[Node | None, Short("type")] = Field(default=None, examples=["onprem-dgx-h100"])
    """The host: a node type of the catalog, or its description; default: one GPU without host facts."""
    owned: Owned | None = Field(default=None, examples=[{"nodes": 1}])
    """Nodes one has."""
    reserved: Annotated[tuple[Reservation, ...], ONE_OR_LIST] = Field(
        default=(), examples=[[{"nodes": 5, "until": "2027-01-01"}]]
    )
    """Owned nodes that someone else holds."""
    rent: Annotated[tuple[Rent, ...], ONE_OR_LIST] = Field(
        default=(), examples=[{"price": "27.44 USD/node-hour", "max_nodes": 4}]
    )
    """One way, or several, to rent nodes of this kind."""
    buy: Annotated[tuple[Buy, ...], ONE_OR_LIST] = Field(
        default=(), examples=[{"price": "280000 USD/node", "max_nodes": 4}]
    )
    """One way, or several, to buy nodes of this kind."""
    ordered: Annotated[tuple[Order, ...], ONE_OR_LIST] = Field(
        default=(), examples=[[{"nodes": 2, "arrives": "2027-01-15"}]]
    )
    """Nodes ordered and not yet here."""
    contracts: Annotated[tuple[Contract, ...], ONE_OR_LIST] = Field(
        default=(), examples=[[{"nodes": 2, "until": "2027-04-01"}]]
    )
    """Nodes under contracts that run already."""
    spare_nodes: Count = Field(default=0, examples=[1])
    """Nodes to keep free, for failures and maintenance."""
