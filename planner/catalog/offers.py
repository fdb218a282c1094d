"""Prices of the catalog: machines for rent by provider, cards for sale, and energy. All exact, all dated.

A price holds for the day it was read. `age_days` and `is_stale` say how long ago that was; `age_warning` is what a
plan shows when it leans on an old one. Only the file of the provider asked for is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from planner.catalog.lookup import node as node_type
from planner.catalog.lookup import on_change, resolve, search_folders
from planner.catalog.offer_records import (
    Basis,
    Condition,
    EnergyFigure,
    PurchaseOffer,
    RentalOffer,
    energy,
    purchase,
    read_offers,
    rental,
)
from planner.diagnostics import Diagnostic, Severity, Span

STALE_DAYS: Final = 180
"""A price older than this many days is shown with a warning."""


def age_days(day: date | None, today: date) -> int | None:
    """Days since a price was read; None if nobody knows the day.

    >>> age_days(date(2026, 5, 24), date(2026, 11, 24))
    184
    """
    return None if day is None else (today - day).days


def is_stale(day: date | None, today: date) -> bool:
    """Whether a price is older than 180 days, or of unknown age.

    >>> is_stale(date(2026, 5, 24), date(2026, 11, 24)), is_stale(date(2026, 7, 20), date(2026, 11, 24))
    (True, False)
    """
    age = age_days(day, today)
    return age is None or age > STALE_DAYS


def age_warning(
    what: str, day: date | None, today: date, span: Span | None = None
) -> Diagnostic | None:
    """Warning P401 about an old price, or None for a recent one. `what` names the price."""
    if not is_stale(day, today):
        return None
    age = age_days(day, today)
    problem = f"is {age} days old ({day})" if age is not None else "has no date"
    return Diagnostic(
        "P401",
        Severity.WARNING,
        f"the price of {what} {problem}",
        span,
        help=("ask for a quote and write it into the scenario",),
    )


def _file(name: str) -> Path | None:
    """An offers file, the user's before the shipped one."""
    paths = (folder / "offers" / name for folder in search_folders())
    return next((path for path in paths if path.is_file()), None)


@cache
def providers() -> tuple[str, ...]:
    """Providers with a price list, sorted.

    >>> "aws" in providers()
    True
    """
    folders = (folder / "offers" / "rent" for folder in search_folders())
    return tuple(sorted({path.stem for folder in folders for path in folder.glob("*.csv")}))


@cache
def provider_offers(provider: str) -> tuple[RentalOffer, ...]:
    """All rows of one provider's list, old ones included; empty for an unknown provider."""
    path = _file(f"rent/{provider}.csv") if provider in providers() else None
    return () if path is None else read_offers(path, "rent", rental)


def rental_offers(
    *,
    provider: str | None = None,
    gpu: str | None = None,
    node: str | None = None,
    region: str | None = None,
    bases: tuple[Basis, ...] = ("instance", "gpu"),
    latest: bool = True,
) -> tuple[RentalOffer, ...]:
    """Offers that match, cheapest GPU-hour on demand first.

    `gpu` and `node` are catalog names or aliases; a node asks its own provider's list only. Without `provider` or
    `node` every list is read. `latest` keeps the newest row of an instance in a region.

    >>> offers = rental_offers(node="aws-p4d.24xlarge", region="us-east-1")
    >>> [(o.on_demand_usd_h, str(o.date)) for o in offers]
    [(Decimal('21.957642'), '2026-07-20')]
    """
    instance = None
    if node is not None:
        provider, instance = _instance(node)
    wanted = resolve("gpus", gpu).id if gpu is not None else None
    lists = (provider,) if provider is not None else providers()
    found = [
        offer
        for name in lists
        for offer in provider_offers(name)
        if offer.basis in bases
        and (wanted is None or offer.gpu == wanted)
        and (instance is None or offer.instance == instance)
        and (region is None or offer.region == region)
    ]
    return tuple(sorted(_newest(found) if latest else found, key=_order))


def _instance(name: str) -> tuple[str, str]:
    record = node_type(name)
    return record.provider, record.instance


def _order(offer: RentalOffer) -> tuple[bool, Decimal, str, str, str]:
    price = offer.on_demand_usd_gpu_h
    cheapest = price if price is not None else (offer.spot_usd_h or Decimal(0)) / offer.gpus
    return (price is None, cheapest, offer.provider, offer.region, offer.instance)


def _newest(offers: Iterable[RentalOffer]) -> list[RentalOffer]:
    """The newest row per provider, region, instance and GPU; a dated one before an undated one."""
    best: dict[tuple[str, str, str, str], RentalOffer] = {}
    for offer in offers:
        key = (offer.provider, offer.region, offer.instance, offer.gpu)
        held = best.get(key)
        if held is None or (offer.date or date.min) > (held.date or date.min):
            best[key] = offer
    return list(best.values())


@cache
def _purchases() -> tuple[PurchaseOffer, ...]:
    path = _file("buy.csv")
    return () if path is None else read_offers(path, "buy", purchase)


def purchase_offers(
    gpu: str | None = None, condition: Condition | None = None
) -> tuple[PurchaseOffer, ...]:
    """Prices of cards for sale, newest first.

    >>> [(str(o.usd_low), str(o.usd_high)) for o in purchase_offers("h100-sxm5-80gb", "used")]
    [('22000', '25000')]
    """
    wanted = resolve("gpus", gpu).id if gpu is not None else None
    found = [
        offer
        for offer in _purchases()
        if wanted in (None, offer.gpu) and condition in (None, offer.condition)
    ]
    return tuple(sorted(found, key=lambda o: (o.date or date.min, o.gpu), reverse=True))


@cache
def energy_figures() -> tuple[EnergyFigure, ...]:
    """Electricity prices and PUE values.

    >>> {f.id: str(f.value) for f in energy_figures() if f.kind == "electricity"}["us-datacenter"]
    '0.08'
    """
    path = _file("energy.csv")
    return () if path is None else read_offers(path, "energy", energy)


@on_change
def _forget() -> None:
    for cached in (providers, provider_offers, _purchases, energy_figures):
        cached.cache_clear()
