"""From a scenario to a plan: consider, build, solve, assemble, verify, explain."""

from __future__ import annotations

from dataclasses import dataclass

from planner.layout import Layout
from planner.optimize.assemble import assemble, has_plan, stats
from planner.optimize.first_choice import with_first_choices
from planner.optimize.outcome import Outcome, ProgressCallback, SolveLimits, Status
from planner.optimize.solve import solve as optimize
from planner.optimize.versions import versions
from planner.options.binding import with_words
from planner.options.build import Built, build
from planner.options.consider import consider
from planner.options.explain import explain_workloads
from planner.options.from_scenario import question_of
from planner.options.question import ConsideredByWorkload, Question
from planner.options.refusals import folded
from planner.plan import schema as plan
from planner.scenario import Scenario
from planner.verify.plan import VerificationError, verify_plan


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan with all that was considered on the way to it."""

    plan: plan.Plan
    question: Question
    considered: ConsideredByWorkload
    built: Built | None = None
    outcome: Outcome | None = None


class SolverBug(RuntimeError):  # noqa: N818 - reads as what it is
    """The optimizer contradicted itself; never shown as a plan."""


def answer(
    scenario: Scenario,
    *,
    limits: SolveLimits | None = None,
    progress: ProgressCallback | None = None,
) -> Answer:
    """Solve a scenario; a plan that does not verify raises VerificationError."""
    question = question_of(scenario)
    considered = consider(question)
    hopeless = [
        a.name
        for a, w in zip(question.asks, question.wishes, strict=True)
        if w.required and not any(c.options for c in considered[a.name])
    ]
    if hopeless:
        return Answer(_refused(scenario, question, considered, hopeless), question, considered)
    built = build(
        question.asks,
        question.wishes,
        considered,
        question.suppliers,
        question.energy,
        question.limits,
    )
    outcome = optimize(built.problem, limits=limits, progress=progress)
    if outcome.status is Status.INVALID:
        raise SolverBug(outcome.message)
    if not has_plan(outcome):
        result = _without_plan(scenario, question, considered, outcome)
    else:
        draft = assemble(question, considered, built, outcome)
        problems = verify_plan(scenario, draft)
        if problems:
            raise VerificationError(problems)
        worded = with_words(question, considered, draft)
        worded = with_first_choices(built, outcome, worded, limits)
        result = worded.model_copy(update={"verified": True})
    result = result.model_copy(
        update={"rejections": folded(considered), "versions": versions(scenario.digest)}
    )
    return Answer(result, question, considered, built, outcome)


def _refused(
    scenario: Scenario,
    question: Question,
    considered: ConsideredByWorkload,
    hopeless: list[str],
) -> plan.Plan:
    """Workloads without any option: told from their rejections, no solver needed."""
    return plan.Plan(
        scenario=question.name,
        status=plan.Status.INFEASIBLE,
        workloads=tuple(
            plan.PlanWorkload(name=a.name, kind=a.kind, model=a.model.id, served=False)
            for a in question.asks
        ),
        rejections=folded(considered),
        explanations=explain_workloads(scenario, question, considered, hopeless),
        warnings=question.warnings,
        solve=stats(considered, None),
        versions=versions(scenario.digest),
    )


def _without_plan(
    scenario: Scenario, question: Question, considered: ConsideredByWorkload, outcome: Outcome
) -> plan.Plan:
    """Options exist, but not together (proven), or nothing was found within the limit (unknown)."""
    rows = outcome.conflict.members if outcome.conflict else ()
    return plan.Plan(
        scenario=question.name,
        status=plan.Status(outcome.status.value),
        workloads=tuple(
            plan.PlanWorkload(name=a.name, kind=a.kind, model=a.model.id, served=False)
            for a in question.asks
        ),
        conflict=tuple(_conflict_row(scenario, question, row) for row in rows),
        warnings=question.warnings,
        solve=stats(considered, outcome),
    )


def _conflict_row(scenario: Scenario, question: Question, row: str) -> plan.ConflictRow:
    """A row of the solver in the user's words, with its line."""
    kind, _, name = row.partition(":")
    if kind == "block":
        workload = scenario.workload(name)
        line = scenario.span(f"{workload.path}.name").line
        return plan.ConflictRow(name=name, text=f"`{name}` must be served", line=line)
    if kind == "supply":
        pool_name, _, term = name.partition("/")
        pool = scenario.pool(pool_name)
        supplier = question.supplier(pool_name)
        nodes = next(t.max_nodes for t in supplier.terms if t.name == term)
        gpus = nodes * supplier.facts.node_gpus
        text = f"`{pool_name}` has {nodes} {term} node{'s' if nodes != 1 else ''}, {gpus} GPUs"
        return plan.ConflictRow(
            name=pool_name, text=text, line=scenario.span(f"{pool.path}.pool").line
        )
    limit = next(x for x in question.limits if x.name == name)
    return plan.ConflictRow(
        name=name, text=f"`{name}` allows {limit.bound:,}", line=scenario.span(name).line
    )


def chosen_layouts(found: Answer, number: int) -> frozenset[tuple[str, Layout]]:
    """(pool, layout) of what the plan uses for workload `number`; empty without a plan."""
    if found.built is None or found.outcome is None or not has_plan(found.outcome):
        return frozenset()
    block = found.built.problem.blocks[number]
    used = [block.candidates[c.candidate] for c in found.outcome.plans[number].choices]
    options = [found.built.options[c.option] for c in used]
    return frozenset((o.pool, o.layout) for o in options)
