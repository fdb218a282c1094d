"""What a plan says of other plans: dearer ones beside it, its orders otherwise, the price of caution.

The second solves are not repeated; their figures agree with the plan's cost, with one another and with the scenario.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.plan.schema import Caution, Instead, Plan, PlanAlternative
from planner.scenario.periods import Period, periods_of
from planner.scenario.resolved import Scenario
from planner.units import CENT
from planner.verify.problem import Finding, Problem

CHECK = "compared"
TERMS = {"rent": ("rented", "spot"), "contract": ("contract",), "own": ("owned",)}
STEPS = {"earlier": -1, "later": 1}
WAYS = {
    "buy": ("without", "rent", "commit", "buy", "earlier", "later"),
    "commit": ("without", "rent", "commit", "buy", "earlier", "later"),
    "rent": ("without", "commit", "buy"),
    "contract": ("without",),
    "own": ("without",),
}
"""What can be otherwise about each kind of supply."""


def check_compared(scenario: Scenario, plan: Plan) -> Finding:
    """Every cost, difference and bound, and that each row is about something the plan has or the scenario offers."""
    spans = periods_of(scenario) if scenario.spec.horizon is not None else ()
    texts = [
        *(t for row in plan.instead for t in _instead(scenario, plan, row, spans)),
        *_twice(plan),
        *(t for row in plan.alternatives for t in _alternative(scenario, plan, row)),
        *(_caution(plan, plan.caution) if plan.caution else ()),
    ]
    told = [
        f"{len(rows)} {what}"
        for rows, what in ((plan.instead, "rows of what would be otherwise"), (plan.alternatives, "other plans"))
        if rows
    ] + ["the price of caution"] * (plan.caution is not None)  # fmt: skip
    looked = f"{', '.join(told)}: they agree with the plan's cost and with what it orders and uses"
    return Finding(CHECK, looked, tuple(Problem(CHECK, "", text) for text in texts))


def _twice(plan: Plan) -> Iterator[str]:
    seen = set()
    for row in plan.instead:
        key = (row.action, row.pool, row.offer, row.period, row.way)
        if key in seen:
            yield f"{row.action} {row.pool}, {row.way}: printed twice"
        seen.add(key)


def _instead(
    scenario: Scenario, plan: Plan, row: Instead, spans: tuple[Period, ...]
) -> Iterator[str]:
    name = f"{row.action} {row.pool} {row.period}, {row.way}".replace("  ", " ")
    for text in (*_subject(scenario, plan, row, spans), *_figures(plan, row)):
        yield f"{name}: {text}"


def _subject(
    scenario: Scenario, plan: Plan, row: Instead, spans: tuple[Period, ...]
) -> Iterator[str]:
    """Whether the row is about something the plan orders or uses, or about an offer that it leaves."""
    starts = {s.start.isoformat(): s.name for s in spans}
    if row.way == "with":
        offers = {p.name: len(p.spec.buy) for p in scenario.pools}
        if row.action != "buy" or not 1 <= (row.offer or 0) <= offers.get(row.pool, 0):
            yield "there is no such offer to buy"
        if row.nodes or row.period or _ordered(plan, row):
            yield "the plan takes this offer"
        return
    if row.way not in WAYS[row.action]:
        yield "this cannot be otherwise so"
    if row.action in TERMS:
        used = _used(plan, row.pool, TERMS[row.action])
        counts = [used.get(s.name, 0) for s in spans]
        first = next((s.name for s, n in zip(spans, counts, strict=True) if n), "")
        if row.offer is not None or (row.nodes, row.period) != (max(counts, default=0), first):
            yield f"{row.nodes} nodes from {row.period} printed, it is {max(counts, default=0)} from {first}"
        return
    nodes = sum(n for arrives, n in _ordered(plan, row) if starts.get(arrives) == row.period)
    if row.nodes != nodes or not nodes:
        yield f"{row.nodes} nodes printed, {nodes} are ordered"
    names = [s.name for s in spans]
    if row.way in STEPS and row.period in names:
        there = names.index(row.period) + STEPS[row.way]
        if not 0 <= there < len(names) or not row.change.endswith(names[there]):
            yield f"`{row.change}` is not a period {row.way}"


def _ordered(plan: Plan, row: Instead) -> list[tuple[str, int]]:
    """First day and nodes of the plan's orders of an offer."""
    return [
        (o.arrives, o.nodes)
        for o in plan.orders
        if (o.pool, o.action, o.offer) == (row.pool, row.action, row.offer)
    ]


def _used(plan: Plan, pool: str, terms: tuple[str, ...]) -> dict[str, int]:
    """Period -> nodes of a pool in use under some terms."""
    found: dict[str, int] = {}
    for period in plan.periods:
        nodes = {
            (part.term, place.node)
            for row in period.workloads
            for part in row.assignment
            for place in part.placement
            if part.pool == pool and part.term.startswith(terms)
        }
        found[period.name] = len(nodes)
    return found


def _figures(plan: Plan, row: Instead) -> Iterator[str]:
    assert plan.cost is not None
    if row.cost is None:
        if row.bound is not None or row.more is not None or row.unserved or not row.proven:
            yield "figures printed of a plan that does not exist"
        return
    if row.bound is None or row.bound > row.cost:
        yield f"bound {row.bound} of a cost of {row.cost:,}"
    if row.proven != (row.bound == row.cost):
        yield f"proven {row.proven} printed, {row.bound} of {row.cost:,} is proven"
    if bool(row.unserved) != (row.more is None):
        yield "a difference in cost to a plan that serves less, or none to one that serves as much"
    served = {f"{w.name} {p.name}" for p in plan.periods for w in p.workloads if w.served}
    served |= {w.name for w in plan.workloads if w.served}
    for name in row.unserved:
        if name not in served:
            yield f"`{name}` goes without GPUs in this plan as well, or is none of its workloads"
    if row.more is not None:
        if row.more != row.cost - plan.cost.total:
            yield f"{row.more:,} more printed, it is {row.cost - plan.cost.total:,}"
        if plan.bound is not None and row.cost < plan.bound:
            yield f"cost {row.cost:,} printed, no plan costs less than {plan.bound:,}"


def _alternative(scenario: Scenario, plan: Plan, row: PlanAlternative) -> Iterator[str]:
    assert plan.cost is not None
    over = float(row.cost - plan.cost.total) / max(float(CENT), float(plan.cost.total))
    if abs(over - row.over) > 1e-9:
        yield f"{row.change}: {row.over} over the plan's cost printed, it is {over}"
    if plan.bound is not None and row.cost < plan.bound:
        yield f"{row.change}: cost {row.cost:,} printed, no plan costs less than {plan.bound:,}"
    if plan.alternatives_within is None or row.over > plan.alternatives_within:
        yield f"{row.change}: dearer than {plan.alternatives_within} allows"
    names = {w.name for w in scenario.workloads}
    pools = {p.name for p in scenario.pools}
    for use in row.workloads:
        if use.workload not in names or use.pool not in pools:
            yield f"{row.change}: no workload `{use.workload}` or no pool `{use.pool}`"


def _caution(plan: Plan, row: Caution) -> Iterator[str]:
    assert plan.cost is not None
    if row.best_bound > row.best_cost:
        yield f"caution: bound {row.best_bound:,} of a cost of {row.best_cost:,}"
    price = max(plan.cost.total - row.best_cost, 0 * row.best_cost)
    if row.price != price:
        yield f"caution: price {row.price:,} printed, it is {price:,}"
