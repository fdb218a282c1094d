"""Quantities people write and read: the only place that knows 1024 and 1000.

`parse("80 GiB", "bytes")` gives an exact number in the base unit of its dimension; a number without a unit is an
error wherever a unit matters. Base units: bytes, bytes per second, seconds, watts, watt-hours, tokens, requests per
second, US dollars (any currency is kept by name). Formatting is here as well, so that every table agrees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final, Literal

KIB: Final = 1024
MIB: Final = 1024**2
GIB: Final = 1024**3
TIB: Final = 1024**4
GB: Final = 10**9
TB: Final = 10**12
HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
HOURS_PER_MONTH: Final = 730
"""Hours of a billing month: 8,760 / 12, the figure cloud providers use."""
MONTH_S: Final = HOURS_PER_MONTH * HOUR_S
YEAR_S: Final = 12 * MONTH_S

Dimension = Literal[
    "bytes", "bandwidth", "duration", "power", "energy", "rate", "money", "share", "energy_price"
]

_BYTES: Final[dict[str, int]] = {
    "B": 1,
    "KB": 10**3, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50,
}  # fmt: skip
_DURATIONS: Final[dict[str, Fraction]] = {
    "us": Fraction(1, 10**6),
    "ms": Fraction(1, 1000),
    "s": Fraction(1), "sec": Fraction(1), "second": Fraction(1), "seconds": Fraction(1),
    "min": Fraction(60), "minute": Fraction(60), "minutes": Fraction(60),
    "h": Fraction(HOUR_S), "hour": Fraction(HOUR_S), "hours": Fraction(HOUR_S),
    "d": Fraction(DAY_S), "day": Fraction(DAY_S), "days": Fraction(DAY_S),
    "w": Fraction(7 * DAY_S), "week": Fraction(7 * DAY_S), "weeks": Fraction(7 * DAY_S),
    "month": Fraction(MONTH_S), "months": Fraction(MONTH_S),
    "quarter": Fraction(3 * MONTH_S), "quarters": Fraction(3 * MONTH_S),
    "year": Fraction(YEAR_S), "years": Fraction(YEAR_S),
}  # fmt: skip

UNITS: Final[dict[str, dict[str, Fraction]]] = {
    "bytes": {k: Fraction(v) for k, v in _BYTES.items()},
    "bandwidth": {
        **{f"{k}/s": Fraction(v) for k, v in _BYTES.items()},
        # A network port is named by one direction; 100 Gbit/s moves 12.5 GB/s each way.
        "Gbit/s": Fraction(10**9, 8), "Gb/s": Fraction(10**9, 8), "Gbps": Fraction(10**9, 8),
        "Mbit/s": Fraction(10**6, 8), "Tbit/s": Fraction(10**12, 8),
    },
    "duration": _DURATIONS,
    "power": {"W": Fraction(1), "kW": Fraction(1000), "MW": Fraction(10**6)},
    "energy": {"Wh": Fraction(1), "kWh": Fraction(1000), "MWh": Fraction(10**6)},
    "rate": {
        "/s": Fraction(1), "/min": Fraction(1, 60), "/h": Fraction(1, HOUR_S),
        "/hour": Fraction(1, HOUR_S), "/d": Fraction(1, DAY_S), "/day": Fraction(1, DAY_S),
    },
    "share": {"%": Fraction(1, 100)},
}  # fmt: skip
"""Spellings accepted per dimension, with their factor to the base unit."""

_NUMBER = re.compile(r"^\s*([-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")


class UnitError(ValueError):
    """A quantity that cannot be read; `expected` lists spellings that can."""

    def __init__(self, message: str, expected: tuple[str, ...] = ()) -> None:
        """Keep the accepted spellings for the help line."""
        super().__init__(message)
        self.expected = expected


def split(text: str) -> tuple[Fraction, str]:
    """Number and unit of a text such as `80 GiB`.

    >>> split("2.5 GB/s")
    (Fraction(5, 2), 'GB/s')
    """
    match = _NUMBER.match(text)
    if match is None:
        raise UnitError(f"`{text}` does not start with a number")
    return Fraction(match[1].replace("_", "")), match[2]


def parse(text: str, dimension: str) -> Fraction:
    """Value of `text` in the base unit of `dimension`, exactly.

    >>> int(parse("80 GiB", "bytes"))
    85899345920
    >>> int(parse("100 Gbit/s", "bandwidth"))
    12500000000
    >>> parse("7 d", "duration")
    Fraction(604800, 1)
    """
    table = UNITS[dimension]
    number, unit = split(text)
    if unit not in table:
        spellings = tuple(table)
        problem = f"unit `{unit}` is not one of {dimension}" if unit else "the unit is missing"
        raise UnitError(f"{problem} in `{text}`", spellings)
    return number * table[unit]


# ------------------------------------------------------------------------------------------- money


@dataclass(frozen=True, slots=True)
class Price:
    """An exact amount of money per something, such as 27.44 USD per node-hour."""

    amount: Decimal
    currency: str
    per: str = ""
    """What one pays for: node-hour, GPU-hour, node, GPU, kWh, month, ...; empty for a plain sum."""


_PRICE = re.compile(
    r"^\s*(?:(?P<dollar>\$)\s*)?(?P<number>\d[\d_,]*(?:\.\d+)?(?:[eE]\d+)?)\s*(?P<currency>[A-Z]{3})?"
    r"\s*(?:/\s*(?P<per>.+?))?\s*$"
)


def parse_price(text: str) -> Price:
    """Read `27.44 USD/node-hour`, `$2.21/GPU-hour` or `500000 USD`.

    >>> parse_price("27.44 USD/node-hour")
    Price(amount=Decimal('27.44'), currency='USD', per='node-hour')
    >>> parse_price("$500000").currency
    'USD'
    """
    match = _PRICE.match(text)
    expected = ("27.44 USD/node-hour", "2.21 USD/GPU-hour", "280000 USD/node", "500000 USD")
    if match is None or (match["dollar"] is None) == (match["currency"] is None):
        raise UnitError(f"`{text}` is not an amount of money", expected)
    number = Decimal(match["number"].replace("_", "").replace(",", ""))
    return Price(number, match["currency"] or "USD", match["per"] or "")


CENT: Final = Decimal("0.01")


def to_cents(amount: Decimal, *, up: bool = True) -> int:
    """Whole cents of an amount, rounded up for a cost and down for a limit.

    >>> to_cents(Decimal("10.001")), to_cents(Decimal("10.009"), up=False)
    (1001, 1000)
    """
    return int((amount * 100).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))


def from_cents(cents: int) -> Decimal:
    """The amount of a number of cents, with two decimals.

    >>> from_cents(684010)
    Decimal('6840.10')
    """
    return (Decimal(cents) / 100).quantize(CENT)


# -------------------------------------------------------------------------------------- formatting


def gib(n_bytes: float) -> str:
    """Bytes as GiB with one decimal.

    >>> gib(80 * GIB)
    '80.0'
    """
    return f"{n_bytes / GIB:,.1f}"


def money(amount: Decimal) -> str:
    """An amount with thousands separators and cents.

    >>> money(Decimal("6840.1"))
    '6,840.10'
    """
    return f"{amount.quantize(CENT, ROUND_HALF_UP):,}"


def duration(seconds: float) -> str:
    """A time span in the unit people would say.

    >>> duration(90000), duration(0.035), duration(5400)
    ('25.0 h', '35 ms', '90 min')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 2 * HOUR_S:
        return f"{seconds / 60:.0f} min"
    if seconds < 3 * DAY_S:
        return f"{seconds / HOUR_S:.1f} h"
    return f"{seconds / DAY_S:.1f} d"
