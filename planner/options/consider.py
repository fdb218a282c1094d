"""All workloads on all pools: identical questions are answered once, and nothing vanishes."""

from __future__ import annotations

from dataclasses import replace

from planner.layout import Layout
from planner.options.asks import Ask, PoolFacts, ServingAsk, TrainingAsk
from planner.options.dominance import prune
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Considered, Found, Reason, Rejection
from planner.options.serving import serving_candidates
from planner.options.spot import not_allowed, on_spot_only
from planner.options.training import training_candidates

_Key = tuple[Ask, PoolFacts]
Cache = dict[_Key, Found]
"""Answers to questions already asked; names and the size of pools play no part in them."""

MOST_NODES = 16
"""Most nodes of one replica that are tried."""
FABRIC_GBIT_S = 100.0
"""Least network of a node whose pool counts as one fabric; slower nodes, such as small cloud instances, stand alone."""


def candidates(ask: Ask, pool: PoolFacts, *, detail: bool = False) -> Found:
    """Options and rejections of one workload on one pool."""
    if isinstance(ask, ServingAsk):
        return serving_candidates(ask, pool, detail=detail)
    assert isinstance(ask, TrainingAsk)
    return training_candidates(ask, pool, detail=detail)


def consider(
    question: Question, *, detail: bool = False, cache: Cache | None = None
) -> ConsideredByWorkload:
    """What was considered, per workload and pool, in the scenario's order."""
    cache = {} if cache is None else cache
    return {
        ask.name: tuple(
            consider_one(ask, supplier.facts, detail=detail, cache=cache)
            for supplier in question.suppliers
        )
        for ask in question.asks
    }


def consider_one(
    ask: Ask,
    pool: PoolFacts,
    *,
    detail: bool = False,
    cache: Cache | None = None,
) -> Considered:
    """One workload on one pool, dominated options set apart."""
    excluded = _excluded(ask, pool)
    if excluded is not None:
        return Considered(ask.name, pool.name, rejections=(excluded,), rejected=1)
    # The name and the pool's size play no part in what fits: equal questions share one answer.
    bare = replace(ask, name="", pools=None, exclude_pools=(), spot=False)
    one = replace(pool, name="", max_nodes=1, interruption=None)
    found = on_spot_only(ask, pool, _cached(bare, one, detail=detail, cache=cache))
    if all(_offloads(option.layout) for option in found.options):
        more = _over_nodes(bare, one, pool.max_nodes, detail=detail, cache=cache)
        found = found.plus(on_spot_only(ask, pool, more))
    options = tuple(replace(o, workload=ask.name, pool=pool.name) for o in found.options)
    kept, pruned = prune(options, multiples=free_replicas(ask))
    return Considered(
        ask.name,
        pool.name,
        tuple(kept),
        tuple(pruned),
        tuple(replace(r, workload=ask.name, pool=pool.name) for r in found.rejections),
        found.dominated + len(pruned),
        found.rejected,
    )


def _cached(ask: Ask, pool: PoolFacts, *, detail: bool, cache: Cache | None) -> Found:
    found = cache.get((ask, pool)) if cache is not None else None
    if found is None:
        found = candidates(ask, pool, detail=detail)
        if cache is not None:
            cache[ask, pool] = found
    return found


def _offloads(layout: Layout) -> bool:
    moved = (layout.offload_optimizer, layout.offload_parameters, layout.offload_activations)
    return moved != ("none", "none", "none") or layout.offload_weights_gib > 0


def _over_nodes(
    ask: Ask, pool: PoolFacts, max_nodes: int, *, detail: bool, cache: Cache | None
) -> Found:
    """Replicas on whole nodes, as few as do: where no replica fits one node, or only by offloading."""
    found = Found()
    if max_nodes < 2:
        return found
    if pool.link.network_gbit_s < FABRIC_GBIT_S:
        return Found(rejections=(_no_fabric(ask, pool),), rejected=1)
    for nodes in range(2, min(max_nodes, MOST_NODES) + 1):
        if ask.gpus_max is not None and nodes * pool.node_gpus > ask.gpus_max:
            break
        more = _cached(ask, replace(pool, nodes=nodes), detail=detail, cache=cache)
        found = Found(more.options, more.rejections, more.dominated, found.rejected + more.rejected)
        if more.options:
            break
    return found


def _no_fabric(ask: Ask, pool: PoolFacts) -> Rejection:
    """Why replicas over several nodes of the pool are not considered."""
    have = pool.link.network_gbit_s
    text = (
        f"a replica over several nodes needs a fabric of {FABRIC_GBIT_S:.0f} Gbit/s or more; the "
        f"nodes have {have:g} Gbit/s"
    )
    return Rejection(
        ask.name, pool.name, Layout(), Reason.INTERCONNECT, text,
        need=FABRIC_GBIT_S, have=have, unit="Gbit/s", bottleneck="network",
    )  # fmt: skip


def free_replicas(ask: Ask) -> bool:
    """Whether any number of replicas may stand anywhere in the pool, so that many small ones may beat a large one."""
    return (
        isinstance(ask, ServingAsk)
        and ask.replicas_max is None
        and ask.gpus_max is None
        and not ask.distinct_nodes
        and not ask.by_size
    )


def _excluded(ask: Ask, pool: PoolFacts) -> Rejection | None:
    """The user's allow and deny lists, and pools without a node to give."""
    if ask.pools is not None and pool.name not in ask.pools:
        text = f"`pools` of the workload lists {', '.join(ask.pools)} only"
    elif pool.name in ask.exclude_pools:
        text = "`exclude_pools` of the workload names it"
    elif pool.max_nodes == 0:
        text = "no node of the pool is available"
    elif pool.interruption is not None and not ask.spot:
        return not_allowed(ask, pool)
    else:
        return None
    return Rejection(ask.name, pool.name, Layout(), Reason.NOT_ALLOWED, text, bottleneck="user")
