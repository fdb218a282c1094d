"""Memory of one inference replica: ledger, cache pool, sequences served, for one layout or arrays of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.catalog.engine_support import attention_kernel, sixteen_bit
from planner.catalog.engines import ServingEngine
from planner.catalog.formats import WeightFormat, weight_format
from planner.catalog.records import Gpu, Model
from planner.memory.grid import Grid, grid
from planner.memory.ledger import Ledger, Number
from planner.memory.serving_account import Account, is_extrapolated
from planner.memory.serving_layers import layers_account
from planner.memory.serving_parts import sequences_limit, step_tokens
from planner.memory.serving_pool import pool_account
from planner.memory.serving_setup import ServingSetup
from planner.memory.serving_static import static_account
from planner.memory.weights import checkpoint_bytes
from planner.units import MIB

__all__ = ["ServingMemory", "ServingSetup", "memory_class", "serving_memory"]

Flags = bool | NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ServingMemory:
    """What one replica needs and holds; each figure is a number or an array over the layouts."""

    ledger: Ledger
    """The fullest GPU when the cache holds ONE sequence of `context` tokens: what the engine checks at start-up."""
    runs: Flags
    """Whether the pool holds that sequence on every rank, at upper values."""
    runs_best: Flags
    """The same at best values."""
    kv_pool_bytes: Number
    """Bytes of cache on the tightest rank."""
    kv_pool_bytes_low: Number
    kv_pool_tokens: Number
    """Tokens of cache as the engine's log prints them; whole blocks."""
    kv_bytes_per_token: Number
    """Bytes that one token adds on the fullest rank, all layers counted."""
    sequences: Number
    """Sequences served at once: min(max_num_seqs, pool / mean sequence), at best values."""
    sequences_low: Number
    """The same at upper values and 95th-percentile sequences."""
    weight_bytes_total: Number
    """Weights over all GPUs of the replica, with padding and repeated tensors."""
    reported_total_bytes: Number
    """What logs and tables of this engine call the total of a GPU."""
    disk_bytes: int
    """Checkpoint on disk."""


def _format(model: Model, gpu: Gpu, engine: ServingEngine, setup: ServingSetup) -> WeightFormat:
    name = sixteen_bit(setup.weights, gpu)
    return weight_format(engine.memory.weights.formats.get(name, name))


def _account(
    model: Model, gpu: Gpu, engine: ServingEngine, setup: ServingSetup, fmt: WeightFormat, g: Grid
) -> Account:
    if engine.scheme == "pool":
        return pool_account(model, gpu, engine, setup, fmt, g)
    if engine.scheme == "layers":
        return layers_account(model, gpu, engine, setup, fmt, g)
    return static_account(model, gpu, engine, setup, fmt, g)


def memory_class(
    model: Model, gpu: Gpu, engine: ServingEngine, setup: ServingSetup
) -> tuple[str, int, int, bool, str, bool]:
    """All that an account takes from a GPU beside its memory size; GPUs of one class are accounted together."""
    pooled = engine.scheme == "pool"
    step = step_tokens(engine, gpu, setup.context, setup.max_batched_tokens)
    return (
        sixteen_bit(setup.weights, gpu),
        step if engine.scheme != "static" else 0,
        sequences_limit(engine, gpu, setup.max_num_seqs) if pooled else 0,
        model.moe is not None and gpu.capability < engine.memory.weights.expert_multiple_capability,
        attention_kernel(engine, setup.attention, gpu),
        is_extrapolated(engine, gpu, setup),
    )


def _totals(gpus: Sequence[Gpu], g: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    best = np.array([gpu.memory.cuda_total_mib * float(MIB) for gpu in gpus])
    low = np.array([gpu.memory.cuda_total_low_mib * float(MIB) for gpu in gpus])
    return best[g.device], low[g.device]


def serving_memory(
    model: Model,
    gpu: Gpu | Sequence[Gpu],
    engine: ServingEngine,
    setup: ServingSetup,
    *,
    device: Number = 0,
    tp: Number = 1,
    pp: Number = 1,
    ep: Number = 1,
    dp: Number = 1,
    nvlink: Number | np.bool_ | bool = True,
    tokens: Number | None = None,
) -> ServingMemory:
    """Memory of a replica of `model` on tp x pp x dp GPUs under an engine.

    pool = fraction x CUDA total - weights - non-torch - activation peak [- graphs]; it runs if the pool holds one
    sequence of `context` tokens in whole blocks on the tightest rank. Of several GPUs, all of one `memory_class`,
    `device` is each layout's. `tokens` are those of a mean sequence where they differ by layout, else the setup's.
    Layouts are not checked for legality here: see `planner.legality`.

    >>> from planner.catalog import gpu, model
    >>> from planner.catalog.engines import serving_engine
    >>> m = serving_memory(model("llama-65b"), gpu("v100-sxm2-32gb"), serving_engine("vllm"),
    ...     ServingSetup(weights="16bit", context=2048), tp=4)
    >>> round(m.ledger.usable / 2**30, 1), m.runs, m.runs_best
    (28.6, False, False)
    """
    g = grid(tp, pp, ep, dp, nvlink, device, setup.mean_tokens if tokens is None else tokens)
    if isinstance(gpu, Gpu):
        one = gpu
    else:
        one, g = gpu[0], replace(g, totals=_totals(gpu, g))
    fmt = _format(model, one, engine, setup)
    account = _account(model, one, engine, setup, fmt, g)
    if is_extrapolated(engine, one, setup):
        account = account.widened()
    return ServingMemory(
        ledger=account.ledger(g),
        runs=g.spread_flags(account.runs),
        runs_best=g.spread_flags(account.runs_best),
        kv_pool_bytes=g.spread(np.floor(account.pool)),
        kv_pool_bytes_low=g.spread(np.floor(account.pool_low)),
        kv_pool_tokens=g.spread(account.tokens),
        kv_bytes_per_token=g.spread(account.token_bytes),
        sequences=g.spread(account.sequences),
        sequences_low=g.spread(account.sequences_low),
        weight_bytes_total=g.spread(account.weights_total),
        reported_total_bytes=g.spread(account.reported),
        disk_bytes=checkpoint_bytes(model, fmt),
    )
