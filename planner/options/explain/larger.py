"""More GPUs than a node has: in one larger node where such nodes exist, else over several nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from planner.catalog import ids, node
from planner.options.asks import Ask, PoolFacts
from planner.options.consider import consider_one
from planner.options.describe import layout_text
from planner.options.explain.supply_changes import (
    LARGEST_NODE,
    LARGEST_REAL_NODE,
    node_with,
    with_gpus,
)
from planner.options.records import Considered, Option

MOST_GPUS = LARGEST_NODE
"""GPUs of one kind that a what-if tries."""
USUAL_NODE = 8
"""GPUs of a node where a single GPU was asked about."""


@dataclass(frozen=True, slots=True)
class Larger:
    """The least that a workload fits on where the pool's own node is too small."""

    gpus: int | None
    """In one node, were there such a node; None: not on 64."""
    node_type: str = ""
    """The smallest node type of the catalog with that many of the GPU."""
    nodes: int | None = None
    """Nodes of `node_gpus`, where no node is that large; None: not on as many as have 64 GPUs."""
    node_gpus: int = 0

    @property
    def real(self) -> bool:
        """Whether nodes with that many GPUs exist."""
        return self.gpus is not None and (bool(self.node_type) or self.gpus <= LARGEST_REAL_NODE)


def larger(ask: Ask, pool: PoolFacts) -> Larger:
    """How many of the pool's GPUs it takes, in one node if that exists, else over several."""
    count = least_gpus(ask, pool)
    found = Larger(count, "" if count is None else smallest_node(pool.gpu.id, count))
    if count is None or found.real:
        return found
    size = pool.node_gpus if pool.node_gpus > 1 else USUAL_NODE
    nodes = next(
        (k for k in range(2, MOST_GPUS // size + 1) if over_nodes(ask, pool, size, k)), None
    )
    return replace(found, nodes=nodes, node_gpus=size)


def over_nodes(ask: Ask, pool: PoolFacts, size: int, nodes: int) -> Option | None:
    """The best option on all GPUs of so many nodes; how fast it is depends on their network."""
    link = replace(pool.link, gpus_per_node=size, domain=max(pool.link.domain, size))
    host = None if pool.host_bytes is None else pool.host_bytes * size // pool.node_gpus
    facts = pool if size == pool.node_gpus else replace(pool, link=link, host_bytes=host)
    facts = replace(facts, node_gpus=size, nodes=nodes, max_nodes=nodes)
    return best_option([consider_one(with_gpus(ask, nodes * size), facts)])


def smallest_node(gpu: str, count: int) -> str:
    """The node type with the fewest GPUs of a kind, but so many; servers of one's own before those to rent.

    >>> smallest_node("v100-sxm2-32gb", 5), smallest_node("v100-sxm2-32gb", 60)
    ('onprem-dgx-1-v100', '')
    """
    records = [node(name) for name in ids("nodes")]
    fits = [r for r in records if r.gpu == gpu and r.gpus >= count]
    first = min(fits, key=lambda r: (r.gpus, not r.id.startswith("onprem-"), r.id), default=None)
    return first.id if first else ""


def more_gpus(ask: Ask, pools: Sequence[PoolFacts]) -> str:
    """The least count of a pool's GPUs at which it fits, for the first pool where one does; empty where none does."""
    for pool in pools:
        more = larger(ask, pool)
        if more.gpus is not None and more.real:
            option = fits_with(ask, pool)(more.gpus)
            assert option is not None
            what = f"{more.gpus} x {pool.gpu.name} in one node instead of {pool.node_gpus}"
            return f"{what}{_batch(ask, more.gpus)}: {_as(option)}"
        if more.nodes is not None:
            option = over_nodes(ask, pool, more.node_gpus, more.nodes)
            assert option is not None
            what = f"{more.nodes} nodes of {more.node_gpus} x {pool.gpu.name}"
            return f"{what}{_batch(ask, more.nodes * more.node_gpus)}: {_as(option)}"
    return ""


def _batch(ask: Ask, count: int) -> str:
    """The batch that so many GPUs need, where it is not the one asked for."""
    asked = getattr(ask, "global_batch", None)
    grown = getattr(with_gpus(ask, count), "global_batch", None)
    return "" if grown == asked else f" with `global_batch: {grown} sequences`"


def _as(option: Option) -> str:
    account = option.account
    return (
        f"as {layout_text(option.layout)}, {account.upper_gib:.1f} of "
        f"{account.usable_low_gib:.1f} GiB per GPU"
    )


def least_gpus(ask: Ask, pool: PoolFacts) -> int | None:
    """The least count of GPUs in one node at which the workload fits: each up to twice the node, then bisection."""
    fits = fits_with(ask, pool)
    near = range(pool.node_gpus + 1, min(2 * pool.node_gpus, MOST_GPUS) + 1)
    first = next((n for n in near if fits(n)), None)
    if first is not None or near.stop > MOST_GPUS or not fits(MOST_GPUS):
        return first
    low, high = near.stop, MOST_GPUS
    while low < high:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle + 1
    return low


def fits_with(ask: Ask, pool: PoolFacts) -> Callable[[int], Option | None]:
    """The best option on that many of the pool's GPUs in one node, were there such a node."""

    def fits(count: int) -> Option | None:
        larger = replace(node_with(pool, count), name=pool.name)
        return best_option([consider_one(with_gpus(ask, count), larger)])

    return fits


def best_option(parts: Sequence[Considered]) -> Option | None:
    """The option with the fewest GPUs, then the fastest."""
    options = [o for c in parts for o in c.options]
    return min(options, key=lambda o: (o.gpus * o.replicas, -o.timing.rate_low), default=None)
