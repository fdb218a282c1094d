"""The story of a conflict: because and because, so; each row with both numbers and its place in the file."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from planner.optimize.repairs_bench import Bench
from planner.optimize.repairs_conflict import Member, RowConflict, without
from planner.options.explain.changes import least
from planner.options.explain.supply_changes import amount, more_nodes, more_room
from planner.options.question import Question
from planner.plan import schema as plan
from planner.scenario import Scenario
from planner.units import from_cents, money

MOST_STEPS = 5
"""Steps of a story; workloads are told together where there are more."""


def conflict_rows(
    scenario: Scenario, bench: Bench, conflict: RowConflict
) -> tuple[plan.ConflictRow, ...]:
    """Each member in the user's words, with its line."""
    return tuple(_row(scenario, bench, conflict, m) for m in conflict.members)


def _row(
    scenario: Scenario, bench: Bench, conflict: RowConflict, member: Member
) -> plan.ConflictRow:
    path = row_path(scenario, member)
    span = scenario.span(path)
    if member.kind == "block":
        name, text = member.name, block_text(bench, conflict.question, member.name)
    elif member.kind == "supply":
        name, text = member.pool, supply_text(bench, conflict.question, member)
    elif member.kind == "limit":
        name, text = member.name, limit_text(bench, conflict.question, member)
    else:
        assert member.lever is not None
        name = f"{member.name}.{member.lever.path}"
        text = wish_text(bench, conflict.question, member)
    return plan.ConflictRow(name=name, text=text, line=span.line)


def row_path(scenario: Scenario, member: Member) -> str:
    """Where the user wrote the row."""
    if member.kind == "limit":
        return member.name
    if member.kind == "supply":
        key = "owned" if "owned" in member.name.partition("/")[2] else "rent"
        return f"{scenario.pool(member.pool).path}.{key}"
    base = scenario.workload(member.name).path
    return f"{base}.name" if member.lever is None else f"{base}.{member.lever.path}"


def block_text(bench: Bench, question: Question, name: str) -> str:
    """A workload with the fewest GPUs of each pool that it takes."""
    least_gpus = _least_gpus(bench, question, name)
    return f"`{name}` must be served" + (f": {least_gpus}" if least_gpus else "")


def _least_gpus(bench: Bench, question: Question, name: str) -> str:
    ask = next(a for a in question.asks if a.name == name)
    fewest: dict[str, int] = {}
    for supplier in question.suppliers:
        options = bench.consider(ask, supplier.facts).options
        if options:
            fewest[supplier.facts.name] = min(o.gpus * o.replicas for o in options)
    if not fewest:
        return ""
    by_count: dict[int, list[str]] = defaultdict(list)
    for pool, count in fewest.items():
        by_count[count].append(f"`{pool}`")
    parts = [
        f"{n} GPU{'s' if n != 1 else ''} of {' or '.join(pools[:3])}"
        + (f" or {len(pools) - 3} more pools" if len(pools) > 3 else "")
        for n, pools in sorted(by_count.items())[:3]
    ]
    return "at least " + ", or ".join(parts)


def supply_text(bench: Bench, question: Question, member: Member) -> str:
    """Nodes there are, and nodes it would take."""
    supplier = question.supplier(member.pool)
    wanted = member.name.partition("/")[2]
    term = next(t for t in supplier.terms if t.name == wanted)
    gpus = supplier.facts.node_gpus
    have = term.max_nodes - supplier.spare_nodes * (term is supplier.terms[0])
    what = f"{_count(have, 'node')} of `{member.pool}` ({_term(term.name)}), {_count(have * gpus, 'GPU')}"
    if supplier.spare_nodes:
        what += f" ({_count(supplier.spare_nodes, 'more node')} to keep free)"
    need = needed_nodes(bench, question, member)
    if need is None:
        return f"there {'is' if have == 1 else 'are'} {what}"
    return (
        f"there {'is' if have == 1 else 'are'} {what}; {_count(need, 'node')}, {_count(need * gpus, 'GPU')}, "
        "would do"
    )


def _term(name: str) -> str:
    return "owned" if name.startswith("owned") else "for rent"


def needed_nodes(bench: Bench, question: Question, member: Member) -> int | None:
    """Least nodes of the supply at which the other rows of the conflict can hold."""
    supplier = question.supplier(member.pool)
    if not supplier.terms or supplier.terms[0].name != member.name.partition("/")[2]:
        return None
    search = more_nodes(question, member.pool)
    found = least(search, lambda c: bench.possible(c.applied(question)).works)
    if found is None:
        return None
    changed = found.applied(question).supplier(member.pool)
    return changed.terms[0].max_nodes - changed.spare_nodes


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def limit_text(bench: Bench, question: Question, member: Member) -> str:
    """What the limit allows, and the least the others need."""
    limit = next(x for x in question.limits if x.name == member.name)
    key = member.name.rpartition(".")[2]
    if limit.kind == "cost":
        allowed = f"{money(from_cents(limit.bound))} {question.currency}/month"
        trial = bench.price(without(bench, question, member))
        need = (
            f"{money(from_cents(trial.cents))}" if trial.works and trial.cents is not None else ""
        )
    else:
        allowed = amount(limit.kind, limit.bound)
        used = bench.least_used(question, limit.kind)
        if used is not None:
            fewest = math.ceil(used[0] / 10) * 10 if limit.kind == "power" else used[0]
            verb = "are" if limit.kind == "racks" else "is"
            return f"`{key}` allows {allowed}; at least {amount(limit.kind, fewest)} {verb} needed"
        found = least(more_room(limit), lambda c: bench.possible(c.applied(question)).works)
        bounds = found.applied(question).limits if found else ()
        need = next((amount(limit.kind, x.bound) for x in bounds if x.name == member.name), "")
    return f"`{key}` allows {allowed}" + (f"; at least {need} is needed" if need else "")


def wish_text(bench: Bench, question: Question, member: Member) -> str:
    """What the workload insists on, and the least change of it that would do."""
    assert member.lever is not None
    lever = member.lever
    search = lever.search(member.name)
    found = least(search, lambda c: bench.possible(c.applied(question)).works)
    would = f"; {found.text} would do" if found is not None else ""
    return f"`{member.name}` asks for {lever.text}{would}"


def story(
    scenario: Scenario, bench: Bench, conflict: RowConflict, rows: Sequence[plan.ConflictRow]
) -> plan.Explanation:
    """Headline, the scarce row with carets, because and because, so: five steps at most."""
    pairs = list(zip(conflict.members, rows, strict=True))
    scarce = [p for p in pairs if p[0].kind in ("supply", "limit")]
    blocks = [p for p in pairs if p[0].kind == "block"]
    wishes = [p for p in pairs if p[0].kind == "wish"]
    first = (scarce or wishes or blocks)[0]
    room = MOST_STEPS - 2 - len(scarce[1:])
    because = _told(bench, conflict, blocks, wishes, max(1, room))
    because += [f"{row.text} (line {row.line})" for _, row in scarce[1:]]
    return plan.Explanation(
        workload="",
        code="P301",
        headline=_headline(conflict, len(blocks)),
        place=source_place(scenario, row_path(scenario, first[0])),
        label=first[1].text,
        because=tuple(because[: MOST_STEPS - 2]),
        so=_so(bench, conflict),
        conflict=tuple(rows),
        checked=checked(conflict),
    )


def checked(conflict: RowConflict) -> str:
    """How far minimality was tested."""
    if conflict.minimal:
        return "minimal: without any one of them there is a plan"
    return f"minimality tested for {conflict.tested} of {len(conflict.members)}"


def _told(
    bench: Bench,
    conflict: RowConflict,
    blocks: Sequence[tuple[Member, plan.ConflictRow]],
    wishes: Sequence[tuple[Member, plan.ConflictRow]],
    room: int,
) -> list[str]:
    """Workloads one by one where there is room, else in one sentence; likewise their wishes."""
    texts = [f"{row.text} (line {row.line})" for _, row in blocks]
    if len(texts) + min(1, len(wishes)) > room:
        names = ", ".join(f"`{m.name}`" for m, _ in blocks[:6])
        more = f" and {len(blocks) - 6} more" if len(blocks) > 6 else ""
        total = sum(_fewest(bench, conflict.question, m.name) for m, _ in blocks)
        texts = [f"{names}{more} must all be served: {total} GPUs at the least, each taken alone"]
    asked = [f"{row.text} (line {row.line})" for _, row in wishes]
    if len(texts) + len(asked) > room and len(asked) > 1:
        rest = f"; {len(asked) - 1} more rows are in the conflict below"
        asked = [asked[0] + rest]
    return texts + asked


def _fewest(bench: Bench, question: Question, name: str) -> int:
    ask = next(a for a in question.asks if a.name == name)
    counts = [
        o.gpus * o.replicas
        for s in question.suppliers
        for o in bench.consider(ask, s.facts).options
    ]
    return min(counts, default=0)


def _headline(conflict: RowConflict, blocks: int) -> str:
    if blocks == 1:
        name = next(m.name for m in conflict.members if m.kind == "block")
        return f"no plan exists: `{name}` has options, but none within what there is"
    return f"no plan exists: these {blocks} workloads have options, but not together"


def _so(bench: Bench, conflict: RowConflict) -> str:
    """The conclusion, with the number that is short."""
    supplies = [m for m in conflict.members if m.kind == "supply"]
    limits = [m for m in conflict.members if m.kind == "limit"]
    question = conflict.question
    if len(supplies) == 1 and not limits:
        member = supplies[0]
        supplier = question.supplier(member.pool)
        need = needed_nodes(bench, question, member)
        if need is not None:
            return _short_of_nodes(bench, conflict, member, need * supplier.facts.node_gpus)
    if len(limits) == 1:
        row = limit_text(bench, question, limits[0])
        return f"every plan breaks a limit: {row}"
    return "no way to place them satisfies all of these rows"


def _short_of_nodes(bench: Bench, conflict: RowConflict, member: Member, need: int) -> str:
    supplier = conflict.question.supplier(member.pool)
    gpus = supplier.facts.node_gpus
    have = (supplier.terms[0].max_nodes - supplier.spare_nodes) * gpus
    names = [m.name for m in conflict.members if m.kind == "block"]
    sizes = [_fewest(bench, conflict.question, n) for n in names]
    if len(names) > 1 and sum(sizes) <= have:
        return (
            f"{' + '.join(map(str, sizes))} = {sum(sizes)} GPUs are no more than {have} in number, "
            f"but each replica stays in one node, and {_count(have // gpus, 'node')} of {gpus} cannot "
            f"be divided that way: {need} GPUs are needed"
        )
    return (
        f"{need} GPUs of `{member.pool}` are needed, {need - have} more than the {have} there are"
    )


def source_place(scenario: Scenario, path: str) -> plan.SourcePlace:
    """A stretch of the user's file with its text."""
    span = scenario.span(path)
    lines = scenario.sources.get(span.file, "").splitlines()
    text = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
    return plan.SourcePlace(
        file=span.file, line=span.line, column=span.column, end_column=span.end_column, text=text
    )
