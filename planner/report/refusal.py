"""The "no" as text: the user's own lines, the account with both numbers, what would work and what cannot."""

from __future__ import annotations

from collections.abc import Sequence

from planner.plan.schema import Explanation, Plan, Repair, SourcePlace, Status
from planner.report.table import Column, render_table, wrap
from planner.units import money


def render_refusal(plan: Plan, *, width: int = 100) -> str:
    """Verdict first, then one block for each workload without a place or for all together, then what can be had."""
    lines: list[str] = []
    if plan.status is Status.UNKNOWN:
        lines += wrap(
            "nothing found within the limit: neither a plan nor a proof that none exists; raise --work "
            "or drop a workload",
            first="error[P303]: ", rest="  ", width=width,
        )  # fmt: skip
    for explanation in plan.explanations:
        own = [r for r in plan.repairs if r.workload == explanation.workload]
        lines += [*explanation_lines(explanation, width, own), ""]
    if plan.explanations and plan.explanations[0].workload:
        together = [r for r in plan.repairs if not r.workload]
        if together:
            what = "to serve all workloads (the cheapest of the combinations tried, not proven)"
            lines += [*repair_lines(together, width, what), ""]
    lines += _alone(plan, width)
    codes = sorted({e.code for e in plan.explanations})
    if codes:
        lines.append("For more information: " + ", ".join(f"planner explain {c}" for c in codes))
    return "\n".join(lines).rstrip() + "\n"


def explanation_lines(e: Explanation, width: int, repairs: Sequence[Repair] = ()) -> list[str]:
    """The block of one workload: headline, source line, facts, account, what helps and what cannot."""
    lines = wrap(e.headline, first=f"error[{e.code}]: ", rest="  ", width=width)
    margin = " "
    facts = list(e.because)
    if e.place is None and e.label:
        facts.insert(0, e.label)
    if e.place is not None:
        margin = " " * len(str(e.place.line))
        label, rest = _beside(e.place, e.label, width)
        facts[:0] = [rest] if rest else []
        lines += _source(e.place, label, width)
    for number, fact in enumerate(facts):
        lead = "because " if number == 0 else "and "
        lines += wrap(fact, first=f"{margin} = {lead}", rest=f"{margin}   ", width=width)
    if e.so:
        lines += wrap(e.so, first=f"{margin} = so ", rest=f"{margin}   ", width=width)
    if e.tried:
        lines += ["", *_tried(e, width)]
    if len(e.conflict) > 1:
        names = "  ".join(row.name for row in e.conflict)
        lines += [
            "",
            *wrap(f"{names}  ({e.checked})", first="  in conflict: ", rest="    ", width=width),
        ]
    if e.help:
        lead = "each change below makes it fit (confirmed by fitting again)"
        lines += ["", *wrap(lead, first="help: ", rest="  ", width=width)]
        for number, text in enumerate(e.help, 1):
            lines += wrap(text, first=f"  {number:2}. ", rest="      ", width=width)
    if repairs:
        what = "gives it a place" if e.workload else "makes the scenario solvable"
        lines += [
            "",
            *repair_lines(
                repairs, width, f"each change below {what} (confirmed by a second solve)", e.workload
            ),
        ]  # fmt: skip
    if any(r.combination for r in repairs):
        lines += wrap(
            "changes that work together only: the cheapest of the combinations tried, which is no "
            "proof that none is cheaper", first="note: ", rest="  ", width=width,
        )  # fmt: skip
    for text in e.notes:
        lines += wrap(text, first="note: ", rest="  ", width=width)
    return lines


def _beside(place: SourcePlace, label: str, width: int) -> tuple[str, str]:
    """A label where there is room after the carets, else as the first fact."""
    room = width - len(str(place.line)) - 3 - place.end_column
    return (label, "") if len(label) <= room else ("", label)


def repair_lines(
    repairs: Sequence[Repair], width: int, what: str, alone: str | None = None
) -> list[str]:
    """Numbered changes with what they give and what the plan then costs; `alone`: the workload they are for."""
    lines = wrap(what, first="help: ", rest="  ", width=width)
    for number, repair in enumerate(repairs, 1):
        gives = f": {repair.gives}" if repair.gives else ""
        if repair.combination and repair.workload == alone:
            gives += " (together)"
        lines += wrap(
            f"{repair.change}{gives}{_price(repair)}",
            first=f"  {number:2}. ", rest="      ", width=width,
        )  # fmt: skip
    return lines


def _price(repair: Repair) -> str:
    if repair.cost is None:
        return ""
    if repair.difference is None:
        return f"; total {money(repair.cost)}"
    sign = "+" if repair.difference >= 0 else "-"
    return f"; total {money(repair.cost)} ({sign}{money(abs(repair.difference))})"


def _source(place: SourcePlace, label: str, width: int) -> list[str]:
    number = str(place.line)
    pad = " " * len(number)
    carets = "^" * max(1, place.end_column - place.column)
    text = place.text.rstrip()
    return [
        f"{pad}--> {place.file}:{place.line}:{place.column}",
        f"{pad} |",
        f"{number} | {text[: width - 6]}",
        f"{pad} | {' ' * (place.column - 1)}{carets} {label}".rstrip(),
        f"{pad} |",
    ]


def _tried(e: Explanation, width: int) -> list[str]:
    names = list(dict.fromkeys(name for row in e.tried for name in row.components))
    # `fit` has but one pool, and has named it.
    pool = e.place is not None
    columns = [
        *([Column("POOL", clip=True, min_width=6)] if pool else []),
        Column("LAYOUT", clip=True, min_width=10),
        *(Column(n.replace("_", " "), ">", drop=i + 1) for i, n in enumerate(names)),
        Column("need", ">"),
        Column("have", ">"),
        Column("short GiB/GPU", ">"),
        Column("", clip=True, min_width=6, drop=20),
    ]
    rows = [
        [
            *([row.pool] if pool else []),
            row.layout,
            *(f"{row.components[n]:.1f}" if n in row.components else "-" for n in names),
            f"{row.need_gib:.1f}",
            f"{row.have_gib:.1f}",
            f"{row.short_gib:.1f}",
            row.remark,
        ]
        for row in e.tried
    ]
    return ["  " + line for line in render_table(columns, rows, width=width - 2)]


def _alone(plan: Plan, width: int) -> list[str]:
    refused = {e.workload for e in plan.explanations}
    lines: list[str] = []
    for workload in plan.workloads:
        if workload.name not in refused and workload.summary:
            lines += wrap(
                f"`{workload.name}` has a place without any change: {workload.summary}",
                first="note: ",
                rest="  ",
                width=width,
            )
    return [*lines, ""] if lines else []
