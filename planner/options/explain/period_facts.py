"""What a pool gives in one period of a horizon, and why no more: retirements, holds, lead times, ends of contracts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from planner.options.deals import deals_of
from planner.options.explain.period_changes import time_words
from planner.scenario.periods import Period, at, stock
from planner.scenario.resolved import ResolvedPool, Scenario
from planner.scenario.schema_supply import Rent


def pool_facts(scenario: Scenario, pool: ResolvedPool, period: Period) -> str:
    """All that the pool can give in the period, as one clause."""
    spec = pool.spec
    parts = []
    if spec.owned is not None or spec.ordered:
        parts.append(owned_facts(pool, period))
    parts += list(contract_facts(pool, period))
    if spec.buy:
        parts.append(purchase_facts(scenario, pool, period))
    if any(r.commit != "none" for r in spec.rent):
        parts.append(
            _most([_at(r, period) for r in spec.rent if r.commit != "none"], "to commit to")
        )
    if any(r.commit == "none" for r in spec.rent):
        parts.append(_most([_at(r, period) for r in spec.rent if r.commit == "none"], "for rent"))
    return f"`{pool.name}` in {period.name}: {'; '.join(parts) or 'nothing'}"


def owned_facts(pool: ResolvedPool, period: Period) -> str:
    """Owned nodes that may be used, and what keeps the others away."""
    spec, reasons = pool.spec, []
    if spec.owned is not None:
        if spec.owned.retires is not None and spec.owned.retires < period.end:
            reasons.append(f"`retires: {spec.owned.retires}`")
        else:
            reasons += [
                f"{_nodes(r.nodes)} held until {r.until or 'further notice'}"
                for r in spec.reserved
                if r.until is None or r.until > period.start
            ]
    reasons += [
        f"{_nodes(o.nodes)} arrive on {o.arrives}" for o in spec.ordered if o.arrives > period.start
    ]
    if pool.spec.spare_nodes:
        reasons.append(f"{_nodes(pool.spec.spare_nodes)} to keep free")
    words = f" ({', '.join(reasons)})" if reasons else ""
    return f"{_nodes(stock(pool, period))} owned{words}"


def contract_facts(pool: ResolvedPool, period: Period) -> Iterator[str]:
    """Contracts that give nodes in the period, and those that have run out."""
    for contract in pool.spec.contracts:
        if period.end <= contract.until:
            yield f"{_nodes(contract.nodes)} under contract"
        else:
            yield f"no contract for the whole period (`until: {contract.until}`)"


def purchase_facts(scenario: Scenario, pool: ResolvedPool, period: Period) -> str:
    """How many nodes may be bought for the period, or from when on."""
    deals = [d for d in deals_of(scenario) if d.pool == pool.name and d.action == "buy"]
    lead = max((o.lead_time or 0 for o in pool.spec.buy), default=0)
    wait = f"lead time {time_words(Fraction(lead))}" if lead else ""
    here = [d for d in deals if d.first <= period.index < d.last]
    if here:
        text = _most([o.max_nodes for o in pool.spec.buy], "to buy")
        sizes = [str(o.min_order) for o in pool.spec.buy if o.min_order]
        least = f"is ordered from {' or '.join(sizes)} nodes on" if sizes else ""
        words = ", ".join(x for x in (wait, least) if x)
        return text + (f" ({words})" if words else "")
    later = min((d.arrives for d in deals if d.first > period.index), default=None)
    quotes = [o.valid_until for o in pool.spec.buy if o.valid_until is not None]
    reasons = [wait] if wait else []
    reasons += [f"quote valid until {max(quotes)}"] if quotes else []
    words = f" ({', '.join(reasons)})" if reasons else ""
    if later is not None:
        return f"none can be bought before {later}{words}"
    return f"none can be bought in time{words}"


def _at(rent: Rent, period: Period) -> int | None:
    return None if rent.max_nodes is None else at(rent.max_nodes, period)


def _most(limits: Sequence[int | None], what: str) -> str:
    if any(x is None for x in limits):
        return f"any number of nodes {what}"
    return f"at most {_nodes(sum(x or 0 for x in limits))} {what}"


def _nodes(count: int) -> str:
    return f"{count} node{'' if count == 1 else 's'}"
