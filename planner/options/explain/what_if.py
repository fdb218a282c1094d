"""Changes to one workload or its GPUs, each tried by fitting again: those that work, and those that cannot."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from planner.options.asks import Ask, PoolFacts, ServingAsk, TrainingAsk
from planner.options.consider import consider_one
from planner.options.describe import layout_text
from planner.options.explain.family import smaller_models
from planner.options.records import Considered, Option, Reason, Rejection
from planner.options.refusals import miss
from planner.units import HOUR_S, duration

MOST_GPUS = 64
"""GPUs of one kind that a what-if tries in one node."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Changes that were confirmed to make it fit, and obvious ones that do not."""

    help: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Change:
    """One change: what the user would write, and the changed question."""

    text: str
    ask: Ask
    pools: tuple[PoolFacts, ...]


def outlook(ask: Ask, pools: tuple[PoolFacts, ...], rejections: Sequence[Rejection]) -> Outlook:
    """Try each change alone, on top of lifting what the GPUs cannot do at all."""
    base, lifted = _lift_wishes(ask, rejections)
    helps: list[str] = []
    notes: list[str] = []
    prefix = f"{lifted} and " if lifted else ""
    if lifted:
        text, works = _judge(_Change(lifted, base, pools))
        (helps if works else notes).append(text)
    for change in _changes(base, pools):
        text, works = _judge(replace(change, text=prefix + change.text))
        if works:
            helps.append(text)
        elif text:
            notes.append(text)
    more = _more_gpus(base, pools)
    if more:
        helps.append(prefix + more)
    return Outlook(tuple(helps), tuple(dict.fromkeys(notes)))


def _lift_wishes(ask: Ask, rejections: Sequence[Rejection]) -> tuple[Ask, str]:
    """Where capability rules out all, drop what the user insists on; say what was dropped."""
    reasons = {r.reason for r in rejections}
    if not reasons <= {Reason.CAPABILITY, Reason.NOT_ALLOWED}:
        return ask, ""
    words: list[str] = []
    if ask.attention != "auto":
        ask, words = replace(ask, attention="auto"), [*words, "`attention: auto`"]
    if isinstance(ask, TrainingAsk) and ask.precision != ("16bit",):
        ask, words = replace(ask, precision=("16bit",)), [*words, "`precision: 16bit`"]
    return ask, " with ".join(words)


def _judge(change: _Change) -> tuple[str, bool]:
    """What comes of a change: the layout it allows, or the number that rules it out."""
    parts = [consider_one(change.ask, p) for p in change.pools]
    best = _best(parts)
    if best is not None:
        return f"{change.text}: {_fit_words(best)}", True
    rejections = sorted((r for c in parts for r in c.rejections), key=miss)
    near = next((r for r in rejections if r.need is not None), None) or (
        rejections[0] if rejections else None
    )
    if near is None:
        return "", False
    what = "" if near.reason is Reason.CAPABILITY else f"{layout_text(near.layout)} "
    return f"{change.text} does not help: {what}{near.message}", False


def _best(parts: Sequence[Considered]) -> Option | None:
    """The option with the fewest GPUs, then the fastest."""
    options = [o for c in parts for o in c.options]
    return min(options, key=lambda o: (o.gpus * o.replicas, -o.timing.rate_low), default=None)


def _fit_words(option: Option) -> str:
    account = option.account
    text = (
        f"{option.gpus * option.replicas} GPUs of `{option.pool}` as {layout_text(option.layout)}, "
        f"{account.upper_gib:.1f} of {account.usable_low_gib:.1f} GiB per GPU"
    )
    if option.timing.hours is not None and option.layout.micro_batch:
        text += f", {duration(option.timing.hours * HOUR_S)}"
    return text


def _changes(ask: Ask, pools: tuple[PoolFacts, ...]) -> Iterator[_Change]:
    if isinstance(ask, ServingAsk):
        yield from _serving_changes(ask, pools)
    if isinstance(ask, TrainingAsk):
        yield from _training_changes(ask, pools)
    for model in smaller_models(ask.model):
        change = _Change(f"`model: {model.id}`", replace(ask, model=model), pools)
        if _best([consider_one(change.ask, p) for p in pools]) is not None:
            yield change
            return


def _serving_changes(ask: ServingAsk, pools: tuple[PoolFacts, ...]) -> Iterator[_Change]:
    for weights in ("fp8", "gptq-int4", "awq-int4"):
        if weights not in ask.precision:
            yield _Change(f"`precision: {weights}`", replace(ask, precision=(weights,)), pools)
    if ask.context > 512:
        shorter = max(512, ask.context // 4)
        smaller = replace(
            ask,
            context=shorter,
            prompt=min(ask.prompt, shorter / 2),
            output=min(ask.output, shorter / 2),
        )
        yield _Change(f"`context: {shorter}`", smaller, pools)
    if ask.ttft_s is not None or ask.tpot_s is not None:
        yield _Change("without `slo`", replace(ask, ttft_s=None, tpot_s=None), pools)


def _training_changes(ask: TrainingAsk, pools: tuple[PoolFacts, ...]) -> Iterator[_Change]:
    if ask.recompute is not None or ask.micro_batch is not None:
        free = replace(ask, recompute=None, micro_batch=None)
        yield _Change("`recompute: auto` and `micro_batch: auto`", free, pools)
    if ask.kind == "full":
        if ask.offload_optimizer == ("none",):
            framework = ask.framework or "deepspeed"
            offloaded = replace(
                ask, framework=framework, offload_optimizer=("cpu",), zero=(1, 2, 3)
            )
            yield _Change("`offload: {optimizer: cpu}` with DeepSpeed", offloaded, pools)
        yield _Change("`kind: lora`", _as_adapter(ask, None), pools)
    if ask.kind != "qlora":
        yield _Change("`kind: qlora`", _as_adapter(ask, "nf4"), pools)
    if ask.deadline_s is not None:
        yield _Change("without `deadline`", replace(ask, deadline_s=None), pools)
    if ask.sequence > 1024:
        half = replace(ask, sequence=ask.sequence // 2, global_batch=ask.global_batch * 2)
        yield _Change(f"`sequence: {ask.sequence // 2}`", half, pools)


def _as_adapter(ask: TrainingAsk, base: str | None) -> TrainingAsk:
    """The same data and batch, training adapters with the usual defaults."""
    return replace(
        ask,
        kind="qlora" if base else "lora",
        framework=None,
        base=base,
        optimizer="paged-adamw-8bit" if base else "adamw",
        zero=None,
        sharding=None,
        offload_optimizer=("none",),
        offload_parameters=("none",),
        offload_activations=("none",),
    )


def _more_gpus(ask: Ask, pools: tuple[PoolFacts, ...]) -> str:
    """The least count of a pool's GPUs in one node at which it fits, for the first pool where one does."""
    for pool in pools:
        fits = fits_with(ask, pool)
        first = next((n for n in range(pool.node_gpus + 1, MOST_GPUS + 1) if fits(n)), None)
        if first is not None:
            option = fits(first)
            assert option is not None
            batch = ""
            changed = with_gpus(ask, first)
            if (
                isinstance(changed, TrainingAsk)
                and isinstance(ask, TrainingAsk)
                and changed.global_batch != ask.global_batch
            ):
                batch = f" with `global_batch: {changed.global_batch} sequences`"
            return (
                f"{first} x {pool.gpu.name} in one node instead of {pool.node_gpus}{batch}: as "
                f"{layout_text(option.layout)}, {option.account.upper_gib:.1f} of "
                f"{option.account.usable_low_gib:.1f} GiB per GPU"
            )
    return ""


def with_gpus(ask: Ask, count: int) -> Ask:
    """The same ask on exactly `count` GPUs; a training batch grows to the next multiple of them."""
    exact = replace(ask, gpus_min=count, gpus_max=count)
    if isinstance(exact, TrainingAsk):
        exact = replace(exact, global_batch=math.ceil(exact.global_batch / count) * count)
    return exact


def fits_with(ask: Ask, pool: PoolFacts) -> Callable[[int], Option | None]:
    """The best option on that many of the pool's GPUs in one node, were there such a node."""

    def fits(count: int) -> Option | None:
        link = replace(pool.link, domain=max(pool.link.domain, count), gpus_per_node=count)
        host = None if pool.host_bytes is None else pool.host_bytes * count // pool.node_gpus
        larger = replace(pool, node_gpus=count, link=link, host_bytes=host)
        return _best([consider_one(with_gpus(ask, count), larger)])

    return fits
