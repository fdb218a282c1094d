"""Runs that take turns on the same GPUs: the rule, its rows, and the optimizer against trying everything."""

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimize import Status, routes, solve
from planner.optimize.check import problem_errors
from planner.options.problem import Block, Candidate, Problem, Turn
from planner.options.turns import with_turns
from tests.optimize.problems import candidate, job, problem, service, supply
from tests.properties.against_brute_force import compare_costs


def run(supply: int, gpus: int, minutes: int, window: int = 100, cost: int = 10) -> Candidate:
    return candidate(supply, gpus, cost, turn=Turn(minutes, window, cost // 2), max_replicas=1)


def sharing(*blocks: Block) -> list[Block]:
    return list(with_turns(blocks))


def test_two_runs_on_one_node_where_there_is_room_for_one() -> None:
    jobs = sharing(job("a", run(0, 4, 40)), job("b", run(0, 4, 50)))
    outcome = solve(problem(jobs, [supply(gpus=4, nodes=1, cost=100)]))
    assert outcome.status is Status.PROVEN
    assert outcome.cost_cents == 100 + 10 + 5
    assert outcome.nodes == (1,)


def test_not_where_they_take_longer_than_the_shortest_window() -> None:
    for window, works in ((90, True), (89, False)):
        jobs = sharing(job("a", run(0, 4, 40)), job("b", run(0, 4, 50, window)))
        outcome = solve(problem(jobs, [supply(gpus=4, nodes=1)]))
        assert (outcome.status is Status.PROVEN) is works


def test_three_runs_need_time_for_all_of_them() -> None:
    jobs = sharing(*(job(n, run(0, 2, 40, w)) for n, w in (("a", 100), ("b", 130), ("c", 200))))
    assert solve(problem(jobs, [supply(gpus=2, nodes=1)])).status is Status.INFEASIBLE
    assert solve(problem(jobs, [supply(gpus=2, nodes=2)])).status is Status.PROVEN


def test_a_guest_takes_the_option_that_is_fast_enough() -> None:
    """One GPU is cheaper and too slow for the turns; two of the host's four are fast enough."""
    slow, fast = run(0, 1, 70, cost=2), run(0, 2, 40, cost=6)
    jobs = sharing(job("a", run(0, 4, 50)), job("b", slow, fast))
    outcome = solve(problem(jobs, [supply(gpus=4, nodes=1)]))
    assert outcome.status is Status.PROVEN
    assert outcome.cost_cents == 10 + 3


def test_services_and_larger_runs_are_no_guests() -> None:
    blocks = sharing(job("a", run(0, 2, 10)), job("b", run(0, 4, 10)), service("s", run(0, 1, 10)))
    guests = {b.name: [c for c in b.candidates if c.guest_of >= 0] for b in blocks}
    assert {n: len(g) for n, g in guests.items()} == {"a": 1, "b": 0, "s": 0}


def test_a_guest_without_its_host_is_no_plan() -> None:
    jobs = sharing(job("a", run(0, 2, 10)), job("b", run(0, 2, 10)))
    without = [replace(jobs[0], candidates=(run(1, 2, 10),)), jobs[1]]
    outcome = solve(problem(without, [supply(gpus=2, nodes=0), supply("q", gpus=2, nodes=1)]))
    assert outcome.status is Status.INFEASIBLE


def test_malformed_turns_are_refused() -> None:
    bad = replace(run(0, 2, 200), lane=0)
    assert any("too long" in e for e in problem_errors(problem([job("a", bad)], [supply()])))
    held = replace(run(0, 2, 10), guest_of=0)
    assert any("holds some" in e for e in problem_errors(problem([job("a", held)], [supply()])))


def tiny(random: Random) -> Problem:
    supplies = [
        supply(pool, gpus=random.choice([2, 4]), nodes=random.choice([0, 1, 1, 2]), cost=cost)
        for pool, cost in (("p", random.randint(0, 60)), ("q", random.randint(20, 120)))
    ]
    jobs = [
        job(
            f"j{n}",
            *(
                replace(
                    run(
                        random.randrange(2), random.choice([1, 2, 2, 4]), random.randint(5, 60),
                        random.randint(60, 120), random.randint(0, 40),
                    ),
                    host_sixteenths=random.choice([0, 0, 0, 8, 16]),
                )
                for _ in range(random.randint(1, 2))
            ),
            required=random.random() < 0.8,
        )
        for n in range(random.choice([2, 2, 3]))
    ]  # fmt: skip
    blocks = sharing(*jobs)
    if random.random() < 0.5:
        blocks.append(service("s", candidate(random.randrange(2), 1, 5, units=1000)))
    return problem(blocks, supplies)


def compare(one: Problem) -> str:
    outcome, truth = compare_costs(one)
    if truth.cost_cents is None:
        return "infeasible"
    used = [one.blocks[p.block].candidates[c.candidate] for p in outcome.plans for c in p.choices]
    return "turns" if any(c.guest_of >= 0 for c in used) else "apart"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_turns_equal_brute_force(seed: int) -> None:
    compare(tiny(Random(seed)))


def test_the_cases_are_mixed() -> None:
    counts = Counter(compare(tiny(Random(seed))) for seed in range(50))
    assert min(counts["infeasible"], counts["turns"], counts["apart"]) >= 5, counts


def test_generation_agrees(monkeypatch) -> None:
    monkeypatch.setattr(routes, "SMALL_COLUMNS", 0)
    for seed in range(100, 120):
        compare(tiny(Random(seed)))
