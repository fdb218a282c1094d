"""Predict the rows of a training-speed file from their configuration."""

from __future__ import annotations

import re
from typing import Final, Literal, cast

from planner.accuracy.read import Skip
from planner.accuracy.speed_models import resolve_model
from planner.accuracy.speed_rows import (
    Estimate,
    Row,
    around,
    count,
    first_word,
    gpu_of,
    needed,
    node_link,
    number,
    text,
)
from planner.catalog.speed_records import training_data
from planner.speed.training import (
    Precision,
    TrainingSpeed,
    TrainingSpeedSetup,
    model_flops_per_token,
    peak_flops,
    training_speed,
)
from planner.speed.work import work_of

_PRECISIONS: Final[dict[str, Precision]] = {
    "": "bf16", "bf16": "bf16", "fp16": "fp16", "fp8": "fp8", "mxfp8": "fp8", "nvfp4": "fp4",
    "fp4": "fp4", "fp32": "fp32",
}  # fmt: skip
_SHARDED: Final = ("fsdp", "hsdp", "3")
_VIRTUAL: Final = re.compile(r"virtual pp (\d+)")
_RECOMPUTE: Final = ("none", "selective", "full")
_UNGUESSED: Final = 1.5
"""Interval of a model known by its size only, relative to a known one."""


def _setup(row: Row, framework: str) -> TrainingSpeedSetup:
    precision = _PRECISIONS.get(text(row, "precision").lower())
    if precision is None:
        raise Skip(f"precision {row.get('precision')} is not known")
    method = (text(row, "method") or "full").lower()
    if method not in ("full", "lora", "qlora"):
        raise Skip(f"method {method} is not known")
    recompute = text(row, "recompute") or "none"
    offload = text(row, "offload") or "none"
    virtual = _VIRTUAL.search(text(row, "note"))
    return TrainingSpeedSetup(
        method=cast(Literal["full", "lora", "qlora"], method),
        precision=precision,
        sequence=needed(row, "sequence"),
        recompute=cast(
            Literal["none", "selective", "full"],
            recompute if recompute in _RECOMPUTE else "none",
        ),
        framework=framework,
        offload_optimizer=_target(offload, "optimizer"),
        offload_parameters=_target(offload, "param"),
        offload_activations=_target(offload, "activation"),
        virtual_stages=int(virtual[1]) if virtual else 1,
    )


def _target(offload: str, what: str) -> Literal["none", "cpu", "nvme"]:
    if what not in offload:
        return "none"
    return "nvme" if "nvme" in offload else "cpu"


def _framework(row: Row) -> str:
    name = text(row, "framework").lower()
    data = training_data()
    for known in (name, first_word(name)):
        try:
            return data.stack(known).stack if known else "fsdp"
        except KeyError:
            continue
    raise Skip(f"framework {name} is not known")


def training_row(row: Row) -> tuple[TrainingSpeed, TrainingSpeedSetup, int]:
    """Speed of the whole run of a row, its setup, and its GPUs."""
    gpu = gpu_of(row)
    found = resolve_model(text(row, "model"), number(row, "params"))
    if found is None:
        raise Skip(f"model {text(row, 'model')} is not known")
    gpus = count(row, "gpus")
    tp, pp, cp, ep = (count(row, k) for k in ("tp", "pp", "cp", "ep"))
    # The GPU count wins over a stated dp, which some tables give per expert group.
    dp = max(gpus // (tp * pp * cp), 1)
    total = number(row, "global_batch")
    micro = number(row, "micro_batch")
    micro = micro or max((total or dp) / dp, 1.0)
    accumulation = max((total or micro * dp) / (micro * dp), 1.0)
    sharding = text(row, "zero").lower()
    stage = 3 if sharding in _SHARDED else int(number(row, "zero", 1.0) or 0)
    setup = _setup(row, _framework(row))
    speed = training_speed(
        found[0],
        gpu,
        node_link(row, gpu, text(row, "note")),
        setup,
        micro_batch=micro,
        tp=tp,
        pp=pp,
        dp=dp,
        cp=cp,
        ep=ep,
        zero=stage,
        accumulation=accumulation,
    )
    return speed, setup, tp * pp * cp * dp


def predict_training(row: Row) -> dict[str, Estimate]:
    """Tokens/s, TFLOPS and MFU per GPU of a row; raises Skip where the row does not suffice."""
    speed, setup, gpus = training_row(row)
    gpu = gpu_of(row)
    found = resolve_model(text(row, "model"), number(row, "params"))
    if found is None:
        raise Skip("model is not known")
    model, known = found
    work, stack = work_of(model), training_data().stack(setup.framework)
    # The log of high/low halves is the interval's half width, whatever its cause.
    ratio = float(speed.high / speed.tokens_per_s)
    spread = _log(ratio) * (1.0 if known else _UNGUESSED)
    tokens = around(
        float(speed.tokens_per_s) / gpus,
        spread,
        extrapolated=bool(speed.extrapolated) or not known,
        tag=speed.tag,
    )
    flops = float(model_flops_per_token(work, setup, recomputed=False))
    if stack.counts_full_attention:
        scores = 6.0 * work.attention_width * float(work.attended_causal(setup.sequence))
        flops += scores
    return {
        "tokens_per_s_per_gpu": tokens,
        "tflops_per_gpu": tokens.scaled(flops / 1e12),
        "mfu": tokens.scaled(flops / peak_flops(gpu, setup.precision)),
    }


def _log(ratio: float) -> float:
    import math

    return math.log(max(ratio, 1.0))
