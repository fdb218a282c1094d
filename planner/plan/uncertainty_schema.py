"""What a plan says of uncertainty: orders in several cases, what changes are worth, prices at which it changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer

from planner.plan.base import Money, PlanModel

Rate = Annotated[
    Decimal, PlainSerializer(lambda v: format(v, "f"), return_type=str, when_used="json")
]
"""A price with all its decimals."""


class RobustCase(PlanModel):
    """One way things may turn out."""

    name: str
    demand: float
    """Demand of the services over the stated one."""
    prices: float
    """Prices of energy and rent on demand over the stated ones."""
    late_days: int
    """Days that purchases arrive late."""
    cost: Money | None
    """Of the best plan that knows the case beforehand; None: nothing can serve it."""
    bound: Money | None = None
    """No plan for the case costs less; equal to `cost` where it is proven."""


class RobustOrder(PlanModel):
    """One set of orders, tested in every case."""

    made_for: str
    """The first case in which it is the best; `all`: least in sum over the cases; `near`: next to another one."""
    best_for: tuple[str, ...] = ()
    """All cases in which it is the best."""
    orders: tuple[str, ...]
    costs: dict[str, Money | None]
    """Case -> cost with these orders and the best use of everything else; None: not everything can be served."""
    regrets: dict[str, Money | None] = Field(default_factory=dict)
    """Case -> what that is more than the best plan of the case."""
    worst_regret: Money | None
    """The largest regret; None where it cannot serve a case."""
    least_regret: bool = False
    """The worst regret is the least of all orders tested."""
    proven: bool = False
    """No use of rent makes these orders cheaper in any case; else costs may be less than stated."""


class Slip(PlanModel):
    """What a late delivery costs."""

    pool: str
    nodes: int
    arrives: str
    days: int
    cost: Money | None
    """The share of the period without the nodes, at the cost of the best plan without them; None: nothing can stand
    in for them."""
    proven: bool = False
    """It costs exactly that; else at most."""
    bridge: str = ""
    """What is used otherwise until they come."""


class Robust(PlanModel):
    """The same orders in low, best and high cases."""

    cases: tuple[RobustCase, ...]
    orders: tuple[RobustOrder, ...]
    """Those that are best for a case, and the one with the least worst regret."""
    tested: int = 0
    """Orders tested in all cases."""
    regret_bound: Money | None = None
    """No orders have a smaller worst regret than this."""
    slips: tuple[Slip, ...] = ()


class Sensitivity(PlanModel):
    """One change and what it is worth, by a second solve."""

    change: str
    cost: Money | None
    """Of the plan after the change; None: not everything can be served then."""
    saving: Money | None
    """Negative: it costs more."""
    note: str = ""
    gap: Money = Decimal(0)
    """What the proofs of both plans leave open together; smaller savings are not shown."""
    proven: bool = False
    """Both plans are proven cheapest, so the saving is exact."""
    per_unit: Money | None = None
    """Saving over the units of a limit that the change adds; None for nodes."""
    unit: str = "node"
    """What is added: a node, USD, USD/month or kW."""
    then: str = ""
    """What the plan orders and rents otherwise after the change."""


class BreakEven(PlanModel):
    """The range of one offer's price in which the plan stays the cheapest, everything else as it is."""

    pool: str
    action: Literal["buy", "commit", "rent"]
    offer: int
    """Counts the pool's offers to buy, or its ways to rent, from 1."""
    price: Rate
    per: str
    """What the price is for: node, GPU, node-hour or GPU-hour."""
    volume: bool = False
    """The offer has volume prices; they move in proportion."""
    listed: bool = False
    """The offer has a price per period: this is the first, the others move in proportion."""
    used: bool
    """Whether the plan pays this price for anything."""
    stays_from: Rate
    """Lowest price at which the plan is still the cheapest."""
    from_exact: bool
    """One cent (by the hour: a hundredth of one) less changes the plan; else prices below were not looked at."""
    below: str = ""
    """What the plan below does otherwise."""
    stays_to: Rate | None = None
    """Highest price at which it is; None for an offer it does not use: no higher price changes anything."""
    to_exact: bool = False
    above: str = ""
    """What the plan above does otherwise."""
    proven: bool = False
    """All plans on the way were proven; else the range is where no better plan was found."""


class Caution(PlanModel):
    """What upper memory and lower speed cost: the same question answered with best estimates."""

    best_cost: Money
    """Of the plan found at `risk: best` for every workload."""
    best_bound: Money
    """Least that any such plan costs; equal to `best_cost` where it is proven."""
    price: Money
    """Cost of this plan less `best_cost`, at least 0."""
    same_served: bool
    """False: with best estimates other workloads stay unserved, and the costs don't compare."""
