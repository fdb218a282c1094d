"""Low-rank adapters: which matrices carry one, how many parameters that trains, and how a rank holds them."""

from __future__ import annotations

from functools import lru_cache

from planner.catalog.records import Model
from planner.memory.trainable import Section, Split, parts

ALIASES: dict[str, tuple[str, ...]] = {
    "q": ("q_proj", "q_b_proj", "q_a_proj"), "k": ("k_proj",), "v": ("v_proj",), "o": ("o_proj",),
    "kv": ("kv_a_proj", "kv_b_proj"),
    "gate": ("gate_proj",), "up": ("up_proj",), "down": ("down_proj",),
    "mlp": ("gate_proj", "up_proj", "down_proj"),
    "attn": ("q_proj", "k_proj", "v_proj", "o_proj", "q_a_proj", "q_b_proj", "kv_a_proj", "kv_b_proj"),
    "qkv": ("q_proj", "k_proj", "v_proj"),
    "head": ("lm_head",),
}  # fmt: skip
"""Short names of target modules."""
ALL_LINEAR = ALIASES["attn"] + ALIASES["mlp"]


class UnknownTarget(ValueError):  # noqa: N818 - reads as what it is at the call site
    """A target module nobody knows."""


@lru_cache(maxsize=256)
def target_modules(targets: str) -> frozenset[str]:
    """Names of the matrices that carry an adapter.

    >>> sorted(target_modules("q,v"))
    ['q_a_proj', 'q_b_proj', 'q_proj', 'v_proj']
    >>> len(target_modules("all-linear"))
    11
    """
    names: set[str] = set()
    for raw in targets.replace("+", ",").split(","):
        target = raw.strip()
        if target in ("all-linear", "all"):
            names.update(ALL_LINEAR)
        elif target in ALIASES:
            names.update(ALIASES[target])
        elif target in ALL_LINEAR or target == "lm_head":
            names.add(target)
        else:
            raise UnknownTarget(f"`{target}` is not a target module; one of {', '.join(ALIASES)}")
    return frozenset(names)


def _adapter(section: Section, rank: int, chosen: frozenset[str], *, dora: bool) -> Split:
    """Adapter elements of a section: r x (inputs + outputs) each, and DoRA's magnitude per output."""
    dense = expert = 0.0
    for name, rows, cols, copies in section.matrices:
        if name.rsplit(".", 1)[-1] not in chosen:
            continue
        size = copies * (rank * (rows + cols) + (rows if dora else 0))
        if copies > 1:
            expert += size
        else:
            dense += size
    return Split(column=dense, expert=expert)


def adapter_split(section: Section, rank: int, targets: str, *, dora: bool = False) -> Split:
    """Adapter elements of one layer or of the head's section, by split."""
    return _adapter(section, rank, target_modules(targets), dora=dora)


def dora_bytes(section: Section, targets: str) -> tuple[float, float]:
    """What DoRA keeps for backward in one layer: bytes, and bytes per token.

    PEFT multiplies the adapter by an identity of inputs x inputs to get its norm, and keeps that identity (2 bytes per
    element) for each module; per token it keeps both branches' outputs (4 bytes per output).

    >>> from planner.catalog import model
    >>> layer = parts(model("llama-3.1-8b")).layers[0]
    >>> dora_bytes(layer, "q,v")
    (67108864.0, 20480.0)
    """
    chosen = target_modules(targets)
    fixed = token = 0.0
    for name, rows, cols, copies in section.matrices:
        if name.rsplit(".", 1)[-1] in chosen:
            fixed += 2.0 * copies * cols**2
            token += 4.0 * copies * rows
    return fixed, token


@lru_cache(maxsize=4096)
def adapter_params(model: Model, rank: int, targets: str, *, dora: bool = False) -> int:
    """Trainable parameters of an adapter: sum of r x (inputs + outputs) over the targeted matrices.

    Source: Hu et al. 2021 (LoRA), section 4; DoRA adds one magnitude per output (Liu et al. 2024).

    >>> from planner.catalog import model
    >>> from planner.catalog.parameters import total_params
    >>> m = model("mistral-7b-v0.1")
    >>> adapter_params(m, 8, "all-linear"), adapter_params(m, 8, "all-linear") + total_params(m)
    (20971520, 7262703616)
    >>> adapter_params(model("llama-2-7b"), 8, "q,v")
    4194304
    """
    whole = parts(model)
    total = (
        sum(g.layers * adapter_split(g, rank, targets, dora=dora).total for g in whole.layers)
        + adapter_split(whole.after, rank, targets, dora=dora).total
    )
    return int(total)
