"""What the format listed first would have cost over a horizon, where the plan uses a later one in any period."""

from __future__ import annotations

from planner.optimize.outcome import Outcome, SolveLimits, Status
from planner.optimize.period_variants import Variants, barred
from planner.options.horizon import Whole
from planner.plan import schema as plan
from planner.scenario.resolved import Scenario
from planner.units import from_cents, money

SHARE = 0.15
"""Of the work and time of the plan, for all formats together."""


def with_first_formats(
    scenario: Scenario, whole: Whole, base: Outcome, draft: plan.Plan, limits: SolveLimits
) -> plan.Plan:
    """The plan, with the price of insisting on the first format beside each workload that uses a later one.

    It is a second solve in which the workload has that format in every period.
    """
    bench = Variants(scenario, whole, base, limits, SHARE)
    found: dict[str, str] = {}
    left_out = []
    for name, blocks in _blocks(whole).items():
        if not _uses_later(whole, base, blocks):
            continue
        words = _price(bench, blocks, _wanted(whole, name))
        if words:
            found[name] = words
        else:
            left_out.append(name)
    workloads = tuple(
        w.model_copy(update={"binding": found[w.name]}) if w.name in found else w
        for w in draft.workloads
    )
    update: dict[str, object] = {"workloads": workloads}
    if left_out:
        why = "after an interruption" if bench.interrupted else "in the work set aside for it"
        text = (
            f"what the format listed first would cost was not worked out {why} for: "
            f"{', '.join(left_out)}"
        )
        update["assumptions"] = (*draft.assumptions, text)
    return draft.model_copy(update=update)


def _blocks(whole: Whole) -> dict[str, frozenset[int]]:
    """Workload -> its blocks, one for each period or one for all."""
    found: dict[str, set[int]] = {}
    for part in whole.parts:
        for ask, block in zip(part.question.asks, part.blocks, strict=True):
            found.setdefault(ask.name, set()).add(block)
    return {name: frozenset(blocks) for name, blocks in found.items()}


def _uses_later(whole: Whole, base: Outcome, blocks: frozenset[int]) -> bool:
    return any(
        whole.problem.blocks[n].candidates[choice.candidate].preference
        for n in blocks
        for choice in base.plans[n].choices
    )


def _wanted(whole: Whole, name: str) -> str:
    """The format listed first."""
    return next(a.precision[0] for p in whole.parts for a in p.question.asks if a.name == name)


def _price(bench: Variants, blocks: frozenset[int], wanted: str) -> str:
    """What the format costs more; empty where that was not worked out."""
    problem, base = bench.whole.problem, bench.base
    assert base.cost_cents is not None
    bare = [
        problem.blocks[n].name
        for n in sorted(blocks)
        if not any(c.preference == 0 for c in problem.blocks[n].candidates)
    ]
    if bare:
        return f"{wanted}, listed first, fits nowhere in {', '.join(_period(b) for b in bare)}"
    outcome = bench.solve(barred(problem, lambda c: c.preference > 0, blocks))
    if outcome is None:
        return ""
    if outcome.status is Status.INFEASIBLE:
        return f"with {wanted}, listed first, in all periods there is no plan"
    if not outcome.has_plan or outcome.cost_cents is None or bench.vague(outcome):
        return ""
    if bench.verified(outcome) is None:
        return ""
    lost = bench.lost(outcome)
    if lost:
        return f"with {wanted}, listed first, in all periods {', '.join(lost)} would go unserved"
    more = money(from_cents(outcome.cost_cents - base.cost_cents))
    sure = "" if outcome.status is Status.PROVEN else "at most "
    return f"{wanted}, listed first, would cost {sure}{more} more over all periods"


def _period(block: str) -> str:
    return block.rpartition(" ")[2]
