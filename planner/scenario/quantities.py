"""Types of quantities with a unit: text on the way in, exact numbers in base units inside.

Each type is an `Annotated` alias: it parses with `planner.units`, refuses a bare number, and tells the JSON Schema
what it accepts. Errors carry a kind that `planner.scenario.messages` turns into a located diagnostic: `unit` becomes
P110, `value` becomes P102.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated

from pydantic_core import PydanticCustomError

from planner.diagnostics.similar import similar
from planner.scenario.reading import Read
from planner.scenario.refusals import NUMBER_PATTERN, refusal, short, shown
from planner.units import UNITS, UnitError, parse, split

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


def _quantity(dimension: str, *, positive: bool = True) -> Callable[[object], Fraction]:
    examples = _SHOWN_UNITS[dimension]

    def read(value: object) -> Fraction:
        accepted = "write it like " + ", ".join(f"`{e}`" for e in examples)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise refusal("unit", "expected a number with a unit", accepted)
        if isinstance(value, int | float):
            raise refusal("unit", f"the unit is missing in `{shown(value)}`", accepted)
        try:
            number = parse(short(value), dimension)
        except UnitError:
            raise _unit_refusal(value, dimension, accepted) from None
        if number < 0 or (positive and number == 0):
            least = "greater than" if positive else "at least"
            raise refusal("value", f"`{value}` must be {least} zero", accepted)
        return number

    return read


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
    near = [meant] if meant in units else similar(unit, units, 2, 0.6)
    return refusal(
        "unit",
        f"`{unit}` is not a unit of {_NAMES[dimension]}",
        *([f"units with a similar name: {', '.join(f'`{n}`' for n in near)}"] if near else []),
        f"accepted units: {', '.join(units)}",
    )


def _whole(read: Callable[[object], Fraction]) -> Callable[[object], int]:
    return lambda value: int(read(value))


def _units_schema(dimension: str) -> dict[str, object]:
    units = "|".join(re.escape(u) for u in UNITS[dimension])
    return {
        "type": "string",
        "pattern": rf"^\s*{NUMBER_PATTERN}\s*({units})\s*$",
        "examples": list(_SHOWN_UNITS[dimension]),
        "x-unit": dimension,
    }


ByteSize = Annotated[int, Read(_whole(_quantity("bytes")), _units_schema("bytes"))]
"""A size in bytes; a fraction of a byte is dropped."""
ByteSizeOrZero = Annotated[
    int, Read(_whole(_quantity("bytes", positive=False)), _units_schema("bytes"))
]
"""A size in bytes that may be zero."""
Bandwidth = Annotated[int, Read(_whole(_quantity("bandwidth")), _units_schema("bandwidth"))]
"""Bytes per second. `GB/s` figures of links sum both directions; network ports are named one way."""
BandwidthOrZero = Annotated[
    int, Read(_whole(_quantity("bandwidth", positive=False)), _units_schema("bandwidth"))
]
"""Bytes per second; zero where there is no such link."""
Duration = Annotated[Fraction, Read(_quantity("duration"), _units_schema("duration"))]
"""Seconds, exactly."""
Power = Annotated[Fraction, Read(_quantity("power"), _units_schema("power"))]
"""Watts."""
Rate = Annotated[Fraction, Read(_quantity("rate"), _units_schema("rate"))]
"""Events per second."""
RateOrZero = Annotated[Fraction, Read(_quantity("rate", positive=False), _units_schema("rate"))]
"""Events per second, possibly none."""
