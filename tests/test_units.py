"""Quantities: exact, and never without a unit."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner import units


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("80 GiB", "bytes", 80 * 2**30),
        ("80GB", "bytes", 80 * 10**9),
        ("300 GB/s", "bandwidth", 300 * 10**9),
        ("100 Gbit/s", "bandwidth", 125 * 10**8),
        ("50 ms", "duration", Fraction(1, 20)),
        ("1 quarter", "duration", 2190 * 3600),
        ("40 kW", "power", 40_000),
        ("5 /s", "rate", 5),
        ("20 %", "share", Fraction(1, 5)),
        ("2e9 B", "bytes", 2 * 10**9),
    ],
)
def test_parse_reads_what_people_write(text: str, dimension: str, value: int) -> None:
    assert units.parse(text, dimension) == value


@pytest.mark.parametrize("text", ["80", "80 gib", "GiB", "80 GiB/s", "", "eighty GiB"])
def test_a_size_without_a_byte_unit_is_refused_with_the_accepted_spellings(text: str) -> None:
    with pytest.raises(units.UnitError) as caught:
        units.parse(text, "bytes")
    assert "`" in str(caught.value)


@given(st.integers(0, 10**6), st.sampled_from(sorted(units.UNITS["bytes"])))
def test_parse_is_exact_for_every_byte_unit(number: int, unit: str) -> None:
    assert units.parse(f"{number} {unit}", "bytes") == number * units.UNITS["bytes"][unit]


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("27.44 USD/node-hour", units.Price(Decimal("27.44"), "USD", "node-hour")),
        ("$2.21/GPU-hour", units.Price(Decimal("2.21"), "USD", "GPU-hour")),
        ("280,000 USD", units.Price(Decimal(280000), "USD", "")),
        ("0.12 EUR/kWh", units.Price(Decimal("0.12"), "EUR", "kWh")),
    ],
)
def test_prices_keep_currency_and_basis(text: str, price: units.Price) -> None:
    assert units.parse_price(text) == price


@pytest.mark.parametrize("text", ["27.44", "$5 USD", "USD", "-3 USD", "5 dollars"])
def test_an_amount_without_exactly_one_currency_is_refused(text: str) -> None:
    with pytest.raises(units.UnitError):
        units.parse_price(text)


@given(st.decimals(0, 10**9, places=6))
def test_cents_are_rounded_to_the_safe_side(amount: Decimal) -> None:
    up, down = units.to_cents(amount), units.to_cents(amount, up=False)
    assert down <= amount * 100 <= up
    assert up - down <= 1


@given(st.integers(0, 2**53))
def test_cents_survive_the_round_trip(cents: int) -> None:
    assert units.to_cents(units.from_cents(cents)) == cents
