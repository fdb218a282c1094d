"""What a user relies on: the five outcomes, packing, rules, ties, and conflicts that name facts."""

import dataclasses
import subprocess
import sys

import pytest

from planner.optimize import Progress, SolveLimits, Status, Stop, solve
from planner.options.problem import Limit
from tests.optimize.problems import candidate, job, problem, service, supply


def cost(outcome):
    assert outcome.status is Status.PROVEN, outcome
    return outcome.cost_cents


def test_importing_the_optimizer_does_not_load_ortools():
    code = "import sys, planner.optimize; print(any(m.startswith('ortools') for m in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_solving_a_small_problem_does_not_load_pandas():
    code = (
        "import sys; from planner.optimize import solve;"
        "from planner.options.problem import *;"
        "c = Candidate('a', 0, 1, 0, 2000, 5);"
        "solve(Problem((Block('b', (c,), True),), (Supply('p', 'owned', 4, 1, 0, 'g'),)));"
        "print('pandas' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_owned_before_rented_only_where_cheaper():
    blocks = [job("a", candidate(0, 8, 500), candidate(1, 8, 10))]
    stock = [supply("owned"), supply("cloud", cost=400)]
    assert cost(solve(problem(blocks, stock))) == 410
    dear = [stock[0], dataclasses.replace(stock[1], node_cost_cents=600)]
    assert cost(solve(problem(blocks, dear))) == 500


@pytest.mark.parametrize(
    ("size", "node", "replicas", "nodes"), [(3, 4, 3, 3), (2, 5, 4, 2), (5, 8, 2, 2), (3, 8, 4, 2)]
)
def test_sizes_that_do_not_divide_the_node(size, node, replicas, nodes):
    blocks = [job(f"j{i}", candidate(0, size, 0)) for i in range(replicas)]
    outcome = solve(problem(blocks, [supply(gpus=node, nodes=9, cost=100)]))
    assert cost(outcome) == 100 * nodes
    short = solve(problem(blocks, [supply(gpus=node, nodes=nodes - 1, cost=100)]))
    assert short.status is Status.INFEASIBLE


def test_mixed_sizes_pack_by_patterns():
    blocks = [job(f"t{i}", candidate(0, 3, 0)) for i in range(2)]
    blocks += [job(f"d{i}", candidate(0, 2, 0)) for i in range(2)]
    assert cost(solve(problem(blocks, [supply(gpus=5, nodes=3, cost=7)]))) == 14


def test_host_ram_strands_gpus():
    blocks = [job(f"j{i}", candidate(0, 2, 0, host_sixteenths=9)) for i in range(3)]
    assert cost(solve(problem(blocks, [supply(nodes=3, cost=50)]))) == 150


def test_every_replica_has_a_node_and_gpus_of_its_own():
    blocks = [
        service("s", candidate(0, 3, 1, units=700), spare_replicas=1),
        job("j", candidate(0, 2)),
    ]
    outcome = solve(problem(blocks, [supply(nodes=3)]))
    cost(outcome)
    seats = [(n.index, g) for n in outcome.packing[0] for p in n.placed for g in p.gpus]
    assert len(seats) == len(set(seats)) == 4 * 3 + 2
    assert all(0 <= g < 8 for _, g in seats)


def test_multi_node_replica_takes_whole_nodes():
    blocks = [job("big", candidate(0, 0, 5, whole_nodes=2)), job("small", candidate(0, 1, 1))]
    outcome = solve(problem(blocks, [supply(nodes=3, cost=10)]))
    assert cost(outcome) == 36
    assert outcome.nodes == (3,)
    two = solve(problem(blocks, [supply(nodes=2, cost=10)]))
    assert two.status is Status.INFEASIBLE


def test_spare_replicas_survive_the_largest():
    mixed = service(
        "s", candidate(0, 4, 10, units=2000), candidate(0, 1, 4, units=1000), spare_replicas=1
    )
    outcome = solve(problem([mixed], [supply(nodes=4)]))
    assert cost(outcome) == 12
    assert sum(c.replicas for c in outcome.plans[0].choices) == 3


def test_distinct_nodes_even_where_counting_is_not_enough():
    apart = service("apart", candidate(0, 1, 0, units=1000), distinct_nodes=True)
    filler = job("filler", candidate(0, 4, 0))
    stock = supply(gpus=4, nodes=2)
    assert solve(problem([apart, filler], [stock])).status is Status.INFEASIBLE
    more = dataclasses.replace(stock, max_nodes=3)
    outcome = solve(problem([apart, filler], [more]))
    cost(outcome)
    homes = [n.index for n in outcome.packing[0] for p in n.placed if p.block == 0]
    assert len(set(homes)) == 2


def test_spare_nodes_stay_free():
    blocks = [job("a", candidate(0, 8))]
    assert solve(problem(blocks, [supply(spare_nodes=1)])).status is Status.INFEASIBLE
    cost(solve(problem(blocks, [supply(nodes=2, spare_nodes=1)])))


def test_same_pool_keeps_replicas_together():
    mixed = service("s", candidate(0, 8, 1, units=1000), candidate(1, 8, 5, units=1000))
    stock = [supply("a"), supply("b", nodes=2)]
    assert cost(solve(problem([mixed], stock))) == 6
    together = dataclasses.replace(mixed, same_pool=True)
    assert cost(solve(problem([together], stock))) == 10


def test_most_important_optional_block_wins():
    blocks = [
        job("late", candidate(0, 8, 1), required=False, priority=2),
        job("first", candidate(0, 8, 900), required=False, priority=1),
    ]
    outcome = solve(problem(blocks, [supply()]))
    assert cost(outcome) == 900
    assert outcome.unserved == (0,)
    assert [r.value for r in outcome.rounds] == [0, 1, 900]


def test_block_without_candidates_needs_no_solver():
    outcome = solve(problem([job("none")], [supply()]))
    assert outcome.status is Status.INFEASIBLE
    assert outcome.conflict is not None
    assert outcome.conflict.members == ("block:none",)


def test_conflict_names_only_what_is_needed():
    blocks = [job("a", candidate(0, 8, 10)), job("b", candidate(0, 8, 10)), job("c", candidate(1))]
    limits = [Limit("budget", "cost", 1000), Limit("power", "power", 1000)]
    outcome = solve(problem(blocks, [supply("p"), supply("q")], limits))
    assert outcome.conflict is not None
    assert outcome.conflict.members == ("supply:p/owned", "block:a", "block:b")
    assert outcome.conflict.minimal


def test_budget_in_conflict():
    limits = [Limit("budget", "cost", 99)]
    outcome = solve(problem([job("a", candidate(0, 8, 100))], [supply()], limits))
    assert outcome.conflict is not None
    assert outcome.conflict.members == ("limit:budget", "block:a")


def test_linear_program_feasible_yet_integers_not():
    """Three jobs of half a node each fit 1.5 nodes in fractions; three of 5 GPUs need three nodes."""
    blocks = [job(f"j{i}", candidate(0, 5, 0)) for i in range(3)]
    outcome = solve(problem(blocks, [supply(nodes=2)]))
    assert outcome.status is Status.INFEASIBLE


def test_malformed_problem_is_invalid_not_infeasible():
    outcome = solve(problem([job("a", candidate(3))], [supply()]))
    assert outcome.status is Status.INVALID
    assert "unknown supply 3" in outcome.message


def test_canonical_plan_ignores_names_and_order():
    options = [candidate(0, 2, 10), candidate(1, 2, 10)]
    stock = [supply("x"), supply("y")]
    one = solve(problem([job("a", *options), job("b", candidate(0, 4, 3))], stock))
    two = solve(problem([job("q", candidate(0, 4, 3)), job("r", *reversed(options))], stock))
    keys = [
        sorted(
            p.blocks[plan.block].candidates[c.candidate].key
            for plan in o.plans
            for c in plan.choices
        )
        for p, o in (
            (problem([job("a", *options), job("b", candidate(0, 4, 3))], stock), one),
            (problem([job("q", candidate(0, 4, 3)), job("r", *reversed(options))], stock), two),
        )
    ]
    assert keys[0] == keys[1]
    assert one.tie_break_applied


def test_ties_prefer_listed_first_then_fewer_gpus():
    wanted = job("a", candidate(0, 4, 10, preference=0), candidate(0, 1, 10, preference=1))
    outcome = solve(problem([wanted], [supply()]))
    assert outcome.plans[0].choices[0].candidate == 0
    fewer = job("a", candidate(0, 4, 10), candidate(0, 1, 10))
    assert solve(problem([fewer], [supply()])).plans[0].choices[0].candidate == 1


def test_progress_and_stop():
    events: list[Progress] = []
    blocks = [job("a", candidate(0, 8, 10))]
    solve(problem(blocks, [supply()]), progress=events.append)
    assert events[-1].incumbent_cents == events[-1].bound_cents == 10
    stopped = Stop()
    stopped.request()
    outcome = solve(problem(blocks, [supply()]), stop=stopped)
    assert outcome.status is Status.UNKNOWN
    assert outcome.interrupted


def test_same_problem_same_outcome():
    from tests.benchmarks.instances import generate

    first, second = (solve(generate(5, 10, 2), limits=SolveLimits()) for _ in range(2))
    assert (first.plans, first.packing) == (second.plans, second.packing)
