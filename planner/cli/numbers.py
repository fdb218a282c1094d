"""Numbers that flags take, shown in help as N or X without the bounds nobody meets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    IntType = click.ParamType[int]
    FloatType = click.ParamType[float]
else:
    # Older releases of click know no type arguments.
    IntType = FloatType = click.ParamType


class Whole(IntType):
    """A whole number within bounds."""

    name = "n"

    def __init__(self, least: int = 1, most: int = 10**9) -> None:
        """Keep the bounds, both of them allowed."""
        self.least, self.most = least, most

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number, or a usage error that names the bounds."""
        try:
            number = int(str(value))
        except ValueError:
            self.fail(f"`{value}` is no whole number", param, ctx)
        if not self.least <= number <= self.most:
            self.fail(f"{number} is not from {self.least:,} to {self.most:,}", param, ctx)
        return number


class Real(FloatType):
    """A finite number above 0."""

    name = "x"

    def __init__(self, most: float = 1e18) -> None:
        """Keep the largest that is allowed."""
        self.most = most

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number, or a usage error; nan and inf are none."""
        try:
            number = float(str(value))
        except ValueError:
            self.fail(f"`{value}` is no number", param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number to reckon with", param, ctx)
        if not 0 < number <= self.most:
            self.fail(f"{value} is not above 0 and at most {self.most:g}", param, ctx)
        return number
