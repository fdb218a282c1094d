"""The plan as text for a terminal: table, what binds, inventory, assumptions, proof."""

from __future__ import annotations

from collections.abc import Sequence

from planner.plan.schema import Assignment, Plan, PlanAlternative, PlanWorkload, Status
from planner.report.periods import render_periods
from planner.report.refusal import render_refusal
from planner.report.robust import robust_sections
from planner.report.table import Column, bar, render_table, wrap
from planner.units import money

_COLUMNS = (
    Column("WORKLOAD", clip=True, min_width=8),
    Column("MODEL", clip=True, min_width=10, drop=1),
    Column("KIND", drop=3),
    Column("GPUS", clip=True, min_width=14),
    Column("POOL", clip=True, min_width=6, drop=4),
    Column("LAYOUT", clip=True, min_width=8),
    Column("GiB/GPU", ">", last_resort=True),
    Column("used", drop=2),
)

SAME_NODES = "other layouts"
"""Beginning of the words for a plan that orders and uses the same nodes."""


def render_text(plan: Plan, *, width: int = 100) -> str:
    """The whole answer; errors put the verdict first, plans put it last."""
    if plan.status in (Status.INFEASIBLE, Status.UNKNOWN) or plan.cost is None:
        return render_refusal(plan, width=width)
    lines = [*_table(plan, width), ""]
    title = "Speed in the first period" if len(plan.periods) > 1 else "Speed"
    lines += _section(title, [(w.name, w.summary) for w in plan.workloads if w.summary], width)
    lines += _section("Requests by size", [x for w in plan.workloads for x in _routes(w)], width)
    lines += _section(
        "Why these GPUs", [(w.name, w.binding) for w in plan.workloads if w.binding], width
    )
    lines += render_periods(plan, width=width)
    if not plan.periods:
        lines += [x for part in robust_sections(plan, width) if part for x in (*part, "")]
    lines += _inventory(plan, width)
    lines += _alternatives(plan, width)
    lines += _notes(plan, width)
    lines += _verdict(plan, width)
    return "\n".join(lines) + "\n"


def _table(plan: Plan, width: int) -> list[str]:
    assert plan.cost is not None
    when = [Column("FROM"), Column("TO", drop=5)] if plan.periods else []
    columns = [*_COLUMNS, *when, Column(plan.cost.currency, ">")]
    blank = [""] * (len(columns) - 5)
    rows: list[list[str]] = []
    for workload in plan.workloads:
        if not workload.served:
            words = _not_served(plan, workload.name)
            rows.append([workload.name, workload.model, workload.kind, words, *blank, "-"])
        for number, part in enumerate(workload.assignment):
            cells = _row(workload, part, first=number == 0)
            dates = [part.start or "", part.end or ""] if plan.periods else []
            rows.append([*cells[:-1], *dates, cells[-1]])
    rows += [
        [f"({p.pool}, idle share)", "", "", "", p.pool, *blank[1:], money(p.idle_cost)]
        for p in plan.pools
        if p.idle_cost
    ]
    footer = ["TOTAL", "", "", _gpus_in_all(plan), *blank, money(plan.cost.total)]
    return render_table(columns, rows, width=width, footer=footer)


def _not_served(plan: Plan, name: str) -> str:
    """The words in place of GPUs, with the periods that lack them."""
    if not any(w.assignment for w in plan.workloads if w.name == name):
        return "not served"
    lacking = [p.name for p in plan.periods for w in p.workloads if w.name == name and not w.served]
    return f"not served in {', '.join(lacking)}" if lacking else "not served"


def _gpus_in_all(plan: Plan) -> str:
    """GPUs and types of the plan; over periods, the most at any one time."""
    types = len({a.gpu for w in plan.workloads for a in w.assignment})
    words = f"{types} type{'s' if types != 1 else ''}"
    if plan.periods:
        most = max(sum(r.used_gpus for r in p.pools) for p in plan.periods)
        return f"at most {most} GPUs, {words}"
    return f"{sum(a.gpus for w in plan.workloads for a in w.assignment if not a.turns_on)} GPUs, {words}"


def _how(part: Assignment) -> str:
    if part.turns_on:
        return f"{_spot(part)} in turn"
    return _spot(part)


def _spot(part: Assignment) -> str:
    return "" if part.interruption is None else " spot"


def _row(workload: PlanWorkload, part: Assignment, *, first: bool) -> list[str]:
    copies = f"{part.replicas} x " if part.replicas > 1 else ""
    mark = " *" if workload.defaults and first else ""
    used = f"{part.ledger.total_gib:.1f} / {part.ledger.usable_gib:.1f}"
    share = part.ledger.total_gib / part.ledger.usable_gib if part.ledger.usable_gib else 0.0
    return [
        workload.name if first else "",
        workload.model if first else "",
        workload.kind if first else "",
        f"{part.gpus} x {part.gpu}{_how(part)}",
        part.pool,
        f"{copies}{part.layout.text}{mark}",
        used,
        bar(share),
        money(part.cost),
    ]


def _routes(workload: PlanWorkload) -> list[tuple[str, str]]:
    """One line a size: where its requests go, the larger share first."""
    sizes: dict[tuple[float, float, float], list[tuple[float, str]]] = {}
    for part in workload.routing:
        taken = [workload.assignment[at] for at in part.assignments]
        pools = dict.fromkeys(f"{one.pool}{_spot(one)}" for one in taken)
        route = (part.parts / part.of, " and ".join(pools))
        sizes.setdefault((part.prompt, part.output, part.share), []).append(route)
    lines: list[tuple[str, str]] = []
    for (prompt, output, share), routes in sizes.items():
        routes.sort(key=lambda r: (-r[0], r[1]))
        where = ", ".join(
            f"{100 * part:.1f} % to {pool}" if len(routes) > 1 else f"to {pool}"
            for part, pool in routes
        )
        text = f"{prompt:,g} + {output:,g} tokens, {100 * share:g} % of the requests: {where}"
        lines.append((workload.name if not lines else "", text))
    return lines


def _section(title: str, items: Sequence[tuple[str, str]], width: int) -> list[str]:
    if not items:
        return []
    name_width = max(len(name) for name, _ in items)
    lines = [title]
    for name, text in items:
        lines += wrap(
            text, first=f"  {name:<{name_width}}  ", rest=" " * (name_width + 4), width=width
        )
    return [*lines, ""]


def _inventory(plan: Plan, width: int) -> list[str]:
    if not plan.pools:
        return []
    bought = [Column("bought", ">")] if plan.periods else []
    columns = (
        Column("POOL", clip=True), Column("GPU", clip=True, drop=1), Column("NODES owned", ">"), *bought,
        Column("rented", ">"),
        Column("GPUS used/held", ">"), Column(plan.cost.currency if plan.cost else "", ">"),
    )  # fmt: skip
    shown = [p for p in plan.pools if p.used_nodes or p.owned or p.cost]
    unused = [p.pool for p in plan.pools if not (p.used_nodes or p.owned or p.cost)]
    rows = [
        [
            p.pool, p.gpu, str(p.owned), *([str(p.bought) if p.bought else "-"] if plan.periods else []),
            str(p.rented) if p.rented else "-",
            f"{p.used_gpus} / {p.total_gpus}", money(p.cost),
        ]
        for p in shown
    ]  # fmt: skip
    rest = (
        wrap(f"left: {'; '.join(plan.slack)}", first="", rest="  ", width=width)
        if plan.slack
        else []
    )
    rest += (
        wrap(f"not needed: {', '.join(unused)}", first="", rest="  ", width=width) if unused else []
    )
    return [*render_table(columns, rows, width=width), *rest, ""]


def _alternatives(plan: Plan, width: int) -> list[str]:
    """Plans that cost little more: what is different, and where each workload then runs that moves."""
    if plan.alternatives_within is None:
        return []
    share = f"{100 * plan.alternatives_within:g} %"
    if not plan.alternatives:
        lines = wrap(
            f"No plan within {share} of this one uses other GPUs"
            + (" or orders otherwise" if plan.periods else ""),
            first="", rest="  ", width=width,
        )  # fmt: skip
        return [*lines, ""]
    lines = [
        f"Plans within {share} that use other GPUs{' or order otherwise' if plan.periods else ''}"
    ]
    for number, other in enumerate(plan.alternatives, 1):
        sure = "" if other.proven else " (not proven cheapest)"
        lines += wrap(
            f"{money(other.cost)} (+{100 * other.over:.2f} %){sure}, {other.change}: {_moves(plan, other)}",
            first=f"  {number:2}. ", rest="      ", width=width,
        )  # fmt: skip
    return [*lines, ""]


def _moves(plan: Plan, other: PlanAlternative) -> str:
    """What an alternative orders and uses otherwise; where it is the same nodes, which workloads move."""
    if other.then and not other.then.startswith(SAME_NODES):
        return other.then
    here = {(w.name, a.pool, a.gpus, a.start) for w in plan.workloads for a in w.assignment}
    moved = [u for u in other.workloads if (u.workload, u.pool, u.gpus, u.start) not in here]
    # Over a horizon ties move others as well, for no reason.
    named = [u for u in moved if f"`{u.workload}`" in other.change] if plan.periods else []
    uses = [
        f"`{u.workload}` on {u.gpus} x `{u.pool}` ({u.layout})"
        + (f" from {u.start}" if u.start else "")
        for u in named or moved
    ]
    return ", ".join(uses) or other.then


def _notes(plan: Plan, width: int) -> list[str]:
    lines: list[str] = []
    starred = [(w.name, "* " + "; ".join(w.defaults)) for w in plan.workloads if w.defaults]
    lines += _section("Defaults taken", starred, width)
    for title, texts in (("Assumptions", plan.assumptions), ("Warnings", plan.warnings)):
        if texts:
            lines.append(title)
            for text in texts:
                lines += wrap(text, first="  - ", rest="    ", width=width)
            lines.append("")
    return lines


def _caution(plan: Plan, width: int) -> list[str]:
    """What careful figures cost, in a sentence."""
    told = plan.caution
    if told is None or plan.cost is None:
        return []
    unit = plan.cost.currency
    least = "the cheapest plan" if told.best_bound == told.best_cost else "a plan found in short"
    best = f"at best estimates {least} would cost {money(told.best_cost)}"
    if not told.same_served:
        text = f"Caution (upper memory, lower speed) changes what can be served; {best}."
    elif told.price == 0:
        text = "Caution (upper memory, lower speed) costs nothing: best estimates give no cheaper plan."
    else:
        text = (
            f"Caution (upper memory, lower speed) costs {money(told.price)} {unit} of this: {best}, "
            "but may not hold."
        )
    return wrap(text, first="", rest="  ", width=width)


def _verdict(plan: Plan, width: int) -> list[str]:
    assert plan.cost is not None
    assert plan.bound is not None
    total, bound = money(plan.cost.total), money(plan.bound)
    unit = plan.cost.currency
    checked = "verified" if plan.verified else "NOT VERIFIED"
    tail = f"{plan.solve.options:,} options, {plan.solve.rejected:,} rejected, {checked}."
    unserved = [w.name for w in plan.workloads if not w.served]
    lines = []
    if unserved:
        lines += wrap(f"Not served: {', '.join(unserved)}.", first="", rest="  ", width=width)
    if plan.status is Status.PROVEN:
        text = f"Proved cheapest: {total} {unit} = bound, gap 0 %. {tail}"
    else:
        gap = 100 * (plan.gap or 0.0)
        text = f"Best found: {total} {unit}, at most {gap:.2f} % above the cheapest possible (bound {bound}). {tail}"
    return [*lines, *_caution(plan, width), *wrap(text, first="", rest="  ", width=width)]
