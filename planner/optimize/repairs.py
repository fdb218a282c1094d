"""The cheapest changes that give a plan, each confirmed by a full second solve and priced."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

from planner.optimize.outcome import Status
from planner.optimize.repairs_bench import Bench, Trial
from planner.options.asks import Ask
from planner.options.build import Supplier
from planner.options.explain.ask_changes import after, ask_searches, lifted_wishes
from planner.options.explain.changes import (
    Change,
    Search,
    all_optional,
    first_step,
    only,
    single,
)
from planner.options.explain.offers import Rentable, offers_for, rent, rent_any
from planner.options.explain.supply_changes import (
    fewer_spare_nodes,
    larger_node,
    left_out,
    more_host_ram,
    more_nodes,
    more_power,
    with_limit,
    without_limit,
)
from planner.options.explain.what_if import least_gpus, option_words
from planner.options.question import Question
from planner.options.records import Reason

MOST_WORKLOADS = 6
"""Workloads whose own rows are tried where all are short of something together."""
MOST_CHANGES = 3
"""Changes in one combination."""
MOST_PAIRS = 40
"""Combinations solved."""


@dataclass(frozen=True, slots=True)
class Fix:
    """Changes that a second solve confirmed."""

    changes: tuple[Change, ...]
    trial: Trial
    says: str = ""
    """What the changed workload gets."""
    combination: bool = False

    @property
    def cents(self) -> int:
        """What the plan costs with the changes."""
        assert self.trial.cents is not None
        return self.trial.cents

    @property
    def gives_up(self) -> bool:
        """Whether a workload stays unserved."""
        return any(c.kind == "drop" for c in self.changes)

    @property
    def unpriced(self) -> bool:
        """Whether it takes hardware whose purchase is not in the cost."""
        return any(c.kind in ("nodes", "larger-node", "host-ram") for c in self.changes)

    @property
    def text(self) -> str:
        """All changes in one line."""
        return "; ".join(c.text for c in self.changes)


@dataclass(slots=True)
class Found:
    """What a search for repairs came to."""

    fixes: list[Fix] = field(default_factory=list)
    failed: list[tuple[Search, Trial]] = field(default_factory=list)
    """Changes that do not help at their loosest, each with what came of it."""


def partial_plan(bench: Bench, question: Question) -> Trial:
    """The cheapest plan for as many workloads as can be served, by priority."""
    return bench.price(all_optional(question))


def repair_workload(bench: Bench, question: Question, name: str, served: Iterable[str]) -> Found:
    """Single changes that give a workload without an option a place beside those that are served."""
    beside = only(question, frozenset({name, *served}))
    ask = next(a for a in beside.asks if a.name == name)
    found = Found()
    for search in _workload_searches(bench, beside, ask):
        _try(bench, beside, search, found)
    return _sorted(found)


def _workload_searches(bench: Bench, question: Question, ask: Ask) -> Iterator[Search]:
    parts = [bench.consider(ask, s.facts) for s in question.suppliers]
    reasons = {r.reason for c in parts for r in c.rejections}
    lifted = lifted_wishes(ask, reasons)
    base = ask
    if lifted is not None and lifted.ask is not None:
        yield single(lifted)
        base = lifted.ask(ask)
        parts = [bench.consider(base, s.facts) for s in question.suppliers]
        reasons = {r.reason for c in parts for r in c.rejections}
    for search in ask_searches(base):
        yield search if lifted is None else after(lifted, search)
    for supplier in question.suppliers:
        pool = supplier.facts.name
        more = []
        count = least_gpus(base, supplier.facts) if Reason.MEMORY in reasons else None
        if count is not None:
            more = [larger_node(question, ask.name, pool, count)]
        if supplier.facts.max_nodes == 0:
            more = [more_nodes(question, pool)]
        elif Reason.HOST_RAM in reasons:
            more += [s for s in [more_host_ram(question, pool)] if s]
        yield from (
            more if lifted is None else [after(lifted, s) for s in more if s.kind == "larger-node"]
        )
    offers = offers_for(ask, bench.options) if question.currency == "USD" else []
    if offers:
        yield _cheapest_offer(bench, question, offers)


def _cheapest_offer(
    bench: Bench, question: Question, offers: Sequence[tuple[Rentable, Supplier]]
) -> Search:
    """Of the offers the one that the cheapest plan with all of them uses most."""
    trial = bench.price(rent_any(offers).applied(question))
    used = _pools_used(trial)
    best = next((o for o in offers if o[0].node in used), offers[0])
    return single(rent(*best))


def _pools_used(trial: Trial) -> set[str]:
    if trial.built is None or trial.outcome is None or not trial.works:
        return set()
    supplies = trial.built.problem.supplies
    return {s.pool for s, n in zip(supplies, trial.outcome.nodes, strict=True) if n}


def repair_together(bench: Bench, question: Question, members: Sequence[str]) -> Found:
    """Single changes where all workloads have options, but not together; else combinations."""
    found = Found()
    searches = list(_shared_searches(bench, question, members))
    for search in searches:
        _try(bench, question, search, found)
    for limit in question.limits:
        if limit.kind == "cost":
            _least_budget(bench, question, limit.name, found)
    if all(f.gives_up for f in found.fixes):
        loose = [s.loosest for s, _ in found.failed if s.kind != "drop"]
        _combine(bench, question, [(c,) for c in loose], found)
    return _sorted(found)


def _shared_searches(bench: Bench, question: Question, members: Sequence[str]) -> Iterator[Search]:
    names = set(members)
    for supplier in question.suppliers:
        pool = supplier.facts.name
        yield more_nodes(question, pool)
        yield from (s for s in [fewer_spare_nodes(question, pool)] if s)
    for limit in question.limits:
        if limit.kind == "power":
            yield more_power(limit)
    pairs = [(a, w) for a, w in zip(question.asks, question.wishes, strict=True) if a.name in names]
    pairs.sort(key=lambda p: -p[1].priority)
    last = max((w.priority for _, w in pairs), default=1)
    for ask, _ in pairs[:MOST_WORKLOADS]:
        yield from ask_searches(ask)
    offers: list[tuple[Rentable, Supplier]] = []
    for ask, wish in pairs[:MOST_WORKLOADS]:
        if wish.priority == last and wish.required:
            yield left_out(ask, wish.priority)
        if question.currency == "USD" and len(offers) < MOST_WORKLOADS:
            offers += offers_for(ask, bench.options)[:1]
    unique = {o[0].node: o for o in offers}
    if unique:
        yield _cheapest_offer(bench, question, list(unique.values()))


def _least_budget(bench: Bench, question: Question, name: str, found: Found) -> None:
    """The least budget that works is what the cheapest plan costs without one."""
    free = bench.price(without_limit(name)(question))
    if not free.works or free.cents is None:
        lifted = Change("opex", f"no `{name}`", whole=without_limit(name))
        found.failed.append((single(lifted), free))
        return
    now = next(x.bound for x in question.limits if x.name == name)
    whole = math.ceil(free.cents / 100)
    text = f"`opex: {whole} {question.currency}/month` instead of {now / 100:,.0f}: the least that works"
    assert free.outcome is not None
    if free.outcome.status is not Status.PROVEN:
        text = text.removesuffix(": the least that works")
    change = Change("opex", text, whole=with_limit(name, whole * 100))
    trial = bench.price(change.applied(question))
    if trial.works:
        found.fixes.append(Fix((change,), trial))


def _try(bench: Bench, question: Question, search: Search, found: Found) -> None:
    """Find the least step that works and confirm it by a full solve; keep what rules out those that do not."""

    def works(change: Change) -> bool:
        return bench.possible(change.applied(question)).works

    loosest = search.loosest
    change = loosest
    if search.count > 1:
        trial = bench.possible(loosest.applied(question))
        if not trial.works:
            found.failed.append((search, trial))
            return
        change = first_step(search, works)
    trial = bench.price(change.applied(question))
    if trial.works:
        found.fixes.append(Fix((change,), trial, says=_says(trial, change.workload)))
    else:
        found.failed.append((search, trial))


def repair_all(bench: Bench, question: Question, each: Sequence[Found]) -> list[Fix]:
    """The cheapest combinations found that serve all: one change for each workload without an option, and supply."""
    singles = [
        [f.changes[0] for f in found.fixes if not f.gives_up][:MOST_CHANGES] for found in each
    ]
    if not all(singles) or len(singles) > MOST_CHANGES:
        return []
    picks = list(product(*singles))
    found = Found()
    _combine(bench, question, picks, found)
    if len(singles) < MOST_CHANGES:
        for supplier in question.suppliers:
            _with_more_nodes(bench, question, picks[:2], supplier.facts.name, found)
    best = _sorted(found).fixes
    return best[:1] + [f for f in best[1:] if f.unpriced != best[0].unpriced][:1]


def _with_more_nodes(
    bench: Bench, question: Question, picks: Sequence[tuple[Change, ...]], pool: str, found: Found
) -> None:
    """More nodes of a pool on top of changes that leave too few."""
    for changes in picks:
        changed = _applied(question, changes)
        alone = Found()
        _try(bench, changed, more_nodes(question, pool), alone)
        found.fixes += [Fix((*changes, *f.changes), f.trial, combination=True) for f in alone.fixes]


def _applied(question: Question, changes: Iterable[Change]) -> Question:
    for change in changes:
        question = change.applied(question)
    return question


def _combine(
    bench: Bench, question: Question, parts: Sequence[tuple[Change, ...]], found: Found
) -> None:
    """Tuples of changes, alone and in pairs, up to three changes and a fixed number of solves."""
    tried = 0
    sets = list(parts) if parts and len(parts[0]) > 1 else [
        tuple(c for p in group for c in p)
        for size in (2, 3)
        for group in combinations(parts, size)
    ]  # fmt: skip
    for changes in sets:
        if len(changes) > MOST_CHANGES or tried == MOST_PAIRS:
            continue
        if len({(c.kind, c.workload) for c in changes}) < len(changes):
            continue
        tried += 1
        trial = bench.price(_applied(question, changes))
        if trial.works:
            found.fixes.append(Fix(changes, trial, combination=True))


def _sorted(found: Found) -> Found:
    """By price; giving a workload up comes last, whatever it saves. One fix for each kind of change and place."""
    best: dict[str, Fix] = {}
    for fix in sorted(found.fixes, key=lambda f: (f.gives_up, f.unpriced, f.cents)):
        best.setdefault(fix.text, fix)
    return Found(list(best.values()), found.failed)


def _says(trial: Trial, workload: str) -> str:
    """What the workload gets in the plan of a trial."""
    if not workload or trial.built is None or trial.outcome is None:
        return ""
    numbers = [i for i, b in enumerate(trial.built.problem.blocks) if b.name == workload]
    if not numbers:
        return ""
    words = []
    for choice in trial.outcome.plans[numbers[0]].choices:
        candidate = trial.built.problem.blocks[numbers[0]].candidates[choice.candidate]
        words.append(option_words(trial.built.options[candidate.option], choice.replicas))
    return " and ".join(words)
