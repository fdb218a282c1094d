"""The "no" as text: the user's own lines, the account with both numbers, what would work and what cannot."""

from __future__ import annotations

from planner.plan.schema import Explanation, Plan, SourcePlace, Status
from planner.report.table import Column, render_table, wrap
from planner.units import money


def render_refusal(plan: Plan, *, width: int = 100) -> str:
    """Verdict first, then one block for each workload without a place, the conflict, and repairs."""
    lines: list[str] = []
    if plan.status is Status.UNKNOWN:
        lines += wrap(
            "nothing found within the limit: neither a plan nor a proof that none exists; raise --work "
            "or drop a workload",
            first="error[P303]: ", rest="  ", width=width,
        )  # fmt: skip
    for explanation in plan.explanations:
        lines += [*explanation_lines(explanation, width), ""]
    if plan.conflict:
        lines += [*_conflict(plan, width), ""]
    if plan.repairs:
        lines += [*_repairs(plan, width), ""]
    lines += _alone(plan, width)
    codes = sorted({e.code for e in plan.explanations} or ({"P301"} if plan.conflict else set()))
    if codes:
        lines.append("For more information: " + ", ".join(f"planner explain {c}" for c in codes))
    return "\n".join(lines).rstrip() + "\n"


def explanation_lines(e: Explanation, width: int) -> list[str]:
    """The block of one workload: headline, source line, facts, account, what helps and what cannot."""
    lines = wrap(e.headline, first=f"error[{e.code}]: ", rest="  ", width=width)
    margin = " "
    facts = list(e.because)
    if e.place is None and e.label:
        facts.insert(0, e.label)
    if e.place is not None:
        margin = " " * len(str(e.place.line))
        lines += _source(e.place, e.label, width)
    for number, fact in enumerate(facts):
        lead = "because " if number == 0 else "and "
        lines += wrap(fact, first=f"{margin} = {lead}", rest=f"{margin}   ", width=width)
    if e.tried:
        lines += ["", *_tried(e, width)]
    if e.help:
        lines += ["", "help: each change below makes it fit (confirmed by a second run)"]
        for number, text in enumerate(e.help, 1):
            lines += wrap(text, first=f"  {number:2}. ", rest="      ", width=width)
    for text in e.notes:
        lines += wrap(text, first="note: ", rest="  ", width=width)
    return lines


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
    columns = [
        Column("POOL", clip=True, min_width=6),
        Column("LAYOUT", clip=True, min_width=10),
        *(Column(n.replace("_", " "), ">", drop=i + 1) for i, n in enumerate(names)),
        Column("need", ">"),
        Column("have", ">"),
        Column("short GiB/GPU", ">"),
        Column("", clip=True, min_width=6, drop=20),
    ]
    rows = [
        [
            row.pool,
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


def _conflict(plan: Plan, width: int) -> list[str]:
    lines = ["error[P301]: no plan exists: the workloads have options, but not together"]
    for number, row in enumerate(plan.conflict):
        lead = "because " if number == 0 else "and "
        where = f" (line {row.line})" if row.line else ""
        lines += wrap(f"{row.text}{where}", first=f"  = {lead}", rest="    ", width=width)
    names = "  ".join(row.name for row in plan.conflict)
    return [*lines, *wrap(f"facts in conflict: {names}", first="  ", rest="    ", width=width)]


def _repairs(plan: Plan, width: int) -> list[str]:
    lines = ["help: each change below makes the scenario solvable (confirmed by a second solve)"]
    for number, repair in enumerate(plan.repairs, 1):
        price = f"  total {money(repair.cost)}" if repair.cost is not None else ""
        lines += wrap(
            f"{repair.change}{price}", first=f"  {number:2}. ", rest="      ", width=width
        )
    return lines


def _alone(plan: Plan, width: int) -> list[str]:
    refused = {e.workload for e in plan.explanations}
    lines: list[str] = []
    for workload in plan.workloads:
        if workload.name not in refused and workload.summary:
            lines += wrap(
                f"{workload.name}: fits alone: {workload.summary}",
                first="note: ",
                rest="  ",
                width=width,
            )
    return [*lines, ""] if lines else []
