"""Types of the values people write: text with a unit on the way in, exact numbers in base units inside.

Each type is an `Annotated` alias: it parses with `planner.units`, refuses a bare number where a unit matters, and
tells the JSON Schema what it accepts. Errors raised here carry a kind that `planner.scenario.messages` turns into a
located diagnostic: `unit` becomes P110, `value` becomes P102.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, PlainValidator, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from planner.units import UNITS, Price, UnitError, parse, parse_price, split

_NUMBER_PATTERN = r"\d[\d_]*(\.\d+)?([eE][-+]?\d+)?"
_SHOWN_UNITS = {
    "bytes": ("80 GiB", "80 GB", "2 TB", "512 MiB"),
    "bandwidth": ("300 GB/s", "100 Gbit/s", "25 GiB/s"),
    "duration": ("50 ms", "2 s", "8 h", "14 d", "8 weeks", "1 month", "1 quarter", "4 years"),
    "power": ("700 W", "40 kW", "1.2 MW"),
    "rate": ("5 /s", "300 /min", "20000 /h", "1e6 /d"),
}


_MEANT = {
    "msec": "ms", "millis": "ms", "milliseconds": "ms", "secs": "s", "mins": "min", "hr": "h", "hrs": "h",
    "g": "GB", "gbe": "Gbit/s", "gbit": "Gbit/s", "gbps": "Gbit/s", "gb/sec": "GB/s",
    "rps": "/s", "qps": "/s", "req/s": "/s",
}  # fmt: skip
"""Units people write by habit, and what they mean."""
_NAMES = {
    "bytes": "size",
    "bandwidth": "bandwidth",
    "duration": "time",
    "power": "power",
    "rate": "rate",
}


def refusal(kind: Literal["unit", "value"], message: str, *help_lines: str) -> PydanticCustomError:
    """An error that becomes a located diagnostic, with help lines that name the way out."""
    # The message goes through the context: pydantic would read braces in a template as fields.
    return PydanticCustomError(kind, "{text}", {"text": message, "help": list(help_lines)})


def shown(value: object) -> str:
    """A value as the user would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _quantity(dimension: str, *, positive: bool = True) -> Callable[[object], Fraction]:
    examples = _SHOWN_UNITS[dimension]

    def read(value: object) -> Fraction:
        accepted = "write it like " + ", ".join(f"`{e}`" for e in examples)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise refusal("unit", "expected a number with a unit", accepted)
        if isinstance(value, int | float):
            raise refusal("unit", f"the unit is missing in `{shown(value)}`", accepted)
        try:
            number = parse(_short(value), dimension)
        except UnitError:
            raise _unit_refusal(value, dimension, accepted) from None
        if number < 0 or (positive and number == 0):
            least = "greater than" if positive else "at least"
            raise refusal("value", f"`{value}` must be {least} zero", accepted)
        return number

    return read


def _short(value: str) -> str:
    """The text, refused where its number is so long or large that no quantity can be meant."""
    exponent = re.search(r"\d[eE][-+]?(\d+)", value)
    if len(value) > 60 or (exponent and int(exponent[1]) > 30):
        raise refusal("value", "the number is out of any range", "write fewer digits")
    return value


def _unit_refusal(value: str, dimension: str, accepted: str) -> PydanticCustomError:
    """What is wrong with a quantity: no number, no unit, or a unit of something else."""
    units = list(UNITS[dimension])
    try:
        _, unit = split(value)
    except UnitError:
        return refusal("unit", f"`{value}` does not start with a number", accepted)
    if not unit:
        return refusal("unit", f"the unit is missing in `{value}`", accepted)
    meant = _MEANT.get(unit.lower())
    near = [meant] if meant in units else difflib.get_close_matches(unit, units, 2, 0.6)
    return refusal(
        "unit",
        f"`{unit}` is not a unit of {_NAMES[dimension]}",
        *([f"units with a similar name: {', '.join(f'`{n}`' for n in near)}"] if near else []),
        f"accepted units: {', '.join(units)}",
    )


def _whole(read: Callable[[object], Fraction]) -> Callable[[object], int]:
    return lambda value: int(read(value))


def _units_schema(dimension: str) -> WithJsonSchema:
    units = "|".join(re.escape(u) for u in UNITS[dimension])
    return WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*{_NUMBER_PATTERN}\s*({units})\s*$",
            "examples": list(_SHOWN_UNITS[dimension]),
            "x-unit": dimension,
        }
    )


ByteSize = Annotated[int, PlainValidator(_whole(_quantity("bytes"))), _units_schema("bytes")]
"""A size in bytes; a fraction of a byte is dropped."""
ByteSizeOrZero = Annotated[
    int, PlainValidator(_whole(_quantity("bytes", positive=False))), _units_schema("bytes")
]
"""A size in bytes that may be zero."""
Bandwidth = Annotated[
    int, PlainValidator(_whole(_quantity("bandwidth"))), _units_schema("bandwidth")
]
"""Bytes per second. `GB/s` figures of links sum both directions; network ports are named one way."""
BandwidthOrZero = Annotated[
    int, PlainValidator(_whole(_quantity("bandwidth", positive=False))), _units_schema("bandwidth")
]
"""Bytes per second; zero where there is no such link."""
Duration = Annotated[Fraction, PlainValidator(_quantity("duration")), _units_schema("duration")]
"""Seconds, exactly."""
Power = Annotated[Fraction, PlainValidator(_quantity("power")), _units_schema("power")]
"""Watts."""
Rate = Annotated[Fraction, PlainValidator(_quantity("rate")), _units_schema("rate")]
"""Events per second."""


# ------------------------------------------------------------------------------------------ numbers


def _count(smallest: int, noun: str) -> Callable[[object], int]:
    def read(value: object) -> int:
        example = "`2e9` for two billion" if noun == "tokens" else f"`{max(smallest, 8)}`"
        if isinstance(value, str):
            letter = re.fullmatch(rf"\s*({_NUMBER_PATTERN})\s*([kKmMbBtT])\w*\s*", value)
            if letter:
                raise _letter_refusal(value, letter[1], letter[4])
            raise refusal(
                "value", f"expected a whole number, found the text `{value}`", f"write {example}"
            )
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refusal(
                "value", f"expected a whole number, found `{shown(value)}`", f"write {example}"
            )
        if value != value or value in (float("inf"), float("-inf")) or value != int(value):
            raise refusal(
                "value", f"expected a whole number, found `{shown(value)}`", f"write {example}"
            )
        if value < smallest:
            raise refusal("value", f"`{shown(value)}` is too small: the least is {smallest}")
        return int(value)

    return read


def _letter_refusal(value: str, number: str, letter: str) -> PydanticCustomError:
    exponent = {"k": 3, "m": 6, "b": 9, "t": 12}[letter.lower()]
    what = "bytes or billion?" if letter == "B" else "what does the letter count?"
    other = " or the number in full" if letter in "kK" else ""
    return refusal(
        "value", f"`{value}` is ambiguous ({what})", f"write `{number}e{exponent}`{other}"
    )


def _count_schema(smallest: int, noun: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "number", "minimum": smallest, "multipleOf": 1, "x-unit": noun})


PositiveCount = Annotated[int, PlainValidator(_count(1, "count")), _count_schema(1, "count")]
Count = Annotated[int, PlainValidator(_count(0, "count")), _count_schema(0, "count")]
Tokens = Annotated[int, PlainValidator(_count(1, "tokens")), _count_schema(1, "tokens")]
"""A number of tokens: `4096` or `2e9`; letters such as `2 B` are refused."""


def _share(value: object) -> Fraction:
    accepted = "write `90 %` or `0.9`"
    number: Fraction
    if isinstance(value, str):
        try:
            number = parse(_short(value), "share")
        except UnitError as error:
            raise refusal("unit", str(error), accepted) from None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise refusal("value", f"expected a share, found `{shown(value)}`", accepted)
    elif value != value:
        raise refusal("value", "expected a share, found `nan`", accepted)
    else:
        number = Fraction(str(value)) if abs(value) != float("inf") else Fraction(2)
    if not 0 <= number <= 1:
        help_line = f"write `{shown(value)} %`" if isinstance(value, int) else accepted
        raise refusal("value", f"`{shown(value)}` is not between 0 and 1", help_line)
    return number


Share = Annotated[
    Fraction,
    PlainValidator(_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": rf"^\s*{_NUMBER_PATTERN}\s*%\s*$"},
            ],
            "examples": ["20 %", 0.9],
            "x-unit": "share",
        }
    ),
]
"""A share between 0 and 1, written `20 %` or `0.2`."""


def _factor(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise refusal("value", f"expected a number, found `{shown(value)}`", "write it like `1.3`")
    if not 1 <= value <= 10:
        raise refusal("value", f"`{shown(value)}` is not between 1 and 10")
    return Decimal(str(value))


Factor = Annotated[
    Decimal,
    PlainValidator(_factor),
    WithJsonSchema({"type": "number", "minimum": 1, "maximum": 10, "x-unit": "factor"}),
]
"""A plain factor of at least 1, such as a power usage effectiveness of 1.3."""


def _percentile(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 99:
        raise refusal(
            "value",
            f"`{shown(value)}` is not a percentile",
            "write a whole number: `50`, `95`, `99`",
        )
    return value


Percentile = Annotated[
    int,
    PlainValidator(_percentile),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 99}),
]
"""A percentile between 1 and 99."""


# --------------------------------------------------------------------------------------- dates, PCIe


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
    PlainValidator(_date),
    WithJsonSchema(
        {"type": "string", "format": "date", "examples": ["2027-01-31"], "x-unit": "date"}
    ),
]
"""A day, written year-month-day."""


@dataclass(frozen=True, slots=True)
class PcieSpeed:
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
    PlainValidator(_pcie),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*[gG][eE][nN]\s*[1-7](\.0)?\s*[xX]\s*(1|2|4|8|16|32)\s*$",
            "examples": ["gen4 x16", "gen3 x8"],
            "x-unit": "PCIe link",
        }
    ),
]
"""PCIe generation and lanes of each GPU."""


# ------------------------------------------------------------------------------------------- batches


@dataclass(frozen=True, slots=True)
class BatchSize:
    """A global batch, in sequences or in tokens."""

    count: int
    unit: Literal["sequences", "tokens"]


_BATCH = re.compile(rf"^\s*({_NUMBER_PATTERN})\s*(sequences?|samples?|tokens?)\s*$")
_BATCH_HELP = "write it like `128 sequences` or `524288 tokens`"


def _batch(value: object) -> BatchSize:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise refusal("value", f"expected a batch size, found `{shown(value)}`", _BATCH_HELP)
    if not isinstance(value, str):
        raise refusal(
            "unit", f"the unit is missing in `{shown(value)}`", f"write `{shown(value)} sequences`"
        )
    match = _BATCH.match(_short(value))
    if match is None:
        raise refusal("unit", f"`{value}` is not a batch size", _BATCH_HELP)
    number = Fraction(match[1].replace("_", ""))
    if number.denominator != 1 or number < 1:
        raise refusal("value", f"`{value}` is not a whole number of at least 1", _BATCH_HELP)
    return BatchSize(int(number), "tokens" if match[4].startswith("token") else "sequences")


GlobalBatch = Annotated[
    BatchSize,
    PlainValidator(_batch),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*{_NUMBER_PATTERN}\s*(sequences?|samples?|tokens?)\s*$",
            "examples": ["128 sequences", "524288 tokens"],
            "x-unit": "sequences or tokens",
        }
    ),
]
"""A global batch: `128 sequences` or `524288 tokens`."""


# --------------------------------------------------------------------------------------------- money


def _price(*units: str) -> Callable[[object], Price]:
    """A price per one of `units`; an empty unit means a plain sum."""
    accepted = ", ".join(f"`27.44 USD/{u}`" if u else "`500000 USD`" for u in units)

    def read(value: object) -> Price:
        if not isinstance(value, str):
            raise refusal(
                "unit", f"the currency is missing in `{shown(value)}`", f"write it like {accepted}"
            )
        try:
            price = parse_price(_short(value))
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


def _price_schema(*units: str) -> WithJsonSchema:
    per = "|".join(u for u in units if u)
    tail = rf"\s*/\s*({per})" if per else ""
    tail = f"({tail})?" if per and "" in units else tail
    number = r"\d[\d_,]*(\.\d+)?([eE]\d+)?"
    return WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*(\$\s*{number}|{number}\s*[A-Z]{{3}}){tail}\s*$",
            "examples": [f"27.44 USD/{u}" if u else "500000 USD" for u in units],
            "x-unit": "money",
        }
    )


RentPrice = Annotated[
    Price,
    PlainValidator(_price("node-hour", "GPU-hour")),
    _price_schema("node-hour", "GPU-hour"),
]
"""A rental price per node-hour or GPU-hour."""
BuyPrice = Annotated[Price, PlainValidator(_price("node", "GPU")), _price_schema("node", "GPU")]
"""A purchase price per node or GPU."""
MonthlyPrice = Annotated[Price, PlainValidator(_price("month")), _price_schema("month")]
"""An amount per month."""
NodeUpkeep = Annotated[Price, PlainValidator(_price("node-month")), _price_schema("node-month")]
"""An amount per node and month."""
PlainSum = Annotated[Price, PlainValidator(_price("")), _price_schema("")]
"""An amount of money."""
EnergyPrice = Annotated[Price, PlainValidator(_price("kWh", "MWh")), _price_schema("kWh", "MWh")]
"""A price of electric energy."""


# ------------------------------------------------------------------------------- one, several or auto


class OneOrMany:
    """Annotation: accept one value, a list of values (becomes a tuple) and, if allowed, `auto` (None)."""

    def __init__(self, *, auto: bool) -> None:
        """With `auto`, the word `auto` stands for no restriction and becomes None."""
        self.auto = auto

    def normalize(self, value: object) -> object:
        """The value as a tuple, or None for auto."""
        if self.auto and value == "auto":
            return None
        if not isinstance(value, list | tuple):
            return (value,)
        if not value:
            instead = "write `auto`" if self.auto else "remove the key"
            raise refusal("value", "the list is empty", f"list at least one value, or {instead}")
        return tuple(value)

    def __get_pydantic_core_schema__(
        self, source: type[object], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Normalize before the tuple is validated."""
        return core_schema.no_info_before_validator_function(self.normalize, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        """One value, a list, or `auto`."""
        inner = handler.resolve_ref_schema(handler(schema))
        array = next((a for a in inner.get("anyOf", [inner]) if a.get("type") == "array"), inner)
        items = array.get("items", {})
        auto: list[object] = [{"const": "auto"}] if self.auto else []
        return {"anyOf": [*auto, items, {"type": "array", "items": items, "minItems": 1}]}


AUTO_OR_LIST = OneOrMany(auto=True)
ONE_OR_LIST = OneOrMany(auto=False)

Counts: TypeAlias = Annotated[tuple[PositiveCount, ...] | None, AUTO_OR_LIST]
"""Allowed whole numbers, None for auto."""
