"""Words for a finished plan: speed against what was asked, and what keeps each workload from being cheaper."""

from __future__ import annotations

from collections.abc import Sequence

from planner.options.asks import Ask, ServingAsk, TrainingAsk
from planner.options.describe import layout_text
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Option, Rejection
from planner.options.refusals import miss
from planner.plan import schema as plan
from planner.units import HOUR_S, duration


def with_words(
    question: Question,
    considered: ConsideredByWorkload,
    options: Sequence[Option],
    draft: plan.Plan,
) -> plan.Plan:
    """The plan with a speed line and a binding line for each workload that is served."""
    workloads = []
    for workload, ask in zip(draft.workloads, question.asks, strict=True):
        if not workload.served:
            workloads.append(workload)
            continue
        words = {
            "summary": _summary(ask, workload),
            "binding": _binding(ask, workload, considered),
        }
        workloads.append(workload.model_copy(update=words))
    return draft.model_copy(update={"workloads": tuple(workloads)})


def _summary(ask: Ask, workload: plan.PlanWorkload) -> str:
    parts = [_speed_words(ask, a) for a in workload.assignment]
    return "; ".join(dict.fromkeys(parts))


def _speed_words(ask: Ask, part: plan.Assignment) -> str:
    speed = part.speed
    sure = ", extrapolated" if speed.extrapolated else ""
    if isinstance(ask, TrainingAsk):
        wanted = f" of {duration(ask.deadline_s)}" if ask.deadline_s else ""
        hours = duration((speed.hours or 0.0) * HOUR_S)
        best = duration((speed.hours or 0.0) * speed.rate_low / speed.rate * HOUR_S)
        return (
            f"{hours}{wanted} at the low estimate ({best} at the best), {speed.rate:,.0f} tokens/s, "
            f"MFU {100 * (speed.mfu or 0):.0f} %; {speed.limit} limits{sure}"
        )
    assert isinstance(ask, ServingAsk)
    return _serving_words(ask, part) + f"; {speed.limit} limits{sure}"


def _serving_words(ask: ServingAsk, part: plan.Assignment) -> str:
    speed = part.speed
    copies = f"{part.replicas} x " if part.replicas > 1 else ""
    if ask.concurrent is not None:
        words = f"{copies}{speed.rate_low:,.0f} requests in flight of {ask.concurrent} asked"
    else:
        words = f"{copies}{speed.rate_low:.2f} requests/s of {ask.rate:.2f} asked"
    for name, have, want in (
        ("TTFT", speed.ttft_s, ask.ttft_s),
        ("TPOT", speed.tpot_s, ask.tpot_s),
    ):
        if have is not None and (want is not None or ask.kind == "inference"):
            limit = f" of {duration(want)}" if want is not None else ""
            words += f", {name} {duration(have)}{limit}"
    return words


def _binding(ask: Ask, workload: plan.PlanWorkload, considered: ConsideredByWorkload) -> str:
    """What would need fewer GPUs or be slower-but-cheaper, and the numbers that rule it out."""
    first = workload.assignment[0]
    pool = next(c for c in considered[ask.name] if c.pool == first.pool)
    fewer = [r for r in pool.rejections if 0 < r.layout.gpus < first.gpus // first.replicas]
    fewer = [r for r in fewer if r.need is not None and r.layout.weights == first.layout.weights]
    if fewer:
        near = max(fewer, key=lambda r: (r.layout.gpus, -miss(r)))
        return f"{_bound_word(near)}: {_gpu_words(near, first.gpu)} {near.message}"
    elsewhere = [
        (c.pool, r)
        for c in considered[ask.name]
        if c.pool != first.pool and not c.options
        for r in c.rejections
        if r.need is not None
    ]
    if elsewhere:
        name, near = min(elsewhere, key=lambda e: miss(e[1]))
        return (
            f"price binds: the smallest layout that fits `{first.pool}`; `{name}` is out: "
            f"{layout_text(near.layout)} {near.message}"
        )
    return f"price binds: {first.gpus // first.replicas} GPU layouts of `{first.pool}` are the cheapest that fit"


def _bound_word(rejection: Rejection) -> str:
    words = {
        "memory": "memory binds",
        "host-ram": "host RAM binds",
        "nvme": "NVMe binds",
        "deadline": "time binds",
        "latency": "latency binds",
        "interconnect": "interconnect binds",
    }
    return words.get(rejection.reason.value, f"{rejection.reason.value} binds")


def _gpu_words(rejection: Rejection, gpu: str) -> str:
    return f"{rejection.layout.gpus} x {gpu} ({layout_text(rejection.layout)})"
