"""Serving layouts: formats and engine the user lists, capability of the GPU, legality of the split."""

from __future__ import annotations

from collections.abc import Iterator

from planner.catalog.engine_support import default_engine, sixteen_bit, support
from planner.catalog.engines import serving_engine
from planner.legality import serving_illegal
from planner.options.asks import ServingAsk
from planner.units import GIB
from planner.verify.case import Part


def serving_problems(part: Part) -> Iterator[str]:
    """Everything that keeps this serving layout from running as the scenario asks."""
    ask, layout, gpu = part.ask, part.layout, part.facts.gpu
    assert isinstance(ask, ServingAsk)
    formats = [sixteen_bit(name, gpu) for name in ask.precision]
    if layout.weights not in formats:
        yield f"weights in {layout.weights}, `precision` lists {', '.join(ask.precision)}"
        return
    caches = ["" if name == "auto" else name for name in ask.kv]
    if layout.kv not in caches:
        yield f"KV cache in {layout.kv or 'auto'}, `kv` lists {', '.join(ask.kv)}"
        return
    offloaded = ask.weight_offload_bytes / GIB
    if not abs(layout.offload_weights_gib - offloaded) <= 1e-6:
        yield f"{layout.offload_weights_gib} GiB of weights in host RAM, {offloaded} asked"
    yield from _engine(part, ask)
    yield from _runs(part, ask)
    broken = serving_illegal(
        serving_engine(layout.engine), ask.model, layout.weights,
        tp=layout.tp, pp=layout.pp, ep=layout.ep, dp=layout.dp,
    )  # fmt: skip
    yield from (f"illegal layout: {b.message}" for b in broken)


def _engine(part: Part, ask: ServingAsk) -> Iterator[str]:
    layout = part.layout
    if ask.engine is not None:
        wanted = serving_engine(ask.engine).id
    else:
        usual = default_engine(ask.model, layout.weights, part.facts.gpu, layout.kv or "auto")
        if usual is None:
            yield f"no engine runs {ask.model.id} in {layout.weights} on {part.facts.gpu.id}"
            return
        wanted = usual.id
    if layout.engine != wanted:
        yield f"engine {layout.engine}, {wanted} is {'asked' if ask.engine else 'the default'}"


def _runs(part: Part, ask: ServingAsk) -> Iterator[str]:
    layout = part.layout
    how = support(
        serving_engine(layout.engine), layout.weights, layout.kv or "auto", ask.attention,
        ask.model, part.facts.gpu,
    )  # fmt: skip
    if not how.runs:
        yield how.reason
    elif layout.attention != how.attention:
        yield f"attention kernel {layout.attention}, {how.attention} is what runs"
