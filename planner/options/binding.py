"""Words for a finished plan: speed against what was asked, and what keeps each workload from being cheaper."""

from __future__ import annotations

from planner.options.alternatives import Alternative, alternatives
from planner.options.asks import Ask, ServingAsk, TrainingAsk
from planner.options.build import Wish
from planner.options.describe import layout_text
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Option, Rejection
from planner.options.refusals import miss
from planner.plan import schema as plan
from planner.units import HOUR_S, duration, from_cents, money

_BOUND_WORDS = {
    "memory": "memory",
    "host-ram": "host RAM",
    "nvme": "NVMe",
    "deadline": "the deadline",
    "latency": "latency",
    "interconnect": "the interconnect",
}


def with_words(question: Question, considered: ConsideredByWorkload, draft: plan.Plan) -> plan.Plan:
    """The plan with a speed line and a binding line for each workload that is served."""
    workloads = []
    for workload, ask, wish in zip(draft.workloads, question.asks, question.wishes, strict=True):
        if workload.served:
            words = {
                "summary": summary_words(ask, workload),
                "binding": _binding(question, ask, wish, workload, considered),
            }
            workload = workload.model_copy(update=words)
        workloads.append(workload)
    return draft.model_copy(update={"workloads": tuple(workloads)})


def summary_words(ask: Ask, workload: plan.PlanWorkload) -> str:
    """Speed of each assignment against what was asked."""
    parts = [_speed_words(ask, a) for a in workload.assignment]
    return "; ".join(dict.fromkeys(parts))


def _speed_words(ask: Ask, part: plan.Assignment) -> str:
    speed = part.speed
    sure = ", extrapolated" if speed.extrapolated else ""
    if isinstance(ask, TrainingAsk):
        wanted = f" of {duration(ask.deadline_s)} allowed" if ask.deadline_s else ""
        hours = duration((speed.hours or 0.0) * HOUR_S)
        best = duration((speed.hours or 0.0) * speed.rate_low / speed.rate * HOUR_S)
        return (
            f"{hours}{wanted} (best estimate {best}), {speed.rate:,.0f} tokens/s, "
            f"MFU {100 * (speed.mfu or 0):.0f} %; {speed.limit} limits{sure}"
        )
    assert isinstance(ask, ServingAsk)
    limit = "as you measured" if ask.measured else f"{speed.limit} limits{sure}"
    return f"{_serving_words(ask, part)}; {limit}"


def _serving_words(ask: ServingAsk, part: plan.Assignment) -> str:
    speed = part.speed
    copies = f"{part.replicas} x " if part.replicas > 1 else ""
    if ask.concurrent is not None:
        words = f"{copies}{speed.rate_low:,.0f} requests in flight, {ask.concurrent} asked"
    else:
        best = "" if ask.measured else f" (best estimate {speed.rate:.2f})"
        mix = " of the mix it can serve" if ask.by_size else ""
        words = f"{copies}{speed.rate_low:.2f} requests/s{mix}{best}, {ask.rate:.2f} asked"
    for name, have, want in (
        ("TTFT", speed.ttft_s, ask.ttft_s),
        ("TPOT", speed.tpot_s, ask.tpot_s),
    ):
        if have is not None and ask.kind == "inference":
            limit = f" of {duration(want)}" if want is not None else ""
            words += f", {name} {duration(have)}{limit}"
    return words


def _binding(
    question: Question,
    ask: Ask,
    wish: Wish,
    workload: plan.PlanWorkload,
    considered: ConsideredByWorkload,
) -> str:
    """What rules out fewer GPUs or a cheaper pool, with both numbers, and the next-cheapest option."""
    first = workload.assignment[0]
    if workload.routing:
        return _one_kind(alternatives(question, ask, wish, considered), workload)
    near = _smaller_layout(ask, first, considered) or _other_pool(ask, first, considered)
    words = []
    if near is not None:
        bound = _BOUND_WORDS.get(near.reason.value, near.reason.value)
        place = "" if near.pool == first.pool else f" on `{near.pool}`"
        words.append(f"{bound} binds: {layout_text(near.layout)}{place} {near.message}")
    other = _next_cheapest(alternatives(question, ask, wish, considered), first)
    if other is not None:
        words.append(other)
    return "; ".join(words) or "the only option"


def _one_kind(found: list[Alternative], workload: plan.PlanWorkload) -> str:
    """What the workload would cost on one kind of replica alone."""
    whole = [a for a in found if all(load >= 0 for load in a.option.loads)]
    if not whole:
        return "no kind of replica serves all request sizes"
    option, here = whole[0].option, money(workload.cost)
    if len(workload.assignment) == 1 and option.pool == workload.assignment[0].pool:
        return f"no mix of GPU types is cheaper than {option.pool} alone"
    there = money(from_cents(whole[0].cents))
    return f"on one kind alone: {_what(option)} at {there} instead of {here}"


def _what(option: Option) -> str:
    count = option.gpus * option.replicas
    layout = layout_text(option.layout, brief=True)
    return f"{count} GPU{'s' if count > 1 else ''} of `{option.pool}` ({layout})"


def _smaller_layout(
    ask: Ask, first: plan.Assignment, considered: ConsideredByWorkload
) -> Rejection | None:
    """The nearest miss with fewer GPUs on the chosen pool and in the chosen format."""
    pool = next(c for c in considered[ask.name] if c.pool == first.pool)
    size = first.layout.tp * first.layout.pp * first.layout.dp * first.layout.cp
    fewer = [
        r
        for r in pool.rejections
        if r.layout.gpus < size
        and r.need is not None
        and r.unit
        and r.layout.weights == first.layout.weights
    ]
    return max(fewer, key=lambda r: (r.layout.gpus, -miss(r)), default=None)


def _other_pool(
    ask: Ask, first: plan.Assignment, considered: ConsideredByWorkload
) -> Rejection | None:
    """The nearest miss on a pool that offers no option at all."""
    misses = [
        r
        for c in considered[ask.name]
        if c.pool != first.pool and not c.options
        for r in c.rejections
        if r.need is not None and r.unit
    ]
    return min(misses, key=miss, default=None)


def _next_cheapest(found: list[Alternative], first: plan.Assignment) -> str | None:
    """The cheapest option on another pool, by its price when it stands alone."""
    own = [a for a in found if a.option.pool == first.pool]
    others = [a for a in found if a.option.pool != first.pool]
    if not own or not others:
        return None
    other = others[0]
    what = _what(other.option)
    there, here = money(from_cents(other.cents)), money(from_cents(own[0].cents))
    if other.cents < own[0].cents:
        return f"{what} would cost {there} instead of {here}, but other workloads need them more"
    return f"next: {what} at {there} instead of {here}"
