"""Price lists of SkyPilot and gpuhunt become offers, and every row is accounted for."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog.importers.gpu_names import gpu_id
from planner.catalog.importers.gpuhunt import read_gpuhunt
from planner.catalog.importers.offer_rows import OfferRow, Origin, merge_zones, offers_csv
from planner.catalog.importers.problems import RowError
from planner.catalog.importers.skypilot import read_skypilot
from planner.catalog.lookup import ids
from planner.diagnostics import DiagnosticError

SAMPLES = Path(__file__).parent / "samples"
SKYPILOT = sorted(SAMPLES.glob("skypilot_*.csv"))


def sky(name: str):
    provider = name.split("_")[2]
    return read_skypilot((SAMPLES / name).read_text("utf-8"), provider=provider, file=name)


def by_instance(result) -> dict[tuple[str, str], OfferRow]:
    return {(o.region, o.instance): o for o in result.offers}


def reasons(result) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in result.log.skipped:
        counts[row.reason] = counts.get(row.reason, 0) + 1
    return counts


def test_gcp_price_is_machine_plus_accelerator_of_the_same_zone():
    offer = by_instance(sky("skypilot_v5_gcp_vms.csv"))[("us-central1", "a2-highgpu-8g")]
    # us-central1-a: 5.91582 for the machine and 23.47126 for 8 x A100, as in Google's price of 29.3871.
    assert (offer.gpu, offer.gpus) == ("a100-sxm4-40gb", 8)
    assert offer.on_demand_usd_h == Decimal("29.38708")


def test_gcp_machine_without_its_accelerator_row_is_never_an_offer():
    result = sky("skypilot_v8_gcp_vms.csv")
    assert result.offers == []
    assert reasons(result) == {"no accelerator row in its zone": 4}


def test_gcp_attachable_cards_go_with_n1_machines_only():
    offers = by_instance(sky("skypilot_v5_gcp_vms.csv"))
    offer = offers[("europe-west4", "n1-standard-8+1xP100")]
    assert offer.on_demand_usd_h == Decimal("0.41834") + Decimal("1.6")
    assert not any(o.gpu == "l4" for o in offers.values())


def test_azure_parts_of_an_a10_are_no_gpu():
    result = sky("skypilot_v5_azure_vms.csv")
    offers = by_instance(result)
    assert ("eastus", "Standard_NV6ads_A10_v5") not in offers
    assert offers[("eastus", "Standard_NV36ads_A10_v5")].gpus == 1
    assert offers[("eastus", "Standard_NV72ads_A10_v5")].gpus == 2
    assert reasons(result)["holds 1/6 of a GPU, listed as one"] == 1


def test_azure_form_factor_follows_the_series():
    offers = by_instance(sky("skypilot_v5_azure_vms.csv"))
    assert offers[("eastus", "Standard_NC96ads_A100_v4")].gpu == "a100-pcie-80gb"
    assert offers[("eastus", "Standard_ND96amsr_A100_v4")].gpu == "a100-sxm4-80gb"
    assert offers[("eastus", "Standard_ND40rs_v2")].gpu == "v100-sxm2-32gb"


def test_runpod_writes_gb_where_the_column_says_mib():
    offers = by_instance(sky("skypilot_v8_runpod_vms.csv"))
    offer = offers[("US", "2x_A100-80GB_SECURE")]
    assert (offer.gpu, offer.gpus, offer.on_demand_usd_h) == ("a100-pcie-80gb", 2, Decimal("3.28"))


def test_lambda_form_factor_follows_the_instance_name():
    offers = by_instance(sky("skypilot_v5_lambda_vms.csv"))
    assert offers[("us-east-1", "gpu_1x_a100")].gpu == "a100-pcie-40gb"
    assert offers[("us-east-1", "gpu_1x_a100_sxm4")].gpu == "a100-sxm4-40gb"
    assert offers[("us-east-1", "gpu_1x_rtx6000")].gpu == "quadro-rtx-6000"
    assert offers[("us-east-1", "gpu_1x_h100_pcie")].gpu == "h100-pcie-80gb"


def test_nebius_counts_and_spot():
    offers = by_instance(sky("skypilot_v8_nebius_vms.csv"))
    offer = offers[("eu-north1", "gpu-h200-sxm_8gpu-128vcpu-1600gb")]
    assert (offer.gpu, offer.gpus, offer.spot_usd_h) == ("h200-sxm", 8, Decimal("11.60"))
    assert reasons(sky("skypilot_v8_nebius_vms.csv")) == {"no accelerator": 1}


def test_zones_become_one_offer_with_the_upper_median_spot_price():
    offer = by_instance(sky("skypilot_v5_aws_vms.csv"))[("us-east-1", "g4dn.12xlarge")]
    assert offer.spot_usd_h == Decimal("2.050400")
    assert "2 zones" in offer.notes


@pytest.mark.parametrize("path", SKYPILOT, ids=lambda p: p.name)
def test_no_row_is_lost(path):
    text = path.read_text("utf-8")
    result = sky(path.name)
    assert result.log.rows == len(list(csv.DictReader(io.StringIO(text))))
    zones = {"aws", "gcp"}
    skipped = {row.line for row in result.log.skipped}
    assert skipped <= set(range(2, result.log.rows + 2))
    if path.name.split("_")[2] not in zones:
        assert len(result.offers) + len(result.log.skipped) == result.log.rows
    for offer in result.offers:
        assert offer.gpu in ids("gpus")
        assert offer.on_demand_usd_h or offer.spot_usd_h


def test_warnings_name_lines_and_reasons():
    result = sky("skypilot_v5_azure_vms.csv")
    warnings = result.log.diagnostics()
    assert {w.code for w in warnings} == {"P405"}
    k80 = next(w for w in warnings if "K80" in w.message)
    assert k80.message.startswith("8 rows left out")
    assert "Standard_NC12 (line 2)" in k80.notes[0]


def test_gpuhunt_on_demand_and_spot_rows_are_one_offer():
    text = (SAMPLES / "gpuhunt_v2_writer_gcp.csv").read_text("utf-8")
    result = read_gpuhunt(text, provider="gcp")
    offers = by_instance(result)
    offer = offers[("us-central1", "a3-highgpu-8g")]
    assert offer.gpu == "h100-sxm5-80gb"
    assert (offer.on_demand_usd_h, offer.spot_usd_h) == (Decimal("88.49"), Decimal("50.6095"))
    assert offers[("us-east5", "v6e-8")].gpu == "tpu-v6e"
    assert offers[("us-central1", "a2-ultragpu-1g")].gpu == "a100-sxm4-80gb"
    assert reasons(result) == {"no accelerator": 1}


def test_gpuhunt_old_header():
    text = (SAMPLES / "gpuhunt_v1_fixture.csv").read_text("utf-8")
    result = read_gpuhunt(text, provider="lambda")
    assert [(o.gpu, o.gpus, o.notes) for o in result.offers] == [
        ("a10", 1, ""), ("a10", 2, "flags: f1"), ("a10", 4, "flags: f1 f2"), ("a10", 8, ""),
    ]  # fmt: skip


HEADER = "InstanceType,AcceleratorName,AcceleratorCount,Price,Region,GpuInfo\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x,T4,0.125,1,r,", "holds a part of a GPU (0.125)"),
        ("x,T4,one,1,r,", "`AcceleratorCount` is not a number: `one`"),
        ("x,T4,1,,r,", "neither an on-demand nor a spot price"),
        ("x,T4,1,-3,r,", "`Price` is not a number of zero or more: `-3`"),
        ("x,T4,0,1,r,", "an accelerator count of zero"),
        ("x,T4,1,1,r,\"{'Gpus': [\"", "`GpuInfo` is not a literal with `Gpus`: `{'Gpus': [`"),
        ("x,V100,1,1,r,", "`V100` may be any of"),
        ("x,XPU9,1,1,r,", "no GPU of the catalog is called `XPU9`"),
    ],
)
def test_bad_rows_say_why(row, reason):
    result = read_skypilot(HEADER + row + "\n", provider="somecloud")
    assert result.offers == []
    (skipped,) = result.log.skipped
    assert skipped.line == 2
    assert skipped.reason.startswith(reason)


def test_memory_that_contradicts_the_card_is_refused():
    with pytest.raises(RowError, match="16 GB"):
        gpu_id("L40S", provider="aws", memory_gb=16)


def test_a_file_of_something_else_is_refused():
    for text in ("", "a,b,c\n1,2,3\n"):
        with pytest.raises(DiagnosticError) as caught:
            read_skypilot(text, provider="aws", file="x.csv")
        assert caught.value.diagnostics[0].code == "P005"


@given(st.text(max_size=200))
def test_any_text_after_the_header_is_read_or_refused_with_a_code(text):
    try:
        result = read_skypilot(HEADER + text, provider="aws")
        accounted = len(result.offers) + len(result.log.skipped) <= result.log.rows
    except DiagnosticError as error:
        accounted = all(d.code == "P005" for d in error.diagnostics)
    assert accounted


PRICES = st.decimals(min_value="0.01", max_value="99", places=4)


@given(st.lists(st.tuples(st.sampled_from("ab"), PRICES), min_size=1, max_size=8))
def test_merged_price_lies_between_the_zones(rows):
    offers = [OfferRow("p", r, "i", "t4", 1, price, None) for r, price in rows]
    merged = merge_zones(offers)
    assert len(merged) == len({r for r, _ in rows})
    for offer in merged:
        prices = [price for r, price in rows if r == offer.region]
        assert min(prices) <= offer.on_demand_usd_h <= max(prices)
        assert offer.on_demand_usd_h in prices


def test_written_offers_read_back():
    offers = sky("skypilot_v8_runpod_vms.csv").offers
    text = offers_csv(offers, Origin("runpod", "2026-05-01", "a list"))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["on_demand_usd_per_hour"] == "1.64"
    assert rows[0]["date"] == "2026-05-01"
    assert len(rows) == len(offers)
