"""`planner catalog list`: records of one kind in a table, filtered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from planner.catalog.lookup import gpu, ids, model, node, resolve
from planner.catalog.records import Gpu, Model, NodeType
from planner.cli.catalog_facts import ModelFacts, model_facts, node_link, sixteen_bit_tflops
from planner.cli.catalog_filters import Filters, refuse_unknown
from planner.cli.catalog_table import Column, billions, figure, table

JsonRow = dict[str, object]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list shows: text for people, rows for programs, and a remark for stderr."""

    text: str
    rows: list[JsonRow]
    remark: str = ""
    warning: str = ""


def _gpu_matches(record: Gpu, filters: Filters) -> bool:
    return (
        (filters.memory is None or filters.memory.holds(record.memory.marketed_gb))
        and (not filters.vendor or record.vendor == filters.vendor.lower())
        and (not filters.architecture or record.architecture == filters.architecture.lower())
        and (not filters.nvlink or record.nvlink.total_gb_s > 0)
    )


_GPU_COLUMNS: Final = (
    Column("GPU", least=20), Column("ARCHITECTURE", optional=4), Column("GB", "right"),
    Column("GB/s", "right"), Column("16-BIT TFLOPS", "right"), Column("FP8", "right", optional=2),
    Column("NVLINK GB/s", "right", optional=1), Column("TDP W", "right", optional=3),
)  # fmt: skip


def list_gpus(filters: Filters, width: int) -> Listing:
    """GPUs by vendor, generation and name."""
    every = [gpu(id_) for id_ in ids("gpus")]
    refuse_unknown("--architecture", filters.architecture, (r.architecture for r in every))
    records = [r for r in every if _gpu_matches(r, filters)]
    records.sort(key=lambda r: (r.vendor != "nvidia", r.vendor, r.capability, r.architecture, r.id))
    body = [
        [
            r.id, r.architecture, figure(r.memory.marketed_gb), figure(r.memory.bandwidth_gb_s),
            figure(sixteen_bit_tflops(r), 1), figure(r.tflops.fp8) if r.has("fp8") else "-",
            figure(r.nvlink.total_gb_s or None, 1), figure(r.tdp_w),
        ]
        for r in records
    ]  # fmt: skip
    rows: list[JsonRow] = [r.model_dump(mode="json", exclude_none=True) for r in records]
    remark = "dense rates; NVLink sums both directions; 16-bit is bf16 where native, else fp16"
    return Listing(table(_GPU_COLUMNS, body, width), rows, remark)


_MODEL_COLUMNS: Final = (
    Column("MODEL", least=20), Column("PARAMS", "right"), Column("ACTIVE", "right"),
    Column("LAYERS", "right", optional=2), Column("KV KiB/TOKEN", "right"),
    Column("CONTEXT", "right", optional=3), Column("16-BIT GiB", "right", optional=1), Column("AS", optional=4),
)  # fmt: skip


def list_models(filters: Filters, width: int) -> Listing:
    """Models by name; parameters are counted tensor by tensor."""
    found: list[tuple[Model, ModelFacts]] = []
    every = [model(id_) for id_ in ids("models")]
    known = set[str]().union(*map(_architectures, every))
    refuse_unknown("--architecture", filters.architecture, known)
    for record in every:
        if filters.architecture and filters.architecture.lower() not in _architectures(record):
            continue
        facts = model_facts(record)
        if filters.params is None or filters.params.holds(facts.total):
            found.append((record, facts))
    body = [
        [
            r.id, billions(f.total), billions(f.active) if f.active != f.total else "",
            str(r.num_layers), figure((f.kv_bytes_per_token + f.window_bytes_per_token) / 1024, 1),
            f"{r.max_position_embeddings:,}", f"{f.disk_bytes / 2**30:,.1f}", r.native_dtype,
        ]
        for r, f in found
    ]  # fmt: skip
    rows: list[JsonRow] = [
        {"id": r.id, "params": f.total, "active_params": f.active, "kv_bytes_per_token": f.kv_bytes_per_token,
         "window_bytes_per_token": f.window_bytes_per_token, "disk_bytes_16bit": f.disk_bytes,
         "num_layers": r.num_layers, "max_position_embeddings": r.max_position_embeddings,
         "native_dtype": r.native_dtype}
        for r, f in found
    ]  # fmt: skip
    remark = "ACTIVE: parameters a text token passes, where fewer; KV at 16 bit, all layers; AS: published type"
    return Listing(table(_MODEL_COLUMNS, body, width), rows, remark)


def _architectures(record: Model) -> set[str]:
    """Words for the kind of a model: decoder, encoder, whisper, dense, moe, mla, gqa, mha, mqa, vision."""
    groups = record.num_key_value_heads
    heads = "mha" if groups == record.num_attention_heads else "mqa" if groups == 1 else "gqa"
    attention = "mla" if record.mla is not None else heads
    words = {record.kind, attention, "moe" if record.moe is not None else "dense"}
    return words | ({"vision"} if record.vision is not None else set())


_NODE_COLUMNS: Final = (
    Column("NODE TYPE", least=44), Column("GPUS", least=24), Column("LINK", optional=1),
    Column("RAM GiB", "right", optional=2), Column("NVME TB", "right", optional=4),
    Column("NETWORK Gbit/s", "right", optional=3),
)  # fmt: skip


def _node_matches(record: NodeType, filters: Filters, wanted_gpu: str) -> bool:
    return (
        (not filters.provider or record.provider == filters.provider.lower())
        and (not wanted_gpu or record.gpu == wanted_gpu)
        and (not filters.nvlink or record.link.nvlink_gb_s > 0)
        and _gpu_matches(
            gpu(record.gpu), Filters(filters.memory, None, filters.vendor, filters.architecture)
        )
    )


def list_nodes(filters: Filters, width: int) -> Listing:
    """Node types by provider."""
    wanted = resolve("gpus", filters.gpu).id if filters.gpu else ""
    every = [node(id_) for id_ in ids("nodes")]
    refuse_unknown("--provider", filters.provider, (r.provider for r in every))
    records = [r for r in every if _node_matches(r, filters, wanted)]
    records.sort(key=lambda r: (r.provider, r.gpu, r.gpus, r.id))
    body = [
        [
            r.id, f"{r.gpus} x {r.gpu}", node_link(r), figure(r.host_ram_gib), figure(r.nvme_tb, 1),
            figure(r.network_gbit_s),
        ]
        for r in records
    ]  # fmt: skip
    rows: list[JsonRow] = [r.model_dump(mode="json", exclude_none=True) for r in records]
    return Listing(
        table(_NODE_COLUMNS, body, width),
        rows,
        "NVLink per GPU, both directions; network one direction",
    )


_OFFER_COLUMNS: Final = (
    Column("PROVIDER", least=8), Column("REGION", optional=3), Column("INSTANCE", least=14), Column("GPUS", least=20),
    Column("USD/GPU-h", "right"), Column("SPOT", "right", optional=2), Column("USD/h", "right", optional=4),
    Column("DATE", optional=1),
)  # fmt: skip


def list_offers(filters: Filters, width: int) -> Listing:
    """Offers to rent, the cheapest GPU-hour first."""
    from planner.catalog.offers import providers, rental_offers
    from planner.cli.catalog_prices import age, spot_usd_gpu_h, stale_note, usd

    refuse_unknown("--provider", filters.provider, providers())
    provider = filters.provider.lower() or None
    kept = Filters(filters.memory, None, filters.vendor, filters.architecture)
    offers = [
        o for o in rental_offers(provider=provider, gpu=filters.gpu or None)
        if o.gpu in ids("gpus") and _gpu_matches(gpu(o.gpu), kept)
    ]  # fmt: skip
    body = [
        [
            o.provider, o.region, o.instance.removeprefix(f"{o.provider}-"),
            f"{_count(o.gpus)} x {o.gpu}", usd(o.on_demand_usd_gpu_h),
            usd(None if o.spot_usd_h is None else spot_usd_gpu_h(o)), usd(o.on_demand_usd_h), age(o.date),
        ]
        for o in offers
    ]  # fmt: skip
    rows: list[JsonRow] = [
        {"provider": o.provider, "region": o.region, "instance": o.instance, "gpu": o.gpu, "gpus": str(o.gpus),
         "on_demand_usd_h": _text(o.on_demand_usd_h), "spot_usd_h": _text(o.spot_usd_h),
         "date": None if o.date is None else o.date.isoformat(), "basis": o.basis, "source": o.source}
        for o in offers
    ]  # fmt: skip
    return Listing(
        table(_OFFER_COLUMNS, body, width),
        rows,
        "on-demand and spot prices per GPU and hour",
        stale_note(offers),
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _count(gpus: Decimal) -> str:
    return f"{gpus.normalize():f}"


_ENGINE_COLUMNS: Final = (
    Column("ENGINE"), Column("NAME", least=20), Column("FOR"), Column("VERSIONS", optional=1),
    Column("NEEDS", optional=2),
)  # fmt: skip


def list_engines(_filters: Filters, width: int) -> Listing:
    """Profiles of serving engines and training frameworks."""
    from planner.catalog.engines import serving_engine, serving_engine_ids
    from planner.catalog.frameworks import framework_ids, training_framework

    body: list[list[str]] = []
    for name in serving_engine_ids():
        engine = serving_engine(name)
        least = engine.min_capability
        need = f"CC {least[0]}.{least[1]}" if least > (0, 0) else ""
        body.append(
            [engine.id, engine.name, "serving", _versions(engine.since, engine.before), need]
        )
    for name in framework_ids():
        framework = training_framework(name)
        body.append([framework.id, framework.name, "training", "", ""])
    rows: list[JsonRow] = [
        {"id": row[0], "name": row[1], "kind": row[2], "versions": row[3]} for row in body
    ]
    return Listing(
        table(_ENGINE_COLUMNS, body, width), rows, "CC: compute capability of NVIDIA GPUs"
    )


def _versions(since: str, before: str) -> str:
    start = f">={since}" if since not in ("", "0") else ""
    end = f"<{before}" if before not in ("", "9999") else ""
    return " ".join(part for part in (start, end) if part) or "any"


LISTS: Final[dict[str, Callable[[Filters, int], Listing]]] = {
    "gpus": list_gpus,
    "models": list_models,
    "nodes": list_nodes,
    "offers": list_offers,
    "engines": list_engines,
}
"""Kind of record -> how it is listed."""
