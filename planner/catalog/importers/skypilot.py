"""SkyPilot's catalog of virtual machines (`vms.csv` of one cloud) as offers.

The order and the set of columns differ by cloud, so cells are read by header name. `GpuInfo` is a Python literal.
On GCP the row of an A2, A3, A4, G2 or N1 machine has no accelerator and prices CPU and memory only; the
accelerator is a row of its own without an instance, and the offer is the sum of both in the same zone.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from planner.catalog.importers.csv_rows import Row, bad_cell, read_rows
from planner.catalog.importers.gpu_names import gpu_id, part_of_gpu
from planner.catalog.importers.offer_rows import OfferRow, merge_zones
from planner.catalog.importers.problems import Log, RowError

REQUIRED: Final = ("InstanceType", "AcceleratorName", "AcceleratorCount", "Price", "Region")
_PLACELESS: Final = "-"
_GB_BELOW_MIB: Final = 1024
"""A memory size below this many MiB is in truth in GB: RunPod writes 80 for 80 GB."""

_GCP_MACHINES: Final = (
    (r"a2-(?:highgpu|megagpu)-(\d+)g", ("A100",)),
    (r"a2-ultragpu-(\d+)g", ("A100-80GB",)),
    (r"a3-(?:highgpu|edgegpu)-(\d+)g", ("H100",)),
    (r"a3-megagpu-(\d+)g", ("H100-MEGA", "H100-MEGA-80GB")),
    (r"a3-ultragpu-(\d+)g", ("H200", "H200-141GB")),
    (r"a4-highgpu-(\d+)g", ("B200",)),
)
_GCP_G2: Final = {4: 1, 8: 1, 12: 1, 16: 1, 24: 2, 32: 1, 48: 4, 96: 8}
"""vCPUs of a G2 machine and the L4 cards it holds."""
_GCP_ATTACHABLE: Final = ("T4", "V100", "P100", "P4", "K80")
"""Cards that any N1 machine can be given."""


@dataclass(frozen=True, slots=True)
class Skypilot:
    """The offers of one cloud and what was left out."""

    offers: list[OfferRow]
    log: Log


def read_skypilot(text: str, *, provider: str, file: str = "vms.csv") -> Skypilot:
    """Offers of a SkyPilot `vms.csv`; rows that cannot be used are in the log with their reason."""
    log = Log(file)
    machines: list[Row] = []
    accelerators: list[Row] = []
    offers: list[OfferRow] = []
    for row in read_rows(text, file, REQUIRED):
        log.rows += 1
        if not row.text("InstanceType") and row.text("AcceleratorName"):
            accelerators.append(row)
        elif provider == "gcp" and not row.text("AcceleratorName") and _needs(row) is not None:
            machines.append(row)
        else:
            _whole_instance(row, provider, offers, log)
    _joined(machines, accelerators, provider, offers, log)
    return Skypilot(merge_zones(offers), log)


def _whole_instance(row: Row, provider: str, offers: list[OfferRow], log: Log) -> None:
    """An offer from a row that holds both the instance and its accelerator."""
    instance = row.text("InstanceType") or _PLACELESS
    if not row.text("AcceleratorName"):
        log.skip(row.line, instance, "no accelerator")
        return
    try:
        count = _count(row, provider)
        name = row.text("AcceleratorName")
        found = gpu_id(name, provider=provider, instance=instance, memory_gb=_memory_gb(row))
        offers.append(_offer(row, provider, instance, found, count))
    except RowError as problem:
        log.skip(row.line, instance, str(problem))


def _offer(row: Row, provider: str, instance: str, gpu: str, count: int) -> OfferRow:
    price, spot = row.number("Price"), row.number("SpotPrice")
    if not price and not spot:
        raise RowError("neither an on-demand nor a spot price")
    zone = row.text("AvailabilityZone")
    return OfferRow(
        provider, row.text("Region"), instance, gpu, count, price or None, spot or None,
        row.number("vCPUs"), row.number("MemoryGiB"), zone, row.line,
    )  # fmt: skip


def _count(row: Row, provider: str) -> int:
    """GPUs of a row; parts of a GPU are refused, also where the list calls them one."""
    count = row.number("AcceleratorCount")
    vcpus = row.number("vCPUs")
    part = part_of_gpu(provider, row.text("InstanceType"), float(vcpus) if vcpus else None)
    if part is not None:
        raise RowError(f"holds {part[0]}/{part[1]} of a GPU, listed as one")
    if not count:
        raise RowError("an accelerator count of zero")
    if count != count.to_integral_value():
        raise RowError(f"holds a part of a GPU ({count.normalize():f})")
    return int(count)


def _memory_gb(row: Row) -> float | None:
    """Memory per GPU from `GpuInfo`; None where the cell is a bare name or empty."""
    text = row.text("GpuInfo")
    if not text.startswith("{"):
        return None
    try:
        info = ast.literal_eval(text)
        size = info["Gpus"][0]["MemoryInfo"]["SizeInMiB"]
        number = float(size)
    except (ValueError, SyntaxError, KeyError, IndexError, TypeError, MemoryError, RecursionError):
        raise bad_cell("GpuInfo", text[:40], "a literal with `Gpus`") from None
    return number if number < _GB_BELOW_MIB else number / 1024


def _needs(row: Row) -> tuple[tuple[str, ...], int | None] | None:
    """Accelerators and count a GCP machine is sold with; a count of None means any; None: no GPU."""
    machine = row.text("InstanceType")
    for pattern, names in _GCP_MACHINES:
        match = re.fullmatch(pattern, machine)
        if match is not None:
            return names, int(match[1])
    match = re.fullmatch(r"g2-standard-(\d+)", machine)
    if match is not None:
        return ("L4",), _GCP_G2.get(int(match[1]))
    return (_GCP_ATTACHABLE, None) if machine.startswith("n1-") else None


def _joined(
    machines: list[Row], accelerators: list[Row], provider: str, offers: list[OfferRow], log: Log
) -> None:
    """Offers of GCP: each machine with the accelerator rows of its zone that it can carry."""
    by_zone: dict[str, list[Row]] = {}
    for row in accelerators:
        by_zone.setdefault(row.text("AvailabilityZone"), []).append(row)
    used: set[int] = set()
    for machine in machines:
        needs = _needs(machine)
        assert needs is not None
        names, wanted = needs
        pairs = 0
        for part in by_zone.get(machine.text("AvailabilityZone"), []):
            count = part.text("AcceleratorCount")
            if part.text("AcceleratorName") not in names:
                continue
            if wanted is not None and count not in (str(wanted), f"{wanted}.0"):
                continue
            used.add(part.line)
            pairs += _pair(machine, part, wanted, provider, offers, log)
        if not pairs:
            log.skip(machine.line, machine.text("InstanceType"), "no accelerator row in its zone")
    for row in accelerators:
        if row.line not in used:
            what = f"{row.text('AcceleratorName')} x {row.text('AcceleratorCount')}"
            log.skip(
                row.line, what, "no machine row in its zone to add CPU and memory to the price"
            )


def _pair(
    machine: Row, part: Row, wanted: int | None, provider: str, offers: list[OfferRow], log: Log
) -> int:
    """Add the offer of a machine with an accelerator; 1 if it was added, 0 if it was left out."""
    name, instance = part.text("AcceleratorName"), machine.text("InstanceType")
    try:
        count = _count(part, provider)
        found = gpu_id(name, provider=provider, instance=instance, memory_gb=_memory_gb(part))
        base, extra = (
            _offer(machine, provider, instance, found, count),
            _offer(part, provider, instance, found, count),
        )
    except RowError as problem:
        log.skip(part.line, f"{instance} + {name}", str(problem))
        return 0
    title = instance if wanted is not None else f"{instance}+{count}x{name}"
    offers.append(
        OfferRow(
            provider, base.region, title, found, count,
            _sum(base.on_demand_usd_h, extra.on_demand_usd_h),
            _sum(base.spot_usd_h, extra.spot_usd_h),
            base.vcpus, base.host_ram_gib, base.zone, base.line, "machine row + accelerator row",
        )
    )  # fmt: skip
    return 1


def _sum(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    return None if left is None or right is None else left + right
