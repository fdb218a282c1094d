"""One model on given GPUs: what fits, how far it goes, and what it would take otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from planner.catalog.parameters import total_params
from planner.catalog.records import Model
from planner.options.asks import Ask, PoolFacts, ServingAsk, TrainingAsk
from planner.options.consider import consider_one
from planner.options.describe import layout_text
from planner.options.explain import explain_ask
from planner.options.explain.larger import larger
from planner.options.fit_names import refuse_unknown_names
from planner.options.fit_pool import model_named, pool_of
from planner.options.fit_wish import FitWish
from planner.options.plan_parts import plan_layout, plan_ledger, plan_speed
from planner.options.records import Considered, Option
from planner.plan.fit_schema import Fit, FitLayout, KindFit, Limit

LARGEST_CONTEXT = 2**21


def account_of(
    model: str | Model,
    gpus: str,
    wish: FitWish,
    nvlink: str | None = None,
    host_ram: str | None = None,
    *,
    rules: bool = False,
) -> Fit:
    """The account of one model on the GPUs of one node; raises FitError for what cannot be answered.

    Args:
        model: Name in the catalog, or a record.
        gpus: GPUs of one node, such as `4xv100-sxm2-32gb`, or a node type.
        wish: What is to be done with it.
        nvlink: NVLink per GPU, both directions; the GPU's own where None.
        host_ram: Host RAM of the node.
        rules: Whether well-known rules of thumb stand beside our figures.
    """
    record = model_named(model) if isinstance(model, str) else model
    pool = pool_of(gpus, nvlink, host_ram)
    refuse_unknown_names(wish)
    found = fit(wish.asks(record), pool, wish.assumed(record))
    if rules:
        from planner.options.fit_rules import with_rules

        return with_rules(found, record)
    return found


def fit(asks: list[Ask], pool: PoolFacts, assumed: dict[str, tuple[str, ...]] | None = None) -> Fit:
    """The account of each ask on the GPUs of one node."""
    gpu, model = pool.gpu, asks[0].model
    unverified = [f"{gpu.id}: {f}" for f in gpu.unverified_fields]
    unverified += [f"{model.id}: {f}" for f in model.unverified_fields]
    return Fit(
        model=model.id,
        parameters=total_params(model),
        gpu=gpu.id,
        gpus=pool.node_gpus,
        usable_gib=gpu.memory.cuda_total_mib / 1024,
        unverified=tuple(unverified),
        kinds=tuple(_kind(a, pool, (assumed or {}).get(a.kind, ())) for a in asks),
    )


def _kind(ask: Ask, pool: PoolFacts, assumed: tuple[str, ...]) -> KindFit:
    considered = consider_one(ask, pool)
    if not considered.options:
        more = larger(ask, pool)
        return KindFit(
            kind=ask.kind,
            verdict="does not fit",
            summary=_miss_words(considered),
            limits=tuple(_limits(ask, pool)),
            least_gpus=more.gpus,
            node_type=more.node_type,
            least_nodes=more.nodes,
            node_gpus=more.node_gpus or None,
            explanation=explain_ask(ask, [pool]),
            assumed=assumed,
        )
    options = sorted(considered.options, key=lambda o: (o.gpus, o.preference, -o.timing.rate_low))
    return KindFit(
        kind=ask.kind,
        verdict="fits",
        summary=_fit_words(options[0], pool),
        layouts=tuple(_layout(o, pool, ask) for o in options),
        limits=tuple(_limits(ask, pool)),
        least_gpus=options[0].gpus,
        assumed=assumed,
    )


def _layout(option: Option, pool: PoolFacts, ask: Ask) -> FitLayout:
    rate = ask.rate if isinstance(ask, ServingAsk) else None
    return FitLayout(
        gpus=option.gpus,
        layout=plan_layout(option.layout),
        ledger=plan_ledger(option.account),
        speed=plan_speed(option.timing),
        replicas_in_node=pool.node_gpus // option.gpus,
        replicas_asked=math.ceil(rate / option.timing.rate_low) if rate else None,
    )


def _fit_words(option: Option, pool: PoolFacts) -> str:
    account = option.account
    return (
        f"fits on {option.gpus} of {pool.node_gpus} GPUs as {layout_text(option.layout)}: "
        f"{account.total_gib:.1f} (at most {account.upper_gib:.1f}) of {account.usable_gib:.1f} GiB"
    )


def _miss_words(considered: Considered) -> str:
    from planner.options.refusals import miss

    near = min(considered.rejections, key=miss, default=None)
    return f"{layout_text(near.layout)}: {near.message}" if near else "no layout to try"


def _limits(ask: Ask, pool: PoolFacts) -> list[Limit]:
    """How far the sizes people turn first can go on these GPUs."""
    if isinstance(ask, ServingAsk):
        longest = _largest(
            lambda n: _fits(_with_context(ask, n), pool), min(LARGEST_CONTEXT, 2**21)
        )
        return [Limit(name="context", asked=ask.context, largest=longest)]
    assert isinstance(ask, TrainingAsk)
    longest = _largest(lambda n: _fits(replace(ask, sequence=n, deadline_s=None), pool), 2**20)
    biggest = _largest_batch(ask, pool)
    return [
        Limit(name="sequence", asked=ask.sequence, largest=longest),
        Limit(name="micro-batch", asked=1, largest=biggest),
    ]


def _with_context(ask: ServingAsk, context: int) -> ServingAsk:
    """Only the start-up check moves: no load, no latency objective."""
    small = min(ask.prompt, context / 2), min(ask.output, context / 2)
    return replace(
        ask, context=context, prompt=small[0], output=small[1], ttft_s=None, tpot_s=None, rate=None,
        concurrent=1,
    )  # fmt: skip


def _fits(ask: Ask, pool: PoolFacts) -> bool:
    return bool(consider_one(ask, pool).options)


def _largest(fits: Callable[[int], bool], top: int, step: int = 256) -> int:
    """The largest multiple of `step` up to `top` that fits, by bisection; 0 if none does."""
    low, high = 0, top // step
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle * step):
            low = middle
        else:
            high = middle - 1
    return low * step


def _largest_batch(ask: TrainingAsk, pool: PoolFacts) -> int:
    """The largest micro-batch (a power of two) that fits on any layout of these GPUs."""
    largest = 0
    for power in range(10):
        size = 2**power
        batch = size * pool.node_gpus
        trial = replace(ask, micro_batch=(size,), global_batch=batch, deadline_s=None)
        if not _fits(trial, pool):
            break
        largest = size
    return largest
