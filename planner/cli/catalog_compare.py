"""`planner catalog compare`: GPUs side by side, per watt and per dollar, and what each runs natively."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from planner.catalog.records import Gpu
from planner.cli.catalog_facts import sixteen_bit_tflops
from planner.cli.catalog_prices import Cheapest, age, cheapest, span_usd, stale_note, usd
from planner.cli.catalog_table import figure

TYPES: Final = ("fp32", "tf32", "fp16", "bf16", "int8", "fp8", "fp4")
_RATES: Final = ("fp32", "tf32", "bf16", "fp16", "fp8", "fp4", "int8")
FORMATS: Final = ("16bit", "fp8", "int8-w8a8", "awq-int4", "gptq-int4", "mxfp4", "nvfp4")
"""Weight formats of the precision matrix."""
_REFERENCE: Final = ("vllm", "llama-3.1-8b")
"""Engine and model that the rows on weight formats stand for."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A GPU with its cheapest prices."""

    gpu: Gpu
    prices: Cheapest


Cell = Callable[[Subject], str]


def compare_gpus(gpus: Sequence[Gpu], width: int) -> tuple[str, list[dict[str, object]], list[str]]:
    """The table, one object per GPU for programs, and remarks for stderr."""
    subjects = [Subject(gpu, cheapest(gpu.id)) for gpu in gpus]
    sections = [
        ("", _hardware()),
        ("Dense TFLOPS (int8: TOPS)", [(name, _rate(name)) for name in _RATES]),
        ("For its money and power", _value()),
        ("Native types", [(name, _native(name)) for name in TYPES]),
        ("Weights in vLLM, Llama-like", _formats()),
    ]
    text = "\n".join(_panel(sections, group) for group in _groups(subjects, width))
    offers = [s.prices.on_demand for s in subjects if s.prices.on_demand is not None]
    notes = ["? marks a figure that no public source confirms"] if "?" in text else []
    notes += [warning for warning in [stale_note(offers)] if warning]
    return text, [_json(s) for s in subjects], notes


_LABEL: Final = 26
"""Width of the labels; every section keeps the same columns."""
_LEAST: Final = 12


def _cell_width(subject: Subject) -> int:
    return max(len(subject.gpu.id), _LEAST, *(len(cell(subject)) for _, cell in _value()))


def _groups(subjects: Sequence[Subject], width: int) -> list[list[Subject]]:
    """As many GPUs beside one another as the width takes; the rest follow below."""
    groups: list[list[Subject]] = [[]]
    used = _LABEL
    for subject in subjects:
        size = _cell_width(subject) + 2
        if groups[-1] and used + size > width:
            groups.append([])
            used = _LABEL
        groups[-1].append(subject)
        used += size
    return groups


def _panel(
    sections: Sequence[tuple[str, Sequence[tuple[str, Cell]]]], subjects: Sequence[Subject]
) -> str:
    sizes = [_cell_width(s) for s in subjects]
    lines = [_line("", [s.gpu.id for s in subjects], sizes)]
    for title, rows in sections:
        shown = [(label, [cell(s) for s in subjects]) for label, cell in rows]
        kept = [(label, cells) for label, cells in shown if any(c not in ("", "-") for c in cells)]
        if title and kept:
            lines += ["", title]
        indent = "  " if title else ""
        lines += [_line(indent + label, cells, sizes) for label, cells in kept]
    return "".join(f"{line}\n" for line in lines)


def _line(label: str, cells: Sequence[str], sizes: Sequence[int]) -> str:
    body = "".join("  " + cell.rjust(size) for cell, size in zip(cells, sizes, strict=True))
    return (label.ljust(_LABEL) + body).rstrip()


def _mark(subject: Subject, text: str, *fields: str) -> str:
    """The text with a question mark where one of its fields is unverified."""
    doubtful = set(subject.gpu.unverified_fields)
    known = {*fields, *(f.split(".")[0] for f in fields), "all"}
    return f"{text}?" if text != "-" and doubtful & known else text


def _hardware() -> list[tuple[str, Cell]]:
    return [
        ("architecture", lambda s: s.gpu.architecture),
        ("compute capability", lambda s: s.gpu.compute_capability or "-"),
        ("memory, GB", lambda s: _mark(s, figure(s.gpu.memory.marketed_gb), "memory.marketed_gb")),
        ("usable, GiB", lambda s: _mark(s, f"{s.gpu.memory.cuda_total_mib / 1024:.2f}", "memory.cuda_total_mib")),
        ("bandwidth, GB/s", lambda s: _mark(s, figure(s.gpu.memory.bandwidth_gb_s), "memory.bandwidth_gb_s")),
        ("NVLink both ways, GB/s", lambda s: _mark(s, figure(s.gpu.nvlink.total_gb_s or None, 1), "nvlink")),
        ("NVLink topology", lambda s: s.gpu.nvlink.topology if s.gpu.nvlink.total_gb_s else "-"),
        ("other fabric, GB/s", lambda s: figure(s.gpu.fabric.total_gb_s, 1) if s.gpu.fabric else "-"),
        ("PCIe", lambda s: f"gen{s.gpu.pcie.generation} x{s.gpu.pcie.lanes}" if s.gpu.pcie else "-"),
        ("PCIe peer-to-peer", lambda s: "-" if s.gpu.pcie is None else "yes" if s.gpu.pcie.p2p else "no"),
        ("power, W", lambda s: _mark(s, figure(s.gpu.tdp_w), "tdp_w")),
        ("form factor", lambda s: s.gpu.form_factor.split(",")[0]),
    ]  # fmt: skip


def _rate(name: str) -> Cell:
    return lambda s: _mark(s, figure(getattr(s.gpu.tflops, name), 1), f"tflops.{name}")


def _ratio(amount: float | None, by: Decimal | float | None, digits: int) -> str:
    return "-" if not amount or not by else figure(amount / float(by), digits)


def _value() -> list[tuple[str, Cell]]:
    return [
        ("16-bit TFLOPS per W", lambda s: _ratio(sixteen_bit_tflops(s.gpu), s.gpu.tdp_w, 2)),
        ("USD per GPU-hour", lambda s: usd(s.prices.usd_gpu_h)),
        ("offered by", lambda s: s.prices.on_demand.provider if s.prices.on_demand else "-"),
        ("on", lambda s: age(s.prices.on_demand.date) if s.prices.on_demand else "-"),
        ("GB/s per USD/h", lambda s: _ratio(s.gpu.memory.bandwidth_gb_s, s.prices.usd_gpu_h, 0)),
        ("GiB per USD/h", lambda s: _ratio(s.gpu.memory.cuda_total_mib / 1024, s.prices.usd_gpu_h, 1)),
        ("16-bit TFLOPS per USD/h", lambda s: _ratio(sixteen_bit_tflops(s.gpu), s.prices.usd_gpu_h, 0)),
        ("to buy, USD", lambda s: span_usd(s.prices.bought) if s.prices.bought else "-"),
        ("bought", lambda s: s.prices.bought.condition if s.prices.bought else "-"),
        ("on", lambda s: age(s.prices.bought.date) if s.prices.bought else "-"),
    ]  # fmt: skip


def _native(dtype: str) -> Cell:
    return lambda s: "yes" if s.gpu.has(dtype) else "no"


def _formats() -> list[tuple[str, Cell]]:
    """How the reference engine runs each weight format: native, weight-only, or not at all."""
    from planner.catalog.engine_support import support
    from planner.catalog.engines import serving_engine
    from planner.catalog.lookup import model

    engine, shape = serving_engine(_REFERENCE[0]), model(_REFERENCE[1])

    def cell(weights: str) -> Cell:
        def how(subject: Subject) -> str:
            found = support(engine, weights, "auto", "auto", shape, subject.gpu)
            return f"as {found.arithmetic}" if found.how == "weight-only" else found.how

        return how

    return [(name, cell(name)) for name in FORMATS]


def _json(subject: Subject) -> dict[str, object]:
    gpu, prices = subject.gpu, subject.prices
    tflops, price = sixteen_bit_tflops(gpu), prices.usd_gpu_h
    per_usd = float(price) if price else None
    return {
        "id": gpu.id,
        "memory_gb": gpu.memory.marketed_gb,
        "usable_gib": round(gpu.memory.cuda_total_mib / 1024, 3),
        "bandwidth_gb_s": gpu.memory.bandwidth_gb_s,
        "nvlink_gb_s": gpu.nvlink.total_gb_s,
        "tflops": gpu.tflops.model_dump(exclude_none=True),
        "native_types": list(gpu.dtypes),
        "tdp_w": gpu.tdp_w,
        "tflops_16bit_per_w": round(tflops / gpu.tdp_w, 4) if tflops and gpu.tdp_w else None,
        "usd_gpu_h": None if price is None else str(price),
        "price_date": str(prices.on_demand.date) if prices.on_demand and prices.on_demand.date else None,
        "price_provider": prices.on_demand.provider if prices.on_demand else None,
        "gb_s_per_usd_h": round(gpu.memory.bandwidth_gb_s / per_usd, 2) if per_usd else None,
        "gib_per_usd_h": round(gpu.memory.cuda_total_mib / 1024 / per_usd, 3) if per_usd else None,
        "unverified_fields": list(gpu.unverified_fields),
    }  # fmt: skip
