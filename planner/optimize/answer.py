"""From a scenario to a plan: consider, build, solve, assemble, verify, explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.beside import Beside, can_fork
from planner.layout import Layout
from planner.optimize.assemble import assemble, has_plan
from planner.optimize.caution import MOST_CANDIDATES, Bold, bold_answer, with_caution
from planner.optimize.first_choice import with_first_choices
from planner.optimize.outcome import Outcome, ProgressCallback, SolveLimits, Status
from planner.optimize.solve import solve as optimize
from planner.optimize.versions import versions
from planner.options.binding import with_words
from planner.options.build import Built, build
from planner.options.consider import consider
from planner.options.from_scenario import question_of
from planner.options.question import ConsideredByWorkload, Question
from planner.options.refusals import folded
from planner.plan import schema as plan
from planner.scenario import Scenario
from planner.verify.plan import VerificationError, verify_plan

if TYPE_CHECKING:
    from planner.optimize.answer_periods import PeriodsAnswer

LEAST_BESIDE = 100
"""Workloads from which a plan is verified beside the words for it, where limits allow a second process."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan with all that was considered on the way to it."""

    plan: plan.Plan
    question: Question
    considered: ConsideredByWorkload
    built: Built | None = None
    outcome: Outcome | None = None
    over_periods: PeriodsAnswer | None = None
    """The problem over all periods, where the scenario has a horizon."""


class SolverBug(RuntimeError):  # noqa: N818 - reads as what it is
    """The optimizer contradicted itself; never shown as a plan."""


def answer(
    scenario: Scenario,
    *,
    limits: SolveLimits | None = None,
    progress: ProgressCallback | None = None,
) -> Answer:
    """Solve a scenario; a plan that does not verify raises VerificationError."""
    if scenario.spec.horizon is not None:
        return _over_periods(scenario, limits, progress)
    question = question_of(scenario)
    with bold_answer(question, limits) as bold:
        return _steady(scenario, question, limits, progress, bold)


def _steady(
    scenario: Scenario,
    question: Question,
    limits: SolveLimits | None,
    progress: ProgressCallback | None,
    bold: Beside[Bold | None],
) -> Answer:
    """The answer to a scenario without a horizon."""
    explain = limits is None or limits.explain_conflict
    apart = bool(limits and limits.second_process) and can_fork()
    considered = consider(question, fork=apart)
    hopeless = [
        a.name
        for a, w in zip(question.asks, question.wishes, strict=True)
        if w.required and not any(c.options for c in considered[a.name])
    ]
    if hopeless:
        from planner.optimize.repairs_answer import refused

        told = refused(scenario, question, considered, hopeless, explain=explain)
        told = told.model_copy(update={"versions": versions(scenario.digest)})
        return Answer(told, question, considered)
    built = build(
        question.asks,
        question.wishes,
        considered,
        question.suppliers,
        question.energy,
        question.limits,
    )
    candidates = sum(len(block.candidates) for block in built.problem.blocks)
    if candidates > MOST_CANDIDATES:
        bold.drop()
    outcome = optimize(built.problem, limits=limits, progress=progress)
    if outcome.status is Status.INVALID:
        raise SolverBug(outcome.message)
    if not has_plan(outcome):
        from planner.optimize.repairs_answer import without_plan

        result = without_plan(scenario, question, considered, outcome, explain=explain)
    else:
        draft = assemble(question, considered, built, outcome)
        many = apart and len(question.asks) >= LEAST_BESIDE
        with Beside(lambda: verify_plan(scenario, draft), fork=many and can_fork()) as check:
            worded = with_words(question, considered, draft)
            problems = check.result()
        if problems:
            raise VerificationError(problems)
        if limits is None or limits.compare:
            worded = with_first_choices(question, built, outcome, worded, limits)
            worded = with_caution(question, outcome, worded, candidates, bold)
        result = worded.model_copy(update={"verified": True})
    result = result.model_copy(
        update={"rejections": folded(considered), "versions": versions(scenario.digest)}
    )
    return Answer(result, question, considered, built, outcome)


def _over_periods(
    scenario: Scenario, limits: SolveLimits | None, progress: ProgressCallback | None
) -> Answer:
    """The answer to a scenario with a horizon; question and options are those of its first period."""
    from planner.optimize.answer_periods import answer_periods

    found = answer_periods(scenario, limits=limits, progress=progress)
    if found.outcome is not None and found.outcome.status is Status.INVALID:
        raise SolverBug(found.outcome.message)
    first = found.parts[0]
    return Answer(found.plan, first.question, first.considered, over_periods=found)


def chosen_layouts(found: Answer, number: int) -> frozenset[tuple[str, Layout]]:
    """(pool, layout) of what the plan uses for workload `number`; empty without a plan."""
    if found.built is None or found.outcome is None or not has_plan(found.outcome):
        return frozenset()
    block = found.built.problem.blocks[number]
    used = [block.candidates[c.candidate] for c in found.outcome.plans[number].choices]
    options = [found.built.options[c.option] for c in used]
    return frozenset((o.pool, o.layout) for o in options)
