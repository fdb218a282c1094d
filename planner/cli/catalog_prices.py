"""Dated prices for the catalog commands: the cheapest of a GPU or node, and how old they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from planner.catalog.offer_records import PurchaseOffer, RentalOffer
from planner.catalog.offers import age_days, is_stale, purchase_offers, rental_offers


def today() -> date:
    """The day prices are compared with."""
    return date.today()


def age(day: date | None) -> str:
    """A price's day, marked where it is more than 180 days back or unknown."""
    if day is None:
        return "undated (!)"
    mark = " (!)" if is_stale(day, today()) else ""
    return f"{day}{mark}"


def stale_note(offers: list[RentalOffer]) -> str:
    """A sentence about old prices among those shown; empty where all are recent."""
    old = [o for o in offers if is_stale(o.date, today())]
    if not old:
        return ""
    ages = [days for o in old if (days := age_days(o.date, today())) is not None]
    oldest = f", the oldest {max(ages)} days" if ages else ""
    which = (
        f"{len(old)} of the {len(offers)} prices shown" if len(offers) > 1 else "the price shown"
    )
    verb = "are" if len(old) > 1 else "is"
    return (
        f"warning[P401]: {which} {verb} older than 180 days or undated{oldest}, marked (!): "
        "ask for a quote before you rely on it"
    )


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The lowest price of one GPU for an hour, on demand and spot, and to buy."""

    on_demand: RentalOffer | None
    spot: RentalOffer | None
    bought: PurchaseOffer | None

    @property
    def usd_gpu_h(self) -> Decimal | None:
        """On-demand USD per GPU and hour."""
        return None if self.on_demand is None else self.on_demand.on_demand_usd_gpu_h


def cheapest(gpu: str) -> Cheapest:
    """The lowest on-demand and spot prices of a GPU, and its newest purchase price.

    A recent price goes before an old one, however cheap the old one is.
    """
    offers = rental_offers(gpu=gpu)
    on_demand = [o for o in offers if o.on_demand_usd_h is not None]
    spot = [o for o in offers if o.spot_usd_h is not None]
    bought = purchase_offers(gpu)
    return Cheapest(
        min(on_demand, key=_by_on_demand, default=None),
        min(spot, key=_by_spot, default=None),
        bought[0] if bought else None,
    )


def _by_on_demand(offer: RentalOffer) -> tuple[bool, Decimal]:
    return is_stale(offer.date, today()), offer.on_demand_usd_gpu_h or Decimal(0)


def spot_usd_gpu_h(offer: RentalOffer) -> Decimal:
    """Spot price per GPU and hour of an offer that has one."""
    return (offer.spot_usd_h or Decimal(0)) / offer.gpus


def _by_spot(offer: RentalOffer) -> tuple[bool, Decimal]:
    return is_stale(offer.date, today()), spot_usd_gpu_h(offer)


def usd(amount: Decimal | None) -> str:
    """An hourly price with cents, and more digits below a cent's worth of precision; `-` for none.

    >>> usd(Decimal("2.2")), usd(Decimal("0.0453")), usd(None)
    ('2.20', '0.045', '-')
    """
    if amount is None:
        return "-"
    return f"{amount:,.2f}" if amount >= Decimal("0.1") else f"{amount:.3f}"


def span_usd(offer: PurchaseOffer) -> str:
    """A purchase price, or its range."""
    low, high = f"{offer.usd_low:,.0f}", f"{offer.usd_high:,.0f}"
    return low if low == high else f"{low} to {high}"
