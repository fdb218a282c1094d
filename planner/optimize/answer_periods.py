"""From a scenario with a horizon to a plan: every period considered, one problem solved, each period verified."""

from __future__ import annotations

from dataclasses import dataclass

from planner.beside import Beside
from planner.optimize.assemble import has_plan
from planner.optimize.assemble_periods import assemble_periods
from planner.optimize.baselines import baselines
from planner.optimize.caution import MOST_CANDIDATES, Bold
from planner.optimize.caution_periods import bold_answer, candidates_of, with_caution
from planner.optimize.first_choice_periods import with_first_formats
from planner.optimize.instead import with_insteads
from planner.optimize.outcome import Outcome, ProgressCallback, SolveLimits, Status
from planner.optimize.period_bench import hopeless
from planner.optimize.period_refusal import refused, without_plan
from planner.optimize.solve import solve as optimize
from planner.optimize.versions import versions
from planner.options.asks import Ask
from planner.options.binding import summary_words
from planner.options.consider import Cache
from planner.options.drives import with_drives
from planner.options.economics import with_economics
from planner.options.energy import energy_of, power_words
from planner.options.horizon import Part, Whole, join, parts_of
from planner.options.refusals import folded
from planner.options.spot import spot_assumptions
from planner.plan import schema as plan
from planner.plan.merge import merged_workloads
from planner.scenario.periods import in_period, periods_of
from planner.scenario.resolved import Scenario
from planner.units import HOURS_PER_MONTH, money
from planner.verify.plan import VerificationError, check_other_plans, check_tables, verify_plan


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
    limits = limits or SolveLimits()
    with bold_answer(scenario, limits) as bold:
        return _answered(scenario, limits, progress, bold)


def _answered(
    scenario: Scenario,
    limits: SolveLimits,
    progress: ProgressCallback | None,
    bold: Beside[Bold | None],
) -> PeriodsAnswer:
    cache: Cache = {}
    explain = limits.explain_conflict
    parts = parts_of(scenario, cache=cache)
    lost = list(hopeless(scenario, parts))
    if lost:
        return PeriodsAnswer(refused(scenario, parts, lost, cache, explain=explain), parts)
    whole = join(scenario, parts)
    if candidates_of(whole) > MOST_CANDIDATES:
        bold.drop()
    outcome = optimize(whole.problem, limits=limits, progress=progress)
    if outcome.status is Status.INVALID:
        draft = without_plan(scenario, whole, outcome, cache, explain=False)
        return PeriodsAnswer(draft, parts, whole, outcome)
    if not has_plan(outcome):
        draft = without_plan(scenario, whole, outcome, cache, explain=explain)
    else:
        draft = _told(scenario, whole, outcome, limits, bold)
    draft = draft.model_copy(
        update={
            "rejections": folded(parts[0].considered),
            "versions": versions(scenario.digest),
        }
    )
    return PeriodsAnswer(draft, parts, whole, outcome)


def _told(
    scenario: Scenario,
    whole: Whole,
    outcome: Outcome,
    limits: SolveLimits,
    bold: Beside[Bold | None],
) -> plan.Plan:
    """The plan of an outcome, verified, with all that is told of it."""
    draft = assemble_periods(scenario, whole, outcome)
    problems = verify_plan(scenario, draft)
    if problems:
        raise VerificationError(problems)
    ruled = baselines(scenario, whole, outcome, limits)
    draft = with_economics(scenario, _worded(scenario, whole.parts, draft)).model_copy(
        update={
            "verified": True,
            "assumptions": assumptions(scenario, whole.parts[0]),
            "baselines": tuple(r.row for r in ruled),
            "rule_plans": tuple(r.plan for r in ruled if r.plan is not None),
        }
    )
    draft = with_drives(draft)
    if limits.compare:
        draft = with_first_formats(scenario, whole, outcome, draft, limits)
        draft = with_insteads(scenario, whole, outcome, draft, limits)
        draft = with_caution(scenario, whole, outcome, draft, bold)
    found = [*check_tables(scenario, draft), *check_other_plans(scenario, draft)]
    problems = [p for f in found for p in f.problems]
    if problems:
        raise VerificationError(problems)
    return draft


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
        "the last; it stays on one pool under one term, and GPUs of shared nodes are held to the end of the period",
        "training runs within a period may take turns on the same GPUs, together no longer than the shortest of "
        "their deadlines and intervals",
    ]
    energy = part.question.energy
    prices = [energy_of(in_period(scenario, p)).usd_per_kwh for p in periods_of(scenario)]
    texts += power_words(scenario, energy, prices)
    if not any(prices):
        texts.append(
            f"no energy price is given: owned nodes cost their upkeep only ({money(energy.usd_per_kwh)})"
        )
    texts += spot_assumptions(scenario)
    if any(offer.life is None for p in scenario.pools for offer in p.spec.buy):
        texts.append("bought nodes without a `life` are written off over 4 years")
    return tuple(texts)
