"""All workloads on all pools: identical questions are answered once, and nothing vanishes."""

from __future__ import annotations

from dataclasses import replace

from planner.layout import Layout
from planner.options.asks import Ask, PoolFacts, ServingAsk, TrainingAsk
from planner.options.dominance import prune
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Considered, Found, Reason, Rejection
from planner.options.serving import serving_candidates
from planner.options.training import training_candidates

_Key = tuple[Ask, PoolFacts]
Cache = dict[_Key, Found]
"""Answers to questions already asked; names and the size of pools play no part in them."""


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
    key = (replace(ask, name="", pools=None, exclude_pools=()), replace(pool, name="", max_nodes=1))
    found = cache.get(key) if cache is not None else None
    if found is None:
        found = candidates(key[0], key[1], detail=detail)
        if cache is not None:
            cache[key] = found
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
    else:
        return None
    return Rejection(ask.name, pool.name, Layout(), Reason.NOT_ALLOWED, text, bottleneck="user")
