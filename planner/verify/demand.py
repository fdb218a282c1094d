"""Demand: every required workload is served, and its replicas cover it, spares and bounds included."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from planner.options.asks import ServingAsk
from planner.verify.case import Case, Part
from planner.verify.derive import Derived
from planner.verify.figures import Speed
from planner.verify.problem import Finding, Problem
from planner.verify.routing import check_routing

CHECK = "demand"
WHOLE = 2000
"""Rates count in this many parts of the demand, rounded down."""
NOISE = 1e-6
"""Of such a part: what floating-point arithmetic may lose of a rate that is a whole number of parts."""


def check_served(case: Case) -> Finding:
    """Required workloads are served, and `served` says what the assignments say."""
    problems = []
    for given in case.plan.workloads:
        required = case.scenario.workload(given.name).spec.required
        if required and not given.assignment:
            problems.append(Problem("served", given.name, "required, and has no GPUs"))
        if given.served != bool(given.assignment):
            text = f"served is {given.served} with {len(given.assignment)} assignments"
            problems.append(Problem("served", given.name, text))
    served = sum(1 for w in case.plan.workloads if w.served)
    looked = f"{served} of {len(case.plan.workloads)} workloads, all required ones among them"
    return Finding("served", looked, tuple(problems))


def check_demand(case: Case, derived: Derived) -> Finding:
    """Units of each replica, coverage of each demand, least and most replicas."""
    problems = []
    covered = 0
    for ask in case.question.asks:
        parts = [(n, p) for n, p in enumerate(case.parts) if p.name == ask.name]
        if not parts or any(n not in derived for n, _ in parts):
            continue
        units = [(p, units_of(p, derived[n].speed)) for n, p in parts]
        texts = [
            t
            for (n, p), (_, want) in zip(parts, units, strict=True)
            for t in _printed(p, want, derived[n].speed)
        ]
        if isinstance(ask, ServingAsk):
            texts += [*_counts(ask, units), *_spread(ask, [p for _, p in parts])]
            texts += (
                check_routing(
                    ask,
                    [(p, derived[n].speed) for n, p in parts],
                    case.plan_workload(ask.name).routing,
                )
                if ask.by_size
                else _coverage(ask, units)
            )
        else:
            texts += _job(units)
        problems += [Problem(CHECK, ask.name, t) for t in texts]
        covered += 1
    return Finding(CHECK, f"{covered} demands covered by low rates", tuple(problems))


def units_alone(speed: Speed) -> int:
    """Parts of the demand that one copy of a layout carries, rounded down."""
    if speed.demand <= 0:
        return WHOLE
    return min(WHOLE, math.floor(WHOLE * speed.counted / speed.demand + NOISE))


def units_of(part: Part, speed: Speed) -> int:
    """Parts of the demand that one replica carries; a job carries all of it.

    A batch run on nodes of its own splits the work evenly over full nodes, so that each carries its share.
    """
    if not isinstance(part.ask, ServingAsk):
        return WHOLE
    alone = units_alone(speed)
    if part.own_nodes and alone > 0:
        return math.ceil(WHOLE / math.ceil(WHOLE / (alone * part.copies)))
    return alone


def _printed(part: Part, want: int, speed: Speed) -> Iterator[str]:
    """The printed units; one less where the rate is a whole number of them but for rounding noise."""
    exact = WHOLE * speed.counted / speed.demand if speed.demand > 0 else WHOLE
    noisy = not part.own_nodes and math.floor(exact) == want - 1
    if part.given.units != want and not (noisy and part.given.units == want - 1):
        yield f"{part.where}: {part.given.units} of {WHOLE} units printed, it is {want}"
    yield from _busy(part, speed)


def _busy(part: Part, speed: Speed) -> Iterator[str]:
    """The printed share of its hours in which a replica works; a part more or less where rounding noise decides."""
    exact = busy_parts(part, speed)
    least, most = math.ceil(exact - NOISE * WHOLE), math.ceil(exact + NOISE * WHOLE)
    if not min(WHOLE, least) <= part.given.busy <= min(WHOLE, most):
        text = f"busy for {part.given.busy} of {WHOLE} parts printed, it is {min(WHOLE, least)}"
        yield f"{part.where}: {text}"


def busy_parts(part: Part, speed: Speed) -> float:
    """Parts of its hours in which a replica works at most, not yet rounded.

    Alone it works for demand / rate. Replicas that must be alike share that among the fewest there can be; where one
    may be lost, the others carry the demand without it, so that all together have its rate to spare.
    """
    ask = part.ask
    if not isinstance(ask, ServingAsk):
        return WHOLE
    if speed.by_size:
        sizes = zip(ask.buckets, speed.by_size, strict=True)
        rates = [(ask.rate or 0.0) * size.share / rate for size, rate in sizes if rate > 0]
        return float(sum(math.ceil(WHOLE * load - NOISE) for load in rates))
    # A replica that fills a node of its own has the units of all its copies; `busy` is of each.
    units = units_alone(speed) if part.own_nodes else part.given.units
    if speed.counted <= 0 or units <= 0:
        return WHOLE
    alone = speed.demand / speed.counted
    if ask.gpus_max is not None or ask.replicas_max is not None:
        needed = max(ask.replicas_min, math.ceil(WHOLE / units)) + ask.spare
        return WHOLE * alone / needed
    if ask.spare:
        return WHOLE / (max(1 / alone, 1.0) + units / WHOLE)
    return WHOLE * alone


def _job(units: list[tuple[Part, int]]) -> Iterator[str]:
    replicas = sum(p.given.replicas for p, _ in units)
    if replicas != 1:
        yield f"{replicas} runs, one was asked"


def _each(units: list[tuple[Part, int]]) -> list[int]:
    return sorted(u for p, u in units for _ in range(p.given.replicas))


def _counts(ask: ServingAsk, units: list[tuple[Part, int]]) -> Iterator[str]:
    each = _each(units)
    fewest = max(1, ask.replicas_min) + ask.spare
    if len(each) < fewest:
        yield f"{len(each)} replicas, {ask.replicas_min} and {ask.spare} spare asked"
    if ask.replicas_max is not None and len(each) > ask.replicas_max:
        yield f"{len(each)} replicas, {ask.replicas_max} at most"


def _coverage(ask: ServingAsk, units: list[tuple[Part, int]]) -> Iterator[str]:
    each = _each(units)
    left = sum(each[: max(0, len(each) - ask.spare)])
    if left < WHOLE:
        lost = f" after losing the {ask.spare} largest replicas" if ask.spare else ""
        yield f"covers {left} of {WHOLE} units of the demand{lost}"


def _spread(ask: ServingAsk, parts: list[Part]) -> Iterator[str]:
    """Distinct nodes and one pool, where they are asked for."""
    if ask.distinct_nodes:
        nodes = Counter(
            (p.given.pool, node)
            for p in parts
            for replica in range(p.given.replicas)
            for node in {x.node for x in p.given.placement if x.replica == replica}
        )
        for (pool, node), held in sorted(nodes.items()):
            if held > 1:
                yield f"{held} replicas on node {node} of {pool}, distinct nodes asked"
    pools = sorted({p.given.pool for p in parts})
    if ask.same_pool and len(pools) > 1:
        yield f"replicas on {' and '.join(pools)}, one pool asked"
