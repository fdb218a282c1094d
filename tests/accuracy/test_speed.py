"""Speed predictions against the shipped measurements: thresholds that only ever tighten."""

from collections import defaultdict
from functools import cache
from pathlib import Path
from statistics import median

import pytest

from planner.accuracy.read import read
from planner.accuracy.score import coverage, quantile, score_file
from planner.accuracy.speed_models import resolve_model
from planner.catalog import gpu
from planner.speed.work import work_of

FOLDER = Path(__file__).parents[1] / "measurements"
FILES = ("collectives", "training-speed", "serving-speed")


@cache
def entries(name):
    return tuple(e for e in score_file(read(FOLDER / f"{name}.csv")) if e.trusted)


def experts(entry):
    found = resolve_model(str(entry.config["model"]))
    return found is not None and work_of(found[0]).moe_layers > 0


def dense_bf16(entry):
    return not experts(entry) and entry.config["precision"] in ("bf16", "")


def narrow(entry):
    return not experts(entry) and entry.config["precision"] in ("fp8", "mxfp8", "nvfp4")


def metric(name):
    return lambda entry: entry.config["metric"] == name


def anything(entry):
    return True


# name -> (file, quantity, rows, median |error|, 90th percentile)
BARS = {
    "collective time": ("collectives", "time_us", anything, 0.05, 0.22),
    "bus bandwidth": ("collectives", "busbw_gb_s", anything, 0.05, 0.22),
    "training, dense bf16": ("training-speed", "tokens_per_s_per_gpu", dense_bf16, 0.05, 0.15),
    "training, dense fp8 and fp4": ("training-speed", "tokens_per_s_per_gpu", narrow, 0.06, 0.21),
    "training, experts": ("training-speed", "tokens_per_s_per_gpu", experts, 0.08, 0.24),
    "training TFLOPS": ("training-speed", "tflops_per_gpu", anything, 0.065, 0.24),
    "training MFU": ("training-speed", "mfu", anything, 0.05, 0.16),
    "time per token": ("serving-speed", "tpot_ms", anything, 0.065, 0.26),
    "saturated": ("serving-speed", "output_tokens_per_s", metric("saturated"), 0.08, 0.26),
    "single requests": ("serving-speed", "output_tokens_per_s", metric("request"), 0.09, 0.39),
    "first token, closed loop": ("serving-speed", "ttft_ms", metric("closed-loop"), 0.2, 0.62),
    "first token, open loop": ("serving-speed", "ttft_ms", metric("open-loop"), 0.17, 4.0),
    "prefill": ("serving-speed", "prefill_tokens_per_s", anything, 0.11, 0.47),
}


@pytest.mark.parametrize("name", BARS)
def test_errors_stay_within_their_bar(name):
    file, quantity, rows, middle, tail = BARS[name]
    errors = [
        abs(e.error)
        for e in entries(file)
        if e.quantity == quantity and e.error is not None and rows(e)
    ]
    assert len(errors) >= 15
    assert median(errors) <= middle
    assert quantile(errors, 0.9) <= tail


@pytest.mark.parametrize("file", FILES)
def test_nearly_every_trusted_row_is_predicted(file):
    covered, cases, _ = coverage(entries(file))
    assert covered >= 0.98 * cases


def inside(rows):
    return sum(e.low <= e.measured <= e.high for e in rows) / len(rows)


@pytest.mark.parametrize("file", FILES)
def test_stated_intervals_hold_about_what_they_state(file):
    scored = [e for e in entries(file) if e.error is not None]
    assert 0.75 <= inside(scored) <= 0.9


def test_stated_intervals_hold_in_every_generation():
    by_generation = defaultdict(list)
    for file in FILES:
        for entry in entries(file):
            if entry.error is not None and entry.config.get("gpu"):
                architecture = gpu(str(entry.config["gpu"])).architecture
                by_generation[architecture].append(entry)
    assert len(by_generation) >= 7
    for architecture, rows in by_generation.items():
        assert inside(rows) >= 0.6, architecture


def test_no_bias_beyond_a_few_percent():
    for file, quantity in (
        ("training-speed", "tokens_per_s_per_gpu"),
        ("serving-speed", "tpot_ms"),
        ("serving-speed", "output_tokens_per_s"),
    ):
        signed = [e.error for e in entries(file) if e.quantity == quantity and e.error is not None]
        assert abs(median(signed)) < 0.03


def test_a_prediction_reads_only_the_configuration():
    for file in FILES:
        for case in read(FOLDER / f"{file}.csv").cases:
            assert not set(case.measured) & set(case.config)
