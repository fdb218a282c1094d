"""One pass through a model on one GPU: what it asks for, and how long that takes.

A pass is a decode step or a prefill of some tokens. `Demand` holds bytes, FLOPs and collective seconds of one GPU;
`Rates` what that GPU achieves; `pass_seconds` joins them per operator: linear layers take a smooth maximum of
reading weights and computing, attention the same of reading KV and computing, the rest adds up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Number = float | Floats
_LEAST = 1e-15
"""Seconds below which nothing is told apart from no time at all."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What one pass asks of one GPU; every field may be an array over layouts."""

    dense_bytes: Number
    """Weights of attention, dense layers and head, read once."""
    dense_flops: Number
    expert_bytes: Number
    """Weights of the experts that the tokens of this pass choose."""
    expert_flops: Number
    kv_bytes: Number
    attention_flops: Number
    comm_s: Number
    layers: Number
    """Layers passed one after another (all stages of a pipeline)."""
    sequences: Number
    moe_layers: Number = 0.0
    host_bytes: Number = 0.0
    """Weights that come from host memory over the host link."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What one GPU achieves, in bytes/s, FLOP/s and seconds."""

    read: Number
    compute: Number
    expert_read: Number
    expert_compute: Number
    kv_read: Number
    attention: Number
    step_s: Number
    layer_s: Number
    sequence_s: Number
    sharpness: Number
    moe_layer_s: Number = 0.0
    host: Number = 1e12


def smooth_max(a: Number, b: Number, sharpness: Number) -> Floats:
    """(a^p + b^p)^(1/p): what overlaps imperfectly; never below the larger of the two.

    >>> round(float(smooth_max(3.0, 4.0, 2.0)), 6)
    5.0
    """
    top = np.maximum(a, b)
    if np.min(top, initial=np.inf) < _LEAST:
        top = np.maximum(top, _LEAST)
        scaled = (np.asarray(a) / top) ** sharpness + (np.asarray(b) / top) ** sharpness
    else:
        # The larger of the two is 1 in units of itself.
        scaled = 1.0 + (np.minimum(a, b) / top) ** sharpness
    result: Floats = top * scaled ** (1.0 / np.asarray(sharpness))
    return result


def pass_parts(demand: Demand, rates: Rates) -> dict[str, Floats]:
    """Seconds of one pass by operator: dense, experts, attention, comm, launch, host."""
    p = rates.sharpness
    return {
        "dense": smooth_max(demand.dense_bytes / rates.read, demand.dense_flops / rates.compute, p),
        "experts": smooth_max(
            demand.expert_bytes / rates.expert_read,
            demand.expert_flops / rates.expert_compute,
            p,
        )
        if np.any(demand.moe_layers)
        else np.zeros(()),
        "attention": smooth_max(
            demand.kv_bytes / rates.kv_read, demand.attention_flops / rates.attention, p
        ),
        "comm": np.asarray(demand.comm_s, np.float64),
        "launch": np.asarray(
            rates.step_s
            + rates.layer_s * demand.layers
            + rates.moe_layer_s * demand.moe_layers
            + rates.sequence_s * demand.sequences,
            np.float64,
        ),
        "host": np.asarray(demand.host_bytes / rates.host, np.float64),
    }


def pass_seconds(demand: Demand, rates: Rates) -> Floats:
    """Seconds of one pass: the sum over operators."""
    total: Floats = sum(pass_parts(demand, rates).values(), np.zeros(()))
    return total
