"""An integer linear model as plain data: columns, named rows, one objective. Knows no solver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

ROW_LIMIT = 2**62
"""Largest sum of |coefficient| x |bound| a row may have: solvers add in 64-bit integers."""


@dataclass(frozen=True, slots=True)
class Row:
    """`low <= sum of coefficient x column <= high`; a missing side is open."""

    name: str
    family: str
    """The constraint family, e.g. cover, nodes, packing."""
    terms: tuple[tuple[int, int], ...]
    """(column, coefficient), each column once."""
    low: int | None = None
    high: int | None = None

    def holds(self, values: Sequence[int]) -> bool:
        """Whether the values satisfy the row, in exact arithmetic."""
        total = sum(coefficient * values[column] for column, coefficient in self.terms)
        return (self.low is None or total >= self.low) and (self.high is None or total <= self.high)


@dataclass(slots=True)
class LinearModel:
    """Columns with integer bounds, rows, and the objective to minimise.

    >>> model = LinearModel()
    >>> x = model.column("x", 0, 5)
    >>> model.add(row("half", "cover", [(x, 2)], low=3))
    >>> model.objective = {x: 7}
    >>> model.evaluate([2]), model.broken([1])
    (14, ['half'])
    """

    names: list[str] = field(default_factory=list)
    lows: list[int] = field(default_factory=list)
    highs: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    objective: dict[int, int] = field(default_factory=dict)

    def column(self, name: str, low: int, high: int) -> int:
        """Adds an integer column and returns its index."""
        self.names.append(name)
        self.lows.append(low)
        self.highs.append(high)
        return len(self.names) - 1

    def add(self, *rows: Row) -> None:
        """Adds rows; refuses one whose sum could leave 62 bits."""
        lows, highs = self.lows, self.highs
        for one in rows:
            reach = sum(
                [abs(c) * max(-lows[v], highs[v], lows[v], -highs[v], 1) for v, c in one.terms]
            )
            if reach >= ROW_LIMIT:
                raise OverflowError(f"row {one.name}: sum of |coefficients| reaches {reach}")
            self.rows.append(one)

    def evaluate(self, values: Sequence[int]) -> int:
        """The objective at these values, exactly."""
        return sum(coefficient * values[column] for column, coefficient in self.objective.items())

    def broken(self, values: Sequence[int]) -> list[str]:
        """Names of the columns and rows that these values violate."""
        columns = [
            name
            for name, low, high, value in zip(
                self.names, self.lows, self.highs, values, strict=True
            )
            if not low <= value <= high
        ]
        return columns + [one.name for one in self.rows if not one.holds(values)]


def row(
    name: str,
    family: str,
    terms: Iterable[tuple[int, int]],
    *,
    low: int | None = None,
    high: int | None = None,
) -> Row:
    """A row with equal columns merged and zero coefficients dropped."""
    given = list(terms)
    merged = dict(given)
    if len(merged) < len(given):
        merged = {}
        for column, coefficient in given:
            merged[column] = merged.get(column, 0) + coefficient
    kept = merged.items() if all(merged.values()) else ((v, c) for v, c in merged.items() if c)
    return Row(name, family, tuple(kept), low, high)
