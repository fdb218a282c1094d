"""Predictions of inference memory against the shipped measurements: thresholds that only ever tighten."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from planner.accuracy.read import MeasurementFile, read
from planner.accuracy.registry import predictor
from planner.accuracy.score import (
    Entry,
    coverage,
    quantile,
    score_case,
    score_file,
    summarize,
    verdicts,
)
from planner.accuracy.serving_memory import predict
from planner.catalog import model
from planner.catalog.formats import weight_format
from planner.memory.weights import checkpoint_bytes

FILE = Path(__file__).parents[1] / "measurements" / "inference-memory.yaml"

# quantity -> (median |error|, 90th percentile, median upper / best)
BARS = {
    "weights_gib": (0.003, 0.01, 1.02),
    "kv_gib": (0.02, 0.09, 1.08),
    "kv_tokens": (0.01, 0.02, 1.08),
    "total_gib": (0.006, 0.02, 1.10),
}


@pytest.fixture(scope="module")
def file() -> MeasurementFile:
    return read(FILE)


@pytest.fixture(scope="module")
def entries(file: MeasurementFile) -> list[Entry]:
    return [e for e in score_file(file) if e.trusted]


@pytest.mark.parametrize("quantity", BARS)
def test_errors_stay_below_the_bar(entries: list[Entry], quantity: str) -> None:
    found = summarize([e for e in entries if e.quantity == quantity])
    assert found is not None
    middle, p90, sharp = BARS[quantity]
    assert found.median <= middle
    assert found.p90 <= p90
    assert found.sharpness <= sharp


def test_nothing_that_ran_out_of_memory_is_called_fitting(entries: list[Entry]) -> None:
    table = verdicts(entries)
    assert table["fails"] == {"fails": 16}
    assert table["fits"] == {"fits": 140}


def test_every_trusted_case_is_predicted(entries: list[Entry]) -> None:
    covered, cases, reasons = coverage(entries)
    assert covered == cases == 160
    assert reasons == {}


def test_predictions_never_see_a_measurement(file: MeasurementFile) -> None:
    tell = predictor(file.kind)
    for case in file.cases:
        wiped = replace(case, measured={}, note="", source="")
        before = score_case(case, file.kind, tell)
        again = {k: v for k, v in case.config.items() if k in wiped.config}
        if before[0].skipped and not before[0].quantity:
            continue
        assert predict(again) == predict(case.config)


@pytest.mark.parametrize("key", ["model", "engine", "weights"])
def test_no_group_is_far_worse_than_all(entries: list[Entry], key: str) -> None:
    """A constant that fits one model, engine or format only would show as a group of large errors."""
    groups = defaultdict(list)
    for entry in entries:
        if entry.quantity in ("weights_gib", "total_gib") and entry.error is not None:
            groups[entry.config.get(key)].append(abs(entry.error))
    assert all(median(errors) <= 0.065 for errors in groups.values())
    assert quantile([median(e) for e in groups.values()], 0.9) <= 0.03


def prefill_points(file: MeasurementFile) -> list[tuple[str, int, float, float]]:
    """(model, prompt, peak, weights + cache) of Transformers 4.46 in bf16, GiB."""
    points = []
    for case in file.cases:
        c = case.config
        known = str(c.get("engine_version", "")).startswith("4.46") and c.get("weights") == "bf16"
        if not known or "total_gib" not in case.measured or int(str(c["prompt"])) < 10_000:
            continue
        m, prompt = model(str(c["model"])), int(str(c["prompt"]))
        cache = prompt * m.num_layers * 2 * m.num_key_value_heads * m.head_dim * 2
        held = (checkpoint_bytes(m, weight_format("bf16")) + cache) / 2**30
        points.append((m.id, prompt, float(case.measured["total_gib"]), held))
    return points


def test_prefill_constants_hold_for_a_model_left_out(file: MeasurementFile) -> None:
    """hidden multiple and bytes per token fitted without a model predict that model."""
    points = prefill_points(file)
    for left_out in {p[0] for p in points}:
        rows, values = [], []
        for name, prompt, peak, held in points:
            if name != left_out:
                m = model(name)
                rows.append([2 * m.hidden_size, 1.0])
                values.append((peak - held) * 2**30 / prompt - 6 * m.intermediate_size)
        hidden, fixed = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
        assert 3.0 < hidden < 5.0
        for name, prompt, peak, held in points:
            if name == left_out:
                m = model(name)
                each = 6 * m.intermediate_size + 2 * hidden * m.hidden_size + fixed
                assert held + each * prompt / 2**30 == pytest.approx(peak, rel=0.04)
