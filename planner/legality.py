"""Which layouts an engine or framework can run at all, with both numbers of each rule that is broken.

An illegal layout is data, never an exception: each broken rule gives one `Illegal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner.catalog.engines import ServingEngine
from planner.catalog.formats import WeightFormat, weight_format
from planner.catalog.records import Model

Code = Literal[
    "heads", "kv_heads", "ffn", "group", "block", "experts", "layers", "stages", "parallelism",
    "encoder", "vocab", "zero_pipeline", "interleave", "batch", "gpus",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Illegal:
    """One broken rule of a layout."""

    code: Code
    message: str
    need: float
    """What the rule asks for: the number to be divided, the most allowed."""
    have: float
    """What the layout asks."""


def _divides(code: Code, what: str, total: int, parts: int) -> list[Illegal]:
    if total % parts == 0:
        return []
    return [Illegal(code, f"{total} {what} do not divide by {parts}", total, parts)]


def _kv_heads(model: Model, tp: int) -> list[Illegal]:
    heads = model.num_key_value_heads
    if model.mla is not None or heads % tp == 0 or tp % heads == 0:
        return []
    text = f"{heads} key-value heads neither divide by {tp} nor are repeated evenly over {tp}"
    return [Illegal("kv_heads", text, heads, tp)]


def _row_inputs(model: Model) -> dict[str, int]:
    """Inputs of the matrices that tensor parallelism cuts along their inputs."""
    inputs = {"attention output": model.num_attention_heads * model.head_dim}
    if model.mla is not None:
        inputs["attention output"] = model.num_attention_heads * model.mla.v_head_dim
    moe = model.moe
    if moe is None or moe.first_dense_layers or moe.every > 1:
        inputs["feed-forward"] = model.intermediate_size
    if moe is not None and moe.shared_experts:
        inputs["shared expert"] = moe.shared_experts * moe.moe_intermediate_size
    return inputs


def _groups(model: Model, fmt: WeightFormat, tp: int, expert_slices: int) -> list[Illegal]:
    """Group scales of row-parallel matrices must not be cut; both dimensions of block-scaled ones."""
    unit = fmt.block or fmt.group
    if not unit or fmt.scope == "gguf":
        return []
    found = []
    code: Code = "block" if fmt.block else "group"
    inputs = dict(_row_inputs(model)) if fmt.scope == "linear" else {}
    sizes = [(name, size, tp) for name, size in inputs.items()]
    if not fmt.latent_attention and model.mla is not None:
        sizes = [s for s in sizes if s[0] != "attention output"]
    if model.moe is not None and expert_slices > 1 and fmt.scope == "linear":
        sizes.append(("expert", model.moe.moe_intermediate_size, expert_slices))
    for name, size, parts in sizes:
        if size % parts == 0 and (size // parts) % unit and parts > 1:
            text = f"{name} width {size} / {parts} = {size // parts} cuts {fmt.name}'s {code}s of {unit}"
            found.append(Illegal(code, text, unit, size // parts))
    return found


def _block_format(model: Model, fmt: WeightFormat) -> WeightFormat:
    """Native fp8 checkpoints of mixtures of experts are block-scaled."""
    if fmt.name == "fp8" and model.native_dtype == "fp8":
        return weight_format("fp8-block")
    return fmt


def _feed_forward(model: Model, tp: int, expert_slices: int) -> list[Illegal]:
    moe = model.moe
    found = []
    if moe is None or moe.first_dense_layers or moe.every > 1:
        found += _divides("ffn", "feed-forward columns", model.intermediate_size, tp)
    if moe is not None and expert_slices > 1:
        found += _divides("ffn", "expert columns", moe.moe_intermediate_size, expert_slices)
    return found


def _experts(model: Model, tp: int, ep: int, dp: int) -> list[Illegal]:
    if ep == 1:
        return []
    if model.moe is None:
        return [Illegal("experts", f"{model.id} has no experts to spread over {ep}", 1, ep)]
    found = _divides("experts", "experts", model.moe.num_experts, ep)
    if (tp * dp) % ep:
        text = f"ep {ep} does not divide tp x dp = {tp * dp}"
        found.append(Illegal("parallelism", text, tp * dp, ep))
    return found


def _kinds(engine: ServingEngine, tp: int, pp: int, ep: int, dp: int) -> list[Illegal]:
    has = engine.parallelism
    asked = (
        ("tensor", has.tensor, tp), ("pipeline", has.pipeline or has.layer_split, pp),
        ("expert", has.expert, ep), ("data", has.data, dp),
    )  # fmt: skip
    found = [
        Illegal("parallelism", f"{engine.name} has no {name} parallelism", 1, degree)
        for name, there, degree in asked
        if degree > 1 and not there
    ]
    gpus = tp * pp * dp
    if has.max_gpus is not None and gpus > has.max_gpus:
        text = f"{engine.name} uses {has.max_gpus} GPUs at most"
        found.append(Illegal("gpus", text, has.max_gpus, gpus))
    return found


def serving_illegal(
    engine: ServingEngine, model: Model, weights: str, tp: int, pp: int, ep: int = 1, dp: int = 1
) -> list[Illegal]:
    """Rules that a serving layout breaks; empty: it is legal.

    Heads and feed-forward columns divide by tp; key-value heads divide or are repeated; the inputs of group-quantized
    row-parallel matrices stay whole groups; experts divide by ep; every stage has a layer. The vocabulary is padded.

    >>> from planner.catalog import model
    >>> from planner.catalog.engines import serving_engine
    >>> vllm, m = serving_engine("vllm"), model("llama-65b")
    >>> [i.message for i in serving_illegal(vllm, m, "fp16", 5, 1)][0]
    '64 attention heads do not divide by 5'
    >>> serving_illegal(vllm, m, "fp16", 1, 5)
    []
    """
    found = _kinds(engine, tp, pp, ep, dp)
    if pp > model.num_layers:
        text = f"{pp} stages for {model.num_layers} layers"
        found.append(Illegal("layers", text, model.num_layers, pp))
    if pp > 1 and model.kind != "decoder":
        found.append(Illegal("encoder", f"{model.kind} models are not cut into stages", 1, pp))
    if tp > 1:
        found += _divides("heads", "attention heads", model.num_attention_heads, tp)
        found += _kv_heads(model, tp)
    slices = 1 if ep > 1 else tp * dp
    if model.moe is not None and 1 < ep < tp * dp and (tp * dp) % ep == 0:
        slices = tp * dp // ep
    found += _feed_forward(model, tp, slices)
    found += _groups(model, _block_format(model, weight_format(weights)), tp, slices)
    found += _experts(model, tp, ep, dp)
    return found


def training_illegal(
    framework: str,
    model: Model,
    *,
    tp: int = 1,
    pp: int = 1,
    cp: int = 1,
    dp: int = 1,
    ep: int = 1,
    zero: int = 0,
    interleave: int = 1,
    sequence: int = 0,
    micro_batch: int = 1,
    global_batch: int = 0,
) -> list[Illegal]:
    """Rules that a training layout breaks; empty: it is legal.

    Megatron: query groups and feed-forward columns divide by tp, layers by pp x interleave, sequence by 2 x cp and by
    tp. Everywhere: global batch = micro-batch x dp x accumulation in integers, and no ZeRO-2 or 3 with pp in DeepSpeed.

    >>> from planner.catalog import model
    >>> [i.code for i in training_illegal("megatron", model("llama-3.1-8b"), tp=16, pp=3)]
    ['kv_heads', 'layers']
    """
    found: list[Illegal] = []
    if tp > 1:
        found += _divides("heads", "attention heads", model.num_attention_heads, tp)
        if model.mla is None:
            found += _divides("kv_heads", "query groups", model.num_key_value_heads, tp)
        found += _feed_forward(model, tp, 1 if ep > 1 else tp)
    found += _divides("layers", "layers", model.num_layers, pp * interleave)
    if interleave > 1 and pp == 1:
        found.append(Illegal("interleave", "interleaving needs pipeline stages", 2, pp))
    if ep > 1:
        found += _experts(model, tp, ep, dp * cp)
    if cp > 1 and sequence:
        found += _divides("batch", "tokens of a sequence", sequence, 2 * cp)
    if zero >= 2 and pp > 1 and framework == "deepspeed":
        text = f"ZeRO-{zero} does not combine with pipeline stages in DeepSpeed"
        found.append(Illegal("zero_pipeline", text, 1, zero))
    if global_batch:
        found += _divides("batch", "sequences of the global batch", global_batch, micro_batch * dp)
    return found
