"""What a search for repairs finds: changes that a second solve confirmed, and those that do not help."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.optimize.repairs_bench import Bench, Trial
from planner.options.explain.changes import Change, Search, first_step
from planner.options.explain.what_if import option_words
from planner.options.question import Question

MOST_COMBINATIONS = 3
"""Combinations shown."""


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

    @property
    def full_text(self) -> str:
        """All changes in one line, each with the workload it is for."""
        return "; ".join(c.full_text for c in self.changes)


@dataclass(slots=True)
class Found:
    """What a search for repairs came to."""

    fixes: list[Fix] = field(default_factory=list)
    failed: list[tuple[Search, Trial]] = field(default_factory=list)
    """Changes that do not help at their loosest, each with what came of it."""
    notes: list[str] = field(default_factory=list)
    """What would help and cannot be had."""


def try_search(bench: Bench, question: Question, search: Search, found: Found) -> None:
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
        found.fixes.append(Fix((change,), trial, says=given(trial, change.workload)))
    else:
        found.failed.append((search, trial))


def by_price(found: Found) -> Found:
    """By price; giving a workload up comes last, whatever it saves. One fix for each kind of change and place."""
    best: dict[str, Fix] = {}
    for fix in sorted(found.fixes, key=lambda f: (f.gives_up, f.unpriced, f.cents)):
        if fix.combination and sum(f.combination for f in best.values()) == MOST_COMBINATIONS:
            continue
        best.setdefault(fix.full_text, fix)
    return Found(list(best.values()), found.failed, found.notes)


def given(trial: Trial, workload: str) -> str:
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
