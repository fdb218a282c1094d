"""Why a plan over periods orders, rents and uses what it does: what it would cost otherwise."""

from __future__ import annotations

from typing import Literal

from planner.plan.base import Money, PlanModel

Way = Literal["without", "rent", "commit", "buy", "earlier", "later", "with"]
"""`without` it; by rent on demand, a commitment or a purchase in its place; the same order a period earlier or later;
or `with` an offer that the plan leaves."""


class Instead(PlanModel):
    """The cheapest plan in which one thing is otherwise, by a second solve."""

    action: Literal["buy", "commit", "rent", "contract", "own"]
    pool: str
    offer: int | None = None
    """Which of the pool's offers to buy, or of its ways to rent, from 1; None for nodes rented on demand, under
    contract or owned."""
    nodes: int
    """Nodes of the order, or the most in use at once; 0 for an offer that the plan leaves."""
    period: str = ""
    """Name of the first period in which they are there or in use; empty for an offer that the plan leaves."""
    way: Way
    change: str
    """What is otherwise, in words."""
    cost: Money | None
    """Of the cheapest plan found with it; None: there is none."""
    bound: Money | None
    """No plan with it costs less; equal to `cost` where that is proven."""
    more: Money | None
    """`cost` less the cost of the plan; None: there is no plan with it, or one that leaves more unserved."""
    proven: bool
    """It costs exactly that, or it is proven that there is no plan."""
    unserved: tuple[str, ...] = ()
    """Workloads, with their period, that go without GPUs then and have some in the plan."""
    then: str = ""
    """What that plan orders and uses otherwise."""
