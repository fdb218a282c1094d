"""Layouts in the few words a table has room for."""

from __future__ import annotations

from planner.layout import Layout


def layout_text(layout: Layout, *, brief: bool = False) -> str:
    """Degrees above one, then what matters for the kind; `brief` leaves out what a table has no room for.

    >>> layout_text(Layout(tp=2, weights="fp8"))
    'tp2 fp8'
    >>> layout_text(Layout(dp=4, weights="bf16", sharding="zero", zero=3, micro_batch=2,
    ...     recompute="full", offload_optimizer="cpu"))
    'dp4 zero-3 mb2 recompute offload:cpu bf16'
    >>> layout_text(Layout(dp=4, sharding="fsdp", zero=3, micro_batch=2), brief=True)
    'dp4 fsdp'
    """
    words = [f"{n}{v}" for n in ("tp", "pp", "dp", "cp", "ep") if (v := getattr(layout, n)) > 1]
    if layout.zero and layout.sharding in ("zero", "fsdp"):
        words.append(f"{layout.sharding}-{layout.zero}" if layout.sharding == "zero" else "fsdp")
    elif layout.sharding not in ("none", "ddp", "tp", "zero"):
        words.append(layout.sharding)
    if layout.micro_batch and not brief:
        words.append(f"mb{layout.micro_batch}")
    if layout.recompute != "none":
        words.append("recompute" if layout.recompute == "full" else layout.recompute)
    targets = {
        t
        for t in (layout.offload_optimizer, layout.offload_parameters, layout.offload_activations)
        if t != "none"
    }
    if targets:
        words.append("offload:" + "+".join(sorted(targets)))
    if layout.offload_weights_gib:
        words.append(f"{layout.offload_weights_gib:.0f} GiB in host RAM")
    sixteen_bit_training = layout.micro_batch and layout.weights in ("bf16", "fp16")
    if not (brief and sixteen_bit_training and words):
        words.append(layout.weights)
    if layout.kv and layout.kv not in ("bf16", "fp16"):
        words.append(f"kv:{layout.kv}")
    return " ".join(words)
