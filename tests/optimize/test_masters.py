"""Looks for plans beside give valid plans, the same ones each time, and leave no process behind."""

from collections.abc import Callable

import pytest

from planner.optimize.backend import Stop
from planner.optimize.blocks import demands
from planner.optimize.branching import Found, Search, Work
from planner.optimize.dive import ANYWHERE, dive
from planner.optimize.exact import exact_model
from planner.optimize.master import assignments_in, integer_master
from planner.optimize.tree import Tree
from planner.options.problem import Problem
from tests.benchmarks.instances import generate


def search(
    size: tuple[int, int, int], nodes: int, stopped: Callable[[], bool] = lambda: False
) -> Search:
    return search_of(generate(*size), nodes, stopped, beside=True)


def search_of(
    case: Problem, nodes: int, stopped: Callable[[], bool] = lambda: False, *, beside: bool = False
) -> Search:
    build = exact_model(case, demands(case))
    build.model.objective = {column: cents for column, cents in build.cost_terms() if cents}
    return Search(
        build, Work(nodes=nodes), Stop(), lambda: None, lambda cost, bound: None,
        closed_elsewhere=stopped, beside=beside,
    )  # fmt: skip


@pytest.mark.parametrize("nodes", [3, 30])
def test_the_same_work_gives_the_same_plan_however_fast_the_look_beside_is(nodes):
    def outcome() -> tuple[Found, int]:
        found = search((20, 20, 6), nodes)
        return found.run(), len(found.generator.assignments)

    (one, known), (two, known_too) = outcome(), outcome()
    assert one.values is not None
    assert (one.values, one.cost, one.bound, known) == (two.values, two.cost, two.bound, known_too)


def test_plans_found_beside_are_valid_and_above_the_bound():
    found = search((50, 30, 6), 25)
    result = found.run()
    model = found.link.build.model
    assert result.values is not None
    assert result.cost == model.evaluate(result.values)
    assert model.broken(result.values) == []
    assert result.bound <= result.cost
    assert found.masters.begun is None


def test_the_plan_in_hand_is_a_plan_of_the_program_that_looks_for_better_ones():
    found = search((20, 20, 0), 3)
    found.run()
    plan = found.found.values
    assert plan is not None
    held = assignments_in(found.link, plan)
    master = integer_master(found.link, list(dict.fromkeys([*found.masters.known(), *held])))
    hint = master.values_of(held, plan)
    assert master.model.broken(hint) == []
    assert master.model.evaluate(hint) == found.found.cost


def test_only_one_look_runs_at_a_time_and_ends_with_the_search():
    found = search((50, 30, 2), 1000)
    root = found.relax(found.pricer.boxes, found.start_duals, 300)
    found.root = root
    dive(found, root, found.pricer.boxes, {}, (ANYWHERE,))
    begun = found.masters.begun
    assert begun is not None
    found.masters.begin(found.pricer.boxes, 20)
    assert found.masters.begun is begun
    found.masters.end()
    assert found.masters.begun is None
    assert begun.child.wait(5)


def test_a_search_that_is_stopped_takes_nothing_more():
    found = search((20, 20, 0), 1000, stopped=lambda: True)
    found.run()
    assert found.masters.begun is None
    assert not found.masters.taken(wait=True)


def test_limits_of_a_node_prove_nothing_about_the_root():
    case = generate(5, 10, 2)
    whole = search_of(case, 400)
    best = whole.run()
    assert best.values is not None
    assert best.bound == best.cost
    found = search_of(case, 400)
    found.root = found.relax(found.pricer.boxes, found.start_duals, 300)
    found.masters.solve(found.generator.assignments, found.pricer.boxes, 1, 0.9)
    assert found.found.cost is not None
    found.found.cost *= 2
    taken = [
        {at: (0, 0) for at, column in enumerate(columns) if best.values[column]}
        for columns in found.link.build.picks
    ]
    found.pricer.narrow(dict(enumerate(taken)))
    found.close_root()
    assert found.found.bound <= (best.cost or 0)
    assert found.found.cost == best.cost


def test_columns_of_the_plan_in_hand_stay_open_though_no_price_asked_for_them():
    found = search((20, 20, 6), 3)
    found.run()
    plan = found.found.values
    assert plan is not None
    found.generator.shut_supply = set(range(len(found.link.supply_columns)))
    master, hint = found.masters._from_plan(found.pricer.boxes)
    assert hint is not None
    assert master.model.broken(hint) == []


def test_ctrl_c_before_any_plan_waits_for_the_one_on_its_way(monkeypatch):
    def interrupted(self: Tree) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Tree, "run", interrupted)
    found = search((50, 30, 2), 1000)
    result = found.run()
    assert found.stop.requested
    assert result.values is not None
    assert found.link.build.model.broken(result.values) == []
    assert found.masters.begun is None
    with pytest.raises(KeyboardInterrupt):
        found.run()
