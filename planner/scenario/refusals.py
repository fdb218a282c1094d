"""How a value is refused: an error that `planner.scenario.messages` turns into a located diagnostic."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final, Literal

from pydantic_core import PydanticCustomError

NUMBER_PATTERN: Final = r"\d[\d_]*(\.\d+)?([eE][-+]?\d+)?"
"""A number as it starts a quantity."""


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
    if isinstance(value, Fraction) and value.denominator != 1:
        return f"{float(value):g}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def short(value: str) -> str:
    """The text, refused where its number is so long or large that no quantity can be meant."""
    exponent = re.search(r"\d[eE][-+]?(\d+)", value)
    if len(value) > 60 or (exponent and int(exponent[1]) > 30):
        raise refusal("value", "the number is out of any range", "write fewer digits")
    return value
