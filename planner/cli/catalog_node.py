"""`planner catalog show` of a node type."""

from __future__ import annotations

from typing import Final

from planner.catalog.offers import rental_offers
from planner.catalog.records import NodeType
from planner.cli.catalog_facts import node_link
from planner.cli.catalog_page import UNKNOWN, Page, page_of, provenance
from planner.cli.catalog_prices import age, stale_note, usd
from planner.cli.catalog_table import Column, table


def show_node(record: NodeType, width: int) -> Page:
    """A node type: its GPUs, links, host, network, and its dated offers."""
    page = page_of(record, width)
    where = f"{record.provider} {record.instance}".strip()
    page.title(f"{record.id}: {record.gpus} x {record.gpu} ({where})")
    page.block("Node", _host(page, record))
    _node_offers(page, record)
    page.text("Also called", [", ".join(record.aliases)])
    provenance(page, record)
    return page


def _host(page: Page, record: NodeType) -> list[tuple[str, str]]:
    link, pcie = record.link, record.pcie
    domain = f", domain of {link.nvlink_domain} GPUs" if link.nvlink_gb_s else ""
    slot = f"gen{pcie.generation} x{pcie.lanes}" if pcie else ""
    reach = "" if pcie is None or pcie.p2p else ", no peer-to-peer"
    kind = "measured total" if record.host_ram_is_total else "as labelled, about 97 % of it usable"
    ram = f"{record.host_ram_gib:,g} GiB, {kind}" if record.host_ram_gib else UNKNOWN
    nvme = f"{record.nvme_tb:g} TB" if record.nvme_tb is not None else UNKNOWN
    cpu = [
        f"{record.vcpus} vCPUs" if record.vcpus else "",
        f"{record.cpu_cores} cores" if record.cpu_cores else "",
    ]
    speed = record.network_gbit_s
    network = f"{speed:,g} Gbit/s one way, all ports" if speed else UNKNOWN
    fabric = f", {record.network_kind}" if record.network_kind else ""
    power = f"{record.system_power_kw:g} kW" if record.system_power_kw else ""
    return [
        ("GPUs", page.mark(f"{record.gpus} x {record.gpu}", "gpus", "gpu")),
        ("between GPUs", page.mark(node_link(record) + domain, "link", "link.topology")),
        ("PCIe", page.mark(slot + reach, "pcie")),
        ("host RAM", page.mark(ram, "host_ram_gib")),
        ("NVMe", page.mark(nvme, "nvme_tb")),
        ("CPU", page.mark(", ".join(filter(None, cpu)), "vcpus", "cpu_cores")),
        ("network", page.mark(network + fabric, "network_gbit_s")),
        ("power", page.mark(power, "system_power_kw")),
    ]


MOST_OFFERS: Final = 8
"""Regions shown of one node; the rest is counted."""


def _node_offers(page: Page, record: NodeType) -> None:
    offers = list(rental_offers(node=record.id, bases=("instance", "gpu", "attachment")))
    if not offers:
        return
    columns = (
        Column("  REGION"), Column("USD/h", "right"), Column("USD/GPU-h", "right"),
        Column("SPOT/h", "right", optional=1),
        Column("DATE"), Column("SOURCE", least=16, optional=2),
    )  # fmt: skip
    rows = [
        [
            f"  {o.region}",
            usd(o.on_demand_usd_h),
            usd(o.on_demand_usd_gpu_h),
            usd(o.spot_usd_h),
            age(o.date),
            o.source,
        ]
        for o in offers[:MOST_OFFERS]
    ]
    page.parts.append(f"\nOffers, the cheapest first\n{table(columns, rows, page.width)}")
    hidden = len(offers) - MOST_OFFERS
    if hidden > 0:
        command = f"planner catalog list offers --gpu {record.gpu} --provider {record.provider}"
        page.parts.append(f"  ... and {hidden} more: {command}\n")
    warning = stale_note(offers)
    page.warnings += [warning] if warning else []
