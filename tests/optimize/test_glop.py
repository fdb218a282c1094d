"""The master program goes on where GLOP breaks down."""

import pytest
from pybind11_abseil import status

from planner.optimize.glop import MasterProgram


class _Broken:
    """A solver that breaks down at every solve."""

    def solve(self, *_: object) -> object:
        raise status.StatusNotOk(status.Status(status.StatusCode.INTERNAL, "abnormal"))


def program() -> MasterProgram:
    """At least 3 in all, of two columns at most 2 each; the first is cheaper."""
    master = MasterProgram([-3.0], 1.0)
    master.add([1.0, 5.0], [2.0, 2.0], [[(0, -1.0)], [(0, -1.0)]])
    return master


def test_a_breakdown_starts_again_from_nothing_and_finds_the_same():
    master = program()
    first = master.solve()
    master._solver = _Broken()
    assert first is not None
    assert master.solve() == first == (7.0, [2.0, 1.0], [5.0])


def test_a_new_start_keeps_the_bounds_and_later_columns():
    master = program()
    master.bound([0], [0.0], [1.0])
    master.add([2.0], [1.0], [[(0, -1.0)]])
    master._solver = _Broken()
    found = master.solve()
    assert found is not None
    assert found[:2] == (8.0, [1.0, 1.0, 1.0])


def test_two_breakdowns_are_no_answer(monkeypatch: pytest.MonkeyPatch):
    master = program()
    master._solver = _Broken()
    monkeypatch.setattr(master, "_again", lambda: None)
    assert master.solve() is None
