"""From a scenario with a horizon to a plan: every period considered, one problem solved, each period verified."""

from __future__ import annotations

from dataclasses import dataclass

from planner.optimize.assemble import has_plan, stats
from planner.optimize.assemble_periods import assemble_periods
from planner.optimize.baselines import baselines
from planner.optimize.outcome import Outcome, ProgressCallback, SolveLimits, Status
from planner.optimize.solve import solve as optimize
from planner.optimize.versions import versions
from planner.options.asks import Ask
from planner.options.binding import summary_words
from planner.options.economics import with_economics
from planner.options.explain import explain_workloads
from planner.options.from_scenario import energy_of
from planner.options.horizon import Part, Whole, join, parts_of
from planner.options.refusals import folded
from planner.plan import schema as plan
from planner.plan.merge import merged_workloads
from planner.scenario.periods import in_period, periods_of, runs_every
from planner.scenario.resolved import Scenario
from planner.units import HOURS_PER_MONTH, money
from planner.verify.plan import VerificationError, verify_plan


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
    parts = parts_of(scenario)
    hopeless = _hopeless(scenario, parts)
    if hopeless is not None:
        return PeriodsAnswer(_refused(scenario, *hopeless), parts)
    whole = join(scenario, parts)
    outcome = optimize(whole.problem, limits=limits, progress=progress)
    if outcome.status is Status.INVALID:
        return PeriodsAnswer(_without_plan(scenario, whole, outcome), parts, whole, outcome)
    if not has_plan(outcome):
        draft = _without_plan(scenario, whole, outcome)
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


def _hopeless(scenario: Scenario, parts: tuple[Part, ...]) -> tuple[Part, list[str]] | None:
    """The first period in which a required workload has no option at all; a job needs one in some period."""
    single = {w.name for w in scenario.workloads if not runs_every(w)}
    placed = {
        name
        for part in parts
        for name, row in part.considered.items()
        if any(c.options for c in row)
    }
    for part in parts:
        names = [
            ask.name
            for ask, wish in zip(part.question.asks, part.question.wishes, strict=True)
            if wish.required
            and not any(c.options for c in part.considered[ask.name])
            and not (ask.name in single and ask.name in placed)
        ]
        if names:
            return part, names
    return None


def _refused(scenario: Scenario, part: Part, names: list[str]) -> plan.Plan:
    told = explain_workloads(part.scenario, part.question, part.considered, names)
    when = f"this is so in the period from {part.period.start} to {part.period.end}"
    return plan.Plan(
        scenario=scenario.name,
        status=plan.Status.INFEASIBLE,
        workloads=_unserved(scenario),
        rejections=folded(part.considered),
        explanations=tuple(e.model_copy(update={"notes": (when, *e.notes)}) for e in told),
        warnings=(
            f"the period from {part.period.start} has no place for {', '.join(names)}",
            *part.question.warnings,
        ),
        solve=stats(part.considered, None),
        versions=versions(scenario.digest),
    )


def _unserved(scenario: Scenario) -> tuple[plan.PlanWorkload, ...]:
    return tuple(
        plan.PlanWorkload(name=w.name, kind=w.kind, model=w.model.id, served=False)
        for w in scenario.workloads
    )


def _without_plan(scenario: Scenario, whole: Whole, outcome: Outcome) -> plan.Plan:
    members = outcome.conflict.members if outcome.conflict else ()
    rows = tuple(_conflict_row(scenario, row) for row in dict.fromkeys(members))
    first = whole.parts[0]
    return plan.Plan(
        scenario=scenario.name,
        status=plan.Status(outcome.status.value),
        workloads=_unserved(scenario),
        conflict=rows,
        explanations=(_together(outcome, rows),) if outcome.status is Status.INFEASIBLE else (),
        warnings=first.question.warnings,
        solve=stats(first.considered, outcome),
    )


def _together(outcome: Outcome, rows: tuple[plan.ConflictRow, ...]) -> plan.Explanation:
    """Why the periods have no plan although every workload has options."""
    lines = (f"line {row.line}: {row.text}" if row.line else row.text for row in rows)
    minimal = outcome.conflict is not None and outcome.conflict.minimal
    return plan.Explanation(
        workload="",
        code="P301",
        headline="no plan exists over the horizon: these facts cannot all hold",
        because=tuple(dict.fromkeys(lines)) or ("no order and no rent serves every period",),
        conflict=rows,
        checked="drop any one and a plan exists" if minimal else "not all may be needed",
        notes=("repairs are looked for in scenarios without a horizon only",),
    )


def _conflict_row(scenario: Scenario, row: str) -> plan.ConflictRow:
    """A row of the solver in the user's words; a service's name carries its period."""
    kind, _, name = row.partition(":")
    if kind == "block":
        known = {w.name: w for w in scenario.workloads}
        words = name if name in known else name.rpartition(" ")[0]
        when = f" in {name.rpartition(' ')[2]}" if name not in known else ""
        line = scenario.span(f"{known[words].path}.name").line
        return plan.ConflictRow(name=name, text=f"`{words}` must be served{when}", line=line)
    if kind == "supply":
        pool_name, _, term = name.partition("/")
        pool = scenario.pool(pool_name)
        line = scenario.span(f"{pool.path}.pool").line
        text = f"`{pool_name}` gives no more {term} nodes in a period"
        sizes = [str(o.min_order) for o in pool.spec.buy if o.min_order]
        if term == "bought" and sizes:
            text += f", and is ordered from {' or '.join(sizes)} nodes on"
        return plan.ConflictRow(name=pool_name, text=text, line=line)
    place = name.partition("[")[0] if name.startswith("limits") else name
    return plan.ConflictRow(
        name=name, text=f"`{name}` must not be exceeded", line=scenario.span(place).line
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
        "the last; it stays on one pool under one term, and GPUs of shared nodes are its own to the end of the period",
    ]
    energy = part.question.energy
    prices = [energy_of(in_period(scenario, p)).usd_per_kwh for p in periods_of(scenario)]
    if any(prices):
        same = len(set(prices)) == 1
        each = str(prices[0]) if same else ", ".join(str(p) for p in prices)
        texts.append(
            f"energy of owned and bought nodes: TDP of the GPUs in use x PUE {float(energy.pue):g} x "
            f"{each} {scenario.spec.currency}/kWh{'' if same else ' by period'}; rent includes energy"
        )
    else:
        texts.append(
            f"no energy price is given: owned nodes cost their upkeep only ({money(energy.usd_per_kwh)})"
        )
    if any(offer.life is None for p in scenario.pools for offer in p.spec.buy):
        texts.append("bought nodes without a `life` are written off over 4 years")
    return tuple(texts)
