"""Load of a serving workload: request sizes, rates, latency targets, replicas."""

from __future__ import annotations

import math

from planner import catalog
from planner.options.asks import MeasuredRates, RequestSize
from planner.scenario.schema_workloads import (
    BatchWorkload,
    EmbeddingWorkload,
    InferenceWorkload,
    Serving,
)


def load_of(spec: Serving) -> dict[str, object]:
    """Context, request sizes and rate of the three serving kinds."""
    if isinstance(spec, InferenceWorkload):
        if spec.demand.sizes or spec.throughput.model_fields_set:
            return {**_service(spec), **_by_size(spec)}
        return _service(spec)
    if isinstance(spec, BatchWorkload):
        work = spec.demand
        context = spec.context or math.ceil(2 * (work.prompt + work.output) / 1024) * 1024
        return {
            "context": context,
            "prompt": float(work.prompt),
            "output": float(work.output),
            "rate": work.requests / float(spec.deadline),
        }
    assert isinstance(spec, EmbeddingWorkload)
    # One text of `context` tokens is one request with no output beyond its vector.
    return {
        "context": spec.context,
        "prompt": float(spec.context),
        "output": 1.0,
        "rate": spec.demand.tokens / spec.context / float(spec.deadline),
    }


def _service(spec: InferenceWorkload) -> dict[str, object]:
    """Load, latency targets and replicas of a service."""
    demand, stated = spec.demand, spec.demand.prompt is not None
    output = float(demand.output or 0) if stated else spec.context / 4
    return {
        "context": spec.context,
        "prompt": float(demand.prompt) if demand.prompt else spec.context - output,
        "output": output or 1.0,
        "sizes_stated": stated,
        "rate": float(demand.requests) if demand.requests else None,
        "concurrent": demand.concurrent,
        "ttft_s": float(spec.slo.ttft) if spec.slo.ttft else None,
        "tpot_s": float(spec.slo.tpot) if spec.slo.tpot else None,
        "percentile": float(spec.slo.percentile),
        "replicas_min": spec.replicas.min,
        "replicas_max": spec.replicas.max,
        "spare": spec.replicas.spare,
        "distinct_nodes": spec.replicas.distinct_nodes,
        "same_pool": spec.replicas.same_pool,
    }


def _by_size(spec: InferenceWorkload) -> dict[str, object]:
    """The histogram with its means, shares scaled to add up to 1, and the measured table."""
    bars, throughput = spec.demand.sizes, spec.throughput
    found: dict[str, object] = {
        "measured": tuple(
            MeasuredRates(catalog.gpu(row.gpu).id, row.gpus, tuple(float(r) for r in row.rates))
            for row in throughput.measured
        ),
        "whole_sizes": throughput.split == "none",
    }
    if bars:
        total = sum(b.share for b in bars)
        found |= {
            "sizes": tuple(RequestSize(b.prompt, b.output, float(b.share / total)) for b in bars),
            "prompt": float(sum(b.prompt * b.share for b in bars) / total),
            "output": float(sum(b.output * b.share for b in bars) / total),
            "sizes_stated": True,
        }
    return found
