"""Predict the figures of an inference-memory case from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.accuracy.cases import device_of, integer, known_gpu, model_of, number, text
from planner.accuracy.read import Config, Skip
from planner.accuracy.registry import Missing, Number, Prediction, Verdict
from planner.catalog.engines import ServingEngine, profile_for
from planner.catalog.formats import UnknownFormat
from planner.catalog.records import Gpu, Model
from planner.memory.serving import ServingMemory, ServingSetup, serving_memory
from planner.units import GIB

_SERVER_GIB: Final = 38.0
"""A card this large without a name is taken as one of an NVLink server."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A configuration resolved against the catalog."""

    model: Model
    gpu: Gpu
    gpu_known: bool
    engine: ServingEngine
    setup: ServingSetup
    tp: int
    pp: int
    dp: int
    ep: int
    nvlink: bool
    context_known: bool


def _engine(config: Config, gpu: Gpu) -> ServingEngine:
    name = text(config, "engine") or "vllm"
    found = profile_for(name, text(config, "engine_version") or "", gpu)
    if found is None:
        raise Skip(
            f"engine {name} {text(config, 'engine_version') or ''} has no profile for this GPU"
        )
    return found


def _degrees(config: Config, engine: ServingEngine) -> tuple[int, int, int, int]:
    gpus = integer(config, "gpus") or 1
    pp, dp, ep = (integer(config, k) or 1 for k in ("pp", "dp", "ep"))
    tp = integer(config, "tp")
    if tp is None and engine.parallelism.layer_split:
        return 1, max(pp, gpus), 1, 1
    return (tp or max(gpus // (pp * dp), 1)), pp, dp, ep


def _linked(gpu: Gpu, config: Config, group: int) -> bool:
    """Whether a group of GPUs shares NVLink or a like fabric: switched or meshed, not bridged pairs."""
    if text(config, "gpu") is None and device_of(config) is not None:
        return gpu.memory.cuda_total_mib / 1024 >= _SERVER_GIB
    if gpu.fabric is not None and gpu.fabric.domain:
        return gpu.fabric.domain >= group
    return gpu.nvlink.topology in ("nvswitch", "mesh") and gpu.nvlink.domain >= min(group, 8)


def _context(config: Config, model: Model, *, pool: bool) -> tuple[int, int | None, bool]:
    """Tokens of a sequence, of its prompt, and whether the case states them.

    Engines with a pool take the model's maximum when no context is set, and so does the prediction of their log; for
    others one token shows what cannot fit at any length.
    """
    prompt, output = integer(config, "prompt"), integer(config, "output")
    length = integer(config, "max_model_len")
    if length is not None:
        return length, prompt, True
    if prompt is not None or output is not None:
        return (prompt or 1) + (output or 0), prompt or 1, True
    return (model.served_context or model.max_position_embeddings) if pool else 1, None, False


def _read(config: Config) -> _Read:
    model = model_of(config)
    gpu, known = known_gpu(config, model)
    engine = _engine(config, gpu)
    tp, pp, dp, ep = _degrees(config, engine)
    context, prompt, stated = _context(config, model, pool=engine.scheme == "pool")
    setup = ServingSetup(
        weights=text(config, "weights") or "16bit",
        kv=text(config, "kv") or "auto",
        context=context,
        max_num_seqs=integer(config, "max_num_seqs"),
        max_batched_tokens=integer(config, "max_batched_tokens"),
        memory_fraction=number(config, "memory_fraction"),
        block_size=integer(config, "block_size"),
        eager=bool(config.get("eager")),
        batch=integer(config, "batch") or 1,
        prompt=prompt,
    )
    linked = _linked(gpu, config, tp * dp)
    return _Read(model, gpu, known, engine, setup, tp, pp, dp, ep, linked, stated)


def _component(memory: ServingMemory, name: str) -> Number | Missing:
    for part in memory.ledger.components:
        if part.name == name:
            return _around(float(part.best), float(part.upper))
    return Missing(f"{name} is no part of this engine's account")


def _around(best: float, upper: float) -> Number:
    return Number(best / GIB, max(2 * best - upper, 0.0) / GIB, upper / GIB)


def _verdict(memory: ServingMemory, *, upper: bool) -> str:
    runs = memory.runs if upper else memory.runs_best
    if bool(runs):
        return "fits"
    pool = memory.kv_pool_bytes_low if upper else memory.kv_pool_bytes
    return "kv_too_small" if float(np.asarray(pool)) > 0 else "oom"


def _pool_figures(read: _Read, memory: ServingMemory) -> dict[str, Prediction]:
    pool, low = float(np.asarray(memory.kv_pool_bytes)), float(np.asarray(memory.kv_pool_bytes_low))
    tokens = float(np.asarray(memory.kv_pool_tokens))
    ratio = low / pool if pool > 0 else 1.0
    return {
        "kv_gib": Number(pool / GIB, low / GIB, (2 * pool - low) / GIB),
        "kv_tokens": Number(tokens, tokens * ratio, tokens * (2 - ratio)),
    }


def _static_figures(read: _Read, memory: ServingMemory) -> dict[str, Prediction]:
    tokens = float(np.asarray(memory.kv_pool_tokens))
    return {"kv_gib": _component(memory, "kv_cache"), "kv_tokens": Number(tokens, tokens, tokens)}


def _total(memory: ServingMemory) -> Number:
    best = float(np.asarray(memory.reported_total_bytes))
    margin = float(np.asarray(memory.ledger.upper)) - float(np.asarray(memory.ledger.best))
    return _around(best, best + margin)


def predict(config: Config) -> Mapping[str, Prediction]:
    """All figures of a case by quantity, in GiB (tokens for `kv_tokens`).

    >>> case = {"model": "llama-3-70b", "gpu": "l40s", "gpus": 2, "tp": 2, "weights": "awq-int4", "engine": "vllm"}
    >>> round(predict(case)["weights_gib"].best, 1)
    18.5
    """
    try:
        read = _read(config)
        memory = serving_memory(
            read.model, read.gpu, read.engine, read.setup,
            tp=read.tp, pp=read.pp, ep=read.ep, dp=read.dp, nvlink=read.nvlink,
        )  # fmt: skip
    except UnknownFormat as error:
        raise Skip(str(error)) from error
    figures: dict[str, Prediction] = {"weights_gib": _component(memory, "weights")}
    figures["activation_gib"] = _component(memory, "activations")
    figures["non_torch_gib"] = _component(memory, "non_torch")
    figures["cuda_graph_gib"] = _graphs(read)
    pool = read.engine.scheme == "pool"
    figures |= (_pool_figures if pool else _static_figures)(read, memory)
    figures["total_gib"] = _total(memory)
    figures["outcome"] = Verdict(_verdict(memory, upper=True), _verdict(memory, upper=False))
    return _withhold(figures, read)


def _graphs(read: _Read) -> Number | Missing:
    from planner.memory.grid import grid
    from planner.memory.serving_parts import cuda_graphs

    if read.engine.memory.graphs is None:
        return Missing("this engine captures no graphs")
    g = grid(read.tp, read.pp, read.ep, read.dp, read.nvlink)
    span = cuda_graphs(read.engine, read.model, g, eager=read.setup.eager)
    return _around(float(span.best[0]), float(span.upper[0]))


def _withhold(figures: dict[str, Prediction], read: _Read) -> dict[str, Prediction]:
    """Replace figures that need a GPU, or lengths, by the reason where the case states none."""
    if not read.context_known and read.engine.scheme != "pool":
        silent = Missing("neither context nor prompt and output are stated")
        names = ["kv_gib", "kv_tokens", "activation_gib", "total_gib"]
        verdict = figures["outcome"]
        hopeless = isinstance(verdict, Verdict) and verdict.best != "fits" and read.gpu_known
        figures = figures | dict.fromkeys(names if hopeless else [*names, "outcome"], silent)
    if read.gpu_known:
        return figures
    reason = Missing("GPU and its total are not stated")
    needing = ["outcome"]
    if read.engine.scheme == "pool":
        needing += ["kv_gib", "kv_tokens", "total_gib"]
    return figures | dict.fromkeys(needing, reason)
