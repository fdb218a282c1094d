"""All workloads on all pools: identical questions are answered once, and nothing vanishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from planner.layout import Layout
from planner.options.asks import Ask, PoolFacts, ServingAsk, TrainingAsk, free_replicas
from planner.options.dominance import prune
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Considered, Found, Option, Reason, Rejection
from planner.options.serving import serving_candidates
from planner.options.spot import not_allowed, on_spot_only
from planner.options.training import training_candidates
from planner.options.works import work_through

Cache = dict[Ask, dict[PoolFacts, Found]]
"""Answers to questions already asked; names and the size of pools play no part in them."""

MOST_NODES = 16
"""Most nodes of one replica that are tried."""
_NODE_SPANS = (range(2, 5), range(5, MOST_NODES + 1))
"""Numbers of nodes that are computed together; the fewest that do are taken."""
FABRIC_GBIT_S = 100.0
"""Least network of a node whose pool counts as one fabric; slower nodes, such as small cloud instances, stand alone."""


Asked = Sequence[tuple[Ask, Sequence[PoolFacts]]]
"""Workloads, each with the pools it is asked about."""


def candidates(asked: Asked, *, detail: bool = False, fork: bool = False) -> list[list[Found]]:
    """Options and rejections of each workload on each of its pools; those alike are computed together.

    With `fork` a forked child may compute some of them.
    """
    serving = [(ask, pools) for ask, pools in asked if isinstance(ask, ServingAsk)]
    training = [(ask, pools) for ask, pools in asked if isinstance(ask, TrainingAsk)]
    batches = (
        serving_candidates(serving, detail=detail),
        training_candidates(training, detail=detail),
    )
    work_through(batches, fork=fork)
    served, trained = (iter(batch.answers()) for batch in batches)
    return [next(served if isinstance(ask, ServingAsk) else trained) for ask, _ in asked]


def consider(
    question: Question, *, detail: bool = False, cache: Cache | None = None, fork: bool = False
) -> ConsideredByWorkload:
    """What was considered, per workload and pool, in the scenario's order.

    With `fork` a forked child may compute some of it; it is the same either way.
    """
    pools = [supplier.facts for supplier in question.suppliers]
    found = _consider(
        question.asks, pools, detail=detail, cache={} if cache is None else cache, fork=fork
    )
    return {ask.name: parts for ask, parts in zip(question.asks, found, strict=True)}


def consider_one(
    ask: Ask,
    pool: PoolFacts,
    *,
    detail: bool = False,
    cache: Cache | None = None,
) -> Considered:
    """One workload on one pool, dominated options set apart."""
    cache = {} if cache is None else cache
    return _consider([ask], [pool], detail=detail, cache=cache)[0][0]


@dataclass(slots=True)
class _Progress:
    """One workload on all pools: what has been found so far."""

    ask: Ask
    bare: Ask
    """Without names: equal questions share one answer."""
    excluded: list[Rejection | None]
    free: list[PoolFacts]
    """Pools that are not excluded."""
    ones: list[PoolFacts]
    """The same without names and sizes, which play no part in what fits one node."""
    found: list[Found] = field(default_factory=list)
    """On one node of each."""
    more: list[Found] = field(default_factory=list)
    """On several."""
    open: list[int] = field(default_factory=list)
    """Pools on which more nodes are to be tried."""


def _consider(
    asks: Sequence[Ask],
    pools: Sequence[PoolFacts],
    *,
    detail: bool,
    cache: Cache,
    fork: bool = False,
) -> list[tuple[Considered, ...]]:
    """Each workload on each pool; all are computed together, first on one node, then on more."""
    bare = [replace(pool, name="", max_nodes=1) for pool in pools]
    progress = [_start(ask, pools, bare) for ask in asks]
    answer = partial(_answer, detail=detail, cache=cache, fork=fork)
    answer([(one.bare, one.ones) for one in progress])
    for one in progress:
        answers = cache[one.bare]
        one.found = [
            on_spot_only(one.ask, pool, answers[key])
            for pool, key in zip(one.free, one.ones, strict=True)
        ]
    _over_nodes(progress, answer, cache)
    return [_finished(one, pools, detail=detail) for one in progress]


def _start(ask: Ask, pools: Sequence[PoolFacts], bare: Sequence[PoolFacts]) -> _Progress:
    excluded = [_excluded(ask, pool) for pool in pools]
    free = [number for number, refusal in enumerate(excluded) if refusal is None]
    return _Progress(
        ask,
        replace(ask, name="", pools=None, exclude_pools=(), spot=False),
        excluded,
        [pools[number] for number in free],
        [bare[number] for number in free],
    )


def _finished(
    one: _Progress, pools: Sequence[PoolFacts], *, detail: bool
) -> tuple[Considered, ...]:
    """All that was found, under its names, pool by pool."""
    answers = (
        single.plus(on_spot_only(one.ask, pool, other))
        for pool, single, other in zip(one.free, one.found, one.more, strict=True)
    )
    return tuple(
        _considered(one.ask, pool, next(answers), detail=detail)
        if refusal is None
        else Considered(one.ask.name, pool.name, rejections=(refusal,), rejected=1)
        for pool, refusal in zip(pools, one.excluded, strict=True)
    )


def _considered(ask: Ask, pool: PoolFacts, found: Found, *, detail: bool) -> Considered:
    """The answer under its names; pairs of pruned options only where someone will look at them."""
    pruned: list[tuple[Option, Option]] = []
    kept: Sequence[Option] = found.options
    if not found.pruned:
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


def _answer(asked: Asked, *, detail: bool, cache: Cache, fork: bool) -> None:
    """Puts into the cache what it lacks, each question once."""
    fresh: dict[Ask, dict[PoolFacts, None]] = {}
    for ask, pools in asked:
        known = cache.setdefault(ask, {})
        lacking = [pool for pool in pools if pool not in known]
        if lacking:
            fresh.setdefault(ask, {}).update(dict.fromkeys(lacking))
    questions = [(ask, list(pools)) for ask, pools in fresh.items()]
    answers = candidates(questions, detail=detail, fork=fork)
    for (ask, pools), found in zip(questions, answers, strict=True):
        cache[ask].update(zip(pools, found, strict=True))


def _offloads(layout: Layout) -> bool:
    moved = (layout.offload_optimizer, layout.offload_parameters, layout.offload_activations)
    return moved != ("none", "none", "none") or layout.offload_weights_gib > 0


def _over_nodes(
    progress: Sequence[_Progress], answer: Callable[[Asked], None], cache: Cache
) -> None:
    """With replicas on whole nodes, as few as do: where no replica fits one node, or only by offloading."""
    for one in progress:
        one.more = [Found() for _ in one.free]
        for at, pool in enumerate(one.free):
            if pool.max_nodes < 2 or not all(_offloads(o.layout) for o in one.found[at].options):
                continue
            if pool.link.network_gbit_s < FABRIC_GBIT_S:
                one.more[at] = Found(rejections=(_no_fabric(one.bare, one.ones[at]),), rejected=1)
            else:
                one.open.append(at)
    for span in _NODE_SPANS:
        tried = [
            [(at, wide) for at in one.open for wide in _wider(one, at, span)] for one in progress
        ]
        asked = [
            (one.bare, [wide for _, wide in wider])
            for one, wider in zip(progress, tried, strict=True)
        ]
        answer(asked)
        for one, wider in zip(progress, tried, strict=True):
            _take(one, [(at, cache[one.bare][wide]) for at, wide in wider])


def _wider(one: _Progress, at: int, span: range) -> Iterator[PoolFacts]:
    """The pool with replicas on each number of nodes that it has and the workload may take."""
    pool, most = one.free[at], one.ask.gpus_max
    for nodes in span:
        if nodes <= pool.max_nodes and (most is None or nodes * pool.node_gpus <= most):
            yield replace(one.ones[at], nodes=nodes)


def _take(one: _Progress, answers: Sequence[tuple[int, Found]]) -> None:
    """Options on the fewest nodes that do; beyond, nothing more is tried."""
    for at, found in answers:
        known = one.more[at]
        if not known.options:
            rejected = known.rejected + found.rejected
            one.more[at] = replace(found, rejected=rejected)
    one.open = [at for at in one.open if not one.more[at].options]


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
