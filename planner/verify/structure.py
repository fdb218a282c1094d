"""Whether the plan speaks of this scenario at all: every name, kind and degree it mentions exists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from planner.catalog.engines import serving_engine_ids
from planner.catalog.frameworks import framework_ids
from planner.options.from_scenario import question_of
from planner.plan.schema import Assignment, Plan, PlanLayout, Status
from planner.scenario.resolved import Scenario
from planner.verify.case import FOR_THE_RUN, Case, parts_of
from planner.verify.problem import Finding, Problem
from planner.verify.supply import Supply, supplies_of

CHECK = "structure"
MOST = 1_000_000
"""No degree, count or batch of a real plan is larger; keeps the arithmetic of the other checks small."""


def check_structure(
    scenario: Scenario,
    plan: Plan,
    ordered: tuple[Supply, ...] = (),
    before: Mapping[str, float] = MappingProxyType({}),
) -> tuple[Finding, Case | None]:
    """Names and sizes; the case for all other checks where there is nothing wrong with them.

    `ordered` are nodes that orders of the plan give, besides what the scenario has; `before` the hours that
    training runs had in earlier periods.
    """
    if plan.status not in (Status.PROVEN, Status.FEASIBLE):
        text = f"its status is `{plan.status.value}`: there is no plan to verify"
        return Finding(CHECK, "no plan", (Problem(CHECK, "", text),)), None
    pools = [p.name for p in scenario.pools]
    supplies = (*supplies_of(scenario), *ordered)
    supplies = tuple(sorted(supplies, key=lambda s: pools.index(s.pool)))
    problems = [
        *_whole(scenario, plan),
        *_workloads(scenario, plan),
        *_pools(scenario, plan),
        *_assignments(plan, supplies),
    ]
    looked = f"{len(plan.workloads)} workloads and {len(plan.pools)} pools are the scenario's"
    finding = Finding(CHECK, looked, tuple(problems))
    if problems:
        return finding, None
    question = question_of(scenario)
    parts = tuple(parts_of(scenario, plan, question, supplies, before))
    return finding, Case(scenario, plan, question, supplies, parts)


def _whole(scenario: Scenario, plan: Plan) -> Iterator[Problem]:
    if plan.scenario != scenario.name:
        yield Problem(CHECK, "", f"made for `{plan.scenario}`, the scenario is `{scenario.name}`")
    if plan.cost is None:
        yield Problem(CHECK, "", "it has no cost")
    elif plan.cost.currency != scenario.spec.currency:
        text = f"costs in {plan.cost.currency}, the scenario's prices in {scenario.spec.currency}"
        yield Problem(CHECK, "", text)


def _same_names(what: str, given: list[str], wanted: list[str]) -> Iterator[Problem]:
    have, want = Counter(given), Counter(wanted)
    for name in sorted(set(have) | set(want)):
        if have[name] != want[name]:
            text = f"the plan has {have[name]} {what} of that name, the scenario {want[name]}"
            yield Problem(CHECK, name, text)


def _workloads(scenario: Scenario, plan: Plan) -> Iterator[Problem]:
    yield from _same_names(
        "workloads", [w.name for w in plan.workloads], [w.name for w in scenario.workloads]
    )
    known = {w.name: w for w in scenario.workloads}
    for given in plan.workloads:
        wanted = known.get(given.name)
        if wanted is None:
            continue
        for what, have, want in (
            ("kind", given.kind, str(wanted.kind)),
            ("model", given.model, wanted.model.id),
            ("team", given.team, wanted.spec.team or ""),
        ):
            if have != want:
                yield Problem(CHECK, given.name, f"{what} `{have}`, the scenario says `{want}`")


def _pools(scenario: Scenario, plan: Plan) -> Iterator[Problem]:
    yield from _same_names("pools", [p.pool for p in plan.pools], [p.name for p in scenario.pools])
    known = {p.name: p.gpu.id for p in scenario.pools}
    named = [(p.pool, p.gpu) for p in plan.pools]
    named += [(a.pool, a.gpu) for w in plan.workloads for a in w.assignment]
    for pool, gpu in named:
        if pool in known and gpu != known[pool]:
            yield Problem(CHECK, pool, f"GPU `{gpu}`, the pool has `{known[pool]}`")


def _assignments(plan: Plan, supplies: tuple[Supply, ...]) -> Iterator[Problem]:
    terms = {(s.pool, s.term): s for s in supplies}
    for workload in plan.workloads:
        for given in workload.assignment:
            supply = terms.get((given.pool, given.term.removesuffix(FOR_THE_RUN)))
            if supply is None:
                text = f"no pool `{given.pool}` with the term `{given.term}` in the scenario"
                yield Problem(CHECK, workload.name, text)
            elif given.term.endswith(FOR_THE_RUN) and not supply.node_hour:
                text = f"`{given.term}` on `{given.pool}`, whose nodes have no price per hour"
                yield Problem(CHECK, workload.name, text)
            elif given.term.endswith(FOR_THE_RUN) and workload.kind == "inference":
                text = f"`{given.term}` is for jobs, and a service runs all the time"
                yield Problem(CHECK, workload.name, text)
            yield from (Problem(CHECK, workload.name, t) for t in _sizes(workload.kind, given))


def _sizes(kind: str, given: Assignment) -> Iterator[str]:
    layout = given.layout
    if not 1 <= given.replicas <= MOST:
        yield f"{given.replicas} replicas"
    for name in ("tp", "pp", "dp", "cp", "ep"):
        if not 1 <= getattr(layout, name) <= MOST:
            yield f"{name} {getattr(layout, name)} is no degree of parallelism"
    serving = kind in ("inference", "batch", "embedding")
    profiles = serving_engine_ids() if serving else framework_ids()
    if layout.engine not in profiles:
        yield f"unknown {'engine' if serving else 'framework'} `{layout.engine}`"
    yield from _training_sizes(layout) if not serving else _serving_sizes(layout)


def _training_sizes(layout: PlanLayout) -> Iterator[str]:
    for name in ("micro_batch", "accumulation"):
        if not 1 <= getattr(layout, name) <= MOST:
            yield f"{name} is {getattr(layout, name)}"
    if layout.kv or layout.offload_weights_gib:
        yield "a training layout with settings of serving"
    if layout.zero not in (0, 1, 2, 3):
        yield f"ZeRO stage {layout.zero}"
    for name, words in (
        ("sharding", ("none", "ddp", "layers", "fsdp", "zero", "tp")),
        ("recompute", ("none", "selective", "full")),
        ("offload_optimizer", ("none", "cpu", "nvme")),
        ("offload_parameters", ("none", "cpu", "nvme")),
        ("offload_activations", ("none", "cpu", "nvme")),
    ):
        if getattr(layout, name) not in words:
            yield f"{name} `{getattr(layout, name)}` is none of {', '.join(words)}"


def _serving_sizes(layout: PlanLayout) -> Iterator[str]:
    idle = PlanLayout(
        **layout.model_dump(include={"text", "engine", "tp", "pp", "dp", "cp", "ep", "weights"}),
        kv=layout.kv,
        attention=layout.attention,
        offload_weights_gib=layout.offload_weights_gib,
    )
    if layout != idle:
        yield "a serving layout with settings of training"
    if layout.cp != 1:
        yield f"cp {layout.cp} in a serving layout"
