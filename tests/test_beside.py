"""Work done beside: the same result as here, errors and all, and nothing left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from planner import api
from planner.beside import Beside
from planner.optimize import SolveLimits, answer, caution
from planner.verify.problem import Problem, VerificationError

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"


def no_children() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return True


@pytest.mark.parametrize("fork", [True, False])
def test_the_result_is_that_of_the_work(fork: bool) -> None:
    large = list(range(100_000))
    with Beside(lambda: (large, os.getpid()), fork=fork) as beside:
        found, process = beside.result()
    assert found == large
    assert (process == os.getpid()) is not fork
    assert no_children()


@pytest.mark.parametrize("fork", [True, False])
def test_an_error_comes_out_where_the_result_is_asked_for(fork: bool) -> None:
    with Beside(lambda: 1 // 0, fork=fork) as beside, pytest.raises(ZeroDivisionError):
        beside.result()
    assert no_children()


def test_ctrl_c_is_nothing_to_the_child() -> None:
    started, theirs = os.pipe()

    def work() -> str:
        os.write(theirs, str(os.getpid()).encode())
        time.sleep(0.2)
        return "done"

    with Beside(work, fork=True) as beside:
        os.kill(int(os.read(started, 20)), signal.SIGINT)
        assert beside.result() == "done"
    assert no_children()


def test_a_child_whose_result_nobody_wants_is_ended() -> None:
    with Beside(lambda: time.sleep(600), fork=True):
        pass
    assert no_children()


def test_half_a_result_is_worked_out_here(monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def half(pipe: int, data: bytes) -> int:
        write(pipe, data[: len(data) // 2])
        os._exit(1)

    monkeypatch.setattr(os, "write", half)
    with Beside(lambda: list(range(1000)), fork=True) as beside:
        assert beside.result() == list(range(1000))
    assert no_children()


def test_a_plan_is_the_same_with_a_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    forked = []

    def spy(work: Callable[[], object], *, fork: bool) -> Beside[object]:
        forked.append(fork)
        return Beside(work, fork=fork)

    monkeypatch.setattr(caution, "Beside", spy)
    monkeypatch.setattr(caution, "can_fork", lambda: True)
    scenario = api.load(SCENARIOS / "tutorial.yaml")
    alone = api.solve(scenario)
    assert api.solve(scenario, limits=SolveLimits(second_process=True)) == alone
    assert forked == [False, True]


def test_a_plan_is_verified_by_a_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []

    def wrong(scenario: object, plan: object) -> list[Problem]:
        checked.append(plan)
        return [Problem("memory", "chat", f"seen by process {os.getpid()}")]

    monkeypatch.setattr(answer, "LEAST_BESIDE", 1)
    monkeypatch.setattr(answer, "can_fork", lambda: True)
    monkeypatch.setattr(answer, "verify_plan", wrong)
    scenario = api.load(SCENARIOS / "tutorial.yaml")
    with pytest.raises(VerificationError, match="seen by process") as error:
        api.solve(scenario, limits=SolveLimits(second_process=True))
    assert str(os.getpid()) not in str(error.value)
    assert not checked
    with pytest.raises(VerificationError, match=f"seen by process {os.getpid()}"):
        api.solve(scenario)


def test_ctrl_c_while_the_price_of_caution_is_awaited_keeps_the_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Interrupted(Beside[object]):
        def result(self) -> object:
            raise KeyboardInterrupt

    monkeypatch.setattr(caution, "Beside", Interrupted)
    plan = api.solve(api.load(SCENARIOS / "tutorial.yaml"))
    assert plan.cost is not None
    assert plan.verified
    assert any("left out after an interruption" in text for text in plan.assumptions)
