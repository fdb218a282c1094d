"""Rows nobody foresaw: a predictor answers or says what is missing, and never fails otherwise."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.accuracy.read import Skip
from planner.accuracy.registry import predictor
from planner.accuracy.speed_models import model_of_size, resolve_model
from planner.accuracy.speed_rows import node_link, stated_gbit_s
from planner.catalog import gpu
from planner.catalog.parameters import active_params, total_params

FOLDER = Path(__file__).parents[1] / "measurements"


def columns(name):
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {k: [*sorted({r[k] for r in rows}), "", "?"] for k in rows[0]}


@pytest.mark.parametrize("kind", ["collectives", "training-speed", "serving-speed"])
def test_any_mix_of_fields_is_predicted_or_skipped(kind):
    predict = predictor(kind)
    rows = st.fixed_dictionaries({k: st.sampled_from(v) for k, v in columns(kind).items()})

    @settings(max_examples=200, deadline=None)
    @given(row=rows)
    def check(row):
        try:
            figures = predict(row)
        except Skip:
            return
        for figure in figures.values():
            assert math.isfinite(figure.best)
            assert 0 < figure.low < figure.best < figure.high

    check()


@pytest.mark.parametrize(
    ("name", "params"),
    [("Foo-13b", None), ("Bar-350m", None), ("Unknown", 7e9), ("Baz-100B-A10B", None)],
)
def test_a_model_known_by_its_size_has_about_that_size(name, params):
    model, known = resolve_model(name, params)
    assert not known
    stated = params or {"Foo-13b": 13e9, "Bar-350m": 350e6, "Baz-100B-A10B": 100e9}[name]
    assert total_params(model) == pytest.approx(stated, rel=0.3)
    if "A10B" in name:
        assert active_params(model) == pytest.approx(10e9, rel=0.3)


def test_benchmark_architectures_have_their_published_size():
    for name, params in (
        ("MPT-70b", 64.86e9),
        ("GLM-5", 744e9),
        ("Nemotron-340B", 341e9),
        ("GPT3-175B", 175e9),
    ):
        assert total_params(resolve_model(name)[0]) == pytest.approx(params, rel=0.02)
    assert resolve_model("no size at all") is None
    assert model_of_size("x", 1e9).confidence == "low"


def test_a_note_changes_the_link():
    card = gpu("a100-sxm4-80gb")
    assert node_link({}, card, "").network_gbit_s == 1600
    assert node_link({}, card, "800 Gb/s network").network_gbit_s == 800
    assert node_link({}, gpu("h200-sxm"), "4 GPUs per node").gpus_per_node == 4
    assert not node_link({}, card, "no NVLink; short prompt").scale_up
    assert stated_gbit_s("peak 42.9 GiB; 208 GB host; 1360.53 GB/s") is None
