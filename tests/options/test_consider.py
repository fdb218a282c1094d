"""Every candidate becomes an option or a rejection; equal questions are answered once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from planner.options.asks import ServingAsk, TrainingAsk
from planner.options.consider import consider, consider_one
from planner.options.question import Question
from planner.options.records import Reason

SERVE = """\
  - name: serve
    kind: inference
    model: llama-3.1-8b
    precision: {precision}
    context: 8192
    demand: {{requests: 1 /s, prompt: 900, output: 200}}
"""
TRAIN = """\
  - name: train
    kind: full
    model: qwen2.5-7b
    framework: deepspeed
    zero: {zero}
    sequence: 2048
    global_batch: {batch} sequences
    tokens: 1e8
    deadline: 30 d
"""


def test_brief_and_detailed_passes_count_the_same_candidates(lab: Question) -> None:
    brief, full = consider(lab), consider(lab, detail=True)
    for name in brief:
        for short, long in zip(brief[name], full[name], strict=True):
            counted = len(short.options) + short.dominated + short.rejected
            listed = len(long.options) + len(long.pruned) + len(long.rejections)
            assert counted == len(long.options) + long.dominated + long.rejected, (name, short.pool)
            assert listed <= counted


def test_brief_passes_lose_no_option_that_detailed_pruning_keeps(lab: Question) -> None:
    brief, full = consider(lab), consider(lab, detail=True)
    for name in brief:
        for short, long in zip(brief[name], full[name], strict=True):
            for option in long.options:
                assert any(
                    o.gpus == option.gpus
                    and o.units >= option.units
                    and o.timing.rate_low >= option.timing.rate_low
                    and o.host_bytes <= option.host_bytes
                    and o.preference <= option.preference
                    for o in short.options
                ), (name, short.pool, option.layout)


def test_an_option_uses_no_more_memory_than_the_gpu_has(lab: Question) -> None:
    for parts in consider(lab).values():
        for part in parts:
            for option in part.options:
                assert option.account.upper_gib <= option.account.usable_low_gib + 1e-9


def test_every_rejection_with_numbers_names_unit_and_bottleneck(lab: Question) -> None:
    for parts in consider(lab, detail=True).values():
        for rejection in (r for p in parts for r in p.rejections):
            assert rejection.message
            if rejection.reason in (Reason.MEMORY, Reason.DEADLINE, Reason.HOST_RAM):
                assert rejection.short is not None
                assert rejection.short > 0
                assert rejection.unit
                assert rejection.bottleneck


def test_a_format_the_gpu_lacks_is_a_rejection_with_the_capability(
    ask: Callable[..., Question],
) -> None:
    question = ask(SERVE.format(precision="[awq-int4]"), gpu="v100-sxm2-32gb", gpus=4, nvlink=300)
    (part,) = consider(question)["serve"]
    assert not part.options
    (rejection,) = part.rejections
    assert rejection.reason is Reason.CAPABILITY
    assert "7.5" in rejection.message
    assert "7.0" in rejection.message


def test_only_listed_formats_are_used(ask: Callable[..., Question]) -> None:
    (part,) = consider(ask(SERVE.format(precision="[fp8, gptq-int4]")))["serve"]
    assert {o.layout.weights for o in part.options} <= {"fp8", "gptq-int4"}


def test_gpu_limits_and_pool_lists_hold(ask: Callable[..., Question]) -> None:
    question = ask(SERVE.format(precision="16bit") + "    gpus: {max: 2}\n")
    (part,) = consider(question)["serve"]
    assert part.options
    assert all(o.gpus <= 2 for o in part.options)
    shut = replace(question.asks[0], exclude_pools=("box",))
    assert [r.reason for r in consider_one(shut, question.suppliers[0].facts).rejections] == [
        Reason.NOT_ALLOWED
    ]


def test_a_least_bandwidth_rejects_with_both_numbers(ask: Callable[..., Question]) -> None:
    question = ask(SERVE.format(precision="16bit") + "    interconnect: {min: 800 GB/s}\n")
    (part,) = consider(question, detail=True)["serve"]
    assert all(o.layout.tp == 1 for o in part.options)
    slow = [r for r in part.rejections if r.reason is Reason.INTERCONNECT]
    assert slow
    assert {(r.need, r.have) for r in slow} == {(800.0, 600.0)}


@pytest.mark.parametrize("batch", [6, 8, 10])
def test_training_layouts_divide_the_global_batch(ask: Callable[..., Question], batch: int) -> None:
    (part,) = consider(ask(TRAIN.format(zero="[1, 2, 3]", batch=batch)), detail=True)["train"]
    assert part.options
    for layout in (o.layout for o in part.options):
        assert layout.micro_batch * layout.dp * layout.accumulation == batch
        assert layout.zero in (1, 2, 3)


def test_equal_workloads_get_equal_answers(ask: Callable[..., Question]) -> None:
    twin = SERVE.format(precision="16bit")
    question = ask(twin + twin.replace("name: serve", "name: again"))
    one, two = consider(question).values()
    assert [o.layout for o in one[0].options] == [o.layout for o in two[0].options]
    assert {o.workload for o in two[0].options} == {"again"}


def test_longer_contexts_never_need_fewer_bytes(ask: Callable[..., Question]) -> None:
    question = ask(SERVE.format(precision="16bit"))
    base = question.asks[0]
    assert isinstance(base, ServingAsk)
    pool = question.suppliers[0].facts
    found = [consider_one(replace(base, context=c), pool) for c in (8192, 65536, 524288, 2**21)]
    counts = [len(f.options) + f.dominated for f in found]
    assert counts == sorted(counts, reverse=True)


def test_a_deadline_no_layout_meets_is_told_in_hours(ask: Callable[..., Question]) -> None:
    question = ask(TRAIN.format(zero="[3]", batch=8).replace("30 d", "1 h"))
    assert isinstance(question.asks[0], TrainingAsk)
    (part,) = consider(question)["train"]
    assert not part.options
    late = [r for r in part.rejections if r.reason is Reason.DEADLINE]
    assert late
    assert all(r.unit == "h" and r.have == 1.0 and r.need > 1.0 for r in late)
