"""Whether each layout is one the scenario allows and the engine and GPU can run."""

from __future__ import annotations

from collections.abc import Iterator

from planner.options.asks import Ask, ServingAsk, TrainingAsk
from planner.options.interconnect import floor_rejection, link_gb_s
from planner.verify.allowed_serving import serving_problems
from planner.verify.allowed_training import training_problems
from planner.verify.case import Case, Part
from planner.verify.problem import Finding, Problem

CHECK = "allowed"


def check_allowed(case: Case) -> Finding:
    """Pools, degrees, formats, capability, legality and links of every assignment."""
    problems = [
        Problem(CHECK, part.name, f"{part.where}: {text}")
        for part in case.parts
        for text in _problems(part)
    ]
    problems += [
        Problem(CHECK, ask.name, text) for ask in case.question.asks for text in _totals(case, ask)
    ]
    looked = f"{len(case.parts)} layouts are legal, allowed and run on their GPUs"
    return Finding(CHECK, looked, tuple(problems))


def _problems(part: Part) -> Iterator[str]:
    yield from _pool(part)
    yield from _degrees(part)
    if isinstance(part.ask, ServingAsk):
        yield from serving_problems(part)
    if isinstance(part.ask, TrainingAsk):
        yield from training_problems(part)
    yield from _links(part)


def _pool(part: Part) -> Iterator[str]:
    ask = part.ask
    if ask.pools is not None and part.given.pool not in ask.pools:
        yield f"`pools` lists only {', '.join(ask.pools)}"
    if part.given.pool in ask.exclude_pools:
        yield "`exclude_pools` names this pool"
    lost = part.supply.interruption
    service = part.ask.kind == "inference"
    wish = part.workload.spec.spot
    if lost is not None and not (not service if wish is None else wish):
        yield f"on {part.given.term} nodes, which it must say `spot: true` for"
    have, want = part.given.interruption, None if lost is None else float(lost)
    if have != want:
        yield f"interruptions of {have} printed, the nodes have {want}"


def _degrees(part: Part) -> Iterator[str]:
    for name in ("tp", "pp", "dp", "ep", "cp"):
        wanted: tuple[int, ...] | None = getattr(part.ask.degrees, name)
        have: int = getattr(part.layout, name)
        if wanted is not None and have not in wanted:
            yield f"{name} {have}, `parallel.{name}` lists {', '.join(map(str, wanted))}"
    domain = max(part.facts.node_gpus, part.facts.link.domain)
    if part.layout.tp > domain and not part.ask.degrees.tp_across_nodes:
        yield f"tp {part.layout.tp} leaves the {domain} GPUs of one domain"


def _links(part: Part) -> Iterator[str]:
    refused = floor_rejection(part.ask, part.facts, part.layout)
    if refused is not None:
        yield refused.message
    have = link_gb_s(part.facts, part.layout, "replica")
    if not abs(part.given.interconnect_gb_s - have) <= 0.05:
        yield f"prints {part.given.interconnect_gb_s:,.1f} GB/s between GPUs, it is {have:,.1f}"


def _totals(case: Case, ask: Ask) -> Iterator[str]:
    """GPUs of all assignments of a workload against `gpus`."""
    parts = case.of_workload(ask.name)
    gpus = sum(p.given.replicas * p.copies * p.layout.gpus for p in parts)
    if ask.gpus_max is not None and gpus > ask.gpus_max:
        yield f"runs on {gpus} GPUs, `gpus.max` is {ask.gpus_max}"
    if parts and gpus < ask.gpus_min:
        yield f"runs on {gpus} GPUs, `gpus.min` is {ask.gpus_min}"
