"""Doubtful facts behind a valid scenario: prices old or undated, catalog figures that no source confirms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from planner.diagnostics import Diagnostic, Label, Severity
from planner.scenario.located import Located
from planner.scenario.paths import Step, span_of
from planner.scenario.resolved import ResolvedPool, ResolvedWorkload
from planner.scenario.schema_supply import Buy, Rent

OLD_PRICE_DAYS: Final = 180
"""A price older than this is a warning."""
_MEMORY_FIELDS: Final = frozenset({"all", "memory.cuda_total_mib"})
_SHAPE_FIELDS: Final = frozenset({"all", "vocab_size"})


def price_doubts(pools: Sequence[ResolvedPool], root: Located, today: date) -> Iterator[Diagnostic]:
    """Prices older than `OLD_PRICE_DAYS`, and those without a date in a scenario that dates others."""
    undated: list[tuple[str, list[Step]]] = []
    dated = 0
    for name, steps, offer in _offers(pools):
        if offer.as_of is None:
            undated.append((name, [*steps, "price"]))
            continue
        dated += 1
        days = (today - offer.as_of).days
        if days > OLD_PRICE_DAYS:
            yield Diagnostic(
                "P401", Severity.WARNING, f"the price of `{name}` is {days} days old",
                span_of(root, [*steps, "as_of"]), label=f"older than {OLD_PRICE_DAYS} days",
                help=("ask for a new quote and change `price` and `as_of`",),
            )  # fmt: skip
    if undated and dated:
        names = dict.fromkeys(name for name, _ in undated)
        yield Diagnostic(
            "P412", Severity.WARNING,
            f"no date is given for the price of {', '.join(f'`{n}`' for n in names)}",
            span_of(root, undated[0][1]), label="from which day?",
            labels=tuple(Label(span, "and this") for _, s in undated[1:] if (span := span_of(root, s))),
            help=(f"add `as_of: {today.isoformat()}` or the day of the quote, as the other prices have",),
        )  # fmt: skip


def _offers(pools: Sequence[ResolvedPool]) -> Iterator[tuple[str, list[Step], Rent | Buy]]:
    for index, pool in enumerate(pools):
        kinds: tuple[tuple[str, Sequence[Rent | Buy]], ...] = (
            ("rent", pool.spec.rent), ("buy", pool.spec.buy),
        )  # fmt: skip
        for key, offers in kinds:
            for number, offer in enumerate(offers):
                yield pool.name, ["inventory", index, key, number], offer


def record_doubts(
    pools: Sequence[ResolvedPool], workloads: Sequence[ResolvedWorkload], root: Located
) -> Iterator[Diagnostic]:
    """Catalog figures a verdict hangs on that no public source confirms, each record once."""
    seen: set[str] = set()
    for index, pool in enumerate(pools):
        if pool.gpu.id not in seen and _MEMORY_FIELDS & set(pool.gpu.unverified_fields):
            seen.add(pool.gpu.id)
            key = "gpu" if pool.spec.gpu else "node"
            yield Diagnostic(
                "P402", Severity.WARNING, f"no public source confirms the memory of `{pool.gpu.id}`",
                span_of(root, ["inventory", index, key]), label="whether a model fits hangs on it",
                help=(f"see `planner catalog show {pool.gpu.id}`; near the limit, try it first",),
            )  # fmt: skip
    for index, workload in enumerate(workloads):
        model = workload.model
        if model.id not in seen and _SHAPE_FIELDS & set(model.unverified_fields):
            seen.add(model.id)
            yield Diagnostic(
                "P402", Severity.WARNING, f"no public source confirms the dimensions of `{model.id}`",
                span_of(root, ["workloads", index, "model"]), label="its memory is reckoned from them",
                help=("declare it under `models` with its config.json if you have it",),
            )  # fmt: skip
