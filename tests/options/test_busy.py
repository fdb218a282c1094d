"""How busy a replica is at most: never less than its part of the demand in any mix that a plan may take."""

import math
from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from planner.catalog import model
from planner.options.asks import ServingAsk
from planner.options.serving_records import busy_share

ASK = ServingAsk(
    name="chat", model=model("llama-3.1-8b"), kind="inference", context=4096, prompt=500, output=100, rate=10.0,
)  # fmt: skip
RATES = st.lists(st.floats(0.5, 40), min_size=1, max_size=6)


def units_of(rate: float) -> int:
    return min(2000, math.floor(2000 * rate / 10))


def share(ask: ServingAsk, rate: float) -> Fraction:
    return busy_share(ask, rate, 10.0, units_of(rate), ())


@given(RATES, st.integers(0, 2))
def test_no_replica_of_a_mix_works_more(rates: list[float], spare: int) -> None:
    units = sorted(units_of(r) for r in rates)
    assume(len(rates) > spare and sum(units[: len(units) - spare]) >= 2000)
    for rate in rates:
        carried = 10 * rate / sum(rates)
        assert carried / rate <= share(replace(ASK, spare=spare), rate) + 1e-9


@given(st.floats(0.5, 40), st.integers(1, 4), st.integers(0, 2))
def test_equal_replicas_are_told_exactly(rate: float, least: int, spare: int) -> None:
    ask = replace(ASK, replicas_min=least, spare=spare, gpus_max=64)
    fewest = max(least, math.ceil(2000 / units_of(rate))) + spare
    exact = min(1.0, 10 / rate / fewest)
    assert exact - 1e-9 <= share(ask, rate) <= exact + 1 / 2000 + 1e-9


def test_by_size_a_replica_works_for_the_sizes_it_serves() -> None:
    assert busy_share(ASK, 1.0, 1.0, 2000, (400, -1, 300)) == Fraction(7, 20)
    assert busy_share(ASK, 1.0, 1.0, 2000, (1500, 900)) == 1
