"""Training layouts: what the user lists, capability of the GPU, legality of the split, the batch."""

from __future__ import annotations

from collections.abc import Iterator

from planner.catalog.frameworks import training_framework
from planner.legality_training import training_illegal
from planner.memory.training import attention_kernel
from planner.options.asks import TrainingAsk
from planner.verify.case import Part
from planner.verify.derive_training import memory_setup


def training_problems(part: Part) -> Iterator[str]:
    """Everything that keeps this training layout from running as the scenario asks."""
    ask = part.ask
    assert isinstance(ask, TrainingAsk)
    yield from _precision(part, ask)
    yield from _listed(part, ask)
    yield from _framework(part, ask)
    yield from _attention(part, ask)
    yield from _batch(part, ask)
    layout = part.layout
    broken = training_illegal(
        training_framework(layout.engine), ask.model, memory_setup(ask, layout),
        tp=layout.tp, pp=layout.pp, dp=layout.dp, cp=layout.cp, ep=layout.ep, zero=layout.zero,
    )  # fmt: skip
    yield from (f"illegal layout: {b.message}" for b in broken)


def arithmetic_types(part: Part, ask: TrainingAsk) -> tuple[str, ...]:
    """Types the matrix products may run in: `16bit` as the GPU has it, others by name."""
    gpu = part.facts.gpu
    return tuple(gpu.sixteen_bit if p == "16bit" else p for p in ask.precision)


def _precision(part: Part, ask: TrainingAsk) -> Iterator[str]:
    weights, gpu, listed = part.layout.weights, part.facts.gpu, arithmetic_types(part, ask)
    if ask.base is not None:
        if weights != ask.base:
            yield f"frozen base in {weights}, `base` is {ask.base}"
        computed = listed
    elif weights not in listed:
        yield f"trains in {weights}, `precision` lists {', '.join(ask.precision)}"
        return
    else:
        computed = (weights,)
    able = [t for t in computed if t not in ("bf16", "fp16") or gpu.has(t)]
    if not able:
        yield f"{gpu.id} has no {' or '.join(computed)}"
    elif able == ["fp16"] and not ask.model.fp16_ok:
        yield f"{ask.model.id} overflows in fp16, and {gpu.id} would run it so"


def _listed(part: Part, ask: TrainingAsk) -> Iterator[str]:
    """Categorical choices against the user's lists; no list allows any."""
    layout = part.layout
    lists: tuple[tuple[str, object, tuple[object, ...] | None], ...] = (
        ("zero", layout.zero, ask.zero),
        ("sharding", layout.sharding, ask.sharding),
        ("recompute", layout.recompute, ask.recompute),
        ("micro_batch", layout.micro_batch, ask.micro_batch),
        ("offload.optimizer", layout.offload_optimizer, ask.offload_optimizer),
        ("offload.parameters", layout.offload_parameters, ask.offload_parameters),
        ("offload.activations", layout.offload_activations, ask.offload_activations),
    )
    for name, have, wanted in lists:
        if wanted is not None and have not in wanted:
            yield f"{name} {have}, `{name}` lists {', '.join(map(str, wanted))}"
    if layout.offload_parameters != "none" and layout.zero != 3:
        yield f"parameters leave the GPU under ZeRO-3 only, this is stage {layout.zero}"
    sharded = layout.sharding in ("zero", "fsdp")
    if sharded != (layout.zero > 0):
        yield f"sharding {layout.sharding} with ZeRO stage {layout.zero}"


def _framework(part: Part, ask: TrainingAsk) -> Iterator[str]:
    """A framework the user names is the only one; otherwise any that can run the layout will do."""
    if ask.framework is None:
        return
    have, wanted = training_framework(part.layout.engine).id, training_framework(ask.framework).id
    if have != wanted:
        yield f"framework {have}, {wanted} is asked"


def _attention(part: Part, ask: TrainingAsk) -> Iterator[str]:
    choice = attention_kernel(part.facts.gpu, ask.attention)
    if choice.refused:
        yield choice.refused
    elif part.layout.attention != choice.kernel:
        yield f"attention kernel {part.layout.attention}, {choice.kernel} is what runs"


def _batch(part: Part, ask: TrainingAsk) -> Iterator[str]:
    layout = part.layout
    have = layout.micro_batch * layout.dp * layout.accumulation
    if have != ask.global_batch:
        yield (
            f"micro-batch {layout.micro_batch} x dp {layout.dp} x accumulation "
            f"{layout.accumulation} = {have} sequences, {ask.global_batch} asked"
        )
