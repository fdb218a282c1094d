"""From a scenario with a horizon to a plan: every period considered, one problem solved, each period verified."""

from __future__ import annotations

from dataclasses import dataclass

from planner.optimize.assemble import has_plan, stats
from planner.optimize.assemble_periods import assemble_periods
from planner.optimize.baselines import baselines
from planner.optimize.outcome import Outcome, ProgressCallback, SolveLimits, Status
from planner.optimize.period_bench import PeriodBench, hopeless
from planner.optimize.period_conflict import conflict_rows, facts_of, story
from planner.optimize.period_repairs import repair, repair_records, served
from planner.optimize.solve import solve as optimize
from planner.optimize.versions import versions
from planner.options.asks import Ask
from planner.options.binding import summary_words
from planner.options.consider import Cache
from planner.options.economics import with_economics
from planner.options.explain import explain_workloads
from planner.options.explain.period_changes import Setting, all_optional
from planner.options.horizon import Part, Whole, join, parts_of
from planner.options.refusals import folded
from planner.plan import schema as plan
from planner.plan.merge import merged_workloads
from planner.scenario.periods import periods_of
from planner.scenario.resolved import Scenario
from planner.units import HOURS_PER_MONTH, money
from planner.verify.plan import VerificationError, verify_plan

NONE_FOUND = "no single change of the kinds tried gives a plan, nor any pair of them that was tried"


@dataclass(frozen=True, slots=True)
class PeriodsAnswer:
    """A plan over periods, and the problem it answers."""

    plan: plan.Plan
    parts: tuple[Part, ...]
    whole: Whole | None = None
    outcome: Outcome | None = None


def answer_periods(
    scenario: Scenario,
    *,
    limits: SolveLimits | None = None,
    progress: ProgressCallback | None = None,
) -> PeriodsAnswer:
    """Solves over all periods; an outcome that is INVALID is left to the caller in `outcome`."""
    cache: Cache = {}
    explain = limits is None or limits.explain_conflict
    parts = parts_of(scenario, cache=cache)
    lost = list(hopeless(scenario, parts))
    if lost:
        return PeriodsAnswer(_refused(scenario, parts, lost, cache, explain=explain), parts)
    whole = join(scenario, parts)
    outcome = optimize(whole.problem, limits=limits, progress=progress)
    if outcome.status is Status.INVALID:
        draft = _without_plan(scenario, whole, outcome, cache, explain=False)
        return PeriodsAnswer(draft, parts, whole, outcome)
    if not has_plan(outcome):
        draft = _without_plan(scenario, whole, outcome, cache, explain=explain)
    else:
        draft = assemble_periods(scenario, whole, outcome)
        problems = verify_plan(scenario, draft)
        if problems:
            raise VerificationError(problems)
        draft = with_economics(scenario, _worded(scenario, parts, draft)).model_copy(
            update={
                "verified": True,
                "assumptions": assumptions(scenario, parts[0]),
                "baselines": baselines(whole, outcome, limits or SolveLimits()),
            }
        )
    draft = draft.model_copy(
        update={
            "rejections": folded(parts[0].considered),
            "versions": versions(scenario.digest),
        }
    )
    return PeriodsAnswer(draft, parts, whole, outcome)


def _worded(scenario: Scenario, parts: tuple[Part, ...], draft: plan.Plan) -> plan.Plan:
    """The plan with a speed line for each workload of each period."""
    periods = []
    started: dict[str, Ask] = {}
    for part, period in zip(parts, draft.periods, strict=True):
        asks = {a.name: a for a in part.question.asks}
        for run in period.runs:
            # What a run that goes on was asked counts from its start.
            asks[run.workload] = started[run.workload] if run.before_hours else asks[run.workload]
            started[run.workload] = asks[run.workload]
        rows = tuple(
            w.model_copy(update={"summary": summary_words(asks[w.name], w)}) if w.served else w
            for w in period.workloads
        )
        periods.append(period.model_copy(update={"workloads": rows}))
    names = [w.name for w in scenario.workloads]
    return draft.model_copy(
        update={"periods": tuple(periods), "workloads": merged_workloads(names, periods)}
    )


def _refused(
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


def _without_plan(
    scenario: Scenario, whole: Whole, outcome: Outcome, cache: Cache, *, explain: bool
) -> plan.Plan:
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


def assumptions(scenario: Scenario, part: Part) -> tuple[str, ...]:
    """What the figures of a plan over periods rest on."""
    horizon = scenario.spec.horizon
    assert horizon is not None
    count = int(scenario.horizon_s // (part.period.hours * 3600))
    how = {
        "accrual": "purchases are written off evenly over their life, commitments over their term",
        "cash": "every payment counts in the period in which it is due",
    }[horizon.convention]
    texts = [
        f"{count} period{'s' if count > 1 else ''} of {part.period.hours:,} h "
        f"(a month counts {HOURS_PER_MONTH} h); costs by {horizon.convention}: {how}",
        "a node that is bought or committed to serves whole periods; purchases are paid on delivery, "
        "at the start of the period; what owned nodes once cost is spent and not counted",
        "a single training run starts with a period, fills those it spans, and takes the rest of its hours from "
        "the last; it stays on one pool under one term, and GPUs of shared nodes are its own to the end of the period",
    ]
    energy = part.question.energy
    if energy.usd_per_kwh:
        texts.append(
            f"energy of owned and bought nodes: TDP of the GPUs in use x PUE {float(energy.pue):g} x "
            f"{energy.usd_per_kwh} {scenario.spec.currency}/kWh; rent includes energy"
        )
    else:
        texts.append(
            f"no energy price is given: owned nodes cost their upkeep only ({money(energy.usd_per_kwh)})"
        )
    if any(offer.life is None for p in scenario.pools for offer in p.spec.buy):
        texts.append("bought nodes without a `life` are written off over 4 years")
    return tuple(texts)
