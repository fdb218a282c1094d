"""Parts of an option as the plan stores them."""

from __future__ import annotations

from planner.layout import Layout
from planner.options.describe import layout_text
from planner.options.records import Account, Timing
from planner.plan import schema as plan


def plan_layout(layout: Layout) -> plan.PlanLayout:
    """The layout as the plan stores it."""
    names = [n for n in plan.PlanLayout.model_fields if n != "text"]
    return plan.PlanLayout(
        text=layout_text(layout, brief=True), **{n: getattr(layout, n) for n in names}
    )


def plan_ledger(account: Account) -> plan.PlanLedger:
    """The account as the plan stores it."""
    return plan.PlanLedger(
        components={
            name: plan.LedgerLine(gib=best, upper_gib=upper, formula=formula, tag=tag)
            for name, best, upper, formula, tag in account.components
        },
        total_gib=account.total_gib,
        upper_gib=account.upper_gib,
        usable_gib=account.usable_gib,
        usable_formula=account.usable_formula,
        host_gib=account.host_gib,
        nvme_gib=account.nvme_gib,
        extrapolated=account.extrapolated,
    )


def plan_speed(timing: Timing) -> plan.PlanSpeed:
    """The timing as the plan stores it."""
    names = list(plan.PlanSpeed.model_fields)
    return plan.PlanSpeed(**{n: getattr(timing, n) for n in names})
