"""Types of values with a form of their own: days, PCIe links, batch sizes, prices."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal, NamedTuple

from planner.scenario.reading import Read
from planner.scenario.refusals import NUMBER_PATTERN, refusal, short, shown
from planner.units import Price, UnitError, parse, parse_price


def _date(value: object) -> date:
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise refusal("value", f"`{shown(value)}` is not a date", "write year-month-day: `2027-01-31`")


Day = Annotated[
    date,
    Read(_date, {"type": "string", "format": "date", "examples": ["2027-01-31"], "x-unit": "date"}),
]
"""A day, written year-month-day."""


class PcieSpeed(NamedTuple):
    """Generation and lanes of a PCIe link, such as gen4 x16."""

    generation: int
    lanes: int


_PCIE = re.compile(r"^\s*gen\s*([1-7])(?:\.0)?\s*x\s*(1|2|4|8|16|32)\s*$", re.IGNORECASE)


def _pcie(value: object) -> PcieSpeed:
    match = _PCIE.match(value) if isinstance(value, str) else None
    if match is None:
        raise refusal(
            "unit", f"`{shown(value)}` is not a PCIe link", "write it like `gen4 x16` or `gen3 x8`"
        )
    return PcieSpeed(int(match[1]), int(match[2]))


Pcie = Annotated[
    PcieSpeed,
    Read(
        _pcie,
        {
            "type": "string",
            "pattern": r"^\s*[gG][eE][nN]\s*[1-7](\.0)?\s*[xX]\s*(1|2|4|8|16|32)\s*$",
            "examples": ["gen4 x16", "gen3 x8"],
            "x-unit": "PCIe link",
        },
    ),
]
"""PCIe generation and lanes of each GPU."""


@dataclass(frozen=True, slots=True)
class BatchSize:
    """A global batch, in sequences or in tokens."""

    count: int
    unit: Literal["sequences", "tokens"]


_BATCH = re.compile(rf"^\s*({NUMBER_PATTERN})\s*(sequences?|samples?|tokens?)\s*$")
_BATCH_HELP = "write it like `128 sequences` or `524288 tokens`"


def _batch(value: object) -> BatchSize:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise refusal("value", f"expected a batch size, found `{shown(value)}`", _BATCH_HELP)
    if not isinstance(value, str):
        raise refusal(
            "unit", f"the unit is missing in `{shown(value)}`", f"write `{shown(value)} sequences`"
        )
    match = _BATCH.match(short(value))
    if match is None:
        raise refusal("unit", f"`{value}` is not a batch size", _BATCH_HELP)
    number = Fraction(match[1].replace("_", ""))
    if number.denominator != 1 or number < 1:
        raise refusal("value", f"`{value}` is not a whole number of at least 1", _BATCH_HELP)
    return BatchSize(int(number), "tokens" if match[4].startswith("token") else "sequences")


GlobalBatch = Annotated[
    BatchSize,
    Read(
        _batch,
        {
            "type": "string",
            "pattern": rf"^\s*{NUMBER_PATTERN}\s*(sequences?|samples?|tokens?)\s*$",
            "examples": ["128 sequences", "524288 tokens"],
            "x-unit": "sequences or tokens",
        },
    ),
]
"""A global batch: `128 sequences` or `524288 tokens`."""


class Growth(NamedTuple):
    """A steady relative change, such as +20 % per quarter."""

    rate: Fraction
    """Relative change in one `per_s`."""
    per_s: Fraction

    def factor(self, elapsed_s: Fraction) -> Fraction:
        """(1 + rate) ** (elapsed / per), exact for whole steps, else to nine digits.

        >>> Growth(Fraction(1, 5), Fraction(10)).factor(Fraction(20))
        Fraction(36, 25)
        """
        steps = elapsed_s / self.per_s
        if steps.denominator == 1:
            return Fraction((1 + self.rate) ** steps.numerator)
        return Fraction(f"{float(1 + self.rate) ** float(steps):.9f}")


_GROWTH = rf"^\s*([+-]?)\s*({NUMBER_PATTERN})\s*%\s*/\s*(month|quarter|year)\s*$"
_GROWTH_HELP = "write it like `+20 %/quarter` or `-5 %/year`"


def _growth(value: object) -> Growth:
    match = re.match(_GROWTH, short(value)) if isinstance(value, str) else None
    if match is None:
        raise refusal("unit", f"`{shown(value)}` is no growth per time", _GROWTH_HELP)
    rate = Fraction(match[2].replace("_", "")) / 100
    rate = -rate if match[1] == "-" else rate
    if not -1 < rate <= 10:
        raise refusal("value", f"`{value}` is not between -100 % and +1000 %", _GROWTH_HELP)
    return Growth(rate, parse(f"1 {match[5]}", "duration"))


GrowthRate = Annotated[
    Growth,
    Read(
        _growth,
        {
            "type": "string",
            "pattern": rf"^\s*[+-]?\s*{NUMBER_PATTERN}\s*%\s*/\s*(month|quarter|year)\s*$",
            "examples": ["+20 %/quarter", "-5 %/year"],
            "x-unit": "growth",
        },
    ),
]
"""A relative change per month, quarter or year."""


def _price(*units: str) -> Callable[[object], Price]:
    """A price per one of `units`; an empty unit means a plain sum."""
    accepted = ", ".join(f"`27.44 USD/{u}`" if u else "`500000 USD`" for u in units)

    def read(value: object) -> Price:
        if not isinstance(value, str):
            raise refusal(
                "unit", f"the currency is missing in `{shown(value)}`", f"write it like {accepted}"
            )
        try:
            price = parse_price(short(value))
        except UnitError as error:
            raise refusal("unit", str(error), f"write it like {accepted}") from None
        per = {u.lower(): u for u in units}.get(price.per.lower())
        if per is None:
            what = f"`{price.per}` is not" if price.per else "what one pays for is missing, not"
            raise refusal(
                "unit",
                f"{what} one of {', '.join(u or 'a plain sum' for u in units)} in `{value}`",
                f"write it like {accepted}",
            )
        return Price(price.amount, price.currency, per)

    return read


def _price_schema(*units: str) -> dict[str, object]:
    per = "|".join(u for u in units if u)
    tail = rf"\s*/\s*({per})" if per else ""
    tail = f"({tail})?" if per and "" in units else tail
    number = r"\d[\d_,]*(\.\d+)?([eE]\d+)?"
    return {
        "type": "string",
        "pattern": rf"^\s*(\$\s*{number}|{number}\s*[A-Z]{{3}}){tail}\s*$",
        "examples": [f"27.44 USD/{u}" if u else "500000 USD" for u in units],
        "x-unit": "money",
    }


RentPrice = Annotated[
    Price,
    Read(_price("node-hour", "GPU-hour"), _price_schema("node-hour", "GPU-hour")),
]
"""A rental price per node-hour or GPU-hour."""
BuyPrice = Annotated[Price, Read(_price("node", "GPU"), _price_schema("node", "GPU"))]
"""A purchase price per node or GPU."""
MonthlyPrice = Annotated[Price, Read(_price("month"), _price_schema("month"))]
"""An amount per month."""
NodeUpkeep = Annotated[Price, Read(_price("node-month"), _price_schema("node-month"))]
"""An amount per node and month."""
PlainSum = Annotated[Price, Read(_price(""), _price_schema(""))]
"""An amount of money."""
EnergyPrice = Annotated[Price, Read(_price("kWh", "MWh"), _price_schema("kWh", "MWh"))]
"""A price of electric energy."""
