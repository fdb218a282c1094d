"""The Python interface: load a scenario, solve it, fit one model on given GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from planner.catalog.records import Model
from planner.optimize.answer import Answer, answer, chosen_layouts
from planner.optimize.outcome import ProgressCallback
from planner.optimize.outcome import SolveLimits as SolveLimits
from planner.options.fit_wish import FitError as FitError
from planner.options.fit_wish import FitOptions, wish_of
from planner.plan.schema import Plan, PlanAlternative
from planner.scenario import Scenario
from planner.scenario import load as load_scenario

if TYPE_CHECKING:
    from planner.plan.fit_schema import Fit
    from planner.plan.why_schema import Why


def load(path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """Read, check and resolve a scenario; raises DiagnosticError with all problems."""
    return load_scenario(str(path), overrides=tuple(overrides))


def solve(
    scenario: Scenario,
    *,
    limits: SolveLimits | None = None,
    progress: ProgressCallback | None = None,
) -> Plan:
    """The cheapest verified plan for a scenario, or a plan with a status that says why there is none."""
    return solve_fully(scenario, limits=limits, progress=progress).plan


def solve_fully(
    scenario: Scenario,
    *,
    limits: SolveLimits | None = None,
    progress: ProgressCallback | None = None,
) -> Answer:
    """Like `solve`, with all that was considered on the way."""
    return answer(scenario, limits=limits, progress=progress)


def with_alternatives(
    scenario: Scenario, found: Answer, *, count: int = 5, within: float = 0.03
) -> Answer:
    """The answer with up to `count` plans that cost at most `within` more and use other GPUs."""
    from planner.optimize import near_optimal, near_optimal_periods

    periods = found.over_periods
    if periods is not None:
        if periods.whole is None or periods.outcome is None or not periods.outcome.has_plan:
            return found
        others = near_optimal_periods.near_optimal(
            scenario, periods.whole, periods.outcome, count=count, within=within
        )
        return _beside(found, others, within)
    if found.built is None or found.outcome is None or not found.outcome.has_plan:
        return found
    others = near_optimal.near_optimal(
        scenario, found.question, found.considered, found.built, found.outcome,
        count=count, within=within,
    )  # fmt: skip
    return _beside(found, others, within)


def _beside(found: Answer, others: tuple[PlanAlternative, ...], within: float) -> Answer:
    """The answer with other plans beside its own."""
    from dataclasses import replace

    update = {"alternatives": others, "alternatives_within": within}
    return replace(found, plan=found.plan.model_copy(update=update))


def with_uncertainty(
    scenario: Scenario,
    found: Answer,
    *,
    robust: bool = False,
    sensitivity: bool = False,
    limits: SolveLimits | None = None,
    progress: ProgressCallback | None = None,
) -> Answer:
    """The answer with its orders tested in low and high cases, and with what changes are worth.

    Both need a plan, and `robust` a scenario with a horizon; without them the answer stays as it is.
    """
    from dataclasses import replace

    from planner.optimize.robust import robust as test_orders
    from planner.optimize.sensitivity import sensitivity as value_changes

    periods = found.over_periods
    base = found.outcome if periods is None else periods.outcome
    if base is None or not base.has_plan:
        return found
    limits = limits or SolveLimits()
    update: dict[str, object] = {}
    if robust and periods is not None:
        update["robust"] = test_orders(scenario, base, limits, progress)
    if sensitivity:
        values = value_changes(scenario, base, limits, progress)
        update["sensitivity"] = values.changes
        update["break_evens"] = values.break_evens
        update["sensitivity_notes"] = values.notes
    return replace(found, plan=found.plan.model_copy(update=update))


def fit(
    model: str | Model,
    gpu: str,
    *,
    nvlink: str | None = None,
    host_ram: str | None = None,
    rules: bool = False,
    **wish: Unpack[FitOptions],
) -> Fit:
    """The memory and speed of one model on the GPUs of one node, and how far it goes; no scenario is needed.

    Args:
        model: A name in the catalog, such as `llama-3.1-8b`, or a record.
        gpu: GPUs of one node, such as `4xv100-sxm2-32gb`, or a node type such as `aws-p4de.24xlarge`.
        nvlink: NVLink per GPU, both directions, such as `300 GB/s`; absent: the GPU's own.
        host_ram: Host RAM of the node, such as `256 GiB`; absent: enough.
        rules: Whether well-known rules of thumb stand beside our figures.
        wish: What is to be done with the model; see `FitOptions`. What is not given is assumed, and said in `assumed`.

    Raises:
        FitError: A ValueError that names the `parameter` to change and how.

    >>> found = fit("llama-65b", "4xv100-sxm2-32gb", kinds=["inference"], precision=["gptq-int4"])
    >>> found.any_fits, found.kinds[0].least_gpus
    (True, 2)
    """
    from planner.options.fit import account_of

    return account_of(model, gpu, wish_of(**wish), nvlink, host_ram, rules=rules)


def why(
    scenario: Scenario,
    workload: str,
    *,
    pools: Sequence[str] = (),
    every: bool = False,
    period: str | None = None,
) -> Why:
    """Everything considered for one workload; what the whole scenario's plan uses is `chosen`.

    Args:
        scenario: The scenario, solved for this.
        workload: Name of the workload.
        pools: Pools to show; empty: all.
        every: Whether every layout is a row of its own.
        period: Name of a period such as `2027-01`, where the scenario has a horizon; None: the first it runs in.

    Raises:
        ValueError: Where the workload is not asked for in that period.
    """
    from planner.options.consider import consider_one
    from planner.options.considered_rows import considered_rows
    from planner.plan.why_schema import Why

    found = solve_fully(scenario, limits=SolveLimits(explain_conflict=False, compare=False))
    question = found.question
    here = None
    if found.over_periods is not None:
        from planner.optimize.why_periods import why_in_period

        here = why_in_period(scenario, found.over_periods, workload, period)
        if here is None:
            raise ValueError(f"`{workload}` is not asked for in {period}")
        question = here.question
    number = next(i for i, a in enumerate(question.asks) if a.name == workload)
    ask, wish = question.asks[number], question.wishes[number]
    facts = [s.facts for s in question.suppliers if not pools or s.facts.name in pools]
    parts = [consider_one(ask, f, detail=True) for f in facts]
    chosen = chosen_layouts(found, number) if here is None else here.chosen
    rows = considered_rows(question, ask, wish, parts, chosen, every=every)
    counted = {
        "chosen": sum(r.verdict == "chosen" for r in rows),
        "fitting": sum(len(p.options) for p in parts),
        "dominated": sum(p.dominated for p in parts),
        "rejected": sum(p.rejected for p in parts),
    }
    return Why(
        workload=workload, model=ask.model.id, currency=question.currency,
        status=found.plan.status.value, rows=tuple(rows), counted=counted,
        period=here.name if here else None, other_periods=here.others if here else (),
    )  # fmt: skip
