"""`planner why` says the same thing of several pools once, and what has no number in full."""

from __future__ import annotations

from planner.plan.why_schema import ConsideredRow, Why
from planner.report.why import render_why


def row(pool: str, **changes: object) -> ConsideredRow:
    values: dict[str, object] = {
        "pool": pool, "gpu": "l40s", "gpus": 2, "layout": "tp2 fp8", "verdict": "rejected",
        "reason": "memory", "message": "needs more", "need": 50.0, "have": 40.0, "unit": "GiB",
    }  # fmt: skip
    return ConsideredRow.model_validate(values | changes)


def text(*rows: ConsideredRow, every: bool = False) -> str:
    why = Why(
        workload="chat", model="m", currency="USD", status="proven", rows=rows,
        counted={"rejected": len(rows)},
    )  # fmt: skip
    return render_why(why, every=every)


def test_equal_rejections_of_several_pools_are_one_line() -> None:
    shown = text(row("a"), row("b"), row("c", need=60.0))
    assert "a +1" in shown
    assert shown.count("memory:") == 2
    assert "+1" not in text(row("a"), row("b"), every=True)


def test_latency_is_told_as_what_it_is_against_what_was_asked() -> None:
    shown = text(row("a", reason="latency", need=5.0, have=30.0, unit="ms"))
    assert "latency: 30.0 ms, 5.0 asked" in shown


def test_a_reason_without_numbers_is_told_in_full_below() -> None:
    long = "the engine cannot load the format: " + "word " * 20
    shown = text(row("a", reason="capability", need=None, have=None, unit="", message=long))
    told = " ".join(shown.split())
    assert "note: tp2 fp8: " + " ".join(long.split()) in told
    assert all(len(line) <= 100 for line in shown.splitlines())
