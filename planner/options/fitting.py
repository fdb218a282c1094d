"""Layouts that fit, before they are written out as options: most are beaten by another and never are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from planner.options.records import Option, Rejection


class Writer(Protocol):
    """A pass that writes its rows out."""

    def option(self, row: Fitting) -> Option:
        """The option of a row that fits."""


@dataclass(slots=True)
class Fitting:
    """One row of a pass, as far as it decides which rows are worth keeping."""

    pool: ClassVar[str] = ""
    writer: Writer
    number: int
    """Of the row in its pass."""
    gpus: int
    nodes: int
    host_bytes: int
    nvme_bytes: int
    preference: int
    units: int
    utilisation: int
    """Parts of DEMAND_UNITS."""
    rate_low: float
    loads: tuple[int, ...] = ()

    def __reduce__(self) -> tuple[type[Fitting], tuple[object, ...]]:
        """Pickled by its fields in their order: there are many, and this is twice as fast as by their names."""
        return Fitting, (
            self.writer, self.number, self.gpus, self.nodes, self.host_bytes, self.nvme_bytes,
            self.preference, self.units, self.utilisation, self.rate_low, self.loads,
        )  # fmt: skip

    def option(self) -> Option:
        """The row written out."""
        return self.writer.option(self)

    def content(self) -> tuple[object, ...]:
        """Decides between rows that are alike in all else."""
        return self.option().content()


@dataclass(slots=True)
class Sorted:
    """What a pass says of one case."""

    fitting: list[Fitting] = field(default_factory=list)
    """Without `detail` only those that can matter."""
    rejections: list[Rejection] = field(default_factory=list)
    fits: int = 0
    """Layouts that fit, those left out counted as well."""
    rejected: int = 0

    @classmethod
    def refused(cls, *rejections: Rejection) -> Sorted:
        """Nothing but refusals."""
        return cls([], list(rejections), 0, len(rejections))

    def add(self, other: Sorted) -> None:
        """Adds what another pass says of the case."""
        self.fitting += other.fitting
        self.rejections += other.rejections
        self.fits += other.fits
        self.rejected += other.rejected


def by_case(
    case: Sequence[int],
    fitting: Sequence[Fitting],
    rejections: Sequence[tuple[int, Rejection]],
    fits: Sequence[int],
    rows: Sequence[int],
) -> list[Sorted]:
    """Rows case by case: `case` of each row, rejections with their rows, and how many rows fit and are there."""
    parts = [
        Sorted(fits=some, rejected=whole - some) for some, whole in zip(fits, rows, strict=True)
    ]
    for one in fitting:
        parts[case[one.number]].fitting.append(one)
    for row, rejection in rejections:
        parts[case[row]].rejections.append(rejection)
    return parts
