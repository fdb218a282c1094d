"""On random infeasible questions: conflicts are impossible alone and minimal, and every repair has a plan."""

from __future__ import annotations

import pytest

from planner.optimize.outcome import Outcome, Status
from planner.optimize.repairs import repair_together
from planner.optimize.repairs_bench import Bench
from planner.optimize.repairs_conflict import Member, RowConflict, narrow, without
from planner.optimize.solve import solve
from planner.options.build import build
from planner.options.question import Question
from tests.optimize.whatif_cases import everything_written, random_question

SEEDS = range(90)


def solved(bench: Bench, question: Question) -> Outcome:
    """A solve with default limits, nothing shared with the bench but the options."""
    considered = bench.considered(question)
    built = build(
        question.asks, question.wishes, considered, question.suppliers, question.energy,
        question.limits,
    )  # fmt: skip
    return solve(built.problem)


def infeasible(seed: int) -> tuple[Bench, Question, Outcome] | None:
    """A random question if it is proven to have no plan though every workload has options."""
    question, invented = random_question(seed, workloads=2 + seed % 12)
    bench = Bench(invented, work=1e9)
    if bench.price(question).hopeless:
        return None
    outcome = solved(bench, question)
    return (bench, question, outcome) if outcome.status is Status.INFEASIBLE else None


def conflict_of(bench: Bench, question: Question, outcome: Outcome) -> RowConflict:
    assert outcome.conflict is not None
    return narrow(bench, question, outcome.conflict.members, everything_written)


CASES = [seed for seed in SEEDS if infeasible(seed) is not None]


def test_there_are_enough_cases_of_both_sizes() -> None:
    assert sum(2 + seed % 12 > 10 for seed in CASES) >= 5
    assert len(CASES) >= 20


@pytest.mark.parametrize("seed", CASES)
def test_a_conflict_is_impossible_alone_and_needs_each_row(seed: int) -> None:
    case = infeasible(seed)
    assert case is not None
    bench, question, outcome = case
    conflict = conflict_of(bench, question, outcome)
    assert solved(bench, conflict.question).status is Status.INFEASIBLE
    assert conflict.minimal
    for member in conflict.members:
        freed = without(bench, conflict.question, member)
        assert solved(bench, freed).has_plan or not freed.asks, member


@pytest.mark.parametrize("seed", CASES)
def test_every_repair_has_a_plan_at_its_price(seed: int) -> None:
    case = infeasible(seed)
    assert case is not None
    bench, question, outcome = case
    names = [m.name for m in conflict_of(bench, question, outcome).members if m.kind == "block"]
    found = repair_together(bench, question, names)
    assert found.fixes
    for fix in found.fixes:
        changed = question
        for change in fix.changes:
            changed = change.applied(changed)
        second = solved(bench, changed)
        assert second.has_plan, fix.text
        assert second.cost_cents == fix.cents or second.status is not Status.PROVEN, fix.text
    keys = [(f.gives_up, f.unpriced, f.cents) for f in found.fixes]
    assert keys == sorted(keys)


def test_members_name_the_rows_they_stand_for() -> None:
    seed = CASES[0]
    case = infeasible(seed)
    assert case is not None
    bench, question, outcome = case
    conflict = conflict_of(bench, question, outcome)
    pools = {s.facts.name for s in question.suppliers}
    for member in conflict.members:
        assert isinstance(member, Member)
        if member.kind == "supply":
            assert member.pool in pools
        elif member.kind in ("block", "wish"):
            assert member.name in {a.name for a in question.asks}
