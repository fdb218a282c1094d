"""Predict the figures of a training-memory case from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from planner.accuracy.cases import integer, known_gpu, model_of, text
from planner.accuracy.read import Config, Skip
from planner.accuracy.registry import Missing, Number, Prediction, Verdict
from planner.catalog.formats import UnknownFormat, weight_format
from planner.catalog.frameworks import (
    TrainingFramework,
    reported_framework,
    training_framework,
)
from planner.catalog.parameters import total_params
from planner.catalog.records import Gpu, Model
from planner.memory.envelope import WIDER
from planner.memory.lora import UnknownTarget, target_modules
from planner.memory.optimizer_states import UnknownOptimizer, optimizer
from planner.memory.overhead import Range
from planner.memory.setup import Kernel, Loss, Method, Recompute, Sharding, Target
from planner.memory.training import TrainingMemory, TrainingSetup, training_memory
from planner.units import GIB

_METHODS: Final = ("full", "lora", "dora", "qlora")
_FORMATS: Final = {"nf4": "nf4-plain", "nf4-double-quant": "nf4", "fp8": "bf16"}
"""Formats by the names of measurement files: plain nf4 has fp32 scales; fp8 training keeps 16-bit weights."""
_OFFLOAD: Final[dict[str, tuple[Target, Target, Target]]] = {
    "none": ("none", "none", "none"),
    "optimizer-cpu": ("cpu", "none", "none"),
    "optimizer-nvme": ("nvme", "none", "none"),
    "params-cpu": ("none", "cpu", "none"),
    "params-optimizer-cpu": ("cpu", "cpu", "none"),
    "optimizer-params-cpu": ("cpu", "cpu", "none"),
    "all-cpu": ("cpu", "cpu", "none"),
    "activations-cpu": ("none", "none", "cpu"),
    "cpu": ("cpu", "cpu", "none"),
    "nvme": ("nvme", "nvme", "none"),
}
"""What a record calls its offload: targets of optimizer, parameters and activations."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A configuration resolved against the catalog."""

    model: Model
    gpu: Gpu
    gpu_known: bool
    framework: TrainingFramework
    setup: TrainingSetup
    own_profile: bool
    sequence_known: bool
    micro_batch: int
    degrees: dict[str, int]


def _explicit(shape: Mapping[str, object], name: str, params: int | None) -> Model:
    """A model given by bare dimensions; its feed-forward block is the kind that matches its size."""

    def size(key: str, default: int = 0) -> int:
        value = shape.get(key)
        return int(value) if isinstance(value, int) else default

    heads = size("num_attention_heads", 1)
    candidates = [
        Model(
            id=name,
            sources=("dimensions of the record",),
            hidden_size=size("hidden_size"),
            intermediate_size=size("intermediate_size"),
            num_layers=size("num_hidden_layers"),
            num_attention_heads=heads,
            num_key_value_heads=size("num_key_value_heads", heads),
            head_dim=size("head_dim", size("hidden_size") // heads),
            vocab_size=size("vocab_size"),
            tie_word_embeddings=bool(shape.get("tie_word_embeddings")),
            gated_mlp=gated,
            norm="rms" if gated else "layernorm",
            max_position_embeddings=size("max_position_embeddings", 2048),
        )
        for gated in (True, False)
    ]
    if params is None:
        return candidates[0]
    return min(candidates, key=lambda m: abs(total_params(m) - params))


def _model(config: Config) -> Model:
    shape = config.get("architecture")
    if isinstance(shape, dict) and "model_type" not in shape:
        needed = ("hidden_size", "num_hidden_layers", "intermediate_size", "num_attention_heads")
        if all(k in shape for k in needed) and shape.get("vocab_size"):
            return _explicit(shape, text(config, "model") or "model", integer(config, "params"))
    return model_of(config)


def _framework(config: Config) -> tuple[TrainingFramework, bool]:
    """The profile of a case, and whether it is the framework's own.

    A framework nobody has measured is taken as plain PyTorch of its sharding, with doubled margins.
    """
    name = text(config, "framework")
    found = reported_framework(name) if name is not None else None
    if found is not None:
        return found, True
    if config.get("fsdp"):
        return training_framework("fsdp"), name is None
    plain = "deepspeed" if integer(config, "zero") else "transformers"
    return training_framework(plain), name is None


def _sharding(config: Config, dp: int, tp: int) -> Sharding:
    if config.get("fsdp"):
        return "fsdp"
    if integer(config, "zero"):
        return "zero"
    if tp > 1:
        return "tp"
    return "ddp" if dp > 1 else "none"


def _weights(config: Config, method: str) -> str:
    stated = text(config, "weights") or ("nf4" if method == "qlora" else "bf16")
    name = _FORMATS.get(stated, stated)
    try:
        weight_format(name)
    except UnknownFormat as error:
        raise Skip(f"weight format {stated} is not known") from error
    return name


def _setup(config: Config, framework: TrainingFramework, dp: int, tp: int) -> TrainingSetup:
    method = text(config, "method") or "full"
    if method not in _METHODS:
        raise Skip(f"method {method} is not modelled")
    offload = text(config, "offload") or "none"
    if offload not in _OFFLOAD:
        raise Skip(f"offload {offload} is not modelled")
    targets = text(config, "lora_targets") or "all-linear"
    optimizer_name = text(config, "optimizer") or "adamw"
    try:
        target_modules(targets)
        optimizer(optimizer_name, framework.memory.adamw_step)
    except (UnknownTarget, UnknownOptimizer) as error:
        raise Skip(str(error)) from error
    stated = (text(config, "framework") or "").lower()
    fused, chunked = "liger" in stated, "chunked" in stated
    loss: Loss = "fused" if fused else "chunked" if chunked else "auto"
    master = text(config, "master")
    half = master == "none" if master else not framework.memory.adapters_fp32
    optimizer_to, parameters_to, activations_to = _OFFLOAD[offload]
    return TrainingSetup(
        method=cast(Method, method),
        weights=_weights(config, method),
        master="none" if master == "none" else "fp32",
        optimizer=optimizer_name,
        sequence=integer(config, "sequence") or 1,
        recompute=cast(Recompute, text(config, "recompute") or "none"),
        attention=cast(Kernel, text(config, "attention") or "flash"),
        loss=loss,
        compiled="compile" in stated,
        lora_rank=integer(config, "lora_rank") or 16,
        lora_targets=targets,
        lora_dtype="16bit" if half else "fp32",
        precision="autocast" if _mixed_base(master, method, framework) else "auto",
        sharding=_sharding(config, dp, tp),
        offload_optimizer=optimizer_to,
        offload_parameters=parameters_to,
        offload_activations=activations_to,
        sequence_parallel=tp > 1 and framework.id in ("megatron", "torchtitan"),
    )


def _mixed_base(master: str | None, method: str, framework: TrainingFramework) -> bool:
    """Whether fp32 masters mean that the frozen base is fp32 as well."""
    return master == "fp32" and method != "full" and framework.memory.mixed_base


def _resolve(config: Config) -> _Read:
    model = _model(config)
    framework, own = _framework(config)
    gpu, known = known_gpu(config, model)
    tp, pp, cp, ep = (integer(config, k) or 1 for k in ("tp", "pp", "cp", "ep"))
    gpus = integer(config, "gpus") or 1
    dp = integer(config, "dp") or max(gpus // (tp * pp * cp), 1)
    setup = _setup(config, framework, dp, tp)
    micro_batch = integer(config, "micro_batch")
    if micro_batch is None:
        raise Skip("micro_batch is not stated")
    degrees = {
        "tp": tp, "pp": pp, "dp": dp, "cp": cp, "ep": ep, "zero": integer(config, "zero") or 0,
    }  # fmt: skip
    return _Read(
        model, gpu, known, framework, setup, own, integer(config, "sequence") is not None,
        micro_batch, degrees,
    )  # fmt: skip


def _number(value: Range, wider: float = 1.0) -> Number:
    best, high = float(value.best) / GIB, float(value.upper) / GIB
    high = best + wider * (high - best)
    return Number(best, max(2 * best - high, 0.0), high)


def _exact(value: object) -> Number:
    best = float(cast(float, value)) / GIB
    return Number(best, 0.99 * best, 1.01 * best)


def _peak(kind: str | None, memory: TrainingMemory, wider: float) -> Prediction:
    kinds = {
        "allocated": memory.allocated, "reserved": memory.reserved, "device": memory.device,
    }  # fmt: skip
    return _number(kinds.get(kind or "device", memory.device), wider)


def _outcome(read: _Read, memory: TrainingMemory) -> Prediction:
    if not read.gpu_known:
        return Missing("GPU is not stated")
    words: list[Literal["fits", "oom"]] = [
        "fits" if bool(memory.ledger.fits(risk)) else "oom" for risk in ("upper", "best")
    ]
    if not read.sequence_known and "fits" in words:
        return Missing("sequence is not stated")
    return Verdict(words[0], words[1])


def predict(config: Config) -> Mapping[str, Prediction]:
    """Figures of a training case; raises Skip with what is missing.

    Keys: peak_gib (of the kind that `peak_kind` names; device if none), parameters_gib, gradients_gib, optimizer_gib,
    activations_gib, host_gib, outcome.
    """
    read = _resolve(config)
    memory = training_memory(
        read.model, read.gpu, read.framework, read.setup, micro_batch=read.micro_batch,
        tp=read.degrees["tp"], pp=read.degrees["pp"], dp=read.degrees["dp"],
        cp=read.degrees["cp"], ep=read.degrees["ep"], zero=read.degrees["zero"],
    )  # fmt: skip
    wider = 1.0 if read.own_profile else WIDER
    figures: dict[str, Prediction] = {"outcome": _outcome(read, memory)}
    if not read.sequence_known:
        return figures
    figures["peak_gib"] = _peak(text(config, "peak_kind"), memory, wider)
    figures["host_gib"] = _number(memory.host_bytes, wider)
    for name in ("parameters", "gradients", "optimizer"):
        figures[f"{name}_gib"] = _exact(memory.between[name])
    kept = float(cast(float, memory.between["activations"])) / GIB
    figures["activations_gib"] = Number(kept, 0.93 * kept, 1.08 * kept)
    return figures
