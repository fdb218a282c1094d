"""Nodes the catalog knows a rental price for, as pools that a scenario could add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from planner.catalog.lookup import gpu, ids, node
from planner.catalog.offer_records import RentalOffer
from planner.catalog.offers import rental_offers
from planner.catalog.parameters import total_params
from planner.options.asks import Ask, PoolFacts, ServingAsk, TrainingAsk
from planner.options.build import Supplier
from planner.options.explain.changes import Change
from planner.options.explain.supply_changes import with_supplier
from planner.options.from_scenario import supplier_of
from planner.scenario.resolve import resolve_pool
from planner.scenario.schema_supply import Pool
from planner.units import GIB, money

FULL_TRAINING_BYTES = 6.0
"""Per parameter on all GPUs of a node together: weights, gradients and the leanest optimizer."""
FORMAT_BYTES = {"16bit": 2.0, "bf16": 2.0, "fp16": 2.0, "fp32": 4.0, "fp8": 1.0}
LEAST_FORMAT_BYTES = 0.5
"""No format planner knows holds a weight in fewer bytes."""
RECENT = timedelta(days=365)
"""Prices that much older than the newest of the catalog are history."""
MOST_TRIED, MOST_KEPT = 40, 16
"""Node types fitted, from the cheapest node-hour on, and those that are priced."""


@dataclass(frozen=True, slots=True)
class Rentable:
    """A node type with its cheapest price on demand."""

    node: str
    gpu: str
    gpus: int
    offer: RentalOffer


@cache
def rentable() -> tuple[Rentable, ...]:
    """Node types of the catalog with their cheapest price on demand, the cheapest of each size and GPU first."""
    types = {(r.provider, r.instance): r for i in ids("nodes") if (r := node(i)).provider}
    best: dict[tuple[str, int], Rentable] = {}
    offers = rental_offers(bases=("instance",))
    newest = max((o.date for o in offers if o.date), default=date.min)
    for offer in offers:
        if offer.date is None or offer.date + RECENT < newest:
            continue
        record = types.get((offer.provider, offer.instance))
        price = offer.on_demand_usd_h
        if record is None or price is None or record.gpu != offer.gpu:
            continue
        key = (record.gpu, record.gpus)
        held = best.get(key)
        if held is None or price < (held.offer.on_demand_usd_h or 0):
            best[key] = Rentable(record.id, record.gpu, record.gpus, offer)
    return tuple(sorted(best.values(), key=lambda r: (r.offer.on_demand_usd_h or 0, r.node)))


def rented(one: Rentable) -> Supplier:
    """The node type as a pool without a limit, at its price."""
    price = f"{one.offer.on_demand_usd_h} USD/node-hour"
    spec = Pool.model_validate({"pool": one.node, "node": one.node, "rent": {"price": price}})
    return supplier_of(resolve_pool(spec, "inventory")[0])


def offers_for(ask: Ask, fits: Callable[[Ask, PoolFacts], bool]) -> list[tuple[Rentable, Supplier]]:
    """The cheapest node types of which one node holds a replica of the workload."""
    least_gib = total_params(ask.model) * _least_bytes(ask) / GIB
    found = []
    large = [r for r in rentable() if r.gpus * gpu(r.gpu).memory.cuda_total_mib / 1024 > least_gib]
    for one in large[:MOST_TRIED]:
        supplier = rented(one)
        if fits(ask, replace(supplier.facts, max_nodes=1)):
            found.append((one, supplier))
            if len(found) == MOST_KEPT:
                break
    return found


def _least_bytes(ask: Ask) -> float:
    """Bytes per parameter below which nothing of the kind fits, to leave out node types without fitting them."""
    if isinstance(ask, TrainingAsk):
        if ask.kind == "full":
            return 0.0 if ask.offload_parameters != ("none",) else FULL_TRAINING_BYTES
        return LEAST_FORMAT_BYTES if ask.base else 2.0
    assert isinstance(ask, ServingAsk)
    if ask.weight_offload_bytes:
        return 0.0
    return min(FORMAT_BYTES.get(p, LEAST_FORMAT_BYTES) for p in ask.precision)


def rent(one: Rentable, supplier: Supplier) -> Change:
    """Adds the node type as a pool."""
    offer = one.offer
    price = offer.on_demand_usd_h or Decimal(0)
    text = (
        f"rent `{one.node}` ({one.gpus} x {one.gpu}, {money(price)} USD/node-hour in "
        f"{offer.region}, {offer.date})"
    )
    return Change("rent", text, whole=lambda q: with_supplier(q, supplier))
