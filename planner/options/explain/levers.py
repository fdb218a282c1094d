"""What a workload insists on, row by row: each can be lifted, and most can be loosened by steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from planner.options.asks import Ask, Degrees, ServingAsk, TrainingAsk, own_format
from planner.options.explain.changes import AskChange, Change, Search, put
from planner.units import DAY_S, HOUR_S

FORMATS = ("16bit", "fp8", "gptq-int4", "awq-int4")
"""Weight formats that serving engines load and users ask for first."""
LONGEST_DEADLINE_S = 4 * 365 * DAY_S
LOOSEST_SLO = 100
"""A latency objective is loosened up to so many times."""
MOST_GPUS = 64
SHORTEST_SEQUENCE = 512


@dataclass(frozen=True, slots=True)
class Lever:
    """One row of a workload that narrows what it may use."""

    kind: str
    path: str
    """Place below the workload, such as `slo.ttft`."""
    text: str
    """The row as the user would write it."""
    lift: AskChange
    lifted: str
    """What lifting it reads like as a change."""
    values: Sequence[int] = ()
    """Looser values, the tightest first; empty where it can only be lifted."""
    loosen: Callable[[Ask, int], Ask] | None = None
    say: Callable[[int], str] | None = None

    def search(self, workload: str) -> Search:
        """Its steps as changes; the lifted row itself where it has none."""
        loosen, say = self.loosen, self.say
        if not self.values or loosen is None or say is None:
            whole = Change(self.kind, self.lifted, workload, ask=self.lift)
            return Search(self.kind, workload, 1, lambda _: whole)

        def at(step: int) -> Change:
            value = self.values[step]
            return Change(self.kind, say(value), workload, ask=lambda a: loosen(a, value))

        return Search(self.kind, workload, len(self.values), at, at_most=self.lifted)


def levers(ask: Ask) -> list[Lever]:
    """All rows of a workload that can be lifted, in a fixed order: wishes before allow lists."""
    kinds = _serving(ask) if isinstance(ask, ServingAsk) else _training(ask)
    return [*_deadline(ask), *kinds, *_lists(ask)]


def _deadline(ask: Ask) -> Iterator[Lever]:
    now = ask.deadline_s
    if now is None:
        return
    step, unit = (DAY_S, "d") if now >= 3 * DAY_S else (HOUR_S, "h")
    # A batch's rate follows from its deadline, so lifting it means the longest one.
    lift = (lambda a: put(a, deadline_s=None)) if isinstance(ask, TrainingAsk) else (
        lambda a: _later(a, LONGEST_DEADLINE_S)
    )  # fmt: skip
    yield Lever(
        "deadline", "deadline", f"`deadline: {_number(now / step)} {unit}`", lift, "no `deadline`",
        range(math.floor(now / step) + 1, LONGEST_DEADLINE_S // step),
        lambda a, n: _later(a, n * step), lambda n: f"`deadline: {n} {unit}`",
    )  # fmt: skip


def _later(ask: Ask, seconds: float) -> Ask:
    if isinstance(ask, ServingAsk) and ask.rate and ask.deadline_s:
        return put(ask, deadline_s=float(seconds), rate=ask.rate * ask.deadline_s / seconds)
    return put(ask, deadline_s=float(seconds))


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _serving(ask: Ask) -> Iterator[Lever]:
    assert isinstance(ask, ServingAsk)
    for name in ("ttft", "tpot"):
        yield from _slo(ask, name)
    if ask.replicas_min > 1:
        yield Lever(
            "replicas", "replicas.min", f"`replicas: {{min: {ask.replicas_min}}}`",
            lambda a: put(a, replicas_min=1), "`replicas: {min: 1}`",
            range(ask.replicas_min - 1, 0, -1), lambda a, n: put(a, replicas_min=n),
            lambda n: f"`replicas: {{min: {n}}}`",
        )  # fmt: skip
    if ask.spare:
        yield Lever(
            "spare", "replicas.spare", f"`replicas: {{spare: {ask.spare}}}`",
            lambda a: put(a, spare=0), "`replicas: {spare: 0}`",
            range(ask.spare - 1, -1, -1), lambda a, n: put(a, spare=n),
            lambda n: f"`replicas: {{spare: {n}}}`",
        )  # fmt: skip
    if ask.replicas_max is not None:
        yield Lever(
            "replicas-max", "replicas.max", f"`replicas: {{max: {ask.replicas_max}}}`",
            lambda a: put(a, replicas_max=None), "no `replicas.max`",
        )  # fmt: skip
    yield from _context(ask)


def _slo(ask: ServingAsk, name: str) -> Iterator[Lever]:
    field = f"{name}_s"
    now = getattr(ask, field)
    if now is None:
        return
    yield Lever(
        "slo", f"slo.{name}", f"`{name}: {_latency(round(now * 1000))}`",
        lambda a: put(a, **{field: None}), f"no `{name}`",
        two_digits(round(now * 1000), LOOSEST_SLO),
        lambda a, ms: put(a, **{field: ms / 1000}), lambda ms: f"`{name}: {_latency(ms)}`",
    )  # fmt: skip


def _latency(ms: int) -> str:
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms} ms"


def two_digits(start: int, times: int) -> list[int]:
    """Numbers above `start` with two leading digits, up to `times` as much.

    >>> two_digits(98, 2)[:4], two_digits(60, 100)[-1]
    ([99, 100, 110, 120], 6000)
    """
    values = []
    value = start
    while value < start * times:
        step = 10 ** max(0, len(str(value)) - 2)
        value = (value // step + 1) * step
        values.append(value)
    return values


def _context(ask: ServingAsk) -> Iterator[Lever]:
    if ask.kind != "inference":
        return
    floor = math.ceil(ask.prompt + ask.output) if ask.sizes_stated else SHORTEST_SEQUENCE
    values = [*range((ask.context - 1) // 256 * 256, floor, -256), floor]
    if floor < ask.context:
        yield Lever(
            "context", "context", f"`context: {ask.context}`",
            lambda a: shorter_context(a, floor), f"`context: {floor}`",
            values, shorter_context, lambda n: f"`context: {n}`",
        )  # fmt: skip


def shorter_context(ask: Ask, context: int) -> Ask:
    """The ask with a shorter context; request sizes that were derived from it shrink with it."""
    assert isinstance(ask, ServingAsk)
    if ask.sizes_stated:
        return put(ask, context=context)
    return put(ask, context=context, output=context / 4, prompt=context - context / 4)


def _training(ask: Ask) -> Iterator[Lever]:
    assert isinstance(ask, TrainingAsk)
    if ask.recompute is not None:
        yield Lever(
            "recompute", "recompute", f"`recompute: {', '.join(ask.recompute)}`",
            lambda a: put(a, recompute=None), "`recompute: auto`",
        )  # fmt: skip
    if ask.micro_batch is not None:
        yield Lever(
            "micro-batch", "micro_batch", f"`micro_batch: {_listed(ask.micro_batch)}`",
            lambda a: put(a, micro_batch=None), "`micro_batch: auto`",
        )  # fmt: skip
    if ask.zero is not None:
        yield Lever(
            "zero", "zero", f"`zero: {_listed(ask.zero)}`",
            lambda a: put(a, zero=None), "`zero: auto`",
        )  # fmt: skip
    if ask.sharding is not None:
        yield Lever(
            "sharding", "sharding", f"`sharding: {_listed(ask.sharding)}`",
            lambda a: put(a, sharding=None), "`sharding: auto`",
        )  # fmt: skip
    halves = [s for k in range(1, 8) if (s := ask.sequence >> k) >= SHORTEST_SEQUENCE]
    if halves:
        yield Lever(
            "sequence", "sequence", f"`sequence: {ask.sequence}`",
            lambda a: shorter_sequence(a, halves[-1]), f"`sequence: {halves[-1]}`",
            halves, shorter_sequence, lambda n: f"`sequence: {n}`",
        )  # fmt: skip


def shorter_sequence(ask: Ask, sequence: int) -> Ask:
    """The ask with shorter sequences and as many more of them: the same tokens in a step."""
    assert isinstance(ask, TrainingAsk)
    return put(ask, sequence=sequence, global_batch=ask.global_batch * ask.sequence // sequence)


def _listed(values: Sequence[object]) -> str:
    return str(values[0]) if len(values) == 1 else "[" + ", ".join(map(str, values)) + "]"


def _lists(ask: Ask) -> Iterator[Lever]:
    """Allow lists, and engines, kernels or bandwidths insisted on."""
    if ask.floor is not None:
        floor = ask.floor
        yield Lever(
            "interconnect", "interconnect.min", f"`interconnect: {{min: {floor.min_gb_s:g} GB/s}}`",
            lambda a: put(a, floor=None), "no `interconnect`",
            range(math.ceil(floor.min_gb_s) - 1, 0, -1),
            lambda a, n: put(a, floor=replace(floor, min_gb_s=float(n))),
            lambda n: f"`interconnect: {{min: {n} GB/s}}`",
        )  # fmt: skip
    if ask.attention != "auto":
        yield Lever(
            "attention", "attention", f"`attention: {ask.attention}`",
            lambda a: put(a, attention="auto"), "`attention: auto`",
        )  # fmt: skip
    yield from _precision(ask)
    if isinstance(ask, ServingAsk) and ask.engine is not None:
        yield Lever(
            "engine", "engine", f"`engine: {ask.engine}`",
            lambda a: put(a, engine=None), "no `engine`",
        )  # fmt: skip
    if isinstance(ask, TrainingAsk) and ask.framework is not None:
        yield Lever(
            "framework", "framework", f"`framework: {ask.framework}`",
            lambda a: put(a, framework=None), "no `framework`",
        )  # fmt: skip
    if ask.degrees != Degrees():
        yield Lever(
            "parallel", "parallel", _degrees(ask.degrees),
            lambda a: put(a, degrees=Degrees()), "no `parallel`",
        )  # fmt: skip
    if ask.gpus_max is not None:
        yield Lever(
            "gpus", "gpus.max", f"`gpus: {{max: {ask.gpus_max}}}`",
            lambda a: put(a, gpus_max=None), "no `gpus.max`",
            range(ask.gpus_max + 1, MOST_GPUS + 1), lambda a, n: put(a, gpus_max=n),
            lambda n: f"`gpus: {{max: {n}}}`",
        )  # fmt: skip
    if not ask.spot:
        yield Lever(
            "spot", "spot", "`spot: false`", lambda a: put(a, spot=True), "`spot: true`",
        )  # fmt: skip
    if ask.pools is not None or ask.exclude_pools:
        key = "pools" if ask.pools is not None else "exclude_pools"
        names = ask.pools if ask.pools is not None else ask.exclude_pools
        yield Lever(
            "pools", key, f"`{key}: {_listed(names)}`",
            lambda a: put(a, pools=None, exclude_pools=()), f"no `{key}`",
        )  # fmt: skip


def _degrees(degrees: Degrees) -> str:
    names = ("tp", "pp", "dp", "ep", "cp")
    parts = [f"{n}: {_listed(v)}" for n in names if (v := getattr(degrees, n)) is not None]
    return f"`parallel: {{{', '.join(parts)}}}`"


def _precision(ask: Ask) -> Iterator[Lever]:
    assert isinstance(ask, ServingAsk | TrainingAsk)
    every = (*own_format(ask.model), *FORMATS) if isinstance(ask, ServingAsk) else ("16bit",)
    more = tuple(p for p in dict.fromkeys(every) if p not in ask.precision)
    if more:
        yield Lever(
            "precision", "precision", f"`precision: {_listed(ask.precision)}`",
            lambda a: put(a, precision=(*ask.precision, *more)), f"`precision: {_listed(more)}`",
        )  # fmt: skip
