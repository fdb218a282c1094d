"""Words for a finished plan: speed against what was asked, and what keeps each workload from being cheaper."""

from __future__ import annotations

import math
from collections.abc import Sequence

from planner.options.alternatives import Alternative, alternatives, cheaper_on_spot
from planner.options.asks import Ask, ServingAsk, TrainingAsk
from planner.options.describe import layout_text
from planner.options.drives import with_drives
from planner.options.problem import DEMAND_UNITS, LOAD_UNITS
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Option, Reason, Rejection
from planner.options.refusals import miss, nearest_miss
from planner.options.tiers import UNLIMITED_NODES
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
    for number, (workload, ask) in enumerate(zip(draft.workloads, question.asks, strict=True)):
        if workload.served:
            words = {
                "summary": summary_words(ask, workload),
                "binding": _binding(question, draft, number, considered),
            }
            workload = workload.model_copy(update=words)
        workloads.append(workload)
    update = {"workloads": tuple(workloads), "slack": slack_words(question, draft)}
    return with_drives(draft.model_copy(update=update))


def slack_words(question: Question, draft: plan.Plan) -> tuple[str, ...]:
    """What is left of each pool in use, of the budget, and of power."""
    words = []
    for pool in draft.pools:
        facts = question.supplier(pool.pool).facts
        most = facts.max_gpus
        # Where an offer names no limit there is nothing that could run out.
        if pool.used_gpus and most - pool.used_gpus and facts.max_nodes < UNLIMITED_NODES:
            words.append(f"{most - pool.used_gpus:,} of {most:,} GPUs of `{pool.pool}`")
    for limit in question.limits:
        name = limit.name.rpartition(".")[2]
        if limit.kind == "cost" and draft.cost is not None:
            left = from_cents(limit.bound) - draft.cost.total
            words.append(f"{money(left)} of {money(from_cents(limit.bound))} of `{name}`")
        if limit.kind == "power":
            watts = limit.bound - sum(p.power_w for p in draft.pools)
            words.append(f"{watts / 1000:g} of {limit.bound / 1000:g} kW of `{name}`")
        if limit.kind == "racks":
            words.append(
                f"{limit.bound - sum(p.rack_units for p in draft.pools)} of {limit.bound} `{name}`"
            )
    return tuple(words)


def summary_words(ask: Ask, workload: plan.PlanWorkload) -> str:
    """Speed of each assignment against what was asked."""
    parts = workload.assignment
    if workload.routing and isinstance(ask, ServingAsk):
        return _busy_words(ask, workload)
    if len(parts) > 1 and isinstance(ask, ServingAsk):
        return _together_words(ask, parts)
    return "; ".join(dict.fromkeys(_speed_words(ask, a) for a in parts))


def _busy_words(ask: ServingAsk, workload: plan.PlanWorkload) -> str:
    """Requests shared out by size: how busy each kind of replica is, by what it was given."""
    parts = workload.assignment
    words = []
    for kind in dict.fromkeys(r.assignments for r in workload.routing):
        load = sum(r.load * r.parts / r.of for r in workload.routing if r.assignments == kind)
        replicas = sum(parts[at].replicas for at in kind)
        names = " and ".join(dict.fromkeys(_named(parts[at]) for at in kind))
        copies = f"{replicas} x " if replicas > 1 else ""
        words.append(
            (min(kind), f"{copies}{names} {100 * load / LOAD_UNITS / replicas:.0f} % busy")
        )
    each = ", ".join(text for _, text in sorted(words))
    source = ", as you measured" if ask.measured else ""
    return f"{ask.rate or 0.0:.2f} requests/s asked: {each}{source}" + _slowest_words(ask, parts)


def _named(part: plan.Assignment) -> str:
    return f"`{part.pool}`" + ("" if part.interruption is None else " spot")


def _together_words(ask: ServingAsk, parts: Sequence[plan.Assignment]) -> str:
    """All assignments of one service: their rates add up, the slowest latency counts."""
    total = sum(p.speed.rate_low * p.replicas for p in parts)
    digits = 0 if ask.concurrent else 2
    each = ", ".join(f"{_named(p)} {p.speed.rate_low * p.replicas:,.{digits}f}" for p in parts)
    if ask.concurrent is not None:
        words = f"{total:,.0f} requests in flight together, {ask.concurrent} asked: {each}"
    else:
        words = f"{total:.2f} requests/s together, {ask.rate or 0.0:.2f} asked: {each}"
    return words + _slowest_words(ask, parts)


def _slowest_words(ask: ServingAsk, parts: Sequence[plan.Assignment]) -> str:
    """The slowest latency of all assignments, and what limits them."""
    words = ""
    for name, wanted in (("ttft_s", ask.ttft_s), ("tpot_s", ask.tpot_s)):
        slowest = max((getattr(p.speed, name) or 0.0 for p in parts), default=0.0)
        if slowest and ask.kind == "inference":
            limit = f" of {duration(wanted)}" if wanted is not None else ""
            words += f", {name[:4].upper()} up to {duration(slowest)}{limit}"
    sure = ", extrapolated" if any(p.speed.extrapolated for p in parts) else ""
    limits = " and ".join(dict.fromkeys(p.speed.limit for p in parts))
    if not ask.measured:
        words += f"; {limits} limit{'s' if ' and ' not in limits else ''}{sure}"
    notes = dict.fromkeys([*map(_lost, parts), *(_only_at_best(ask, p) for p in parts)])
    return words + "".join(notes)


def _speed_words(ask: Ask, part: plan.Assignment) -> str:
    speed = part.speed
    sure = ", extrapolated" if speed.extrapolated else ""
    if isinstance(ask, TrainingAsk):
        wanted = f" of {duration(ask.deadline_s)} allowed" if ask.deadline_s else ""
        hours = duration((speed.hours or 0.0) * HOUR_S)
        best = duration((speed.hours or 0.0) * speed.rate_low / speed.rate * HOUR_S)
        turns = f"; in turn with `{part.turns_on}` on its GPUs" if part.turns_on else ""
        return (
            f"{hours}{wanted} (best estimate {best}), {speed.rate:,.0f} tokens/s, "
            f"MFU {100 * (speed.mfu or 0):.0f} %; {speed.limit} limits{sure}{turns}"
        ) + f"{_lost(part)}{_only_at_best(ask, part)}"
    assert isinstance(ask, ServingAsk)
    words = f"{_serving_words(ask, part)}; {speed.limit} limits{sure}"
    return f"{words}{_lost(part)}{_only_at_best(ask, part)}"


def _lost(part: plan.Assignment) -> str:
    if part.interruption is None:
        return ""
    return f"; {100 * part.interruption:g} % of the hours lost to interruptions counted"


def _only_at_best(ask: Ask, part: plan.Assignment) -> str:
    """A deadline or demand that is met at the best estimate and not at the low end is said to be so."""
    speed = part.speed
    if isinstance(ask, TrainingAsk):
        slowest = ask.tokens / speed.rate_low if speed.rate_low else math.inf
        if ask.deadline_s is None or slowest <= ask.deadline_s * (1 + 1e-9):
            return ""
        return f"; met only at the best estimate: {duration(slowest)} at the low end"
    assert isinstance(ask, ServingAsk)
    if ask.careful or ask.concurrent is not None or not ask.rate:
        return ""
    low = speed.rate_low * part.replicas
    if low >= ask.rate * part.units * part.replicas / DEMAND_UNITS:
        return ""
    return f"; met only at the best estimate: {low:.2f} requests/s at the low end"


def _serving_words(ask: ServingAsk, part: plan.Assignment) -> str:
    speed = part.speed
    copies = f"{part.replicas} x " if part.replicas > 1 else ""
    if ask.concurrent is not None:
        words = f"{copies}{speed.rate_low:,.0f} requests in flight, {ask.concurrent} asked"
    else:
        words = (
            f"{copies}{speed.rate_low:.2f} requests/s (best estimate {speed.rate:.2f}), "
            f"{ask.rate:.2f} asked"
        )
    for name, have, want in (
        ("TTFT", speed.ttft_s, ask.ttft_s),
        ("TPOT", speed.tpot_s, ask.tpot_s),
    ):
        if have is not None and ask.kind == "inference":
            limit = f" of {duration(want)}" if want is not None else ""
            words += f", {name} {duration(have)}{limit}"
    return words


def _binding(
    question: Question, draft: plan.Plan, number: int, considered: ConsideredByWorkload
) -> str:
    """What rules out fewer GPUs or a cheaper pool, with both numbers, and the next-cheapest option."""
    ask, wish = question.asks[number], question.wishes[number]
    parts = draft.workloads[number].assignment
    found = alternatives(question, ask, wish, considered)
    if draft.workloads[number].routing:
        return _one_kind(found, draft.workloads[number])
    if len(parts) > 1:
        return _mixed(found)
    if parts[0].turns_on:
        return f"runs in the breaks of `{parts[0].turns_on}`, on GPUs that are held anyway"
    own = [a for a in found if a.option.pool == parts[0].pool]
    if not own:
        return "stock binds: no other pool has room for it"
    here = own[0].cents
    words = []
    if found[0].cents < here:
        words.append(_taken(question, draft, found[0], here))
    else:
        near = _smaller_layout(ask, parts[0], considered) or _other_pool(ask, parts[0], considered)
        words += [_short(near, parts[0].pool)] if near is not None else []
    spot = cheaper_on_spot(question, ask, wish, considered, here)
    words += [f"with `spot: true`: {_priced(spot, here)}"] if spot else []
    following = next((a for a in found if a.cents >= here and a is not own[0]), None)
    if following is not None:
        lead = "next is" if words else "price binds: next is"
        words.append(f"{lead} {_priced(following, here)}")
    return "; ".join(words) or "nothing else fits"


def _mixed(found: list[Alternative]) -> str:
    """Replicas on several pools: what one pool alone would cost, by its own."""
    if not found:
        return "stock binds: no pool alone has room for all replicas"
    best = found[0]
    count = best.option.gpus * best.option.replicas
    layout = layout_text(best.option.layout, brief=True)
    return (
        f"price binds: on one pool alone it would be {count} GPUs of `{best.option.pool}` ({layout}) "
        f"at {money(from_cents(best.cents))}"
    )


def _taken(question: Question, draft: plan.Plan, other: Alternative, here: int) -> str:
    """A cheaper option that the whole plan does not take: its pool is full, or the others pay for it."""
    name = other.option.pool
    pool = next((p for p in draft.pools if p.pool == name), None)
    free = question.supplier(name).facts.max_gpus - (pool.used_gpus if pool else 0)
    if free < other.option.gpus * other.option.replicas:
        return f"stock binds: {_priced(other, here)}, but other workloads need `{name}` more"
    return f"{_priced(other, here)}, but the plan as a whole would cost more"


def _priced(other: Alternative, here: int) -> str:
    option = other.option
    count = option.gpus * option.replicas
    what = f"{count} GPU{'s' if count > 1 else ''} of `{option.pool}`"
    layout = layout_text(option.layout, brief=True)
    there, ours = money(from_cents(other.cents)), money(from_cents(here))
    if there == ours:
        return f"{what} ({layout}) at the same price"
    return f"{what} ({layout}) at {there} instead of {ours}"


def _short(near: Rejection, pool: str) -> str:
    """A layout with fewer GPUs, or on a cheaper pool, and what it lacks."""
    bound = _BOUND_WORDS.get(near.reason.value, near.reason.value)
    place = "" if near.pool == pool else f" on `{near.pool}`"
    count = near.layout.gpus
    gpus = f"{count} GPU{'s' if count > 1 else ''}"
    layout = layout_text(near.layout)
    if near.reason is Reason.MEMORY and near.short is not None:
        each = " each" if count > 1 else ""
        return (
            f"{bound} binds: {gpus}{place} ({layout}) lack{'s' if count == 1 else ''} "
            f"{near.short:.1f} GiB{each}: {near.need:.1f} needed, {near.have:.1f} usable"
        )
    return f"{bound} binds: {gpus}{place} ({layout}): {near.message}"


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
    """The nearest miss with fewer GPUs than any option of the chosen pool, in the chosen format."""
    pool = next(c for c in considered[ask.name] if c.pool == first.pool)
    sizes = [o.layout.gpus for o in pool.options if o.layout.weights == first.layout.weights]
    fewest = min(sizes, default=0)
    if fewest < first.layout.tp * first.layout.pp * first.layout.dp * first.layout.cp:
        return None
    fewer = [
        r
        for r in pool.rejections
        if r.layout.gpus < fewest
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
    return nearest_miss(misses)
