"""Flags of `planner fit` become asks and a pool; what no flag gives is assumed and said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import click

from planner.catalog import UnknownRecord, gpu, ids, model, node
from planner.catalog.lookup import AmbiguousRecord
from planner.catalog.records import Gpu, Model, NodeType
from planner.layout import Offload, Recompute
from planner.options.asks import Ask, Degrees, PoolFacts, ServingAsk, TrainingAsk
from planner.speed.links import link_of, link_of_node
from planner.units import GB, GIB, TIB, UnitError, parse

OFFLOAD_TARGETS: tuple[Offload, ...] = ("none", "cpu", "nvme")
RECOMPUTE_MODES: tuple[Recompute, ...] = ("none", "selective", "full")
HOST_UNSTATED_BYTES = 8 * TIB
"""Host RAM where no flag says: enough for anything; what is needed is printed."""
CONTEXT, PROMPT, OUTPUT, SEQUENCE, GLOBAL_BATCH, TOKENS = 2048, 512, 256, 2048, 8, 1e8
"""Assumed where no flag says; the output stars them."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What the user gave: the model, the kinds, and the flags by name (None or empty: not given)."""

    model: Model
    kinds: tuple[str, ...]
    values: Mapping[str, object]

    @classmethod
    def of(cls, name: str, kinds: Sequence[str], values: Mapping[str, object]) -> Flags:
        """Look the model up; an unknown one names the nearest."""
        return cls(_record(name, "model"), tuple(kinds), values)  # type: ignore[arg-type]

    def number(self, name: str, default: float) -> float:
        """A number flag, or the default."""
        value = self.values.get(name)
        return default if value is None else float(str(value))

    def text(self, name: str) -> str | None:
        """A text flag."""
        value = self.values.get(name)
        return None if value is None else str(value)

    def several(self, name: str) -> tuple[str, ...]:
        """A repeatable flag."""
        value = self.values.get(name) or ()
        assert isinstance(value, tuple)
        return tuple(str(v) for v in value)

    def integers(self, name: str) -> tuple[int, ...] | None:
        """A repeatable number flag; None if not given."""
        return tuple(int(v) for v in self.several(name)) or None


def _record(name: str, kind: str) -> Gpu | Model | NodeType:
    finders: dict[str, Callable[[str], Gpu | Model | NodeType]] = {
        "model": model, "GPU": gpu, "node": node,
    }  # fmt: skip
    try:
        return finders[kind](name)
    except AmbiguousRecord as error:
        names = ", ".join(error.candidates)
        raise click.BadParameter(f"`{name}` is ambiguous: one of {names}") from None
    except UnknownRecord as error:
        folder = {"model": "models", "GPU": "gpus", "node": "nodes"}[kind]
        near = f"; `planner catalog list {folder}` lists all"
        if error.nearest:
            near = f"; similar names exist: {', '.join(error.nearest)}"
        raise click.BadParameter(f"no {kind} is called `{name}`{near}") from None


def pool_of(name: str, count: int | None, flags: Flags) -> PoolFacts:
    """One node with the GPUs named: a node type, or n of one GPU in its usual chassis."""
    host = flags.text("host_ram")
    host_bytes = int(_quantity(host, "bytes", "--host-ram")) if host else None
    if count is None and name in ids("nodes"):
        found = _record(name, "node")
        assert isinstance(found, NodeType)
        card = gpu(found.gpu)
        usable = int((found.host_ram_gib or 0) * GIB * (1 if found.host_ram_is_total else 0.97))
        host_bytes = host_bytes or (usable - 16 * GIB if usable else None)
        nvme = int(found.nvme_tb * 10**12) if found.nvme_tb else None
        return PoolFacts("given", card, link_of_node(found, card), found.gpus, 1, host_bytes, nvme)
    card = _record(name, "GPU")  # type: ignore[assignment]
    assert isinstance(card, Gpu)
    gpus = count or 1
    link = link_of(card, gpus_per_node=gpus)
    if link.topology == "bridge-pairs":
        link = replace(link, nvlink_gb_s=0.0, topology="none", domain=1)
    given = flags.text("nvlink")
    if given:
        speed = float(_quantity(given, "bandwidth", "--nvlink")) / GB
        shape = link.topology if link.topology != "none" else "nvswitch"
        link = replace(link, nvlink_gb_s=speed, domain=gpus, topology=shape)
    return PoolFacts("given", card, link, gpus, 1, host_bytes or HOST_UNSTATED_BYTES, None)


def _quantity(text: str, dimension: str, hint: str) -> float:
    try:
        return float(parse(text, dimension))
    except UnitError as error:
        example = "300 GB/s" if dimension == "bandwidth" else "256 GiB"
        raise click.BadParameter(f"{error}; write it like `{example}`", param_hint=hint) from None


def asks_of(flags: Flags) -> list[Ask]:
    """One ask per kind."""
    return [_serving(flags) if k == "inference" else _training(flags, k) for k in flags.kinds]


def _common(flags: Flags, kind: str) -> dict[str, object]:
    return {
        "name": kind,
        "model": flags.model,
        "kind": kind,
        "degrees": Degrees(
            tp=flags.integers("tp"), pp=flags.integers("pp"), dp=flags.integers("dp")
        ),
        "attention": flags.text("attention") or "auto",
        "risk": flags.text("risk") or "upper",
    }


def _serving(flags: Flags) -> ServingAsk:
    context = int(flags.number("context", CONTEXT))
    rate = flags.values.get("requests")
    return ServingAsk(
        **_common(flags, "inference"),  # type: ignore[arg-type]
        engine=flags.text("engine"),
        precision=flags.several("precision") or ("16bit",),
        kv=(flags.text("kv") or "auto",),
        context=context,
        prompt=min(flags.number("prompt", PROMPT), context / 2),
        output=min(flags.number("output", OUTPUT), context / 2),
        rate=float(str(rate)) if rate is not None else None,
        concurrent=None if rate is not None else int(flags.number("concurrent", 1)),
        memory_fraction=flags.number("memory_fraction", 0.0) or None,
    )


def _training(flags: Flags, kind: str) -> TrainingAsk:
    offload = tuple(t for t in OFFLOAD_TARGETS if t == (flags.text("offload") or "none"))
    modes = tuple(m for m in RECOMPUTE_MODES if m in flags.several("recompute"))
    return TrainingAsk(
        **_common(flags, kind),  # type: ignore[arg-type]
        framework=flags.text("framework") if kind == "full" else None,
        base="nf4" if kind == "qlora" else None,
        optimizer=flags.text("optimizer") or ("paged-adamw-8bit" if kind == "qlora" else "adamw"),
        zero=flags.integers("zero") if kind == "full" else None,
        offload_optimizer=offload if kind == "full" else ("none",),
        recompute=modes or None,
        sequence=int(flags.number("sequence", SEQUENCE)),
        global_batch=int(flags.number("global_batch", GLOBAL_BATCH)),
        micro_batch=flags.integers("micro_batch"),
        lora_rank=int(flags.number("rank", 16)),
        tokens=flags.number("tokens", TOKENS),
    )


def assumed_values(flags: Flags) -> dict[str, tuple[str, ...]]:
    """Per kind the values that no flag gave."""
    serving = {"context": CONTEXT, "prompt": PROMPT, "output": OUTPUT, "concurrent": 1}
    training = {"sequence": SEQUENCE, "global_batch": GLOBAL_BATCH, "tokens": f"{TOKENS:g}"}
    if flags.values.get("requests") is not None:
        del serving["concurrent"]

    def missing(table: Mapping[str, object]) -> tuple[str, ...]:
        return tuple(
            f"{name.replace('_', ' ')} {value}"
            for name, value in table.items()
            if flags.values.get(name) is None
        )

    return {k: missing(serving if k == "inference" else training) for k in flags.kinds}
