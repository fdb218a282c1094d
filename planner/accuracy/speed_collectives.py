"""Predict the rows of a collectives file: NCCL collectives, copies to the host, memory streams, NVMe."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, cast

from planner.accuracy.read import Skip
from planner.accuracy.speed_rows import (
    Estimate,
    Row,
    around,
    count,
    gpu_of,
    needed,
    node_link,
    number,
    text,
)
from planner.catalog.records import Gpu
from planner.catalog.speed_records import Collective, link_data
from planner.speed.collectives import collective_s, link_kind, measured_link
from planner.speed.curves import bus_share, traffic_share
from planner.speed.link_rows import host_gb_s
from planner.speed.links import Link

_COLLECTIVES: Final = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv")
_DRIVES: Final = re.compile(r"(\d+)\s*x\s*Gen(\d)")
_LARGE: Final = 4 * 2**30
"""Message size where a row states none: bus bandwidth is then the large-message figure."""
_NICS: Final = re.compile(r"(\d+)\s*x\s*\d+\s*G")
_ONE_EACH: Final = re.compile(r"1 GPU per node")
_LATENCY_BOUND: Final = 2.0
"""Interval of a message below a mebibyte, relative to a large one: software decides its time."""


def _link(row: Row, gpu: Gpu) -> Link:
    """The link of a row: the GPU's usual chassis, changed by the interconnect and the note."""
    stated = text(row, "interconnect")
    link = node_link(row, gpu, f"{stated}; {text(row, 'note')}")
    if link.scale_up and stated.startswith("PCIe") and gpu.nvlink.topology == "bridge-pairs":
        link = replace(link, nvlink_gb_s=0.0, domain=1, topology="none")
    nics = _NICS.search(stated)
    if _ONE_EACH.search(stated):
        link = replace(link, gpus_per_node=1, domain=1, nvlink_gb_s=0.0, topology="none")
    if nics:
        link = replace(link, nics=int(nics[1]))
    if "tcp" in stated.lower() or "ethernet" in stated.lower():
        link = replace(link, network_kind="tcp")
    return link


def _single(row: Row, kind: str) -> dict[str, Estimate]:
    """What needs no second GPU: host copies, memory streams, drives."""
    host = link_data().host
    if kind in ("nvme_read", "nvme_write"):
        drives = _DRIVES.search(text(row, "interconnect"))
        if drives is None:
            raise Skip("number and generation of the drives are not stated")
        table = host.nvme_read_gb_s if kind == "nvme_read" else host.nvme_write_gb_s
        if int(drives[2]) not in table:
            raise Skip(f"drives of PCIe generation {drives[2]} are not known")
        rate = float(drives[1]) * table[int(drives[2])]
    else:
        gpu = gpu_of(row)
        if kind.startswith("hbm_"):
            rate = host.hbm_copy_share * gpu.memory.bandwidth_gb_s
        else:
            rate = host_gb_s(_link(row, gpu))
    return {"busbw_gb_s": around(rate, host.spread, extrapolated=False, tag=host.tag)}


def _pair(row: Row, kind: str) -> dict[str, Estimate]:
    """Two GPUs of a domain, one way or both ways."""
    gpu = gpu_of(row)
    link = _link(row, gpu)
    curve = link_data().curve(link_kind(link, 2))
    width = link.nvlink_gb_s / 2.0 if link.scale_up else link.pcie_gb_s
    rate = (
        float(bus_share(curve, "send_recv", 2)) * width * (2.0 if kind.endswith("two_way") else 1.0)
    )
    return {
        "busbw_gb_s": around(rate, curve.spread, extrapolated=curve.tag != "fitted", tag=curve.tag)
    }


def predict_collective(row: Row) -> dict[str, Estimate]:
    """Time and bus bandwidth of a row."""
    kind = text(row, "collective")
    if kind in (
        "nvme_read",
        "nvme_write",
        "host_to_device",
        "device_to_host",
        "hbm_copy",
        "hbm_triad",
    ):
        return _single(row, kind)
    if kind in ("p2p_one_way", "p2p_two_way"):
        return _pair(row, kind)
    if kind not in _COLLECTIVES:
        raise Skip(f"collective {kind or 'none'} is not known")
    collective = cast(Collective, kind)
    gpu = gpu_of(row)
    link, ranks, nodes = _link(row, gpu), int(needed(row, "gpus")), count(row, "nodes")
    if ranks < 2:
        raise Skip("a collective needs two ranks")
    size = number(row, "message_bytes") or float(_LARGE)
    seconds = float(collective_s(collective, size, ranks, link, nodes))
    curve = link_data().curve(link_kind(link, ranks, nodes))
    spread = curve.spread * (_LATENCY_BOUND if size < 2**20 else 1.0)
    known = bool(measured_link(link, ranks)) if nodes == 1 else curve.tag == "fitted"
    doubled = spread * (1.0 if known else 2.0)
    extrapolated = not known
    bus = float(traffic_share(collective, ranks)) * size / seconds / 1e9
    return {
        "time_us": around(seconds * 1e6, doubled, extrapolated=extrapolated, tag=curve.tag),
        "busbw_gb_s": around(bus, doubled, extrapolated=extrapolated, tag=curve.tag),
    }
