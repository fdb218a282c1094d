"""Changes to what one workload asks that may give it a place: formats, methods, sizes, wishes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from planner.options.asks import Ask, ServingAsk, TrainingAsk, own_format
from planner.options.explain.changes import AskChange, Change, Search, put, single
from planner.options.explain.family import smaller_models
from planner.options.explain.levers import FORMATS, levers
from planner.options.records import Reason


def lifted_wishes(ask: Ask, reasons: Iterable[Reason]) -> Change | None:
    """Where capability rules out all: drop the kernel or type the user insists on."""
    if not set(reasons) <= {Reason.CAPABILITY, Reason.NOT_ALLOWED}:
        return None
    words = []
    if ask.attention != "auto":
        words.append("`attention: auto`")
    trains = isinstance(ask, TrainingAsk) and ask.precision != ("16bit",)
    if trains:
        words.append("`precision: 16bit`")
    if not words:
        return None

    def lift(a: Ask) -> Ask:
        a = replace(a, attention="auto")
        return replace(a, precision=("16bit",)) if isinstance(a, TrainingAsk) else a

    return Change("capability", " with ".join(words), ask.name, ask=lift)


def ask_searches(ask: Ask) -> Iterator[Search]:
    """Searches in the order people try them; each is tried alone."""
    rows = {"precision"} if isinstance(ask, ServingAsk) else set()
    if isinstance(ask, ServingAsk):
        yield from _formats(ask)
    for lever in levers(ask):
        if lever.kind not in rows:
            yield lever.search(ask.name)
    if isinstance(ask, TrainingAsk):
        yield from _methods(ask)
    family = smaller_models(ask.model)
    if family:

        def at(step: int) -> Change:
            model = family[step]
            return Change(
                "model", f"`model: {model.id}`", ask.name, ask=lambda a: replace(a, model=model)
            )

        yield Search("model", ask.name, len(family), at)


def after(first: Change, search: Search) -> Search:
    """The search on top of a change to the same workload."""

    def at(step: int) -> Change:
        change = search.at(step)
        before, then = first.ask, change.ask
        assert before is not None
        assert then is not None
        return replace(
            change, text=f"{first.text} and {change.text}", ask=lambda a: then(before(a))
        )

    return replace(search, at=at, at_most=f"{first.text} and {search.widest}")


def _formats(ask: ServingAsk) -> Iterator[Search]:
    for weights in dict.fromkeys((*own_format(ask.model), *FORMATS)):
        if weights == "16bit" and {"16bit", "bf16", "fp16", "fp32"} & set(ask.precision):
            continue
        if weights not in ask.precision:
            yield _one("precision", f"`precision: {weights}`", ask, _as_format(weights))
    if ask.kv == ("auto",) and ask.kind != "embedding":
        yield _one("kv", "`kv: fp8`", ask, lambda a: put(a, kv=("fp8",)))


def _as_format(weights: str) -> AskChange:
    return lambda a: put(a, precision=(weights,))


def _one(kind: str, text: str, ask: Ask, change: AskChange) -> Search:
    return single(Change(kind, text, ask.name, ask=change))


def _methods(ask: TrainingAsk) -> Iterator[Search]:
    """Offload, and adapters in place of full training."""
    if ask.kind == "full":
        if ask.offload_optimizer == ("none",):
            yield _one("offload", "`offload: {optimizer: cpu}`" + _deepspeed(ask), ask, _offloaded)
        yield _one("kind", "`kind: lora`", ask, lambda a: as_adapter(a, None))
    if ask.kind != "qlora":
        yield _one("kind", "`kind: qlora`", ask, lambda a: as_adapter(a, "nf4"))


def _deepspeed(ask: TrainingAsk) -> str:
    return "" if ask.framework == "deepspeed" else " with `framework: deepspeed`"


def _offloaded(ask: Ask) -> Ask:
    assert isinstance(ask, TrainingAsk)
    return replace(ask, framework="deepspeed", offload_optimizer=("cpu",), zero=(1, 2, 3))


def as_adapter(ask: Ask, base: str | None) -> TrainingAsk:
    """The same data and batch, training adapters with the usual defaults."""
    assert isinstance(ask, TrainingAsk)
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
