"""Which training layouts a framework can run: what it supports at all, then how the split must divide."""

from __future__ import annotations

from planner.catalog.frameworks import TrainingFramework
from planner.catalog.records import Model
from planner.legality import Illegal
from planner.legality import training_illegal as split_illegal
from planner.memory.setup import TrainingSetup


def training_illegal(
    framework: TrainingFramework,
    model: Model,
    setup: TrainingSetup,
    *,
    tp: int = 1,
    pp: int = 1,
    dp: int = 1,
    cp: int = 1,
    ep: int = 1,
    zero: int = 0,
) -> list[Illegal]:
    """Rules that a training layout breaks; empty: it is legal.

    >>> from planner.catalog import model
    >>> from planner.catalog.frameworks import training_framework
    >>> fsdp, setup = training_framework("fsdp"), TrainingSetup(sharding="fsdp")
    >>> [i.message for i in training_illegal(fsdp, model("llama-65b"), setup, pp=2, dp=2, zero=3)]
    ['PyTorch FSDP has no pipeline parallelism']
    """
    found = _unsupported(framework, setup, tp=tp, pp=pp, cp=cp, ep=ep, zero=zero)
    if setup.sharding == "layers":
        # Layers lie one after another on the GPUs, in any numbers.
        if pp > model.num_layers:
            text = f"{pp} GPUs for {model.num_layers} layers"
            found.append(Illegal("layers", text, model.num_layers, pp))
        return found
    return found + split_illegal(
        framework.id, model, tp=tp, pp=pp, cp=cp, dp=dp, ep=ep, zero=zero,
        interleave=setup.interleave, sequence=setup.sequence,
    )  # fmt: skip


def _unsupported(
    framework: TrainingFramework,
    setup: TrainingSetup,
    *,
    tp: int,
    pp: int,
    cp: int,
    ep: int,
    zero: int,
) -> list[Illegal]:
    has, name = framework.support, framework.name
    layers = setup.sharding == "layers"
    asked = (
        ("tensor", has.tensor, tp), ("pipeline", has.pipeline or layers, pp),
        ("context", has.context, cp), ("expert", has.expert, ep),
    )  # fmt: skip
    found = [
        Illegal("parallelism", f"{name} has no {word} parallelism", 1, degree)
        for word, there, degree in asked
        if degree > 1 and not there
    ]
    if setup.method not in has.methods:
        found.append(Illegal("parallelism", f"{name} does not train {setup.method}", 1, 0))
    if setup.sharding not in ("none", *has.sharding):
        found.append(Illegal("parallelism", f"{name} has no {setup.sharding} sharding", 1, 0))
    if zero and setup.sharding == "zero" and zero not in has.zero:
        found.append(
            Illegal("parallelism", f"{name} has no ZeRO stage {zero}", max(has.zero), zero)
        )
    if setup.quantized and setup.sharding in ("fsdp", "zero") and not has.quantized_sharding:
        found.append(Illegal("parallelism", f"{name} cannot shard a quantized base", 1, 0))
    found += _offload(framework, setup)
    return found


def _offload(framework: TrainingFramework, setup: TrainingSetup) -> list[Illegal]:
    has, name = framework.support, framework.name
    found = []
    targets = {
        "optimizer": setup.offload_optimizer,
        "parameters": setup.offload_parameters,
        "activations": setup.offload_activations,
    }
    for what, target in targets.items():
        if target == "none":
            continue
        if what not in has.offload:
            found.append(Illegal("parallelism", f"{name} does not offload {what}", 1, 0))
        elif target == "nvme" and not has.nvme:
            found.append(Illegal("parallelism", f"{name} does not offload to NVMe", 1, 0))
    return found
