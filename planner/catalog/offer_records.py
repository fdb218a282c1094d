"""What a row of an offers file holds, and how it is read: every bad row is reported with its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal, TypeVar, cast

from planner.catalog.importers.csv_rows import Row, bad_cell, read_rows
from planner.catalog.importers.problems import RowError, problem, read_text
from planner.diagnostics import Diagnostic, DiagnosticError

T = TypeVar("T")
Basis = Literal["instance", "gpu", "attachment", "partition"]
Condition = Literal["list", "new", "used"]
BASES: Final[tuple[Basis, ...]] = ("instance", "gpu", "attachment", "partition")


@dataclass(frozen=True, slots=True)
class RentalOffer:
    """A machine for rent in one region; prices are USD per hour for all its GPUs together."""

    provider: str
    region: str
    instance: str
    gpu: str
    gpus: Decimal
    """Whole, except for a partition: a slice of a GPU."""
    on_demand_usd_h: Decimal | None
    spot_usd_h: Decimal | None
    """The lowest price of machines the provider may take back, marketplaces included."""
    date: date | None
    """None where the source does not say."""
    source: str
    notes: str
    basis: Basis
    """instance: a machine one can rent; gpu: a price list per GPU; attachment: the machine is billed apart."""
    file: str
    line: int

    @property
    def on_demand_usd_gpu_h(self) -> Decimal | None:
        """On-demand price per GPU and hour."""
        return None if self.on_demand_usd_h is None else self.on_demand_usd_h / self.gpus


@dataclass(frozen=True, slots=True)
class PurchaseOffer:
    """What a GPU costs to buy, in USD: from `usd_low` to `usd_high`, equal where one price is known."""

    gpu: str
    condition: Condition
    """list: the maker's or launch price; new: on the street; used."""
    usd_low: Decimal
    usd_high: Decimal
    date: date | None
    source: str
    notes: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class EnergyFigure:
    """A price of electricity (USD per kWh) or a PUE: power of the hall over power of the machines."""

    id: str
    kind: Literal["electricity", "pue"]
    value: Decimal
    date: date | None
    source: str
    notes: str
    file: str
    line: int


def parse_date(text: str) -> date | None:
    """The day of `2026-05-24`; `2026-05` and `2026` give their first day; anything else is unknown.

    >>> parse_date("2026-05"), parse_date("")
    (datetime.date(2026, 5, 1), None)
    """
    match = re.fullmatch(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", text.strip())
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None


def _date(row: Row) -> date | None:
    text = row.text("date")
    day = parse_date(text)
    if text and day is None:
        raise bad_cell("date", text, "a date such as 2026-05-24, 2026-05 or 2026")
    return day


def _word(row: Row, column: str, words: tuple[str, ...], default: str = "") -> str:
    value = row.text(column) or default
    if value not in words:
        raise bad_cell(column, value, "one of " + ", ".join(words))
    return value


def _price(row: Row, column: str) -> Decimal:
    value = row.number(column)
    if value is None:
        raise RowError(f"`{column}` is empty")
    return value


def rental(row: Row, file: str) -> RentalOffer:
    """The offer in a row of `rent/PROVIDER.csv`; raises RowError on a bad cell."""
    gpus = _price(row, "gpus")
    basis = cast("Basis", _word(row, "basis", BASES, "instance"))
    if gpus <= 0 or (gpus != int(gpus) and basis != "partition"):
        raise bad_cell("gpus", row.text("gpus"), "a whole number of GPUs")
    on_demand, spot = row.number("on_demand_usd_per_hour"), row.number("spot_usd_per_hour")
    if on_demand is None and spot is None:
        raise RowError("there is no price")
    return RentalOffer(
        row.text("provider"), row.text("region"), row.text("instance"), row.text("gpu"), gpus,
        on_demand, spot, _date(row), row.text("source"), row.text("notes"), basis, file, row.line,
    )  # fmt: skip


def purchase(row: Row, file: str) -> PurchaseOffer:
    """The offer in a row of `buy.csv`; raises RowError on a bad cell."""
    low, high = _price(row, "usd_low"), _price(row, "usd_high")
    if low > high:
        raise RowError(f"`usd_low` {low} is above `usd_high` {high}")
    condition = cast("Condition", _word(row, "condition", ("list", "new", "used")))
    return PurchaseOffer(
        row.text("gpu"), condition, low, high, _date(row), row.text("source"), row.text("notes"),
        file, row.line,
    )  # fmt: skip


def energy(row: Row, file: str) -> EnergyFigure:
    """The figure in a row of `energy.csv`; raises RowError on a bad cell."""
    kind = cast("Literal['electricity', 'pue']", _word(row, "kind", ("electricity", "pue")))
    return EnergyFigure(
        row.text("id"), kind, _price(row, "value"), _date(row), row.text("source"),
        row.text("notes"), file, row.line,
    )  # fmt: skip


_COLUMNS: Final = {
    "rent": ("provider", "region", "instance", "gpu", "gpus", "on_demand_usd_per_hour", "date", "source"),
    "buy": ("gpu", "condition", "usd_low", "usd_high", "date", "source"),
    "energy": ("id", "kind", "value", "date", "source"),
}  # fmt: skip


def read_offers(path: Path, kind: str, build: Callable[[Row, str], T]) -> tuple[T, ...]:
    """The records of a file; all its bad rows are reported at once."""
    file = str(path)
    found: list[T] = []
    problems: list[Diagnostic] = []
    for row in read_rows(read_text(path), file, _COLUMNS[kind]):
        try:
            found.append(build(row, file))
        except RowError as error:
            problems.append(problem("P102", str(error), file, line=row.line))
    if problems:
        raise DiagnosticError(problems)
    return tuple(found)
