"""All workloads on all pools: identical questions are answered once, and nothing vanishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.layout import Layout
from planner.options.asks import Ask, PoolFacts, ServingAsk, TrainingAsk
from planner.options.dominance import prune
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Considered, Found, Reason, Rejection
from planner.options.serving import serving_candidates
from planner.options.spot import not_allowed, on_spot_only
from planner.options.training import training_candidates

Cache = dict[tuple[Ask, PoolFacts], Found]
"""Answers to questions already asked; names and the size of pools play no part in them."""

MOST_NODES = 16
"""Most nodes of one replica that are tried."""
_NODE_SPANS = (range(2, 5), range(5, MOST_NODES + 1))
"""Numbers of nodes that are computed together; the fewest that do are taken."""
FABRIC_GBIT_S = 100.0
"""Least network of a node whose pool counts as one fabric; slower nodes, such as small cloud instances, stand alone."""


def candidates(ask: Ask, pools: Sequence[PoolFacts], *, detail: bool = False) -> list[Found]:
    """Options and rejections of one workload on each pool."""
    if isinstance(ask, ServingAsk):
        return serving_candidates(ask, pools, detail=detail)
    assert isinstance(ask, TrainingAsk)
    return training_candidates(ask, pools, detail=detail)


def consider(
    question: Question, *, detail: bool = False, cache: Cache | None = None
) -> ConsideredByWorkload:
    """What was considered, per workload and pool, in the scenario's order."""
    cache = {} if cache is None else cache
    pools = [supplier.facts for supplier in question.suppliers]
    return {
        ask.name: tuple(consider_pools(ask, pools, detail=detail, cache=cache))
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
    return consider_pools(ask, [pool], detail=detail, cache=cache)[0]


def consider_pools(
    ask: Ask, pools: Sequence[PoolFacts], *, detail: bool = False, cache: Cache | None = None
) -> list[Considered]:
    """One workload on each pool; all pools are computed together."""
    cache = {} if cache is None else cache
    excluded = [_excluded(ask, pool) for pool in pools]
    free = [pool for pool, refusal in zip(pools, excluded, strict=True) if refusal is None]
    # The name and the pool's size play no part in what fits: equal questions share one answer.
    bare = replace(ask, name="", pools=None, exclude_pools=(), spot=False)
    ones = [replace(pool, name="", max_nodes=1, interruption=None) for pool in free]
    single = _cached(bare, ones, detail=detail, cache=cache)
    found = [on_spot_only(ask, *pair) for pair in zip(free, single, strict=True)]
    more = _over_nodes(bare, free, ones, found, detail=detail, cache=cache)
    answers = (
        one.plus(on_spot_only(ask, pool, other))
        for pool, one, other in zip(free, found, more, strict=True)
    )
    return [
        _considered(ask, pool, next(answers), detail=detail)
        if refusal is None
        else Considered(ask.name, pool.name, rejections=(refusal,), rejected=1)
        for pool, refusal in zip(pools, excluded, strict=True)
    ]


def _considered(ask: Ask, pool: PoolFacts, found: Found, *, detail: bool) -> Considered:
    """The answer under its names; pairs of pruned options only where someone will look at them."""
    kept, pruned = prune(found.options, multiples=free_replicas(ask))
    names = (ask.name, pool.name)
    return Considered(
        ask.name,
        pool.name,
        tuple(option.named(*names) for option in kept),
        tuple((o.named(*names), by.named(*names)) for o, by in pruned) if detail else (),
        tuple(rejection.named(*names) for rejection in found.rejections),
        found.dominated + len(pruned),
        found.rejected,
    )


def _cached(ask: Ask, pools: Sequence[PoolFacts], *, detail: bool, cache: Cache) -> list[Found]:
    """Answers for all pools; those that ask the same share one."""
    fresh = [pool for pool in dict.fromkeys(pools) if (ask, pool) not in cache]
    if fresh:
        for pool, found in zip(fresh, candidates(ask, fresh, detail=detail), strict=True):
            cache[ask, pool] = found
    return [cache[ask, pool] for pool in pools]


def _offloads(layout: Layout) -> bool:
    moved = (layout.offload_optimizer, layout.offload_parameters, layout.offload_activations)
    return moved != ("none", "none", "none") or layout.offload_weights_gib > 0


def _over_nodes(
    ask: Ask,
    pools: Sequence[PoolFacts],
    ones: Sequence[PoolFacts],
    found: Sequence[Found],
    *,
    detail: bool,
    cache: Cache,
) -> list[Found]:
    """With replicas on whole nodes, as few as do: where no replica fits one node, or only by offloading."""
    more = [Found() for _ in pools]
    open_ = []
    for at, pool in enumerate(pools):
        if pool.max_nodes < 2 or not all(_offloads(o.layout) for o in found[at].options):
            continue
        if pool.link.network_gbit_s < FABRIC_GBIT_S:
            more[at] = Found(rejections=(_no_fabric(ask, ones[at]),), rejected=1)
        else:
            open_.append(at)
    for span in _NODE_SPANS:
        tried = [
            (at, nodes)
            for at in open_
            for nodes in span
            if nodes <= pools[at].max_nodes
            and (ask.gpus_max is None or nodes * pools[at].node_gpus <= ask.gpus_max)
        ]
        wider = [replace(ones[at], nodes=nodes) for at, nodes in tried]
        answers = _cached(ask, wider, detail=detail, cache=cache)
        for (at, _), one in zip(tried, answers, strict=True):
            if not more[at].options:
                rejected = more[at].rejected + one.rejected
                more[at] = Found(one.options, one.rejections, one.dominated, rejected)
        open_ = [at for at in open_ if not more[at].options]
    return more


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
