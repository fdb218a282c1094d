"""Offers as importers yield them, and how rows per zone become one offer per region."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from statistics import median_high
from typing import Final


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An instance for rent in one region; prices are USD per hour for the whole instance."""

    provider: str
    region: str
    instance: str
    gpu: str
    """Catalog id."""
    gpus: int
    on_demand_usd_h: Decimal | None
    spot_usd_h: Decimal | None
    vcpus: Decimal | None = None
    host_ram_gib: Decimal | None = None
    zone: str = ""
    line: int = 0
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a price list comes from and the day its prices were valid."""

    provider: str
    date: str
    """ISO date."""
    source: str


def _one(prices: list[Decimal]) -> tuple[Decimal | None, str]:
    """The upper median of some prices, and a note where they differ."""
    if not prices:
        return None, ""
    low, high = min(prices), max(prices)
    note = f"{len(prices)} zones, {low} to {high}" if low != high else ""
    return median_high(prices), note


def merge_zones(rows: Iterable[OfferRow]) -> list[OfferRow]:
    """One offer per provider, region and instance: the upper median over its zones.

    On-demand prices hardly differ between zones; spot prices do, so the note keeps their range.
    """
    groups: dict[tuple[str, str, str, str, int], list[OfferRow]] = {}
    for row in rows:
        key = (row.provider, row.region, row.instance, row.gpu, row.gpus)
        groups.setdefault(key, []).append(row)
    merged = []
    for group in groups.values():
        first = group[0]
        on_demand, spread = _one(
            [r.on_demand_usd_h for r in group if r.on_demand_usd_h is not None]
        )
        spot, spot_spread = _one([r.spot_usd_h for r in group if r.spot_usd_h is not None])
        notes = [first.notes] if first.notes else []
        notes += [f"on-demand: {spread}"] if spread else []
        notes += [f"spot: {spot_spread}"] if spot_spread else []
        merged.append(
            OfferRow(
                first.provider, first.region, first.instance, first.gpu, first.gpus, on_demand, spot,
                first.vcpus, first.host_ram_gib, "", first.line, "; ".join(notes),
            )
        )  # fmt: skip
    return merged


COLUMNS: Final = (
    "provider", "region", "instance", "gpu", "gpus", "on_demand_usd_per_hour", "spot_usd_per_hour",
    "date", "source", "notes", "basis",
)  # fmt: skip
"""Header of an offers file."""


def offers_csv(rows: Iterable[OfferRow], origin: Origin) -> str:
    """Offers as the CSV text of a catalog's `offers/` folder."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        prices = ["" if p is None else f"{p:f}" for p in (row.on_demand_usd_h, row.spot_usd_h)]
        place = [row.provider, row.region, row.instance, row.gpu, row.gpus]
        writer.writerow([*place, *prices, origin.date, origin.source, row.notes, "instance"])
    return out.getvalue()
