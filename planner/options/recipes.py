"""The ways to train that a workload allows: framework, sharding, ZeRO stage, recompute, offload."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from planner.layout import Offload, Recompute, Sharding
from planner.options.asks import TrainingAsk
from planner.speed.training import Precision


@dataclass(frozen=True, slots=True)
class Recipe:
    """One categorical choice; degrees of parallelism and micro-batch come on top as arrays."""

    preference: int
    framework: str
    weights: str
    """Type of the arithmetic, or format of a frozen quantized base."""
    precision: Precision
    """Type of the arithmetic."""
    sharding: Sharding
    zero: int
    recompute: Recompute
    offload_optimizer: Offload = "none"
    offload_parameters: Offload = "none"
    offload_activations: Offload = "none"

    @property
    def offloads(self) -> bool:
        """Whether anything leaves the GPU."""
        targets = (self.offload_optimizer, self.offload_parameters, self.offload_activations)
        return targets != ("none", "none", "none")


_STAGES: dict[str, tuple[int, ...]] = {"fsdp": (0, 3), "megatron": (0, 1)}
"""ZeRO stages of frameworks that do not have all; FSDP's full sharding counts as 3."""


def model_parallel(ask: TrainingAsk) -> bool:
    """Whether tp or pp above 1 is allowed by name: only then is a framework with them the default."""
    wanted = (ask.degrees.tp or ()) + (ask.degrees.pp or ())
    return any(n > 1 for n in wanted)


def framework_of(ask: TrainingAsk, sharding: str) -> str:
    """The framework named; else Megatron where tp or pp is asked for, FSDP for full training.

    Adapters: PEFT, and where the base is sharded FSDP, which for a quantized base is FSDP + QLoRA.
    """
    if ask.framework:
        return ask.framework
    if ask.kind != "full":
        shards = {"fsdp": "fsdp_qlora" if ask.base else "fsdp", "zero": "deepspeed"}
        return shards.get(sharding, "megatron" if sharding == "tp" else "peft")
    return "megatron" if model_parallel(ask) else "fsdp"


_ARITHMETIC: dict[str, Precision] = {"bf16": "bf16", "fp16": "fp16", "fp32": "fp32"}


def arithmetic_of(sixteen_bit: Precision, precision: str) -> Precision:
    """The type of the matrix products: `16bit` is the GPU's own 16-bit type."""
    return sixteen_bit if precision == "16bit" else _ARITHMETIC[precision]


def recipes(ask: TrainingAsk, sixteen_bit: Precision) -> Iterator[Recipe]:
    """All recipes on GPUs of this 16-bit type, preferred ones first; what can't run is refused later."""
    modes: tuple[Recompute, ...] = ask.recompute or ("none", "selective", "full")
    for preference, precision in enumerate(ask.precision):
        arithmetic = arithmetic_of(sixteen_bit, precision)
        for sharding, zero in _shardings(ask):
            framework = framework_of(ask, sharding)
            for recompute, optimizer, parameters, activations in product(
                modes, ask.offload_optimizer, ask.offload_parameters, ask.offload_activations
            ):
                if parameters != "none" and zero != 3:
                    continue
                yield Recipe(
                    preference,
                    framework,
                    ask.base or arithmetic,
                    arithmetic,
                    sharding,
                    zero,
                    recompute,
                    optimizer,
                    parameters,
                    activations,
                )


def _shardings(ask: TrainingAsk) -> list[tuple[Sharding, int]]:
    """(sharding, ZeRO stage) pairs within what the workload allows."""
    if ask.kind != "full":
        wanted: tuple[Sharding, ...] = ask.sharding or ("ddp", "fsdp", "layers")
        return [(s, 3 if s in ("fsdp", "zero") else 0) for s in wanted]
    framework = framework_of(ask, "")
    stages: tuple[int, ...] = ask.zero or _STAGES.get(framework, (0, 1, 2, 3))
    name: Sharding = "fsdp" if framework in ("fsdp", "torchtitan") else "zero"
    return [("ddp", 0) if stage == 0 else (name, stage) for stage in stages]
