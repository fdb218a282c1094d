"""The cheapest changes that give a scenario with a horizon a plan, each confirmed by a second solve and priced."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from planner.optimize.outcome import Outcome
from planner.optimize.period_bench import PeriodBench, PeriodTrial
from planner.options.asks import Ask
from planner.options.build import Supplier
from planner.options.consider import consider_one
from planner.options.explain.offers import Rentable, offers_for
from planner.options.explain.period_changes import (
    PeriodChange,
    Setting,
    Steps,
    dropped,
    limit_change,
    limit_steps,
    one,
    workload_steps,
)
from planner.options.explain.period_supply import supply_steps, with_pool
from planner.options.problem import Supply
from planner.plan.schema import Repair
from planner.scenario.periods import Period, periods_of
from planner.scenario.resolve import resolve_pool
from planner.scenario.resolved import Scenario
from planner.scenario.schema_supply import Pool
from planner.units import HOURS_PER_MONTH, from_cents, money

MOST_REPAIRS = 8
MOST_WORKLOADS = 4
"""Workloads whose own rows are tried."""
LIMIT_STEPS = 32
"""Steps between a limit and what the cheapest plan without it uses."""
MOST_PAIRS = 20
MOST_PRICED = 12
"""Changes that are priced, of those that work."""
SUPPLY_KINDS = ("rent", "commit", "buy", "nodes", "lead-time", "retires", "contract")
LIMIT_KEYS = ("capex", "opex", "power", "rack_units")
FREE = Decimal(10) ** 11
"""A limit that does not limit."""


@dataclass(frozen=True, slots=True)
class PeriodFix:
    """Changes that a second solve confirmed."""

    changes: tuple[PeriodChange, ...]
    cents: int

    @property
    def text(self) -> str:
        """All changes in one line."""
        return "; ".join(c.text for c in self.changes)

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """By price; giving a workload up comes last, and before that what takes unpriced hardware."""
        kinds = {c.kind for c in self.changes}
        return "drop" in kinds, any(c.unpriced for c in self.changes), self.cents


@dataclass(slots=True)
class PeriodFound:
    """What a search for repairs came to."""

    fixes: list[PeriodFix] = field(default_factory=list)
    failed: list[Steps] = field(default_factory=list)

    @property
    def notes(self) -> tuple[str, ...]:
        """Obvious changes of supply and limits that do not help alone."""
        if not self.failed:
            return ()
        texts = list(dict.fromkeys(s.widest for s in self.failed))
        more = f" and {len(texts) - 6} more" if len(texts) > 6 else ""
        words = "; ".join(texts[:6]) + more
        alone = "alone does not help" if len(texts) == 1 else "each alone does not help"
        return (f"{words}: {alone}",)


def repair(
    bench: PeriodBench, setting: Setting, names: Sequence[str], asks: Iterable[Ask]
) -> PeriodFound:
    """Single changes that give a plan, else pairs of them; `names` are the workloads that clash."""
    scenario = setting.scenario
    found = PeriodFound()
    by_name = {a.name: a for a in asks}
    searches = [*supply_steps(scenario, periods_of(scenario)), *_limits(bench, setting)]
    for name in names[:MOST_WORKLOADS]:
        if name in by_name:
            searches += workload_steps(scenario, name, by_name[name])
            searches += _by_renting(bench, setting, by_name[name])
    for steps in searches:
        _try(bench, setting, steps, found)
    if not found.fixes:
        _pairs(bench, setting, list(found.failed), found)
    for name in names[:MOST_WORKLOADS]:
        if scenario.workload(name).spec.required:
            _try(bench, setting, dropped(scenario.workload(name)), found)
    return _in_order(found)


def _in_order(found: PeriodFound) -> PeriodFound:
    """Fixes by price, each once; of what failed, the changes of supply and limits that no fix takes."""
    best: dict[str, PeriodFix] = {}
    for fix in sorted(found.fixes, key=lambda f: f.rank):
        best.setdefault(fix.text, fix)
    helped = {c.kind for fix in best.values() for c in fix.changes if c.kind in LIMIT_KEYS}
    kinds = {*SUPPLY_KINDS, *LIMIT_KEYS} - helped
    return PeriodFound(list(best.values()), [s for s in found.failed if s.kind in kinds])


def _try(bench: PeriodBench, setting: Setting, steps: Steps, found: PeriodFound) -> None:
    change = bench.least(setting, steps)
    if change is None:
        found.failed.append(steps)
        return
    if len(found.fixes) < MOST_PRICED:
        _confirm(bench, setting, (change,), found)


def _confirm(
    bench: PeriodBench, setting: Setting, changes: tuple[PeriodChange, ...], found: PeriodFound
) -> None:
    for change in changes:
        setting = change.apply(setting)
    trial = bench.price(setting)
    if trial.works and trial.cents is not None:
        found.fixes.append(PeriodFix(changes, trial.cents))


def _pairs(
    bench: PeriodBench, setting: Setting, failed: Sequence[Steps], found: PeriodFound
) -> None:
    """Two changes together, the least of each with the other at its loosest."""
    tried = 0
    for at, first in enumerate(failed):
        for second in failed[at + 1 :]:
            if first.kind == second.kind and first.widest == second.widest:
                continue
            if tried == MOST_PAIRS or len(found.fixes) == 3:
                return
            tried += 1
            both = second.loosest.apply(first.loosest.apply(setting))
            if not bench.possible(both).works:
                continue
            beside = second.loosest.apply(setting)
            one_change = bench.least(beside, _bounded(bench, beside, first))
            if one_change is None:
                continue
            beside = one_change.apply(setting)
            two_change = bench.least(beside, _bounded(bench, beside, second))
            if two_change is not None:
                _confirm(bench, setting, (one_change, two_change), found)


def _bounded(bench: PeriodBench, setting: Setting, steps: Steps) -> Steps:
    """A limit that helps only beside another change, with its steps counted beside it."""
    if steps.kind not in LIMIT_KEYS or steps.count > 1:
        return steps
    return _limit(bench, setting, steps.kind, steps.slot)


# ------------------------------------------------------------------------------------------ limits


def _limits(bench: PeriodBench, setting: Setting) -> Iterator[Steps]:
    for key in LIMIT_KEYS:
        rows = getattr(setting.scenario.spec.limits, key) or ()
        for slot in range(len(rows)):
            yield _limit(bench, setting, key, slot if len(rows) > 1 else None)


def _limit(bench: PeriodBench, setting: Setting, key: str, slot: int | None) -> Steps:
    """A limit up to what the cheapest plan without it uses; the least that works is found between."""
    row = getattr(setting.scenario.spec.limits, key)[slot or 0]
    now = Decimal(float(row)) if key in ("power", "rack_units") else row.amount
    change = PeriodChange(key, f"a higher `{key}`", limit_change(key, slot, FREE))
    trial = bench.price(change.apply(setting))
    used = _used(trial, key, slot) if trial.works else None
    if used is None or used <= now:
        return replace(one(change), slot=slot)
    width = (used - now) / LIMIT_STEPS
    values = [*(now + width * n for n in range(1, LIMIT_STEPS)), used]
    return limit_steps(setting.scenario, key, slot, sorted({Decimal(math.ceil(v)) for v in values}))


def _used(trial: PeriodTrial, key: str, slot: int | None) -> Decimal | None:
    """Most that the plan of a trial takes of a limit, in its own unit."""
    whole, outcome = trial.whole, trial.outcome
    if whole is None or outcome is None:
        return None
    problem = whole.problem
    found = [Decimal(0)]
    for limit in problem.limits:
        if limit.name != f"limits.{key}" or (slot is not None and limit.slot != slot):
            continue
        used = sum(each * outcome.acquired[at] for at, each in limit.acquisitions)
        listed = set(limit.supplies)
        used += sum(_of_nodes(outcome, problem.supplies[s], s, limit.kind) for s in listed)
        for plan in outcome.plans:
            for choice in plan.choices:
                candidate = problem.blocks[plan.block].candidates[choice.candidate]
                for hold in candidate.holds:
                    if hold.supply in listed:
                        each = {"power": candidate.power_w, "cost": hold.cost_cents}
                        used += choice.replicas * each.get(limit.kind, 0)
        if key in ("power", "rack_units"):
            found.append(Decimal(used))
        elif key == "opex" and limit.slot is not None:
            hours = whole.parts[limit.slot].period.hours
            found.append(from_cents(used) * HOURS_PER_MONTH / hours)
        else:
            found.append(from_cents(used))
    return max(found)


def _of_nodes(outcome: Outcome, supply: Supply, number: int, kind: str) -> int:
    """What the nodes in use of a supply take of a limit."""
    if kind == "cost":
        return outcome.billed_nodes[number] * supply.node_cost_cents
    each = {"power": supply.node_power_w, "racks": supply.rack_units}
    return outcome.nodes[number] * each.get(kind, 0)


# ------------------------------------------------------------------------------------------ catalog


def _by_renting(bench: PeriodBench, setting: Setting, ask: Ask) -> Iterator[Steps]:
    """The node type of the catalog on which the workload alone costs least, rented on demand."""
    if setting.scenario.spec.currency != "USD":
        return
    offers = offers_for(ask, lambda a, p: bool(consider_one(a, p).options))
    offers = [o for o in offers if o[0].node not in {p.name for p in setting.scenario.pools}]
    if not offers:
        return
    best = min(offers, key=lambda o: _alone(ask, o))
    yield one(_rent(best[0]))


def _alone(ask: Ask, offer: tuple[Rentable, Supplier]) -> Decimal:
    """Price of an hour of the nodes that the workload alone takes there."""
    found, supplier = offer
    facts = replace(supplier.facts, max_nodes=64)
    nodes = [
        math.ceil(o.gpus * o.replicas / facts.node_gpus) for o in consider_one(ask, facts).options
    ]
    return (found.offer.on_demand_usd_h or Decimal(0)) * min(nodes, default=10**6)


def _rent(found: Rentable) -> PeriodChange:
    price = found.offer.on_demand_usd_h or Decimal(0)
    spec = Pool.model_validate(
        {"pool": found.node, "node": found.node, "rent": {"price": f"{price} USD/node-hour"}}
    )
    text = (
        f"rent `{found.node}` ({found.gpus} x {found.gpu}, {money(price)} USD/node-hour in "
        f"{found.offer.region}, {found.offer.date})"
    )
    return PeriodChange("rent", text, with_pool(resolve_pool(spec, "inventory")[0]))


# ------------------------------------------------------------------------------------------ records


def repair_records(found: PeriodFound, partial: PeriodTrial) -> tuple[Repair, ...]:
    """Fixes as the plan stores them, with their cost over the plan for what can be served without any."""
    base = None if partial.cents is None or not partial.works else from_cents(partial.cents)
    return tuple(
        Repair(
            change=fix.text,
            cost=from_cents(fix.cents),
            difference=None if base is None else from_cents(fix.cents) - base,
            kind=fix.changes[0].kind if len(fix.changes) == 1 else "combination",
            combination=len(fix.changes) > 1,
        )
        for fix in found.fixes[:MOST_REPAIRS]
    )


def served(partial: PeriodTrial, scenario: Scenario, periods: Sequence[Period]) -> dict[str, str]:
    """Workloads that the partial plan serves in every period that asks for them, or in which it does not."""
    if not partial.works or partial.whole is None or partial.outcome is None:
        return {}
    lost: dict[str, list[str]] = {}
    for plan in partial.outcome.plans:
        block = partial.whole.problem.blocks[plan.block].name
        names = [w.name for w in scenario.workloads]
        name = block if block in names else block.rpartition(" ")[0]
        lost.setdefault(name, [])
        if plan.unserved:
            lost[name].append(block.rpartition(" ")[2] if block not in names else "every period")
    words = {}
    for name, when in lost.items():
        if not when:
            words[name] = "in every period" if len(periods) > 1 else ""
        elif len(when) < len(periods) and "every period" not in when:
            words[name] = f"in every period but {', '.join(when)}"
    return words
