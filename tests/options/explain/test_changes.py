"""Searches find the least step; levers loosen what they say they do."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog import model
from planner.options.asks import Degrees, LinkFloor, ServingAsk, TrainingAsk
from planner.options.explain.changes import Change, Search, least
from planner.options.explain.levers import levers, two_digits
from planner.options.explain.what_if import listed

SERVING = ServingAsk(
    name="chat", model=model("llama-3.1-8b"), kind="inference", context=8192, prompt=1000,
    output=200, rate=1.0, ttft_s=2.0, tpot_s=0.05, replicas_min=3, spare=1, pools=("a",),
    precision=("fp8",), degrees=Degrees(tp=(2,)), floor=LinkFloor(100.0, "tp"), gpus_max=4,
    attention="flash", engine="vllm",
)  # fmt: skip
TRAINING = TrainingAsk(
    name="sft", model=model("llama-3.1-8b"), kind="full", sequence=4096, global_batch=32,
    deadline_s=7 * 86400.0, tokens=1e8, zero=(2,), recompute=("none",), micro_batch=(4,),
    precision=("fp16",), framework="deepspeed",
)  # fmt: skip


@given(st.integers(1, 300), st.data())
def test_least_finds_the_first_step_that_works(count: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, count))
    search = Search("x", "", count, lambda n: Change("x", str(n)))
    found = least(search, lambda c: int(c.text) >= first)
    assert (None if found is None else int(found.text)) == (None if first == count else first)


@pytest.mark.parametrize("ask", [SERVING, TRAINING], ids=["serving", "training"])
def test_lifting_a_lever_takes_it_away_or_to_its_end(ask: ServingAsk | TrainingAsk) -> None:
    for lever in levers(ask):
        lifted = lever.lift(ask)
        assert lifted != ask, lever.kind
        left = [x for x in levers(lifted) if x.path == lever.path]
        assert all(x.text != lever.text for x in left), lever.kind


@pytest.mark.parametrize("ask", [SERVING, TRAINING], ids=["serving", "training"])
def test_steps_of_a_lever_are_what_the_user_would_write(ask: ServingAsk | TrainingAsk) -> None:
    for lever in levers(ask):
        search = lever.search(ask.name)
        texts = {search.at(n).text for n in (0, search.count - 1)}
        assert all("`" in t for t in texts)
        change = search.at(0)
        assert change.ask is not None
        assert change.ask(ask) != ask


def test_every_wish_of_a_workload_has_a_lever() -> None:
    kinds = {x.path for x in levers(SERVING)}
    assert kinds >= {
        "slo.ttft", "slo.tpot", "replicas.min", "replicas.spare", "pools", "parallel", "precision",
        "interconnect.min", "gpus.max", "attention", "engine", "context",
    }  # fmt: skip
    assert {x.path for x in levers(TRAINING)} >= {
        "deadline", "zero", "recompute", "micro_batch", "framework", "precision", "sequence",
    }  # fmt: skip


def test_shorter_sequences_keep_the_tokens_of_a_step() -> None:
    lever = next(x for x in levers(TRAINING) if x.kind == "sequence")
    change = lever.search("sft").at(0).ask
    assert change is not None
    shorter = change(TRAINING)
    assert isinstance(shorter, TrainingAsk)
    assert shorter.sequence * shorter.global_batch == TRAINING.sequence * TRAINING.global_batch


def test_a_later_deadline_of_a_batch_lowers_its_rate() -> None:
    batch = replace(SERVING, kind="batch", deadline_s=3600.0, rate=10.0)
    lever = next(x for x in levers(batch) if x.kind == "deadline")
    later = lever.search("chat").at(0).ask
    assert later is not None
    changed = later(batch)
    assert isinstance(changed, ServingAsk)
    assert changed.deadline_s == 7200.0
    assert changed.rate == pytest.approx(5.0)


@given(st.integers(1, 100_000))
def test_two_digit_steps_grow_and_stay_fine(start: int) -> None:
    values = two_digits(start, 10)
    assert all(a < b for a, b in pairwise(values))
    assert values[0] > start
    assert all(b - a <= max(1, 0.11 * a) for a, b in pairwise(values))


def test_texts_with_a_common_beginning_are_told_once() -> None:
    assert listed(["`a` and `b`", "`a` and `c`"]) == "`a`, with `b` or `c`,"
    assert listed(["`a`", "`b`"]) == "`a` and `b`"
