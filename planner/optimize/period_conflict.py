"""Why the periods of a horizon have no plan together: each fact of the conflict with its period and its numbers."""

from __future__ import annotations

from planner.optimize.outcome import Outcome
from planner.optimize.repairs_bench import Bench
from planner.optimize.repairs_story import block_text, source_place
from planner.options.explain.period_facts import (
    contract_facts,
    owned_facts,
    pool_facts,
    purchase_facts,
)
from planner.options.horizon import Part, Whole
from planner.plan import schema as plan
from planner.scenario.periods import at
from planner.scenario.resolved import Scenario
from planner.units import from_cents, money

MOST_BECAUSE = 6


def conflict_rows(
    scenario: Scenario, whole: Whole, outcome: Outcome
) -> tuple[tuple[plan.ConflictRow, str], ...]:
    """Each fact in the user's words, with its place in the file; blocks first, then supply, then limits."""
    if outcome.conflict is None:
        return ()
    if not outcome.conflict.groups:
        groups = tuple(
            ("block", n)
            for n, b in enumerate(whole.problem.blocks)
            if f"block:{b.name}" in outcome.conflict.members
        )
    else:
        groups = outcome.conflict.groups
    order = {"block": 0, "supply": 1, "limit": 2}
    rows = [_row(scenario, whole, kind, n) for kind, n in sorted(groups, key=lambda g: order[g[0]])]
    return tuple({row.name + row.text: (row, path) for row, path in rows}.values())


def _row(scenario: Scenario, whole: Whole, kind: str, number: int) -> tuple[plan.ConflictRow, str]:
    if kind == "block":
        name, text, path = _block(scenario, whole, number)
    elif kind == "supply":
        name, text, path = _supply(scenario, whole, number)
    else:
        name, text, path = _limit(scenario, whole, number)
    return plan.ConflictRow(name=name, text=text, line=scenario.span(path).line), path


def _block(scenario: Scenario, whole: Whole, number: int) -> tuple[str, str, str]:
    name = whole.problem.blocks[number].name
    known = {w.name for w in scenario.workloads}
    workload = name if name in known else name.rpartition(" ")[0]
    parts = [p for p in whole.parts if number in p.blocks]
    part = next((p for p in parts if any(c.options for c in p.considered[workload])), parts[0])
    bench = Bench()
    bench.seed(part.question, part.considered)
    text = block_text(bench, part.question, workload)
    when = f"must be served in {part.period.name}" if name != workload else "must run once"
    path = f"{scenario.workload(workload).path}.name"
    return name, text.replace("must be served", when, 1), path


def _supply(scenario: Scenario, whole: Whole, number: int) -> tuple[str, str, str]:
    supply = whole.problem.supplies[number]
    part = _part_of(whole, number)
    pool, period = scenario.pool(supply.pool), part.period
    name = f"{supply.pool} {period.name}"
    term = supply.term.partition(" ")[0]
    if term == "owned":
        words, key = owned_facts(pool, period), "owned"
    elif term == "bought":
        words, key = purchase_facts(scenario, pool, period), "buy"
    elif term == "contract":
        words, key = "; ".join(contract_facts(pool, period)), "contracts"
    else:
        what = "to commit to" if term == "committed" else "for rent"
        count = supply.max_nodes
        words, key = f"at most {count} node{'' if count == 1 else 's'} {what}", "rent"
    return name, f"`{supply.pool}` in {period.name}: {words}", f"{pool.path}.{key}"


def _part_of(whole: Whole, supply: int) -> Part:
    return next(p for p in reversed(whole.parts) if p.first_supply <= supply)


def _limit(scenario: Scenario, whole: Whole, number: int) -> tuple[str, str, str]:
    limit = whole.problem.limits[number]
    key = limit.name.rpartition(".")[2]
    part = None if limit.slot is None else whole.parts[limit.slot]
    when = "" if part is None else f" in {part.period.name}"
    if not limit.name.startswith("limits."):
        deal = whole.deals[limit.acquisitions[0][0]] if limit.acquisitions else None
        pool = f" of `{deal.pool}`" if deal is not None else ""
        what = "to buy over the horizon" if key == "buy" else f"to commit to{when}"
        name = f"{deal.pool} {key}{when[3:]}" if deal is not None else limit.name
        return (
            name,
            f"at most {limit.bound} node{'' if limit.bound == 1 else 's'}{pool} {what}",
            limit.name,
        )
    unit = scenario.spec.currency
    if key == "power":
        allowed = f"{limit.bound / 1000:g} kW"
    elif key == "rack_units":
        allowed = f"{limit.bound} rack unit{'' if limit.bound == 1 else 's'}"
    elif key == "opex" and part is not None:
        opex = scenario.spec.limits.opex
        assert opex is not None
        allowed = f"{money(at(opex, part.period).amount)} {unit}/month"
    else:
        allowed = f"{money(from_cents(limit.bound))} {unit}"
    text = f"`{limit.name}` allows {allowed}{when}"
    listed = len(getattr(scenario.spec.limits, key)) > 1
    path = f"{limit.name}[{limit.slot}]" if listed and limit.slot is not None else limit.name
    signed = sum(each * whole.problem.acquisitions[n].least for n, each in limit.acquisitions)
    if signed:
        text += f"; contracts take {money(from_cents(signed))} {unit} of the period"
    return f"{limit.name}{when.replace(' in ', ' ')}", text, path


def story(
    scenario: Scenario,
    outcome: Outcome,
    rows: tuple[tuple[plan.ConflictRow, str], ...],
    notes: tuple[str, ...],
) -> plan.Explanation:
    """The conflict as one explanation, its last fact with carets under the user's line."""
    minimal = outcome.conflict is not None and outcome.conflict.minimal
    blocks = sum(
        " must be served in " in row.text or " must run once" in row.text for row, _ in rows
    )
    headline = (
        "what is signed or ordered already breaks a limit"
        if not blocks
        else "this workload has options in every period, but not within what there is"
        if blocks == 1
        else "these workloads have options in every period, but not within what there is"
    )
    facts = [f"{row.text}" + (f" (line {row.line})" if row.line else "") for row, _ in rows]
    scarce = len(rows) - 1
    rest = [text for n, text in enumerate(facts) if n != scarce]
    more = [f"{len(rest) - MOST_BECAUSE} more facts are in the conflict below"]
    return plan.Explanation(
        workload="",
        code="P301",
        headline=f"no plan exists over the horizon: {headline}",
        place=source_place(scenario, rows[scarce][1]) if rows else None,
        label=rows[scarce][0].text if rows else "no order and no rent serves every period",
        because=tuple(rest[:MOST_BECAUSE] + (more if len(rest) > MOST_BECAUSE else [])),
        conflict=tuple(row for row, _ in rows),
        checked="minimal: without any one of them there is a plan"
        if minimal
        else "not all may be needed",
        notes=notes,
    )


def facts_of(scenario: Scenario, part: Part) -> tuple[str, ...]:
    """What each pool gives in a period in which a workload has no option."""
    return tuple(pool_facts(scenario, pool, part.period) for pool in scenario.pools)
