"""Turns: training runs on the same GPUs are together no longer than the shortest of their windows."""

from __future__ import annotations

import math
from collections.abc import Iterator

from planner.scenario.schema_workloads import InferenceWorkload
from planner.units import HOUR_S
from planner.verify.case import Case, Part
from planner.verify.derive import Derived
from planner.verify.problem import Finding, Problem

CHECK = "turns"


def check_turns(case: Case, derived: Derived) -> Finding:
    """Every guest against its host, then the time that all on the same GPUs take."""
    problems = []
    guests = [(n, p) for n, p in enumerate(case.parts) if p.host is not None]
    for _, part in guests:
        problems += [Problem(CHECK, part.name, f"{part.where}: {t}") for t in _guest(case, part)]
    for name in sorted({p.host for _, p in guests if p.host is not None}):
        members = [n for n, p in enumerate(case.parts) if name in (p.name, p.host)]
        problems += [Problem(CHECK, name, t) for t in _time(case, derived, members)]
    looked = f"{len(guests)} training runs take turns on the GPUs of others, all in time"
    return Finding(CHECK, looked, tuple(problems))


def host_of(case: Case, part: Part) -> Part | None:
    """The assignment whose GPUs a guest runs on."""
    found = case.of_workload(part.host or "")
    return found[0] if len(found) == 1 else None


def _guest(case: Case, part: Part) -> Iterator[str]:
    host = host_of(case, part)
    if host is None or host.host is not None:
        yield f"takes turns with `{part.host}`, which holds no GPUs alone"
        return
    if not (part.trains and host.trains) or part.given.replicas != 1 or host.given.replicas != 1:
        yield "takes turns, and both are not single training runs"
    if part.supply != host.supply or part.own_nodes or host.own_nodes:
        yield "takes turns on nodes of another pool or term"
    if part.whole_nodes or host.whole_nodes:
        yield "takes turns on whole nodes"
    for place in part.given.placement:
        there = [set(x.gpus) for x in host.given.placement if x.node == place.node]
        if not there or not set(place.gpus) <= there[0]:
            yield f"GPUs {place.gpus} of node {place.node} are not those of `{part.host}`"


def _time(case: Case, derived: Derived, members: list[int]) -> Iterator[str]:
    minutes, windows = 0, []
    for number in members:
        part, hours = case.parts[number], derived[number].speed.hours
        if hours is None:
            yield f"`{part.name}` takes turns, and has no hours"
            return
        if part.hours_before is not None and hours > part.supply.hours:
            yield f"`{part.name}` takes turns, and goes on from period to period"
        minutes += math.ceil(60 * hours)
        windows.append(math.floor(60 * window_h(part)))
    if minutes > min(windows):
        yield f"the runs on its GPUs take {minutes} minutes, the shortest window has {min(windows)}"


def window_h(part: Part) -> float:
    """Hours in which one run of each on the same GPUs must end: deadline, interval, and the hours paid for."""
    spec, ask = part.workload.spec, part.ask
    found = [float(part.supply.hours)]
    if ask.deadline_s is not None:
        found.append(ask.deadline_s / HOUR_S)
    if not isinstance(spec, InferenceWorkload) and spec.every:
        found.append(float(spec.every / HOUR_S))
    return min(found)
