"""Memory: every assignment fits its GPUs, and the account it prints is the one re-derived."""

from __future__ import annotations

from collections.abc import Iterator

from planner.verify.case import Case, Part
from planner.verify.derive import Derived
from planner.verify.figures import Memory
from planner.verify.problem import Finding, Problem

CHECK = "memory"
TOLERANCE_GIB = 0.05


def check_memory(case: Case, derived: Derived) -> Finding:
    """Need against have at the workload's risk, and every printed GiB."""
    problems = []
    worst = 0.0
    for number, memory in ((n, f.memory) for n, f in derived.items()):
        part = case.parts[number]
        problems += [
            Problem(CHECK, part.name, f"{part.where}: {t}") for t in _problems(part, memory)
        ]
        differences = [abs(printed - again) for _, printed, again in _figures(part, memory)]
        worst = max([worst, *differences])
    looked = f"{len(derived)} assignments re-derived, largest difference {worst:.2f} GiB"
    return Finding(CHECK, looked, tuple(problems))


def _problems(part: Part, memory: Memory) -> Iterator[str]:
    if not memory.fits:
        yield (
            f"does not fit: needs {memory.need_gib:.2f} GiB per GPU, {memory.have_gib:.2f} usable"
        )
    printed = part.given.ledger
    if part.ask.careful and not printed.upper_gib <= printed.usable_gib + TOLERANCE_GIB:
        yield f"prints {printed.upper_gib:.2f} GiB of {printed.usable_gib:.2f} usable"
    if set(printed.components) != set(memory.components):
        names = sorted(set(printed.components) ^ set(memory.components))
        yield f"components differ from the account: {', '.join(names)}"
    for name, have, want in _figures(part, memory):
        if not abs(have - want) <= TOLERANCE_GIB:
            yield f"{name} printed as {have:.2f} GiB, it is {want:.2f}"
    if printed.extrapolated != memory.extrapolated:
        yield f"extrapolated printed as {printed.extrapolated}, it is {memory.extrapolated}"


def _figures(part: Part, memory: Memory) -> Iterator[tuple[str, float, float]]:
    """(name, printed, re-derived) of every GiB."""
    printed = part.given.ledger
    yield "total", printed.total_gib, memory.total_gib
    yield "upper total", printed.upper_gib, memory.upper_gib
    yield "usable", printed.usable_gib, memory.usable_gib
    yield "host RAM", printed.host_gib, memory.host_gib
    yield "NVMe", printed.nvme_gib, memory.nvme_gib
    for name, line in printed.components.items():
        if name in memory.components:
            best, upper = memory.components[name]
            yield name, line.gib, best
            yield f"{name} (upper)", line.upper_gib, upper
