"""`planner catalog show` of a GPU."""

from __future__ import annotations

from planner.catalog.offer_records import RentalOffer
from planner.catalog.records import Gpu
from planner.cli.catalog_facts import gpu_link, sixteen_bit_tflops
from planner.cli.catalog_page import UNKNOWN, Page, page_of, provenance
from planner.cli.catalog_prices import age, cheapest, span_usd, spot_usd_gpu_h, stale_note, usd
from planner.cli.catalog_table import figure

_RATES = (
    ("fp32", "fp32"), ("tf32", "tf32"), ("bf16", "bf16"), ("fp16", "fp16, fp32 accumulate"),
    ("fp16_fp16acc", "fp16, fp16 accumulate"), ("fp8", "fp8"), ("fp8_fp16acc", "fp8, fp16 accumulate"),
    ("fp4", "fp4"), ("int8", "int8 (TOPS)"),
)  # fmt: skip


def show_gpu(record: Gpu, width: int) -> Page:
    """A GPU: three memory sizes, dense rates, links, what runs natively, prices."""
    page = page_of(record, width)
    capability = record.compute_capability
    level = f", compute capability {capability}" if capability else ""
    page.title(f"{record.id}: {record.name} ({record.vendor} {record.architecture}{level})")
    _memory(page, record)
    rates = [
        (label, page.mark(f"{value:,g}", f"tflops.{name}"))
        for name, label in _RATES
        if (value := getattr(record.tflops, name)) is not None
    ]
    page.block("Dense rates, TFLOPS", rates)
    _board(page, record)
    flash = ", ".join(map(str, record.flash_attention)) or "none"
    page.block(
        "Runs",
        [
            ("native types", ", ".join(record.dtypes)),
            ("16-bit means", record.sixteen_bit),
            ("FlashAttention", f"version {flash}" if record.flash_attention else flash),
        ],
    )
    if record.conflicts:
        page.text("Sources disagree", [record.conflicts])
    _prices(page, record)
    page.text("Also called", [", ".join(record.aliases)])
    provenance(page, record)
    return page


def _memory(page: Page, record: Gpu) -> None:
    memory = record.memory
    driver = f"{memory.driver_total_mib:,} MiB" if memory.driver_total_mib else UNKNOWN
    usable = (
        f"{memory.cuda_total_mib:,} MiB = {memory.cuda_total_mib / 1024:.2f} GiB, at least "
        f"{memory.cuda_total_low_mib:,} MiB; {memory.cuda_total_tag}"
    )
    sold = f"{memory.marketed_gb:g} GB {memory.type}"
    nvidia = record.vendor == "nvidia"
    page.block(
        "Memory",
        [
            ("marketed", page.mark(sold, "memory.marketed_gb")),
            ("driver total", page.mark(driver, "memory.driver_total_mib") if nvidia else ""),
            ("usable", page.mark(usable, "memory.cuda_total_mib")),
            ("bandwidth", page.mark(f"{memory.bandwidth_gb_s:,g} GB/s", "memory.bandwidth_gb_s")),
        ],
    )


def _board(page: Page, record: Gpu) -> None:
    pcie = record.pcie
    reach = "" if pcie is None or pcie.p2p else ", no peer-to-peer between GPUs"
    per_watt = sixteen_bit_tflops(record)
    efficiency = (
        f", {per_watt / record.tdp_w:.2f} 16-bit TFLOPS per watt"
        if per_watt and record.tdp_w
        else ""
    )
    page.block(
        "Board",
        [
            ("NVLink / fabric", page.mark(gpu_link(record), "nvlink", "fabric")),
            ("link to the CPU", f"{record.c2c_gb_s:g} GB/s both ways" if record.c2c_gb_s else ""),
            (
                "PCIe",
                page.mark(f"gen{pcie.generation} x{pcie.lanes}{reach}", "pcie") if pcie else "",
            ),
            (
                "power",
                page.mark(f"{record.tdp_w:g} W{efficiency}", "tdp_w") if record.tdp_w else "",
            ),
            (
                "SMs" if record.vendor == "nvidia" else "compute units",
                page.mark(figure(record.sm_count), "sm_count") if record.sm_count else "",
            ),
            ("form factor", record.form_factor),
            ("launched", record.launch),
        ],
    )


def _prices(page: Page, record: Gpu) -> None:
    best = cheapest(record.id)
    rent, spot, bought = best.on_demand, best.spot, best.bought
    lines: list[tuple[str, str]] = []
    if rent is not None:
        lines.append(("on demand", f"{usd(best.usd_gpu_h)} USD/GPU-h, {_place(rent)}"))
    if spot is not None:
        lines.append(("spot", f"{usd(spot_usd_gpu_h(spot))} USD/GPU-h, {_place(spot)}"))
    if bought is not None:
        lines.append(("to buy", f"{span_usd(bought)} USD, {bought.condition}, {age(bought.date)}"))
    page.block("Cheapest known prices", lines)
    warning = stale_note([o for o in (rent, spot) if o is not None])
    page.warnings += [warning] if warning else []


def _place(offer: RentalOffer) -> str:
    return f"{offer.provider} {offer.region} {offer.instance}, {age(offer.date)}"
