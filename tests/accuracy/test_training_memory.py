"""Predictions of training memory against the shipped measurements: thresholds that only ever tighten."""

from collections import defaultdict
from pathlib import Path
from statistics import median

import pytest

from planner.accuracy.read import MeasurementFile, read
from planner.accuracy.score import Entry, coverage, quantile, score_file, summarize, verdicts
from planner.accuracy.training_memory import predict

FILE = Path(__file__).parents[1] / "measurements" / "training-memory.yaml"

# group and quantity -> (median |error|, 90th percentile, median upper / best)
BARS = {
    ("oracle", "peak_gib"): (0.001, 0.002, 1.05),
    ("oracle", "activations_gib"): (0.001, 0.002, 1.09),
    ("oracle", "parameters_gib"): (0.001, 0.001, 1.02),
    ("oracle", "gradients_gib"): (0.001, 0.001, 1.02),
    ("oracle", "optimizer_gib"): (0.001, 0.001, 1.02),
    ("measured", "peak_gib"): (0.036, 0.10, 1.14),
}


CONFIGURED = {
    "id", "group", "model", "architecture", "params", "method", "weights", "master", "optimizer", "zero",
    "fsdp", "offload", "recompute", "attention", "micro_batch", "sequence", "lora_rank", "lora_targets",
    "gpu", "device_gib", "gpus", "tp", "pp", "cp", "dp", "ep", "framework", "peak_kind",
}  # fmt: skip


@pytest.fixture(scope="module")
def file() -> MeasurementFile:
    return read(FILE)


@pytest.fixture(scope="module")
def entries(file: MeasurementFile) -> list[Entry]:
    return [e for e in score_file(file) if e.trusted]


@pytest.mark.parametrize(("group", "quantity"), BARS)
def test_errors_stay_below_the_bar(entries: list[Entry], group: str, quantity: str) -> None:
    chosen = [e for e in entries if e.config["group"] == group and e.quantity == quantity]
    found = summarize(chosen)
    assert found is not None
    middle, p90, sharp = BARS[group, quantity]
    assert found.median <= middle
    assert found.p90 <= p90
    assert found.sharpness <= sharp


def test_nothing_that_ran_out_of_memory_is_called_fitting(entries: list[Entry]) -> None:
    table = verdicts(entries)
    assert table["fails"] == {"fails": 8}
    ran = table["fits"]
    assert ran.get("fails", 0) <= 0.05 * sum(ran.values())


def test_every_trusted_case_is_predicted(entries: list[Entry]) -> None:
    covered, cases, reasons = coverage(entries)
    assert covered == cases == 195
    assert set(reasons) <= {"GPU is not stated"}


def test_predictions_see_the_question_only(file: MeasurementFile) -> None:
    for case in file.cases:
        assert set(case.config) <= CONFIGURED, case.id
        assert not [k for k in case.config if k.endswith("_gib") and k != "device_gib"]


@pytest.mark.parametrize("key", ["framework", "model", "gpu", "method"])
def test_no_group_is_far_worse_than_all(entries: list[Entry], key: str) -> None:
    """A constant that fits one framework, model or GPU only would show as a group of large errors."""
    groups = defaultdict(list)
    for entry in entries:
        measured = entry.config["group"] == "measured"
        if measured and entry.quantity == "peak_gib" and entry.error is not None:
            groups[entry.config.get(key)].append(abs(entry.error))
    medians = [median(errors) for errors in groups.values() if len(errors) > 1]
    assert quantile(medians, 0.9) <= 0.08


def test_a_framework_without_a_profile_is_taken_as_the_plain_one_with_wider_margins() -> None:
    case = {
        "model": "llama-2-7b", "method": "lora", "micro_batch": 2, "sequence": 512, "gpus": 1,
        "framework": "somebody's trainer", "peak_kind": "allocated",
    }  # fmt: skip
    unknown = predict(case)["peak_gib"]
    plain = predict({**case, "framework": "transformers"})["peak_gib"]
    assert unknown.best == plain.best
    assert unknown.high - unknown.best == pytest.approx(2 * (plain.high - plain.best))


def test_the_kind_of_peak_decides_the_figure() -> None:
    case = {
        "model": "llama-2-7b", "method": "full", "master": "none", "micro_batch": 1, "sequence": 512,
        "gpus": 8, "fsdp": True, "framework": "fsdp", "gpu": "a100-sxm4-80gb",
    }  # fmt: skip
    kinds = ("allocated", "reserved", "device")
    allocated, reserved, device = (
        predict({**case, "peak_kind": k})["peak_gib"].best for k in kinds
    )
    assert allocated < reserved < device
    assert predict(case)["peak_gib"].best == device
