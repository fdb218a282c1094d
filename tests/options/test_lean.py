"""Leaving candidates out costs nothing: the cheapest plan of the lean problem costs as much as that of the full one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.options.lean import lean, outdoes
from planner.options.problem import Block, Candidate, Problem, Supply
from planner.verify.brute_force import brute_force

CANDIDATES = st.lists(
    st.builds(
        Candidate,
        key=st.sampled_from(["a", "b", "c", "d"]),
        supply=st.integers(0, 1),
        gpus=st.integers(1, 4),
        whole_nodes=st.just(0),
        units=st.sampled_from([500, 700, 1000, 2000]),
        cost_cents=st.integers(0, 9),
        host_sixteenths=st.integers(0, 8),
        preference=st.integers(0, 1),
    ),
    min_size=1,
    max_size=5,
)
SUPPLIES = st.tuples(
    st.builds(Supply, st.just("p"), st.just("owned"), st.just(4), st.integers(0, 2), st.integers(0, 9), st.just("g")),
    st.builds(Supply, st.just("q"), st.just("rented"), st.just(4), st.integers(0, 2), st.integers(0, 9), st.just("h")),
)  # fmt: skip


@given(CANDIDATES)
def test_whatever_is_left_out_is_outdone_by_what_stays(candidates: list[Candidate]) -> None:
    kept = lean(candidates)
    for candidate in candidates:
        assert any(outdoes(k, candidate) for k in kept)


@settings(max_examples=60, deadline=None)
@given(CANDIDATES, CANDIDATES, SUPPLIES, st.booleans(), st.integers(1, 2))
def test_the_lean_problem_costs_the_same(
    first: list[Candidate],
    second: list[Candidate],
    supplies: tuple[Supply, Supply],
    job: bool,
    replicas: int,
) -> None:
    if job:
        second = [replace(c, units=2000, max_replicas=1) for c in second]
    blocks = (
        Block("service", tuple(first), False, min_replicas=replicas),
        Block("other", tuple(second), job),
    )
    full = Problem(blocks, supplies)
    short = Problem(tuple(replace(b, candidates=lean(b.candidates)) for b in blocks), supplies)
    assert brute_force(full).cost_cents == brute_force(short).cost_cents
