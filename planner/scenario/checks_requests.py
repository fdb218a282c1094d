"""Contradictions in the load of a service: rates, request sizes, measured throughput."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from planner.catalog.lookup import AmbiguousRecord, UnknownRecord, resolve
from planner.diagnostics import Diagnostic
from planner.scenario.clash import clash
from planner.scenario.key_messages import missing_key
from planner.scenario.located import Located
from planner.scenario.paths import Step
from planner.scenario.schema_workloads import InferenceWorkload, ServiceDemand

SUM_TOLERANCE: Final = Fraction(1, 1000)
"""Shares of a histogram may miss 100 % by so much, as three times 33.3 % do; they are scaled then."""


def check_requests(
    spec: InferenceWorkload, steps: list[Step], root: Located
) -> Iterator[Diagnostic]:
    """Contradictions of `demand` and `throughput`."""
    demand, place = spec.demand, [*steps, "demand"]
    if demand.requests is not None and demand.concurrent is not None:
        yield clash(
            root, [*place, "concurrent"], "`demand` has both `requests` and `concurrent`",
            [*place, "requests"], help="keep the request rate, or the requests in flight",
        )  # fmt: skip
    if demand.requests is None and demand.concurrent is None:
        yield missing_key([*place, "requests"], root)
    if demand.sizes:
        yield from _histogram(demand, spec.context, place, root)
    elif demand.requests is not None:
        for key in ("prompt", "output"):
            if getattr(demand, key) is None:
                yield missing_key([*place, key], root)
    yield from _measured(spec, [*steps, "throughput", "measured"], place, root)


def _histogram(
    demand: ServiceDemand, context: int, place: list[Step], root: Located
) -> Iterator[Diagnostic]:
    sizes = [*place, "sizes"]
    for key in ("prompt", "output", "concurrent"):
        if getattr(demand, key) is not None:
            rate = "a histogram needs a request rate: `requests`" if key == "concurrent" else ""
            yield clash(
                root, [*place, key], f"`demand` has both `sizes` and `{key}`", sizes,
                help=rate or f"remove `{key}`, or `sizes`",
            )  # fmt: skip
    total = sum((b.share for b in demand.sizes), Fraction(0))
    if abs(total - 1) > SUM_TOLERANCE:
        last = demand.sizes[-1].share + 1 - total
        fix = f"with the others as they are, the last would be `{_percent(last)}`"
        yield clash(
            root, [*sizes, len(demand.sizes) - 1, "share"],
            f"the shares add up to {_percent(total)}, not to 100 %", help=fix if last > 0 else "lower some shares",
        )  # fmt: skip
    seen: dict[tuple[int, int], int] = {}
    for index, bucket in enumerate(demand.sizes):
        first = seen.setdefault((bucket.prompt, bucket.output), index)
        if first != index:
            yield clash(
                root, [*sizes, index], f"the size {bucket.prompt} + {bucket.output} is listed twice",
                [*sizes, first], help="keep one entry, with both shares added up",
            )  # fmt: skip
        if bucket.prompt + bucket.output > context:
            yield clash(
                root, [*sizes, index],
                f"a request of {bucket.prompt} + {bucket.output} tokens is longer than `context`",
                [*place[:-1], "context"], related=f"{context} tokens",
                help=f"write `context: {-(-(bucket.prompt + bucket.output) // 1024) * 1024}`, or a shorter size",
            )  # fmt: skip


def _percent(share: Fraction | int) -> str:
    return f"{float(100 * share):g} %"


def _measured(
    spec: InferenceWorkload, place: list[Step], demand: list[Step], root: Located
) -> Iterator[Diagnostic]:
    rows, sizes = spec.throughput.measured, max(1, len(spec.demand.sizes))
    if rows and spec.demand.concurrent is not None:
        yield clash(
            root, place, "measured rates need a demand in requests per second",
            [*demand, "concurrent"], help="write `requests: 5 /s` in `demand`, or remove `measured`",
        )  # fmt: skip
    seen: dict[tuple[str, int], int] = {}
    for index, row in enumerate(rows):
        where = [*place, index]
        if len(row.rates) != sizes:
            sized = bool(spec.demand.sizes)
            yield clash(
                root, [*where, "rates"],
                f"{_count(len(row.rates), 'rate')} for {_count(sizes, 'request size')}",
                [*demand, "sizes"] if sized else demand,
                help="list one rate for each entry of `demand.sizes`, in its order; `0 /s` where it can't be served"
                if sized
                else "list one rate, or give `demand.sizes`",
            )  # fmt: skip
        elif not any(row.rates):
            yield clash(
                root, [*where, "rates"], "a replica that serves nothing", help="remove the row"
            )
        key = (_gpu_id(row.gpu), row.gpus)
        if key in seen:
            yield clash(
                root, where, f"`{row.gpu}` with {_count(row.gpus, 'GPU')} is measured twice",
                [*place, seen[key]], help="keep one of the two rows",
            )  # fmt: skip
        seen.setdefault(key, index)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _gpu_id(name: str) -> str:
    """The catalog's name of a GPU; an unknown one is reported elsewhere."""
    try:
        return resolve("gpus", name).id
    except (AmbiguousRecord, UnknownRecord):
        return name
