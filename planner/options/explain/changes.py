"""Changes to a question, and searches for the least of them that works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from planner.options.asks import Ask
from planner.options.question import Question

AskChange = Callable[[Ask], Ask]


@dataclass(frozen=True, slots=True)
class Change:
    """One change a user can make: what to write, and the question it leads to."""

    kind: str
    """Stable word for JSON: precision, context, nodes, rent, opex, drop, ..."""
    text: str
    """What to write, such as "`precision: gptq-int4`"."""
    workload: str = ""
    ask: AskChange | None = None
    """Changes what the workload asks."""
    whole: Callable[[Question], Question] | None = None
    """Changes supply, limits, or which workloads there are."""

    @property
    def full_text(self) -> str:
        """The text with the workload it is for."""
        named = self.workload and f"`{self.workload}`" not in self.text
        return f"{self.text} for `{self.workload}`" if named else self.text

    def applied(self, question: Question) -> Question:
        """The question after the change."""
        if self.ask is not None:
            question = with_ask(question, self.workload, self.ask)
        return question if self.whole is None else self.whole(question)


@dataclass(frozen=True, slots=True)
class Search:
    """Changes of one kind, ever looser: whatever works at one step works at all later ones."""

    kind: str
    workload: str
    count: int
    at: Callable[[int], Change]
    at_most: str = ""
    """What the loosest step reads like where it does not help; its own text if empty."""

    @property
    def loosest(self) -> Change:
        """The last step: if it does not work, none does."""
        return self.at(self.count - 1)

    @property
    def widest(self) -> str:
        """What to call the loosest step."""
        return self.at_most or self.loosest.text


def single(change: Change) -> Search:
    """A search with one step."""
    return Search(change.kind, change.workload, 1, lambda _: change)


def least(search: Search, works: Callable[[Change], bool]) -> Change | None:
    """The first step that works, by bisection; None if the loosest does not."""
    if search.count < 1 or not works(search.loosest):
        return None
    return first_step(search, works)


def first_step(search: Search, works: Callable[[Change], bool]) -> Change:
    """The first step that works, where the loosest is known to."""
    low, high = 0, search.count - 1
    while low < high:
        middle = (low + high) // 2
        if works(search.at(middle)):
            high = middle
        else:
            low = middle + 1
    return search.at(low)


def put(ask: Ask, **fields: object) -> Ask:
    """The ask with fields of its own kind changed."""
    return replace(ask, **fields)  # type: ignore[arg-type]


def with_ask(question: Question, workload: str, change: AskChange) -> Question:
    """The question with one workload's ask changed."""
    return replace(
        question, asks=tuple(change(a) if a.name == workload else a for a in question.asks)
    )


def only(question: Question, workloads: frozenset[str]) -> Question:
    """The question for some of its workloads."""
    pairs = [
        (a, w) for a, w in zip(question.asks, question.wishes, strict=True) if a.name in workloads
    ]
    return replace(question, asks=tuple(a for a, _ in pairs), wishes=tuple(w for _, w in pairs))


def all_optional(question: Question) -> Question:
    """The question in which no workload must be served."""
    return replace(question, wishes=tuple(replace(w, required=False) for w in question.wishes))
