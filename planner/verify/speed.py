"""Speed: printed rates and latencies are the ones re-derived; targets and deadlines are met."""

from __future__ import annotations

from collections.abc import Iterator

from planner.options.asks import ServingAsk, TrainingAsk
from planner.units import HOUR_S
from planner.verify.case import Case, Part
from planner.verify.derive import Derived
from planner.verify.figures import Speed
from planner.verify.problem import Finding, Problem

CHECK = "speed"
TOLERANCE = 1e-6
"""Relative difference between a printed and a re-derived speed."""
FIGURES = (
    "rate", "rate_low", "rate_high", "ttft_s", "tpot_s", "step_s", "mfu", "hours", "concurrency",
)  # fmt: skip


def check_speed(case: Case, derived: Derived) -> Finding:
    """Every printed figure of speed, latency targets, deadlines."""
    problems = []
    worst = 0.0
    for number, speed in ((n, f.speed) for n, f in derived.items()):
        part = case.parts[number]
        texts = [*_printed(part, speed), *_targets(part, speed)]
        problems += [Problem(CHECK, part.name, f"{part.where}: {t}") for t in texts]
        worst = max([worst, *(d for _, d in _differences(part, speed))])
    looked = f"{len(derived)} speeds re-derived, largest difference {100 * worst:.2f} %"
    return Finding(CHECK, looked, tuple(problems))


def _differences(part: Part, speed: Speed) -> Iterator[tuple[str, float]]:
    """Relative difference of each figure that both have; infinite where only one has it."""
    for name in FIGURES:
        have: float | None = getattr(part.given.speed, name)
        want: float | None = getattr(speed, name)
        if (have is None) != (want is None):
            yield name, float("inf")
        elif have is not None and want is not None:
            yield name, abs(have - want) / max(abs(want), 1e-12)


def _printed(part: Part, speed: Speed) -> Iterator[str]:
    for name, difference in _differences(part, speed):
        if not difference <= TOLERANCE:
            have, want = getattr(part.given.speed, name), getattr(speed, name)
            yield f"{name} printed as {have}, it is {want}"
    unit = "tokens/s"
    if isinstance(part.ask, ServingAsk):
        unit = "requests in flight" if part.ask.concurrent is not None else "requests/s"
    if part.given.speed.unit != unit:
        yield f"speed printed in {part.given.speed.unit}, it is in {unit}"
    if part.given.speed.extrapolated != speed.extrapolated:
        have_words = f"printed as {part.given.speed.extrapolated}"
        yield f"extrapolated {have_words}, it is {speed.extrapolated}"


def _targets(part: Part, speed: Speed) -> Iterator[str]:
    ask = part.ask
    if isinstance(ask, ServingAsk) and ask.kind == "inference":
        for name, have, want in (
            ("TTFT", speed.ttft_s, ask.ttft_s),
            ("TPOT", speed.tpot_s, ask.tpot_s),
        ):
            if have is not None and want is not None and not have <= want * (1 + 1e-9):
                yield f"{name} {have * 1000:,.0f} ms, {want * 1000:,.0f} ms asked"
        if speed.counted <= 0:
            yield f"serves {speed.counted:g} {part.given.speed.unit} within the targets"
    if isinstance(ask, TrainingAsk) and ask.deadline_s is not None:
        deadline, hours = ask.deadline_s / HOUR_S, speed.hours or 0.0
        if not hours <= deadline * (1 + 1e-9):
            yield f"takes {hours:,.1f} h, the deadline is {deadline:,.1f} h"
