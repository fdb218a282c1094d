"""Lists with one value per period: as many values as there are periods, and no growth beside them."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from planner.diagnostics import Diagnostic
from planner.scenario.checks_offers import item_place
from planner.scenario.clash import clash
from planner.scenario.located import Located
from planner.scenario.paths import Step
from planner.scenario.schema_file import ScenarioFile
from planner.scenario.schema_supply import Pool
from planner.scenario.schema_workloads import InferenceWorkload

LISTS = (
    "price",
    "max_per_period",
    "max_nodes",
    "available",
    "capex",
    "opex",
    "power",
    "rack_units",
)
"""Keys, outside workloads, that take one value or one per period."""

Place = tuple[list[Step], BaseModel]


def check_lists(spec: ScenarioFile, count: int, root: Located) -> Iterator[Diagnostic]:
    """Every list of the scenario against the number of its periods."""
    for place, part in _parts(spec, root):
        for key in LISTS:
            values = getattr(part, key, None)
            if isinstance(values, tuple) and len(values) > 1:
                yield from _length([*place, key], len(values), count, root)
        prices = getattr(part, "price", ())
        if isinstance(prices, tuple) and len(prices) > 1 and getattr(part, "growth", None):
            yield clash(
                root, [*place, "growth"], "`growth` beside a list with one price per period", [*place, "price"],
                help="keep one of the two",
            )  # fmt: skip
    for index, workload in enumerate(spec.workloads):
        if isinstance(workload, InferenceWorkload):
            yield from _demand(workload, ["workloads", index, "demand"], count, root)


def _parts(spec: ScenarioFile, root: Located) -> Iterator[Place]:
    """Every mapping outside workloads that may hold such lists."""
    yield ["limits"], spec.limits
    if spec.energy is not None:
        yield ["energy"], spec.energy
    for index, pool in enumerate(spec.inventory):
        yield from _offers(pool, ["inventory", index], root)


def _offers(pool: Pool, steps: list[Step], root: Located) -> Iterator[Place]:
    if pool.owned is not None:
        yield [*steps, "owned"], pool.owned
    for key, offers in (("rent", pool.rent), ("contracts", pool.contracts)):
        yield from ((item_place(root, [*steps, key], n), offer) for n, offer in enumerate(offers))
    for number, buy in enumerate(pool.buy):
        place = item_place(root, [*steps, "buy"], number)
        yield place, buy
        yield from (
            (item_place(root, [*place, "tiers"], n), tier) for n, tier in enumerate(buy.tiers)
        )


def _length(place: list[Step], length: int, count: int, root: Located) -> Iterator[Diagnostic]:
    if length != count:
        yield clash(
            root, place, f"{length} values for {count} periods", ["horizon"],
            help=f"give one value, or {count}",
        )  # fmt: skip


def _demand(
    workload: InferenceWorkload, place: list[Step], count: int, root: Located
) -> Iterator[Diagnostic]:
    demand = workload.demand
    if demand.periods is None:
        return
    if len(demand.periods) > 1:
        yield from _length([*place, "periods"], len(demand.periods), count, root)
    if demand.growth is not None:
        yield clash(
            root, [*place, "growth"], "`demand` has both `growth` and `periods`", [*place, "periods"],
            help="keep one of the two",
        )  # fmt: skip
    if not any(demand.periods):
        yield clash(
            root, [*place, "periods"], "the demand is zero in every period", help="remove the workload"
        )  # fmt: skip
