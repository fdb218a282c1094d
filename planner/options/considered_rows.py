"""Rows of `planner why`: chosen and fitting layouts by price, then the nearest misses."""

from __future__ import annotations

from collections.abc import Sequence

from planner.layout import Layout
from planner.options.alternatives import option_cents
from planner.options.asks import Ask
from planner.options.build import Wish
from planner.options.describe import layout_text
from planner.options.question import Question
from planner.options.records import Considered, Option, Rejection
from planner.options.refusals import miss
from planner.plan.why_schema import ConsideredRow, Verdict
from planner.units import HOUR_S, duration, from_cents

Chosen = frozenset[tuple[str, Layout]]
"""(pool, layout) of what the plan uses."""


def considered_rows(
    question: Question,
    ask: Ask,
    wish: Wish,
    parts: Sequence[Considered],
    chosen: Chosen,
    *,
    every: bool = False,
) -> list[ConsideredRow]:
    """All rows; unless `every`, rejections that differ in numbers only are folded, the nearest speaking."""
    fitting = [_option_row(question, ask, wish, o, chosen) for p in parts for o in p.options]
    fitting.sort(key=lambda r: (r.verdict != "chosen", r.cost is None, r.cost, r.gpus))
    beaten = [
        _option_row(question, ask, wish, o, chosen, better=b) for p in parts for o, b in p.pruned
    ]
    rejections = [r for p in parts for r in p.rejections]
    return [*fitting, *(beaten if every else []), *_rejected(question, rejections, every=every)]


def _gpu(question: Question, pool: str) -> str:
    return question.supplier(pool).facts.gpu.id


def _option_row(
    question: Question,
    ask: Ask,
    wish: Wish,
    option: Option,
    chosen: Chosen,
    *,
    better: Option | None = None,
) -> ConsideredRow:
    cents = option_cents(question, ask, wish, option)
    verdict: Verdict = "fits" if better is None else "dominated"
    if (option.pool, option.layout) in chosen:
        verdict = "chosen"
    account, timing = option.account, option.timing
    speed = f"{timing.rate_low:,.2f} {timing.unit}" if timing.step_s is None else (
        duration((timing.hours or 0.0) * HOUR_S)
    )  # fmt: skip
    text = f"{account.upper_gib:.1f} of {account.usable_low_gib:.1f} GiB, {speed}"
    if (unserved := sum(load < 0 for load in option.loads)) > 0:
        text += f", serves {len(option.loads) - unserved} of {len(option.loads)} request sizes"
    if better is not None:
        text += f"; {layout_text(better.layout)} does as much with no more"
    return ConsideredRow(
        pool=option.pool,
        gpu=_gpu(question, option.pool),
        gpus=option.gpus * option.replicas,
        layout=layout_text(option.layout),
        verdict=verdict,
        message=text,
        need=account.upper_gib,
        have=account.usable_low_gib,
        unit="GiB",
        cost=None if cents is None else from_cents(cents),
    )


def _rejected(
    question: Question, rejections: Sequence[Rejection], *, every: bool
) -> list[ConsideredRow]:
    groups: dict[tuple[object, ...], list[Rejection]] = {}
    for rejection in rejections:
        key: tuple[object, ...] = rejection.dedupe_key()
        groups.setdefault((*key, rejection.layout) if every else key, []).append(rejection)
    nearest = [(min(g, key=miss), len(g)) for g in groups.values()]
    nearest.sort(key=lambda n: (miss(n[0]), n[0].pool))
    return [
        ConsideredRow(
            pool=r.pool,
            gpu=_gpu(question, r.pool),
            gpus=r.layout.gpus,
            layout=layout_text(r.layout),
            verdict="rejected",
            reason=r.reason.value,
            message=r.message,
            need=r.need,
            have=r.have,
            unit=r.unit,
            count=count,
        )
        for r, count in nearest
    ]
