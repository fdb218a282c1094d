"""The plan that says why there is none: story, conflict, repairs, and what can be had all the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.optimize.assemble import stats
from planner.optimize.outcome import Outcome, Status
from planner.optimize.repairs import partial_plan, repair_together, repair_workload
from planner.optimize.repairs_bench import Bench, Trial
from planner.optimize.repairs_combine import repair_all
from planner.optimize.repairs_conflict import RowConflict, narrow
from planner.optimize.repairs_found import Fix, Found
from planner.optimize.repairs_story import checked, conflict_rows, row_path, source_place, story
from planner.options.explain import explain_workloads
from planner.options.explain.what_if import option_words, refused_words
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Rejection
from planner.options.refusals import folded
from planner.plan import schema as plan
from planner.scenario import Scenario
from planner.scenario.paths import child, parse_path
from planner.units import from_cents

NONE_FOUND = "no single change of the kinds tried gives a plan, nor any combination of up to three that was tried"
_TELLING = ("deadline", "slo", "interconnect", "attention", "precision", "gpus", "pools")
"""Rows worth pointing at instead of the model, where it is not memory that is short."""
MOST_REPAIRS = 8
"""Repairs printed for one workload, or for all together."""


def refused(
    scenario: Scenario,
    question: Question,
    considered: ConsideredByWorkload,
    hopeless: Sequence[str],
    *,
    explain: bool = True,
) -> plan.Plan:
    """Workloads without any option: told from their rejections; the rest is solved all the same."""
    draft = _draft(scenario, question, considered, None)
    told = explain_workloads(scenario, question, considered, hopeless)
    if not explain:
        return draft.model_copy(update={"explanations": told})
    bench = Bench()
    bench.seed(question, considered)
    partial = partial_plan(bench, question)
    served = served_words(partial)
    found = [repair_workload(bench, question, name, served) for name in hopeless]
    conflicts = [
        narrow(bench, question, [f"block:{name}"], lambda w, p: is_written(scenario, w, p))
        for name in hopeless
    ]
    told = tuple(
        _with_conflict(scenario, question, bench, e, f, c)
        for e, f, c in zip(told, found, conflicts, strict=True)
    )
    repairs = [
        repair_record(fix, partial, name)
        for name, f in zip(hopeless, found, strict=True)
        for fix in f.fixes[:MOST_REPAIRS]
    ]
    if len(hopeless) > 1:
        repairs += [repair_record(f, partial, "") for f in repair_all(bench, question, found)]
    return draft.model_copy(
        update={
            "workloads": _with_served(draft.workloads, served),
            "explanations": told,
            "conflict": told[0].conflict if told else (),
            "repairs": tuple(repairs),
        }
    )


def _with_conflict(
    scenario: Scenario,
    question: Question,
    bench: Bench,
    told: plan.Explanation,
    found: Found,
    conflict: RowConflict,
) -> plan.Explanation:
    name = told.workload
    before = Trial(
        question=question, considered=bench.considered(question), hopeless=(name,)
    ).nearest()
    notes = [*told.notes, *_notes(found, before)]
    rows = conflict_rows(scenario, bench, conflict)
    update: dict[str, object] = {
        "notes": tuple(notes), "conflict": rows, "checked": checked(conflict),
    }  # fmt: skip
    wishes = [m for m in conflict.members if m.lever is not None and m.lever.kind in _TELLING]
    if wishes and told.place is not None and not told.tried:
        update["place"] = source_place(scenario, row_path(scenario, wishes[0]))
    return told.model_copy(update=update)


def _notes(found: Found, before: Rejection | None) -> list[str]:
    """Changes that cannot work, with the number; those that fit alone but not beside the others, as such."""
    ruled_out = [
        (s.widest, t.nearest()) for s, t in found.failed if t.hopeless and s.kind != "drop"
    ]
    crowded = [s.widest for s, t in found.failed if not t.hopeless and t.impossible]
    notes = list(refused_words(ruled_out, before))
    if crowded:
        notes.append(f"fits alone, but not beside the other workloads: {', '.join(crowded)}")
    return [*notes, *dict.fromkeys(found.notes), *_none_found(found)]


def _none_found(found: Found) -> list[str]:
    return [] if found.fixes else [NONE_FOUND]


def without_plan(
    scenario: Scenario,
    question: Question,
    considered: ConsideredByWorkload,
    outcome: Outcome,
    *,
    explain: bool = True,
) -> plan.Plan:
    """Options exist, but not together (proven), or nothing was found within the limit (unknown)."""
    draft = _draft(scenario, question, considered, outcome)
    if outcome.status is not Status.INFEASIBLE or outcome.conflict is None or not explain:
        return draft
    bench = Bench()
    bench.seed(question, considered)
    partial = partial_plan(bench, question)
    conflict = narrow(
        bench, question, outcome.conflict.members, lambda w, p: is_written(scenario, w, p)
    )
    rows = conflict_rows(scenario, bench, conflict)
    names = [m.name for m in conflict.members if m.kind == "block"]
    found = repair_together(bench, question, names)
    told = story(scenario, bench, conflict, rows)
    told = told.model_copy(update={"notes": tuple(_joint_notes(found))})
    return draft.model_copy(
        update={
            "workloads": _with_served(draft.workloads, served_words(partial)),
            "conflict": rows,
            "explanations": (told,),
            "repairs": tuple(repair_record(f, partial, "") for f in found.fixes[:MOST_REPAIRS]),
        }
    )


def _joint_notes(found: Found) -> list[str]:
    """Obvious changes that leave the conflict as it is."""
    failed = [
        search
        for search, trial in found.failed
        if search.kind in ("opex", "power", "racks", "nodes", "spare-nodes", "rent")
        and trial.impossible
    ]
    texts = [s.widest for s in failed if s.kind != "nodes"]
    nodes = [s.widest for s in failed if s.kind == "nodes"]
    texts[:0] = nodes if len(nodes) < 3 else [f"more nodes of any of {len(nodes)} pools"]
    if not texts:
        return _none_found(found)
    what = "alone does not help" if len(texts) == 1 else "each alone does not help"
    return [f"{'; '.join(texts)}: {what}", *_none_found(found)]


def _draft(
    scenario: Scenario,
    question: Question,
    considered: ConsideredByWorkload,
    outcome: Outcome | None,
) -> plan.Plan:
    status = plan.Status(outcome.status.value) if outcome else plan.Status.INFEASIBLE
    return plan.Plan(
        scenario=question.name,
        status=status,
        workloads=tuple(
            plan.PlanWorkload(name=a.name, kind=a.kind, model=a.model.id, served=False)
            for a in question.asks
        ),
        rejections=folded(considered),
        warnings=question.warnings,
        solve=stats(considered, outcome),
    )


def served_words(partial: Trial) -> dict[str, str]:
    """Workloads of the partial plan, each with what it gets."""
    if partial.outcome is None or partial.built is None or not partial.works:
        return {}
    words = {}
    for block_plan in partial.outcome.plans:
        block = partial.built.problem.blocks[block_plan.block]
        parts = [
            option_words(partial.built.options[block.candidates[c.candidate].option], c.replicas)
            for c in block_plan.choices
        ]
        if parts:
            words[block.name] = " and ".join(parts)
    return words


def _with_served(
    workloads: Sequence[plan.PlanWorkload], served: Mapping[str, str]
) -> tuple[plan.PlanWorkload, ...]:
    return tuple(w.model_copy(update={"summary": served.get(w.name, "")}) for w in workloads)


def repair_record(fix: Fix, partial: Trial, workload: str) -> plan.Repair:
    """A fix as the plan stores it."""
    total = from_cents(fix.cents)
    base = from_cents(partial.cents) if partial.works and partial.cents is not None else None
    return plan.Repair(
        change=fix.text if workload else fix.full_text,
        cost=total,
        verified=True,
        workload=workload,
        difference=None if base is None else total - base,
        kind=fix.changes[0].kind if len(fix.changes) == 1 else "combination",
        gives=fix.says,
        combination=fix.combination,
    )


def is_written(scenario: Scenario, workload: str, path: str) -> bool:
    """Whether the file itself has that row of the workload."""
    node = scenario.root
    for step in parse_path(f"{scenario.workload(workload).path}.{path}"):
        below = child(node, step)
        if below is None:
            return False
        node = below
    return True
