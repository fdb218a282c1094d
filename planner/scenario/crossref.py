"""Names that must exist: models, GPUs, node types, engines, pools; and names that must be used once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from planner.catalog.lookup import AmbiguousRecord, UnknownRecord, ids, resolve
from planner.diagnostics import Diagnostic, Fix, Label, Severity, Span
from planner.diagnostics.similar import similar
from planner.scenario.located import Located

CODE: Final = {"models": "P201", "gpus": "P202", "nodes": "P203", "engines": "P204"}
LONGEST_NAME: Final = 100
"""Longer names are in no catalog, and no file name either."""
FRAMEWORKS: Final = ("ddp", "deepspeed", "fsdp", "megatron")
"""Training frameworks known by name; their constants may come from a profile of the catalog."""
NOUN: Final = {"models": "model", "gpus": "GPU", "nodes": "node type", "engines": "engine"}


def find_unknown_names(root: Located) -> list[Diagnostic]:
    """All problems with names in a scenario."""
    found: list[Diagnostic] = []
    own = (root.mapping or {}).get("models")
    own_names = tuple((own.mapping or {}).keys()) if own is not None else ()
    for model in (own.mapping or {}).values() if own is not None else ():
        base = model if isinstance(model.scalar, str) else (model.mapping or {}).get("base")
        found += _look_up("models", base, ())
    pools = list(_items(root, "inventory"))
    for pool in pools:
        found += _look_up("gpus", pool.get("gpu"), ())
        node = pool.get("node")
        if node is not None and node.mapping is not None:
            node = node.mapping.get("type")
        found += _look_up("nodes", node, ())
    workloads = list(_items(root, "workloads"))
    for workload in workloads:
        found += _look_up("models", workload.get("model"), own_names)
        for key in ("engine", "framework"):
            found += _engine(workload.get(key), key)
        found += _measured(workload)
        found += _pools(workload, [p["pool"] for p in pools if "pool" in p])
    found += _twice([p["pool"] for p in pools if "pool" in p], "pool")
    found += _twice([w["name"] for w in workloads if "name" in w], "workload")
    return found


def _items(root: Located, key: str) -> Iterator[dict[str, Located]]:
    value = (root.mapping or {}).get(key)
    for item in (value.items or []) if value is not None else []:
        if item.mapping is not None:
            yield item.mapping


def _measured(workload: dict[str, Located]) -> Iterator[Diagnostic]:
    """GPUs of a table of measured throughput."""
    throughput = workload.get("throughput")
    table = (throughput.mapping or {}).get("measured") if throughput is not None else None
    for row in (table.items or []) if table is not None else []:
        yield from _look_up("gpus", (row.mapping or {}).get("gpu"), ())


def _look_up(folder: str, value: Located | None, own: tuple[str, ...]) -> Iterator[Diagnostic]:
    if value is None or not isinstance(value.scalar, str):
        return
    name = value.scalar.strip()
    if name in own or not name:
        return
    if len(name) > LONGEST_NAME:
        yield _unknown(folder, f"{name[:LONGEST_NAME]}...", (), value.span)
        return
    try:
        match = resolve(folder, name)
    except AmbiguousRecord as error:
        yield _ambiguous(folder, name, error.candidates, value.span)
        return
    except UnknownRecord as error:
        close = similar(name, own, 1, 0.6)
        yield _unknown(folder, name, (*close, *error.nearest), value.span)
        return
    if match.how == "assumed":
        yield Diagnostic(
            "P408",
            Severity.WARNING,
            f"`{name}` is taken to mean `{match.id}`",
            value.span,
            label=f"could also be {', '.join(match.others)}",
            help=(f"write `{match.id}` to be certain",),
        )


def _unknown(folder: str, name: str, near: tuple[str, ...], span: Span) -> Diagnostic:
    noun = NOUN[folder]
    what = (
        f"{noun}s with similar names exist"
        if len(near) > 1
        else f"a {noun} with a similar name exists"
    )
    hints = [f"{what}: {', '.join(f'`{n}`' for n in near)}"] if near else []
    hints.append(f"all names: `planner catalog list {folder}`")
    if folder == "models":
        hints.append(
            f"describe a model of your own: `models: {{{_key(name)}: {{config: ./config.json}}}}`"
        )
    if folder == "nodes":
        hints.append(
            "describe a node here: `node: {gpus: 8, nvlink: 900 GB/s, topology: nvswitch}`"
        )
    return Diagnostic(
        CODE[folder],
        Severity.ERROR,
        f"no {noun} in the catalog is called `{name}`",
        span,
        label=f"unknown {noun}",
        help=tuple(hints),
        fix=Fix(span, near[0]) if near else None,
    )


def _key(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _ambiguous(folder: str, name: str, candidates: Iterable[str], span: Span) -> Diagnostic:
    names = [f"`{c}`" for c in candidates]
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return Diagnostic(
        "P206",
        Severity.ERROR,
        f"`{name}` may be any of {len(names)} {NOUN[folder]}s",
        span,
        label="ambiguous",
        help=(f"write one of: {shown}",),
    )


def _engine(value: Located | None, key: str) -> Iterator[Diagnostic]:
    """An engine is named by its profile, or by the family whose profiles carry a version after a dash."""
    known = tuple(sorted({*ids("engines"), *(FRAMEWORKS if key == "framework" else ())}))
    if value is None or not isinstance(value.scalar, str):
        return
    name = value.scalar.strip()
    if any(k == name or k.startswith(f"{name}-") for k in known):
        return
    near = tuple(similar(name.lower(), known, 3, 0.5))
    listed = near or known
    yield Diagnostic(
        "P204",
        Severity.ERROR,
        f"no {key} profile is called `{name}`",
        value.span,
        label=f"unknown {key}",
        help=(
            f"{'similar names' if near else 'known profiles'}: {', '.join(f'`{k}`' for k in listed)}",
        ),
    )


def _pools(workload: dict[str, Located], pools: list[Located]) -> Iterator[Diagnostic]:
    names = [str(p.scalar) for p in pools]
    for key in ("pools", "exclude_pools"):
        value = workload.get(key)
        for item in _each(value):
            if isinstance(item.scalar, str) and item.scalar not in names:
                near = similar(item.scalar, names, 1, 0.5)
                hint = f"a pool with a similar name exists: `{near[0]}`" if near else ""
                yield Diagnostic(
                    "P209",
                    Severity.ERROR,
                    f"no pool is called `{item.scalar}`",
                    item.span,
                    label="unknown pool",
                    help=(hint or f"pools of the inventory: {', '.join(names)}",),
                )


def _each(value: Located | None) -> list[Located]:
    if value is None:
        return []
    return value.items if value.items is not None else [value]


def _twice(names: list[Located], noun: str) -> Iterator[Diagnostic]:
    seen: dict[str, Span] = {}
    for name in names:
        text = str(name.scalar)
        if text in seen:
            yield Diagnostic(
                "P205",
                Severity.ERROR,
                f"two {noun}s are called `{text}`",
                name.span,
                label="again here",
                labels=(Label(seen[text], "first here"),),
                help=(f"give one of them another name, such as `{text}-2`",),
            )
        seen.setdefault(text, name.span)
