"""The periods of a horizon side by side: what each has, and the blocks of the whole problem made from theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from planner.options.build import Built
from planner.options.problem import Block, Candidate
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Option
from planner.options.spans import Stretch, spans, stretch
from planner.options.turns import LANES
from planner.scenario.periods import Period
from planner.scenario.resolved import Scenario


@dataclass(frozen=True, slots=True)
class Part:
    """One period: its question, and where its blocks and supplies lie in the whole problem."""

    period: Period
    scenario: Scenario
    question: Question
    considered: ConsideredByWorkload
    built: Built
    first_supply: int
    blocks: tuple[int, ...] = ()
    """Block of the whole problem for each ask of the period."""
    candidates: tuple[Mapping[int, int], ...] = ()
    """For each ask: candidate of that block -> candidate of the period's own block that it is here."""


def numbered(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Each part with the place of its first supply in the whole problem."""
    first, found = 0, []
    for part in parts:
        found.append(replace(part, first_supply=first))
        first += len(part.built.problem.supplies)
    return tuple(found)


def joined_blocks(
    parts: tuple[Part, ...], single: frozenset[str]
) -> tuple[list[Block], tuple[Part, ...]]:
    """The blocks of the whole problem, one for a single run over all periods, and where each part finds its own."""
    stretches = [
        stretch(p.period.name, p.period.hours, p.question, p.built, p.first_supply) for p in parts
    ]
    blocks: list[Block] = []
    jobs: dict[str, int] = {}
    places: list[list[int]] = [[] for _ in parts]
    own = [[list(b.candidates) for b in p.built.problem.blocks] for p in parts]
    numbers: list[list[dict[int, int]]] = [[{} for _ in rows] for rows in own]
    asked = [{b.name: n for n, b in enumerate(p.built.problem.blocks)} for p in parts]
    for here, part in enumerate(parts):
        for number, block in enumerate(part.built.problem.blocks):
            alone = block.name in single
            place = jobs.get(block.name, len(blocks))
            if place == len(blocks):
                name = block.name if alone else f"{block.name} {part.period.name}"
                blocks.append(replace(block, name=name, candidates=()))
            if alone:
                jobs[block.name] = place
            places[here].append(place)
            joined = list(blocks[place].candidates)
            for index, candidate in enumerate(block.candidates):
                numbers[here][number][len(joined)] = index
                joined.append(_moved(candidate, part.first_supply, part.period))
            if alone:
                for span in spans(stretches, here, number, _options(part, block.name)):
                    for later, piece in enumerate(span.slices, start=here):
                        row = asked[later][block.name]
                        numbers[later][row][len(joined)] = len(own[later][row])
                        own[later][row].append(piece)
                    joined.append(span.candidate)
            blocks[place] = replace(blocks[place], candidates=tuple(joined))
    return blocks, tuple(
        _with_spans(*row) for row in zip(parts, stretches, own, places, numbers, strict=True)
    )


def _options(part: Part, name: str) -> list[Option]:
    return [option for row in part.considered[name] for option in row.options]


def _with_spans(
    part: Part,
    one: Stretch,
    own: Sequence[Sequence[Candidate]],
    places: Sequence[int],
    numbers: Sequence[Mapping[int, int]],
) -> Part:
    """The part with the pieces of runs that go on among its candidates."""
    problem = part.built.problem
    blocks = tuple(
        replace(b, candidates=tuple(c)) for b, c in zip(problem.blocks, own, strict=True)
    )
    built = replace(part.built, problem=replace(problem, blocks=blocks), options=tuple(one.options))
    return replace(part, built=built, blocks=tuple(places), candidates=tuple(numbers))


def _moved(candidate: Candidate, first_supply: int, period: Period) -> Candidate:
    first_lane = period.index * LANES
    return replace(
        candidate,
        key=f"{candidate.key} {period.name}",
        supply=candidate.supply + first_supply,
        lane=candidate.lane + first_lane if candidate.lane >= 0 else -1,
        guest_of=candidate.guest_of + first_lane if candidate.guest_of >= 0 else -1,
    )
