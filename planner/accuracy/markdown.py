"""Accuracy as Markdown: what is predicted how well, by quantity and group, and what is not covered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from planner.accuracy.score import Entry, Summary, coverage, group_key, summarize, verdicts

_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "inference-memory": ("engine", "weights", "gpu", "model"),
    "training-memory": ("framework", "method", "gpu", "model"),
    "training-speed": ("framework", "gpu"),
    "serving-speed": ("engine", "gpu"),
    "collectives": ("collective", "gpu"),
}
_MAIN: Final = {
    "inference-memory": ("weights_gib", "kv_gib", "kv_tokens", "total_gib"),
    "training-memory": ("peak_gib",),
    "training-speed": ("tokens_per_s_per_gpu",),
    "serving-speed": ("output_tokens_per_s",),
    "collectives": ("time_us",),
}
"""Quantities of the tables by group."""


def _row(label: str, found: Summary) -> str:
    return (
        f"| {label} | {found.cases} | {found.median:.2%} | {found.p90:.2%} | {found.bias:+.2%} |"
        f" {found.sharpness:.2f} | {found.inside:.0%} |"
    )


def _table(head: str, rows: Sequence[str]) -> list[str]:
    if not rows:
        return []
    title = f"| {head} | cases | median | 90th percentile | bias | high / best | inside |"
    return [title, "|---|---:|---:|---:|---:|---:|---:|", *rows, ""]


def _by_quantity(entries: Sequence[Entry]) -> list[str]:
    rows = []
    for quantity in sorted({e.quantity for e in entries if e.quantity}):
        found = summarize([e for e in entries if e.quantity == quantity])
        if found is not None:
            rows.append(_row(quantity, found))
    return _table("quantity", rows)


def _by_group(entries: Sequence[Entry], kind: str, key: str) -> list[str]:
    chosen = [e for e in entries if e.quantity in _MAIN[kind]]
    rows = []
    for group in sorted({group_key(e, key) for e in chosen}):
        found = summarize([e for e in chosen if group_key(e, key) == group])
        if found is not None:
            rows.append(_row(group, found))
    return [f"By {key} ({', '.join(_MAIN[kind])}):", "", *_table(key, rows)] if rows else []


def _outcomes(entries: Sequence[Entry]) -> list[str]:
    table = verdicts(entries)
    if not table:
        return []
    lines = ["| measured | called fits | called fails |", "|---|---:|---:|"]
    for measured, said in sorted(table.items(), reverse=True):
        lines.append(f"| {measured} | {said.get('fits', 0)} | {said.get('fails', 0)} |")
    wrong = [
        e for e in entries
        if e.quantity == "outcome" and not e.skipped and (e.measured == "fits") != (e.predicted == "fits")
    ]  # fmt: skip
    return [*lines, "", *(f"- `{e.id}`: {e.measured}, called {e.predicted}" for e in wrong), ""]


def _not_covered(entries: Sequence[Entry]) -> list[str]:
    reasons = coverage(entries)[2]
    if not reasons:
        return []
    lines = [
        f"- {reason} ({len(ids)}): {', '.join(ids)}" for reason, ids in sorted(reasons.items())
    ]
    return ["Not predicted:", "", *lines, ""]


def section(kind: str, entries: Sequence[Entry]) -> list[str]:
    """Lines of one kind of measurement: trusted cases are scored, doubtful ones listed by what is missing."""
    trusted = [e for e in entries if e.trusted]
    covered, cases, _ = coverage(trusted)
    lines = [f"## {kind}", "", f"{cases} trusted cases, {covered} predicted.", ""]
    lines += [*_by_quantity(trusted), *_outcomes(trusted)]
    for key in _KEYS[kind]:
        lines += _by_group(trusted, kind, key)
    lines += _not_covered(entries)
    worst = [e for e in trusted if e.error is not None and e.quantity in _MAIN[kind]]
    worst.sort(key=lambda e: (-abs(e.error or 0.0), e.id))
    listed = [f"- {e.error or 0.0:+.1%} {e.quantity}: `{e.id}`" for e in worst[:8]]
    return [*lines, "Worst cases:", "", *listed, ""]


def render(entries: Sequence[Entry]) -> str:
    """The whole page."""
    lines = [
        "# Accuracy", "",
        "Predictions against published measurements. error = (predicted - measured) / measured; median and 90th",
        "percentile are of its absolute value; high / best is the width of the interval upwards; inside is the part of",
        "the measured values within it. A prediction sees the configuration only. This page is written by",
        "`planner accuracy --trust all --format md FILE...`.", "",
    ]  # fmt: skip
    for kind in sorted({e.kind for e in entries}):
        lines += section(kind, [e for e in entries if e.kind == kind])
    return "\n".join(lines).rstrip() + "\n"
