"""Types of plain numbers: counts, tokens, shares, factors, percentiles; one of them, several, or `auto`."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from planner.scenario.reading import Read
from planner.scenario.refusals import NUMBER_PATTERN, refusal, short, shown
from planner.units import UnitError, parse


def _count(smallest: int, noun: str) -> Callable[[object], int]:
    def read(value: object) -> int:
        example = "`2e9` for two billion" if noun == "tokens" else f"`{max(smallest, 8)}`"
        if isinstance(value, str):
            letter = re.fullmatch(rf"\s*({NUMBER_PATTERN})\s*([kKmMbBtT])\w*\s*", value)
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


def _count_schema(smallest: int, noun: str) -> dict[str, object]:
    return {"type": "number", "minimum": smallest, "multipleOf": 1, "x-unit": noun}


PositiveCount = Annotated[int, Read(_count(1, "count"), _count_schema(1, "count"))]
Count = Annotated[int, Read(_count(0, "count"), _count_schema(0, "count"))]
Tokens = Annotated[int, Read(_count(1, "tokens"), _count_schema(1, "tokens"))]
"""A number of tokens: `4096` or `2e9`; letters such as `2 B` are refused."""


def _share(value: object) -> Fraction:
    accepted = "write `90 %` or `0.9`"
    number: Fraction
    if isinstance(value, str):
        try:
            number = parse(short(value), "share")
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
    Read(
        _share,
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": rf"^\s*{NUMBER_PATTERN}\s*%\s*$"},
            ],
            "examples": ["20 %", 0.9],
            "x-unit": "share",
        },
    ),
]
"""A share between 0 and 1, written `20 %` or `0.2`."""


def _multiple(value: object) -> Fraction:
    accepted = "write it like `120 %` or `1.2`"
    if isinstance(value, str):
        try:
            number = parse(short(value), "share")
        except UnitError as error:
            raise refusal("unit", str(error), accepted) from None
    elif isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise refusal("value", f"expected a share, found `{shown(value)}`", accepted)
    else:
        number = Fraction(str(value)) if abs(value) != float("inf") else Fraction(-1)
    if not 0 <= number <= 1000:
        raise refusal("value", f"`{shown(value)}` is not between 0 and 1000 times", accepted)
    return number


Multiple = Annotated[
    Fraction,
    Read(
        _multiple,
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1000},
                {"type": "string", "pattern": rf"^\s*{NUMBER_PATTERN}\s*%\s*$"},
            ],
            "examples": ["120 %", 1.2],
            "x-unit": "share",
        },
    ),
]
"""A share that may exceed the whole, written `120 %` or `1.2`."""


def _factor(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise refusal("value", f"expected a number, found `{shown(value)}`", "write it like `1.3`")
    if not 1 <= value <= 10:
        raise refusal("value", f"`{shown(value)}` is not between 1 and 10")
    return Decimal(str(value))


Factor = Annotated[
    Decimal,
    Read(_factor, {"type": "number", "minimum": 1, "maximum": 10, "x-unit": "factor"}),
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
    Read(_percentile, {"type": "integer", "minimum": 1, "maximum": 99}),
]
"""A percentile between 1 and 99."""


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
