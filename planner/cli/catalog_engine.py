"""`planner catalog show` of a serving engine or a training framework."""

from __future__ import annotations

from planner.catalog.engines import ServingEngine, SupportRow, serving_engine
from planner.catalog.frameworks import training_framework
from planner.cli.catalog_page import Page, page_of, provenance


def show_engine(name: str, width: int) -> Page:
    """An engine profile: what it runs and where, how it splits a model, and its sources."""
    record = serving_engine(name)
    page = page_of(record, width)
    page.title(f"{record.id}: {record.name} (serving)")
    page.block("Weights", [(", ".join(row.formats), _row(row)) for row in record.weights])
    page.block("KV cache", [(", ".join(row.formats), _row(row)) for row in record.kv])
    _runs(page, record)
    page.text("Also called", [", ".join(record.aliases)])
    provenance(page, record)
    return page


def _row(row: SupportRow) -> str:
    major, minor = row.min_capability
    where = ", ".join(
        f"{vendor} from compute capability {major}.{minor}" if vendor == "nvidia" else vendor
        for vendor in row.vendors
    )
    reason = f" ({row.reason})" if row.reason else ""
    return f"{row.how} on {where}{reason}"


def _runs(page: Page, record: ServingEngine) -> None:
    split = record.parallelism
    kinds = ("tensor", "pipeline", "expert", "data", "layer_split")
    fraction = record.memory.budget.fraction
    page.block(
        "Runs",
        [
            ("models", ", ".join(record.kinds)),
            ("not", ", ".join(record.not_families)),
            ("attention", ", ".join(record.attention)),
            ("splits", ", ".join(k.replace("_", " ") for k in kinds if getattr(split, k))),
            ("memory fraction", f"{fraction:g}" if fraction else ""),
        ],
    )


def show_framework(name: str, width: int) -> Page:
    """A training framework: its options, and its sources."""
    record = training_framework(name)
    page = page_of(record, width)
    page.title(f"{record.id}: {record.name} (training)")
    page.block(
        "Supports",
        [
            (key.replace("_", " "), _yes(value))
            for key, value in record.support.model_dump().items()
        ],
    )
    page.block("Attention kernels", [("", ", ".join(record.attention))])
    page.text("Also called", [", ".join(record.aliases)])
    provenance(page, record)
    return page


def _yes(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value)
