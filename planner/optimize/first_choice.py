"""What the format listed first would have cost, where the plan uses a later one."""

from __future__ import annotations

from dataclasses import replace

from planner.optimize.outcome import Outcome, SolveLimits
from planner.optimize.solve import solve
from planner.options.build import Built
from planner.options.question import Question
from planner.plan import schema as plan
from planner.units import from_cents, money


def with_first_choices(
    question: Question, built: Built, outcome: Outcome, draft: plan.Plan, limits: SolveLimits | None
) -> plan.Plan:
    """The plan, with the price of insisting on the first format beside each workload that uses a later one."""
    workloads = list(draft.workloads)
    for number, block_plan in enumerate(outcome.plans):
        block = built.problem.blocks[number]
        used = [block.candidates[c.candidate] for c in block_plan.choices]
        if not used or all(c.preference == 0 for c in used):
            continue
        wanted = question.asks[number].precision[0]
        words = _price(built, outcome, number, wanted, limits)
        joined = "; ".join(w for w in (words, workloads[number].binding) if w)
        workloads[number] = workloads[number].model_copy(update={"binding": joined})
    return draft.model_copy(update={"workloads": tuple(workloads)})


def _price(
    built: Built, outcome: Outcome, number: int, wanted: str, limits: SolveLimits | None
) -> str:
    block = built.problem.blocks[number]
    first = tuple(c for c in block.candidates if c.preference == 0)
    if not first:
        return "the format listed first fits nowhere"
    blocks = list(built.problem.blocks)
    blocks[number] = replace(block, candidates=first)
    limits = replace(limits or SolveLimits(), explain_conflict=False, tie_break=False)
    other = solve(replace(built.problem, blocks=tuple(blocks)), limits=limits)
    if not other.has_plan or other.cost_cents is None or outcome.cost_cents is None:
        return f"with {wanted}, listed first, there is no plan"
    more = other.cost_cents - outcome.cost_cents
    return f"{wanted}, listed first, would cost {money(from_cents(more))} more"
