"""gpuhunt's price list of one provider as offers.

On-demand and spot are rows of their own and `gpu_memory` is GB per GPU. Older files lack the last columns: a GPU
without a vendor is NVIDIA's, a name that starts with `tpu-` is Google's.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from planner.catalog.importers.csv_rows import Row, read_rows
from planner.catalog.importers.gpu_names import gpu_id
from planner.catalog.importers.offer_rows import OfferRow, merge_zones
from planner.catalog.importers.problems import Log, RowError

REQUIRED: Final = ("instance_name", "location", "price", "gpu_count", "gpu_name", "spot")
_GIB_PER_GB: Final = Decimal(10**9) / Decimal(2**30)


@dataclass(frozen=True, slots=True)
class Gpuhunt:
    """The offers of one provider and what was left out."""

    offers: list[OfferRow]
    log: Log


def read_gpuhunt(text: str, *, provider: str, file: str = "catalog.csv") -> Gpuhunt:
    """Offers of a gpuhunt CSV; rows that cannot be used are in the log with their reason."""
    log = Log(file)
    offers: list[OfferRow] = []
    for row in read_rows(text, file, REQUIRED):
        log.rows += 1
        instance = row.text("instance_name") or "-"
        try:
            offer = _offer(row, provider, instance)
        except RowError as problem:
            log.skip(row.line, instance, str(problem))
            continue
        offers.append(offer)
    return Gpuhunt(merge_zones(offers), log)


def _offer(row: Row, provider: str, instance: str) -> OfferRow:
    if "+" in row.cells:
        raise RowError("more cells than the header has columns")
    count = row.number("gpu_count")
    if not count or not row.text("gpu_name"):
        raise RowError("no accelerator")
    if count != count.to_integral_value():
        raise RowError(f"holds a part of a GPU ({count.normalize():f})")
    price = row.number("price")
    if not price:
        raise RowError("no price")
    memory = row.number("gpu_memory")
    found = gpu_id(
        row.text("gpu_name"),
        provider=provider,
        instance=instance,
        memory_gb=None if memory is None else float(memory),
    )
    spot = row.flag("spot")
    ram_gb = row.number("memory")
    zone = row.text("location")
    flags = row.text("flags")
    return OfferRow(
        provider, _region(zone), instance, found, int(count),
        None if spot else price, price if spot else None,
        row.number("cpu"), None if ram_gb is None else round(ram_gb * _GIB_PER_GB, 1), zone, row.line,
        f"flags: {flags}" if flags else "",
    )  # fmt: skip


def _region(location: str) -> str:
    """The region of a zone such as `us-central1-a`; other locations stand as they are.

    >>> _region("us-central1-a"), _region("eastus"), _region("us-east-1")
    ('us-central1', 'eastus', 'us-east-1')
    """
    head, _, tail = location.rpartition("-")
    return head if len(tail) == 1 and tail.isalpha() and head else location
