"""Prices: exact, dated, found by GPU, node and provider; old ones warned about; bad files located."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog import gpu, use_catalog
from planner.catalog.lookup import only_shipped
from planner.catalog.offer_records import parse_date
from planner.catalog.offers import (
    age_days,
    age_warning,
    energy_figures,
    is_stale,
    provider_offers,
    providers,
    purchase_offers,
    rental_offers,
)
from planner.diagnostics import DiagnosticError

TODAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def _shipped_only():
    with only_shipped():
        yield


def test_a_node_has_its_price_in_its_region():
    (offer,) = rental_offers(node="p5.48xlarge", region="us-east-1")
    assert offer.gpu == "h100-sxm5-80gb"
    assert offer.gpus == 8
    assert offer.on_demand_usd_gpu_h == offer.on_demand_usd_h / 8
    assert Decimal("6.8") < offer.on_demand_usd_gpu_h < Decimal("6.9")


def test_the_newest_row_wins_and_old_ones_stay_in_reach():
    new = rental_offers(node="aws-p4d.24xlarge", region="us-east-1")
    every = rental_offers(node="aws-p4d.24xlarge", region="us-east-1", latest=False)
    assert [o.date for o in new] == [date(2026, 7, 20)]
    assert {o.date for o in every} == {date(2026, 7, 20), date(2023, 7, 10)}


def test_offers_of_a_gpu_come_cheapest_first_from_all_providers():
    offers = rental_offers(gpu="H200")
    prices = [o.on_demand_usd_gpu_h for o in offers if o.on_demand_usd_gpu_h is not None]
    assert prices == sorted(prices)
    assert {o.gpu for o in offers} == {"h200-sxm"}
    assert len({o.provider for o in offers}) > 3


def test_slices_and_bare_attachments_are_left_out_unless_asked_for():
    assert all(o.basis in {"instance", "gpu"} for o in rental_offers(gpu="a10"))
    slices = rental_offers(gpu="a10", bases=("partition",))
    assert slices
    assert all(o.gpus < 1 for o in slices)
    assert any("billed apart" in o.notes for o in rental_offers(gpu="t4", bases=("attachment",)))


def test_every_price_is_exact_sourced_and_of_a_known_gpu():
    count = 0
    for provider in providers():
        for offer in provider_offers(provider):
            assert offer.provider == provider
            assert offer.source
            assert gpu(offer.gpu).id == offer.gpu
            assert isinstance(offer.on_demand_usd_h or offer.spot_usd_h, Decimal)
            assert offer.date is not None or "date unknown" in offer.notes
            count += 1
    assert count > 1500


def test_a_provider_nobody_lists_has_no_offers():
    assert provider_offers("my-cellar") == ()
    assert rental_offers(node="onprem-dgx-h100") == ()


def test_purchase_prices_have_condition_and_range():
    used = purchase_offers("h100-sxm5-80gb", "used")
    assert [(o.usd_low, o.usd_high) for o in used] == [(Decimal(22000), Decimal(25000))]
    assert {o.condition for o in purchase_offers()} == {"list", "new", "used"}
    dates = [o.date for o in purchase_offers("h100-sxm5-80gb") if o.date]
    assert dates == sorted(dates, reverse=True)


def test_energy_has_prices_and_pue():
    kinds = {f.kind for f in energy_figures()}
    assert kinds == {"electricity", "pue"}
    assert all(f.source or "placeholder" in f.notes for f in energy_figures())


@given(st.dates(max_value=TODAY))
def test_stale_is_more_than_180_days(day):
    assert is_stale(day, TODAY) == ((TODAY - day).days > 180)
    assert (age_warning("x", day, TODAY) is None) == (not is_stale(day, TODAY))


def test_warnings_tell_the_age_or_that_it_is_unknown():
    old = age_warning("p4d.24xlarge at aws", date(2023, 7, 10), TODAY)
    assert (old.code, old.severity.value) == ("P401", "warning")
    assert "1233 days old (2023-07-10)" in old.message
    assert "has no date" in age_warning("gpu_8x_v100", None, TODAY).message
    assert age_days(None, TODAY) is None


def test_dates_of_less_than_a_day():
    assert parse_date("2026-13") is None
    assert parse_date("v8@0f407038") is None
    assert parse_date("2026") == date(2026, 1, 1)


HEADER = "provider,region,instance,gpu,gpus,on_demand_usd_per_hour,spot_usd_per_hour,date,source"


def _own(tmp_path, *rows):
    folder = tmp_path / "offers" / "rent"
    folder.mkdir(parents=True)
    (folder / "cellar.csv").write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    use_catalog(tmp_path)


def test_a_user_catalog_adds_a_provider(tmp_path):
    _own(tmp_path, "cellar,here,box,rtx-4090,2,0.70,,2026-11-01,own quote")
    assert "cellar" in providers()
    (offer,) = rental_offers(provider="cellar")
    assert (offer.on_demand_usd_gpu_h, offer.basis) == (Decimal("0.35"), "instance")
    assert offer in rental_offers(gpu="4090")


def test_bad_rows_are_all_located(tmp_path):
    _own(
        tmp_path,
        "cellar,here,box,rtx-4090,2,cheap,,2026-11-01,quote",
        "cellar,here,box,rtx-4090,1.5,1,,2026-11-01,quote",
        "cellar,here,box,rtx-4090,1,1,,yesterday,quote",
        "cellar,here,box,rtx-4090,1,,,2026-11-01,quote",
        "cellar,here,box,rtx-4090,1,-1,,2026-11-01,quote",
    )
    with pytest.raises(DiagnosticError) as caught:
        rental_offers(provider="cellar")
    assert [d.span.line for d in caught.value.diagnostics] == [2, 3, 4, 5, 6]


def test_a_missing_column_is_named(tmp_path):
    folder = tmp_path / "offers" / "rent"
    folder.mkdir(parents=True)
    (folder / "cellar.csv").write_text("provider,gpu\ncellar,t4\n", "utf-8")
    use_catalog(tmp_path)
    with pytest.raises(DiagnosticError, match="`region`"):
        rental_offers(provider="cellar")
