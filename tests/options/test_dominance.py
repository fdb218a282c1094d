"""Pruning never costs anything: each pruned option has one that can stand in for it everywhere."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from planner.layout import Layout
from planner.options.dominance import dominates, multiple_dominates, prune
from planner.options.records import Account, Option, Timing

ACCOUNT = Account((), 10.0, 11.0, 80.0, 79.0, "cuda_total")


def make(gpus: int, units: int, host: int, preference: int, pool: str) -> Option:
    """An option with what matters for dominance."""
    rate = float(units)
    return Option(
        "w", pool, Layout(tp=gpus), gpus, 0, 1, units, host, 0, preference, 1.0, ACCOUNT,
        Timing(rate, rate, rate, "requests/s", "hbm"), 600.0,
    )  # fmt: skip


OPTIONS = st.lists(
    st.builds(
        make,
        st.integers(1, 4), st.integers(1, 2000), st.integers(0, 3), st.integers(0, 2),
        st.sampled_from(["a", "b"]),
    ),
    max_size=12,
)  # fmt: skip


@given(OPTIONS)
def test_each_pruned_option_is_dominated_by_one_that_is_kept(options: list[Option]) -> None:
    kept, pruned = prune(options)
    assert len(kept) + len(pruned) == len(options)
    for loser, winner in pruned:
        assert any(winner is k for k in kept)
        assert dominates(winner, loser)


@given(OPTIONS)
def test_no_kept_option_dominates_another(options: list[Option]) -> None:
    kept, _ = prune(options)
    for a in kept:
        assert not any(a is not b and dominates(a, b) for b in kept)


def test_an_earlier_format_is_never_pruned_by_a_later_one() -> None:
    first, later = make(1, 100, 0, 0, "a"), make(1, 2000, 0, 1, "a")
    kept, _ = prune([first, later])
    assert len(kept) == 2


def test_a_slower_option_that_spares_host_ram_stays() -> None:
    lean, fast = make(1, 100, 0, 0, "a"), make(1, 2000, 3, 0, "a")
    assert len(prune([lean, fast])[0]) == 2
    assert len(prune([lean, replace(fast, host_bytes=0)])[0]) == 1


@given(OPTIONS)
def test_with_multiples_each_pruned_option_has_replicas_that_stand_in(
    options: list[Option],
) -> None:
    kept, pruned = prune(options, multiples=True)
    assert len(kept) + len(pruned) == len(options)
    for loser, winner in pruned:
        count = 1 if dominates(winner, loser) else loser.gpus // winner.gpus
        assert any(winner is k for k in kept)
        assert count * winner.gpus <= loser.gpus
        assert count * winner.units >= loser.units
        assert count * winner.host_bytes <= loser.host_bytes


def test_two_small_replicas_beat_a_large_one_that_scales_worse() -> None:
    small, large = make(1, 500, 0, 0, "a"), make(2, 990, 0, 0, "a")
    assert multiple_dominates(small, large)
    assert not multiple_dominates(small, replace(large, units=1001))
    assert prune([small, large], multiples=True)[0] == [small]
    assert len(prune([small, large])[0]) == 2
