"""Layouts that fit, before they are written out as options: most are beaten by another and never are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import ClassVar, Protocol

from planner.layout import Layout
from planner.options.problem import DEMAND_UNITS
from planner.options.records import Account, Option, Rejection, Timing, renamed


class Writer(Protocol):
    """A pass that writes its rows out."""

    def option(self, row: Fitting) -> Option:
        """The option of a row that fits."""

    def layout(self, row: Fitting) -> Layout:
        """Its layout."""

    def account(self, row: Fitting) -> Account:
        """Its memory."""

    def interconnect_gb_s(self, row: Fitting) -> float:
        """Bandwidth of the widest group of its layout."""


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


class RowOption(Option):
    """A row written out; layout, account and link are worked out when they are first looked at."""

    __slots__ = ("_row",)
    _row: Fitting

    @classmethod
    def of(
        cls,
        row: Fitting,
        timing: Timing,
        *,
        replicas: int = 1,
        assumptions: tuple[str, ...] = (),
        size_rates: tuple[float, ...] = (),
    ) -> RowOption:
        """What plans count with."""
        option = object.__new__(cls)
        put = object.__setattr__
        put(option, "workload", "")
        put(option, "pool", "")
        put(option, "gpus", row.gpus)
        put(option, "nodes", row.nodes)
        put(option, "replicas", replicas)
        put(option, "units", row.units)
        put(option, "host_bytes", row.host_bytes)
        put(option, "nvme_bytes", row.nvme_bytes)
        put(option, "preference", row.preference)
        put(option, "utilisation", _share(row.utilisation))
        put(option, "timing", timing)
        put(option, "assumptions", assumptions)
        put(option, "interruption", None)
        put(option, "loads", row.loads)
        put(option, "size_rates", size_rates)
        put(option, "_row", row)
        return option

    def __getattr__(self, name: str) -> object:
        """Reached only while the field is empty."""
        if name not in _LATER:
            raise AttributeError(name)
        row = self._row
        value: object = getattr(row.writer, name)(row)
        object.__setattr__(self, name, value)
        return value

    def named(self, workload: str, pool: str) -> Option:
        """The same row under other names; of one that was changed since, its fields."""
        known = _AT_ONCE if hasattr(self, "_row") else Option.__slots__
        return renamed(self, known, workload, pool)


_LATER = frozenset({"layout", "account", "interconnect_gb_s"})
_AT_ONCE = (*(name for name in Option.__slots__ if name not in _LATER), "_row")


@cache
def _share(parts: int) -> Fraction:
    return Fraction(parts, DEMAND_UNITS)


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
