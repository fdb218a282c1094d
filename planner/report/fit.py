"""`planner fit` as text: verdict, stacked ledger, layouts that fit, how far it goes."""

from __future__ import annotations

import re

from planner.plan.explain_schema import Explanation
from planner.plan.fit_schema import Fit, FitLayout, KindFit
from planner.report.refusal import explanation_lines
from planner.report.table import Column, bar, render_table, wrap
from planner.units import HOUR_S, duration

BAR = 24
ROOM_BESIDE_BAR = 70
"""Columns of a ledger's line that are not its bar."""


def render_fit(fit: Fit, *, width: int = 100) -> str:
    """One block per kind, the verdict first."""
    title = (
        f"{fit.model} ({fit.parameters:,} parameters) on {fit.gpus} x {fit.gpu} "
        f"({fit.usable_gib:.2f} GiB each)"
    )
    lines = [*wrap(title, first="", rest="  ", width=width), ""]
    for kind in fit.kinds:
        lines += [*_kind(kind, width), ""]
    if fit.rules:
        lines += [*_rules(fit, width), ""]
    for text in fit.unverified:
        lines += wrap(f"unverified in the catalog: {text}", first="note: ", rest="  ", width=width)
    return "\n".join(lines).rstrip() + "\n"


def _kind(kind: KindFit, width: int) -> list[str]:
    lines = wrap(kind.summary, first=f"{kind.kind:<10} ", rest=" " * 11, width=width)
    if kind.assumed:
        lines += wrap(
            "assumed * " + "; ".join(kind.assumed), first=" " * 11, rest=" " * 13, width=width
        )
    if kind.layouts:
        lines += ["", *_ledger(kind.layouts[0], width), "", *_layouts(kind, width)]
    if kind.explanation is not None:
        lines += explanation_lines(_in_flags(kind.explanation), width)
    lines += _limits(kind, width)
    return lines


_FIELD = re.compile(
    r"`(precision|kv|context|kind|sequence|global_batch|micro_batch|framework|optimizer|engine"
    r"|attention|recompute|risk|memory_fraction): ([\w.-]+)(?: sequences)?`"
)


def _in_flags(explanation: Explanation) -> Explanation:
    """The explanation with the fields of a scenario written as flags of `planner fit`."""

    def flags(text: str) -> str:
        text = re.sub(r"`offload: \{optimizer: (\w+)\}`", r"`--offload \1`", text)
        text = re.sub(r"`model: ([^`]+)`", r"`\1` as the model", text)
        return _FIELD.sub(lambda m: f"`--{m[1].replace('_', '-')} {m[2]}`", text)

    update = {
        name: tuple(flags(text) for text in getattr(explanation, name))
        for name in ("because", "help", "notes")
    }
    return explanation.model_copy(update=update)


def _ledger(part: FitLayout, width: int) -> list[str]:
    """The account of one GPU; the bars give way first, then the formulas."""
    ledger = part.ledger
    size = max(8, min(BAR, width - ROOM_BESIDE_BAR))
    lines = [f"  {'GiB per GPU':<16} {'best':>7} {'upper':>7}"]
    for name, line in ledger.components.items():
        share = line.gib / ledger.usable_gib if ledger.usable_gib else 0.0
        row = f"  {name.replace('_', ' '):<16} {line.gib:7.2f} {line.upper_gib:7.2f}  {bar(share, size)}"
        about = f"  {line.formula}, {line.tag}"
        lines.append(row + (about if len(row + about) <= width else f"  {line.tag}"))
    free = ledger.usable_gib - ledger.upper_gib
    total = f"  {'total':<16} {ledger.total_gib:7.2f} {ledger.upper_gib:7.2f}  "
    total += bar(ledger.total_gib / ledger.usable_gib if ledger.usable_gib else 0.0, size)
    said = f"of {ledger.usable_gib:.2f} usable, {free:.2f} free at the upper value"
    if len(total) + 2 + len(said) <= width:
        lines.append(f"{total}  {said}")
    else:
        lines += [total, *wrap(said, first="    ", rest="    ", width=width)]
    if ledger.host_gib:
        lines.append(f"  {'host RAM':<16} {ledger.host_gib:7.1f}          on the node")
    if ledger.nvme_gib:
        lines.append(f"  {'NVMe':<16} {ledger.nvme_gib:7.1f}          on the node")
    return lines


def _layouts(kind: KindFit, width: int) -> list[str]:
    asked = any(p.replicas_asked for p in kind.layouts)
    columns = (
        Column("GPUS", ">"), Column("LAYOUT", clip=True), Column("GiB/GPU", ">"),
        Column("SPEED", clip=True, min_width=18),
        *((Column("REPLICAS"),) if asked else ()),
        Column("LIMITED BY", drop=1),
    )  # fmt: skip
    rows = [
        [
            str(p.gpus),
            p.layout.text,
            f"{p.ledger.upper_gib:.1f} / {p.ledger.usable_gib:.1f}",
            _speed(p),
            *((_replicas(p),) if asked else ()),
            p.speed.limit + (" (extrapolated)" if p.speed.extrapolated else ""),
        ]
        for p in kind.layouts
    ]
    return ["  " + line for line in render_table(columns, rows, width=width - 2)]


def _replicas(part: FitLayout) -> str:
    needed = part.replicas_asked or 0
    gpus = needed * part.gpus
    return f"{needed} ({gpus} GPU{'s' if gpus != 1 else ''})"


def _speed(part: FitLayout) -> str:
    speed = part.speed
    if speed.step_s is not None:
        text = f"{speed.rate:,.0f} tokens/s, MFU {100 * (speed.mfu or 0):.0f} %"
        return text + (f", {duration(speed.hours * HOUR_S)}" if speed.hours else "")
    text = f"{speed.rate:,.2f} {speed.unit}"
    if part.replicas_asked and speed.rate_low is not None:
        text = f"{speed.rate_low:,.2f} {speed.unit} (best {speed.rate:,.2f})"
    if speed.tpot_s is not None:
        text += f", TPOT {duration(speed.tpot_s)}"
    return text


def _limits(kind: KindFit, width: int) -> list[str]:
    words = [
        f"largest {x.name} {x.largest:,.0f}" if x.largest else f"no {x.name} fits"
        for x in kind.limits
    ]
    if not kind.layouts:
        words.append(_larger(kind))
    if not words:
        return []
    return ["", *wrap("; ".join(words), first="  ", rest="  ", width=width)]


def _larger(kind: KindFit) -> str:
    """What it takes where the GPUs asked about are too few."""
    count = kind.least_gpus
    if count is None:
        return "does not fit on 64 of these GPUs either"
    if kind.node_gpus is None:
        such = f", such as `{kind.node_type}`" if kind.node_type else ""
        return f"fits from {count} of these GPUs in one node{such}"
    if kind.least_nodes is None:
        return f"in one node it would take {count} of these GPUs, more than any node has"
    return (
        f"fits over {kind.least_nodes} nodes of {kind.node_gpus} of these GPUs, as fast as their network "
        f"allows (in one node it would take {count}, more than any has)"
    )


def _rules(fit: Fit, width: int) -> list[str]:
    columns = (
        Column("RULE OF THUMB", clip=True, min_width=20), Column("GB", ">"), Column("OURS GB", ">"),
        Column("WHAT IT LEAVES OUT", clip=True, min_width=18, drop=1),
    )  # fmt: skip
    rows = [
        [r.rule, f"{r.gb:,.1f}", "-" if r.ours_gb is None else f"{r.ours_gb:,.1f}", r.leaves_out]
        for r in fit.rules
    ]
    return render_table(columns, rows, width=width)
