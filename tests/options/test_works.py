"""Options by two processes are those of one, to the last bit, and so is the plan."""

from __future__ import annotations

import os
import pickle
from dataclasses import fields

import pytest

from planner import api
from planner.api import load
from planner.options import works
from planner.options.consider import consider
from planner.options.from_scenario import question_of
from planner.options.records import Considered, Reason, Rejection
from planner.options.row_records import RowRejection
from planner.options.works import Work, shared_out
from tests.options.test_pools_together import SCENARIOS

NAMES = ["lab", "serving-mix", "finetune-offload"]


def whole(part: Considered) -> list[object]:
    """Every figure, those that are worked out when looked at included."""
    options = [[getattr(o, f.name) for f in fields(o)] for o in part.options]
    for values, option in zip(options, part.options, strict=True):
        values += [[getattr(record, f.name) for f in fields(record)]
                   for record in (option.account, option.timing)]  # fmt: skip
    rejections = [[getattr(r, f.name) for f in fields(Rejection)] for r in part.rejections]
    return [repr(options), repr(rejections), part.dominated, part.rejected]


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Children that were forked; small questions are shared out as well."""
    children: list[int] = []
    fork = os.fork

    def counted() -> int:
        child = fork()
        children.append(child)
        return child

    monkeypatch.setattr(os, "fork", counted)
    monkeypatch.setattr(works, "LEAST_CASES", 2)
    return children


@pytest.mark.parametrize("name", NAMES)
def test_the_same_by_two_processes(name: str, forks: list[int]) -> None:
    question = question_of(load(SCENARIOS / f"{name}.yaml"))
    alone = consider(question)
    assert not forks
    together = consider(question, fork=True)
    assert forks
    assert list(alone) == list(together)
    for workload, parts in alone.items():
        for one, other in zip(parts, together[workload], strict=True):
            assert whole(one) == whole(other)


def test_what_a_child_does_not_bring_is_computed_here(
    forks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    question = question_of(load(SCENARIOS / "lab.yaml"))
    alone = consider(question)
    monkeypatch.setattr(pickle, "dumps", lambda found: 1 // 0)
    together = consider(question, fork=True)
    assert forks
    assert [whole(p) for row in alone.values() for p in row] == [
        whole(p) for row in together.values() for p in row
    ]


def test_small_questions_are_not_worth_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise AssertionError("forked")

    monkeypatch.setattr(os, "fork", fork)
    consider(question_of(load(SCENARIOS / "lab.yaml")), fork=True)


def test_the_plan_is_that_of_one_process(forks: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    from planner.optimize import answer

    scenario = load(SCENARIOS / "lab.yaml")
    monkeypatch.setattr(answer, "can_fork", lambda: True)
    alone = api.solve(scenario)
    assert not forks
    assert api.solve(scenario, limits=api.SolveLimits(second_process=True)) == alone
    assert forks


def test_works_are_shared_out_by_cases() -> None:
    sizes = [5, 90, 40, 30, 20, 10, 5]
    made = [Work(size, list, lambda found: None) for size in sizes]
    ours, theirs = shared_out(made)
    assert sorted(w.cases for w in [*ours, *theirs]) == sorted(sizes)
    assert 80 <= sum(w.cases for w in theirs) <= 100


def test_a_rejection_is_packed_without_working_it_out() -> None:
    row = RowRejection.of(Reason.MEMORY, (3.0, 2.0, "GiB", "weights"), "fp8", _looked_at)
    same = pickle.loads(pickle.dumps(row))
    assert (same.short, same.dedupe_key()) == (1.0, row.dedupe_key())
    with pytest.raises(LookupError):
        _ = same.message


def _looked_at() -> tuple[object, str, None]:
    raise LookupError
