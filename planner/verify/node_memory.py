"""Host RAM and NVMe: what all replicas on a node take together fits the node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from planner.units import GIB
from planner.verify.case import Case, Part
from planner.verify.derive import Derived
from planner.verify.problem import Finding, Problem

CHECK = "node memory"


def check_node_memory(case: Case, derived: Derived) -> Finding:
    """Sums over the replicas of each node against its usable host RAM and NVMe."""
    host: dict[tuple[str, int], float] = defaultdict(float)
    nvme: dict[tuple[str, int], float] = defaultdict(float)
    guests = _guests(case)
    for number, figures in derived.items():
        part = case.parts[number]
        if part.host is not None:
            continue
        # Of runs that take turns the one that needs most counts.
        turns = [figures.memory, *(derived[n].memory for n in guests[part.name] if n in derived)]
        nodes = max(1, part.whole_nodes)
        for place in part.given.placement:
            node = (part.given.pool, place.node)
            share = part.copies / nodes
            if _counts(part):
                host[node] += max(m.host_bytes for m in turns) * share
            nvme[node] += max(m.nvme_bytes for m in turns) * share
    problems = [*_over(case, host, "host RAM"), *_over(case, nvme, "NVMe")]
    looked = (
        f"{len(host)} nodes with host RAM in use, {sum(1 for v in nvme.values() if v)} with NVMe"
    )
    return Finding(CHECK, looked, tuple(problems))


def _guests(case: Case) -> Mapping[str, Sequence[int]]:
    """By workload, the runs that take turns on its GPUs."""
    guests: dict[str, list[int]] = defaultdict(list)
    for number, part in enumerate(case.parts):
        if part.host is not None:
            guests[part.host].append(number)
    return guests


def _counts(part: Part) -> bool:
    """Whether host RAM of the part can be judged: always, unless nobody said what the node has."""
    layout = part.layout
    moved = (layout.offload_optimizer, layout.offload_parameters, layout.offload_activations)
    offloads = moved != ("none", "none", "none") or layout.offload_weights_gib > 0
    return offloads or part.facts.host_bytes is not None


def _over(case: Case, used: dict[tuple[str, int], float], what: str) -> Iterator[Problem]:
    for (pool, node), need in sorted(used.items()):
        facts = case.question.supplier(pool).facts
        have = float((facts.host_bytes if what == "host RAM" else facts.nvme_bytes) or 0)
        if not need <= have * (1 + 1e-9):
            text = f"node {node} needs {need / GIB:.1f} GiB of {what}, {have / GIB:.1f} usable"
            yield Problem(CHECK, pool, text)
