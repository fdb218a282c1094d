"""The minimal conflict in the user's own rows: workloads, stock, limits, and what each workload insists on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from planner.optimize.repairs_bench import Bench
from planner.options.asks import Ask, ServingAsk
from planner.options.explain.changes import only, with_ask
from planner.options.explain.levers import Lever, levers
from planner.options.explain.supply_changes import with_supplier, without_limit
from planner.options.question import Question

Written = Callable[[str, str], bool]
"""(workload, path below it) -> whether the user wrote that row."""


@dataclass(frozen=True, slots=True)
class Member:
    """One row of a conflict."""

    kind: str
    """block, supply, limit, or wish."""
    name: str
    """Workload, `POOL/TERM`, or name of the limit."""
    lever: Lever | None = None

    @property
    def pool(self) -> str:
        """Pool of a supply."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class RowConflict:
    """Rows that cannot all hold."""

    members: tuple[Member, ...]
    question: Question
    """The question in which these rows alone bind."""
    tested: int = 0
    """Members whose removal was shown to leave a plan."""
    alone: bool = False
    """Whether the rows were shown to be impossible by themselves."""

    @property
    def minimal(self) -> bool:
        """Whether every member is needed."""
        return self.alone and self.tested == len(self.members)


def narrow(bench: Bench, question: Question, start: Sequence[str], written: Written) -> RowConflict:
    """From row groups of the solver to the user's rows: wishes are lifted one by one and kept where that helps.

    `start` has `block:NAME`, `supply:POOL/TERM` and `limit:NAME`; they must be impossible together.
    """
    kept = [Member(*text.split(":", 1)) for text in start]  # type: ignore[arg-type]
    blocks = [m.name for m in kept if m.kind == "block"]
    bound = _bound(bench, question, kept)
    # Together with others a workload is what it is; alone its format and lengths are rows like others.
    fixed = {"precision", "context", "sequence"} if len(kept) > 1 else set()
    for ask in [a for a in question.asks if a.name in blocks]:
        for lever in levers(ask):
            if lever.kind in fixed or not written(ask.name, lever.path):
                continue
            lifted = with_ask(bound, ask.name, lever.lift)
            if bench.possible(lifted).impossible:
                bound = lifted
            else:
                kept.append(Member("wish", ask.name, lever))
    kept, bound = _shrunk(bench, kept, bound)
    alone = bench.possible(bound).impossible
    tested = sum(bench.possible(without(bench, bound, m)).works for m in kept)
    return RowConflict(tuple(kept), bound, tested, alone)


def _shrunk(bench: Bench, kept: list[Member], bound: Question) -> tuple[list[Member], Question]:
    """Rows that are no longer needed once wishes are told apart, limits and supplies first."""
    order = {"limit": 0, "supply": 1, "wish": 2, "block": 3}
    for member in sorted(kept, key=lambda m: order[m.kind]):
        freed = without(bench, bound, member)
        if len(freed.asks) and bench.possible(freed).impossible:
            bound = freed
            kept = [m for m in kept if m != member and (m.kind != "wish" or _asked(freed, m.name))]
    return kept, bound


def _asked(question: Question, name: str) -> bool:
    return any(a.name == name for a in question.asks)


def without(bench: Bench, question: Question, member: Member) -> Question:
    """The question without one row."""
    if member.kind == "block":
        return only(question, frozenset(a.name for a in question.asks) - {member.name})
    if member.kind == "limit":
        return without_limit(member.name)(question)
    if member.kind == "supply":
        return _ample(bench, question, {member.name})
    assert member.lever is not None
    if not _asked(question, member.name):
        return question
    return with_ask(question, member.name, member.lever.lift)


def _bound(bench: Bench, question: Question, kept: Iterable[Member]) -> Question:
    """The question in which nothing but the kept rows binds."""
    names: Mapping[str, set[str]] = {
        kind: {m.name for m in kept if m.kind == kind} for kind in ("block", "supply", "limit")
    }
    bound = only(question, frozenset(names["block"]))
    bound = replace(
        bound,
        wishes=tuple(replace(w, required=True) for w in bound.wishes),
        limits=tuple(x for x in bound.limits if x.name in names["limit"]),
    )
    every = {f"{s.facts.name}/{t.name}" for s in bound.suppliers for t in s.terms}
    return _ample(bench, bound, every - names["supply"])


def _ample(bench: Bench, question: Question, supplies: set[str]) -> Question:
    """The question with as many nodes of these terms as anyone could use."""
    most = sum(_most_nodes(bench, question, ask) for ask in question.asks)
    for supplier in question.suppliers:
        name = supplier.facts.name
        if not any(f"{name}/{t.name}" in supplies for t in supplier.terms):
            continue
        terms = tuple(
            replace(t, max_nodes=max(t.max_nodes, most)) if f"{name}/{t.name}" in supplies else t
            for t in supplier.terms
        )
        first = f"{name}/{supplier.terms[0].name}" in supplies
        spare = 0 if first else supplier.spare_nodes
        question = with_supplier(question, replace(supplier, terms=terms, spare_nodes=spare))
    return question


def _most_nodes(bench: Bench, question: Question, ask: Ask) -> int:
    spare = ask.spare if isinstance(ask, ServingAsk) else 0
    needs = [
        (o.replicas + spare) * max(1, o.nodes)
        for s in question.suppliers
        for o in bench.consider(ask, s.facts).options
    ]
    return max(needs, default=1)
