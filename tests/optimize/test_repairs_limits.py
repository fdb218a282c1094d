"""Where the work limit stops the checks, the output says how far they went; nothing is claimed beyond that."""

from __future__ import annotations

from planner.optimize.repairs import repair_together
from planner.optimize.repairs_bench import Bench
from planner.optimize.repairs_conflict import narrow
from planner.optimize.repairs_story import checked
from tests.optimize.test_repairs_random import CASES, infeasible
from tests.optimize.whatif_cases import everything_written


def test_without_work_left_no_row_counts_as_tested() -> None:
    case = infeasible(CASES[0])
    assert case is not None
    bench, question, outcome = case
    assert outcome.conflict is not None
    tired = Bench(bench.consider, work=0.0)
    conflict = narrow(tired, question, outcome.conflict.members, everything_written)
    assert not conflict.minimal
    assert conflict.tested == 0
    assert checked(conflict) == f"minimality tested for 0 of {len(conflict.members)}"


def test_without_work_left_nothing_is_called_a_repair() -> None:
    case = infeasible(CASES[0])
    assert case is not None
    bench, question, _ = case
    found = repair_together(
        Bench(bench.consider, work=0.0), question, [a.name for a in question.asks]
    )
    assert found.fixes == []
