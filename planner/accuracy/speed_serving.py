"""Predict the rows of a serving-speed file from their configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.accuracy.read import Skip
from planner.accuracy.speed_models import resolve_model
from planner.accuracy.speed_rows import (
    Estimate,
    Row,
    around,
    count,
    first_word,
    gpu_of,
    node_link,
    number,
    text,
)
from planner.catalog.formats import UnknownFormat
from planner.catalog.records import Gpu
from planner.catalog.speed_records import serving_data
from planner.speed.load import closed_loop, finite_run, saturated
from planner.speed.requests import split_of
from planner.speed.server import Server, build_server

_GIB: Final = 2**30
_MIB: Final = 2**20
_OFFERED: Final = re.compile(
    r"offered (\d+(?:\.\d+)?|INF) req/s(?:, (\d+) requests)?|(\d+) .*requests at (\d+)"
)
_STORED_AS: Final = {"int4": "int4-weight-only", "mxfp8": "fp8", "none": ""}
"""What tables call a format, where the catalog calls it otherwise."""
_KV: Final = re.compile(r"kv (fp8|bf16|fp16|int8)")
_DECODE_CONTEXT: Final = 64.0
"""Mean context of a decode test that states none: llama.cpp's tg128 starts from nothing."""
_OVERHEAD_GIB: Final = 3.0
"""Context, graphs and activations beside weights and KV cache."""
_POOL_SHARE: Final = 0.9
"""Share of the free memory that engines give to the KV cache."""
_UNGUESSED: Final = 1.5


@dataclass(frozen=True, slots=True)
class ServingCase:
    """A row as the speed model sees it."""

    server: Server
    metric: str
    prompt: float
    output: float
    concurrency: float
    offered: float
    """Requests per second of an open loop; infinite: all at once."""
    requests: float
    known: bool
    pool: float = float("inf")
    """Requests that the KV pool holds."""


def _precision(row: Row) -> tuple[str, str]:
    """Weight format and KV format of a row."""
    quantization = text(row, "quantization").lower()
    quantization = _STORED_AS.get(quantization, quantization)
    compute = text(row, "precision").lower()
    weights = quantization or (compute if compute in ("fp8", "nvfp4", "mxfp4") else "bf16")
    stated = _KV.search(text(row, "note"))
    if stated:
        return weights, stated[1]
    narrow = compute in ("fp8", "nvfp4", "fp4") and first_word(text(row, "engine")).startswith(
        "tensorrt"
    )
    return weights, "fp8" if narrow else "bf16"


def _engine(row: Row) -> str:
    name = text(row, "engine").lower()
    data = serving_data()
    for known in (name, " ".join(name.split(" ")[:2]), first_word(name)):
        try:
            return data.engine(known).engine
        except KeyError:
            continue
    raise Skip(f"engine {name or 'none'} is not known")


def pool_sequences(server: Server, gpu: Gpu, gpus: float, tokens: float) -> float:
    """Requests of `tokens` tokens that the KV pool of a replica holds: what is left beside the weights."""
    work, stored = server.work, server.stored
    weights = work.dense * stored.linear + work.head * 2.0 * stored.head
    weights += work.expert * work.experts * work.moe_layers * stored.expert
    split = server.split
    copies = float(split.dp) if not work.moe_layers else 1.0
    total = gpu.memory.cuda_total_mib * _MIB * gpus
    room = _POOL_SHARE * (total - weights * copies - _OVERHEAD_GIB * _GIB * gpus)
    spread = float(np.minimum(split.tp, work.kv_heads)) if work.kv_heads else 1.0
    per_token = work.kv_values * stored.kv * float(split.tp) / spread
    seen = float(work.attended(tokens))
    return max(room / (per_token * max(seen, 1.0)), 1.0)


def serving_case(row: Row) -> ServingCase:
    """Read a row; raises Skip where its configuration does not suffice."""
    gpu = gpu_of(row)
    found = resolve_model(text(row, "model"), number(row, "params"))
    if found is None:
        raise Skip(f"model {text(row, 'model')} is not known")
    model, known = found
    weights, kv = _precision(row)
    engine = _engine(row)
    gpus, tp, pp = (count(row, k) for k in ("gpus", "tp", "pp"))
    if serving_data().engine(engine).layer_split:
        # What such an engine calls a split over n GPUs, a table may list as tensor parallel.
        tp, pp = 1, max(gpus, tp * pp)
    dp = max(gpus // (tp * pp), 1)
    note = text(row, "note")
    if (text(row, "offload") or "none") not in ("none", ""):
        raise Skip("the share of offloaded weights is not stated")
    link, split = node_link(row, gpu, note), split_of(tp, pp, dp, count(row, "ep"))
    if "attention DP and EP may be on" in note and tp > 4 and not link.scale_up:
        # Over PCIe nobody would split the matrices where whole experts can be spread.
        split = split_of(1, pp, dp * tp, dp * tp)
    try:
        server = build_server(model, gpu, link, engine, split, weights=weights, kv=kv)
    except (KeyError, UnknownFormat) as problem:
        raise Skip(f"no efficiency for {weights}: {problem}") from problem
    prompt, output = number(row, "prompt"), number(row, "output")
    offered = _OFFERED.search(note)
    rate, requests = float("nan"), float("nan")
    if offered:
        stated = offered[1] or offered[4]
        rate = float("inf") if stated == "INF" else float(stated)
        requests = float(offered[2] or offered[3] or 500)
    metric = text(row, "metric")
    sizes = (prompt or 0.0, output or 0.0)
    load = number(row, "concurrency")
    pool = pool_sequences(server, gpu, gpus, max(sum(sizes), 1.0))
    if load is None and metric == "saturated":
        load = min(pool, server.engine.max_sequences * float(server.split.dp))
    return ServingCase(server, metric, *sizes, load or 1.0, rate, requests, known, pool)


def _figures(case: ServingCase) -> dict[str, float]:
    """Every figure the metric defines."""
    s, b, p, o = case.server, case.concurrency, case.prompt, case.output
    if case.metric == "decode":
        context = p + o / 2.0 if p > 0 else (o / 2.0 or _DECODE_CONTEXT)
        step = float(s.step_s(b, context))
        return {"tpot_ms": step * 1e3, "output_tokens_per_s": b / step}
    if p <= 0:
        raise Skip("prompt is not stated")
    if case.metric in ("prefill", "first-token"):
        first = float(s.prefill_s(p, b))
        return {"ttft_ms": first * 1e3, "prefill_tokens_per_s": b * p / first}
    if o <= 0:
        raise Skip("output is not stated")
    if case.metric in ("request", "static-batch"):
        total = float(s.prefill_s(p, b)) + (o - 1.0) * float(s.step_s(b, p + o / 2.0))
        return {"output_tokens_per_s": b * o / total}
    if case.metric == "saturated":
        rate = float(saturated(s, b, p, o))
        return {"output_tokens_per_s": rate * o, "requests_per_s": rate}
    if case.metric == "closed-loop":
        load = closed_loop(s, b, p, o)
        rate = float(load.requests_per_s)
        return {
            "ttft_ms": float(load.ttft_s) * 1e3,
            "tpot_ms": float(load.tpot_s) * 1e3,
            "output_tokens_per_s": rate * o,
            "requests_per_s": rate,
        }
    if case.metric == "open-loop" and case.requests > 0:
        run = finite_run(s, case.offered, int(case.requests), p, o, case.pool)
        return {
            "ttft_ms": run.ttft_s * 1e3,
            "tpot_ms": run.tpot_s * 1e3,
            "output_tokens_per_s": run.requests_per_s * o,
            "requests_per_s": run.requests_per_s,
        }
    raise Skip(f"metric {case.metric or 'none'} is not known")


def predict_serving(row: Row) -> dict[str, Estimate]:
    """Throughput, TTFT and TPOT of a row, as its metric defines them."""
    case = serving_case(row)
    server = case.server
    extrapolated = bool(server.extrapolated) or not case.known
    doubled = (2.0 if bool(server.extrapolated) else 1.0) * (1.0 if case.known else _UNGUESSED)
    engine = server.engine
    first = engine.ttft_spread if "loop" in case.metric else engine.prefill_spread
    alone = case.metric in ("prefill", "first-token")
    return {
        name: around(
            value,
            doubled * (first if alone or name == "ttft_ms" else float(server.spread)),
            extrapolated=extrapolated,
            tag=server.tag,
        )
        for name, value in _figures(case).items()
    }
