"""What the format listed first would have cost, where the plan uses a later one."""

from __future__ import annotations

from dataclasses import replace

from planner.optimize.outcome import Outcome, SolveLimits
from planner.optimize.solve import solve
from planner.options.build import Built
from planner.options.question import Question
from planner.plan import schema as plan
from planner.units import from_cents, money

MOST_WORK = 10_000
"""Most prices x candidates of the problem that are worked out."""


def with_first_choices(
    question: Question, built: Built, outcome: Outcome, draft: plan.Plan, limits: SolveLimits | None
) -> plan.Plan:
    """The plan, with the price of insisting on the first format beside each workload that uses a later one.

    Each price takes a solve; where that is too much work, the plan says that they are left out.
    """
    later = _later(built, outcome)
    if len(later) * sum(len(block.candidates) for block in built.problem.blocks) > MOST_WORK:
        text = (
            f"{len(later)} workloads use a format listed later; in a scenario of this size what the first would cost "
            "is left out, and `planner why FILE WORKLOAD` compares the formats of one"
        )
        return draft.model_copy(update={"assumptions": (*draft.assumptions, text)})
    workloads = list(draft.workloads)
    for number in later:
        wanted = question.asks[number].precision[0]
        words = _price(built, outcome, number, wanted, limits)
        joined = "; ".join(w for w in (words, workloads[number].binding) if w)
        workloads[number] = workloads[number].model_copy(update={"binding": joined})
    return draft.model_copy(update={"workloads": tuple(workloads)})


def _later(built: Built, outcome: Outcome) -> list[int]:
    """Workloads that use a format listed later."""
    found = []
    for number, block_plan in enumerate(outcome.plans):
        candidates = built.problem.blocks[number].candidates
        if any(candidates[choice.candidate].preference for choice in block_plan.choices):
            found.append(number)
    return found


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
