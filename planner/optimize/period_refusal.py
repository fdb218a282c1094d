"""The plan that says why a horizon has none: told period by period, with changes that give it one."""

from __future__ import annotations

from planner.optimize.assemble import stats
from planner.optimize.outcome import Outcome, Status
from planner.optimize.period_bench import PeriodBench
from planner.optimize.period_conflict import conflict_rows, facts_of, story
from planner.optimize.period_repairs import repair, repair_records, served
from planner.optimize.versions import versions
from planner.options.asks import Ask
from planner.options.consider import Cache
from planner.options.explain import explain_workloads
from planner.options.explain.period_changes import Setting, all_optional
from planner.options.horizon import Part, Whole
from planner.options.refusals import folded
from planner.plan import schema as plan
from planner.scenario.periods import periods_of
from planner.scenario.resolved import Scenario

NONE_FOUND = "no single change of the kinds tried gives a plan, nor any pair of them that was tried"


def refused(
    scenario: Scenario,
    parts: tuple[Part, ...],
    lost: list[tuple[Part, str]],
    cache: Cache,
    *,
    explain: bool,
) -> plan.Plan:
    """Required workloads without an option in some period: told from the first such period of each."""
    first: dict[str, Part] = {}
    for part, name in lost:
        first.setdefault(name, part)
    told = [
        one.model_copy(update=_in_period(scenario, part, one, [p for p, n in lost if n == name]))
        for name, part in first.items()
        for one in explain_workloads(part.scenario, part.question, part.considered, [name])
    ]
    draft = plan.Plan(
        scenario=scenario.name,
        status=plan.Status.INFEASIBLE,
        workloads=_unserved(scenario),
        rejections=folded(lost[0][0].considered),
        explanations=tuple(told),
        warnings=parts[0].question.warnings,
        solve=stats(lost[0][0].considered, None),
        versions=versions(scenario.digest),
    )
    asks = {n: next(a for a in p.question.asks if a.name == n) for n, p in first.items()}
    return _with_repairs(scenario, draft, asks, cache) if explain else draft


def _in_period(
    scenario: Scenario, part: Part, told: plan.Explanation, where: list[Part]
) -> dict[str, object]:
    """What belongs to the periods a workload has no option in."""
    names = ", ".join(p.period.name for p in where[:6]) + (" ..." if len(where) > 6 else "")
    dates = f"from {part.period.start} to {part.period.end}"
    when = names if len(where) > 1 else f"{names} ({dates})"
    # Where no pool has nodes, the pools say why; else the layouts that were tried do.
    empty = not told.tried and not any(s.facts.max_nodes for s in part.question.suppliers)
    facts = facts_of(scenario, part)
    return {
        "headline": f"{told.headline} in {when}",
        "because": facts if empty else told.because,
        "label": "no pool has nodes in that period" if empty else told.label,
    }


def _with_repairs(
    scenario: Scenario, draft: plan.Plan, asks: dict[str, Ask], cache: Cache
) -> plan.Plan:
    """The plan that says why there is none, with changes that a second solve confirmed."""
    bench = PeriodBench(cache)
    setting = Setting(scenario)
    partial = bench.price(all_optional(setting))
    found = repair(bench, setting, list(asks), asks.values())
    words = served(partial, scenario, periods_of(scenario))
    none = () if found.fixes else (NONE_FOUND,)
    last = draft.explanations[-1]
    last = last.model_copy(update={"notes": (*last.notes, *found.notes, *none)})
    repairs = repair_records(found, partial)
    if len(draft.explanations) == 1:
        repairs = tuple(r.model_copy(update={"workload": last.workload}) for r in repairs)
    return draft.model_copy(
        update={
            "workloads": tuple(
                w.model_copy(update={"summary": words.get(w.name, "")}) for w in draft.workloads
            ),
            "explanations": (*draft.explanations[:-1], last),
            "repairs": repairs,
        }
    )


def _unserved(scenario: Scenario) -> tuple[plan.PlanWorkload, ...]:
    return tuple(
        plan.PlanWorkload(name=w.name, kind=w.kind, model=w.model.id, served=False)
        for w in scenario.workloads
    )


def without_plan(
    scenario: Scenario, whole: Whole, outcome: Outcome, cache: Cache, *, explain: bool
) -> plan.Plan:
    """Options exist in every period, but not together (proven), or nothing was found within the limit (unknown)."""
    first = whole.parts[0]
    draft = plan.Plan(
        scenario=scenario.name,
        status=plan.Status(outcome.status.value),
        workloads=_unserved(scenario),
        warnings=first.question.warnings,
        solve=stats(first.considered, outcome),
    )
    if outcome.status is not Status.INFEASIBLE:
        return draft
    rows = conflict_rows(scenario, whole, outcome)
    draft = draft.model_copy(
        update={
            "conflict": tuple(row for row, _ in rows),
            "explanations": (story(scenario, outcome, rows, ()),),
        }
    )
    if not explain:
        return draft
    asks: dict[str, Ask] = {}
    clashing = {row.name for row, _ in rows}
    for part in whole.parts:
        for ask, at in zip(part.question.asks, part.blocks, strict=True):
            if whole.problem.blocks[at].name in clashing:
                asks.setdefault(ask.name, ask)
    return _with_repairs(scenario, draft, asks, cache)
