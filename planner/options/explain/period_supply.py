"""More of a pool over a horizon: nodes of every offer, earlier deliveries, later ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from planner.options.explain.period_changes import PeriodChange, Setting, Steps
from planner.scenario.periods import Period
from planner.scenario.resolved import ResolvedPool, Scenario
from planner.units import DAY_S

MOST_MORE_NODES = 32

Counts = tuple[int, ...]
"""One number, or one for each period."""


def supply_steps(scenario: Scenario, periods: Sequence[Period]) -> Iterator[Steps]:
    """More of each pool: nodes of every offer, earlier deliveries, later ends."""
    for pool in scenario.pools:
        yield from _offers(pool, periods)
        yield from _ends(pool, periods)


def _offers(pool: ResolvedPool, periods: Sequence[Period]) -> Iterator[Steps]:
    spec = pool.spec
    for number, rent in enumerate(spec.rent):
        if rent.max_nodes is not None:
            kind = "rent" if rent.commit == "none" else "commit"
            yield _more_of(pool, number, kind, rent.max_nodes)
    for number, offer in enumerate(spec.buy):
        if offer.max_nodes is not None or offer.max_per_period is not None:
            yield _more_bought(pool, number)
        if offer.min_order is not None and offer.min_order > 1:
            yield _smaller_order(pool, number, offer.min_order)
        if offer.lead_time:
            yield from _sooner(pool, number, periods)
        if offer.valid_until is not None:
            yield _valid_longer(pool, number, periods)


def _more_of(pool: ResolvedPool, number: int, kind: str, now: Counts) -> Steps:
    def at(step: int) -> PeriodChange:
        nodes = _more(now, step + 1)
        what = "to rent" if kind == "rent" else "to commit to"
        text = f"`max_nodes: {_words(nodes)}` of `{pool.name}` {what} instead of {_words(now)}"
        return PeriodChange(kind, text, _edit(pool, "rent", number, max_nodes=nodes))

    return Steps(kind, MOST_MORE_NODES, at, f"more nodes of `{pool.name}` to {kind}")


def _more_bought(pool: ResolvedPool, number: int) -> Steps:
    offer = pool.spec.buy[number]

    def at(step: int) -> PeriodChange:
        now: dict[str, int | Counts] = {}
        if offer.max_nodes is not None:
            now["max_nodes"] = offer.max_nodes
        if offer.max_per_period is not None:
            now["max_per_period"] = offer.max_per_period
        update = {key: _more(n, step + 1) for key, n in now.items()}
        words = " and ".join(f"`{key}: {_words(n)}`" for key, n in update.items())
        before = " and ".join(_words(n) for n in now.values())
        text = f"{words} of `{pool.name}` to buy instead of {before}"
        return PeriodChange("buy", text, _edit(pool, "buy", number, **update))

    return Steps("buy", MOST_MORE_NODES, at, f"more nodes of `{pool.name}` to buy")


def _more(now: int | Counts, more: int) -> int | Counts:
    return now + more if isinstance(now, int) else tuple(n + more for n in now)


def _words(counts: int | Counts) -> str:
    if isinstance(counts, int) or len(counts) == 1:
        return str(counts if isinstance(counts, int) else counts[0])
    return "[" + ", ".join(map(str, counts)) + "]"


def _smaller_order(pool: ResolvedPool, number: int, now: int) -> Steps:
    def at(step: int) -> PeriodChange:
        nodes = now - step - 1
        text = f"`min_order: {nodes}` of `{pool.name}` instead of {now}"
        return PeriodChange("min-order", text, _edit(pool, "buy", number, min_order=nodes))

    return Steps("min-order", now - 1, at, f"a smaller `min_order` of `{pool.name}`")


def _sooner(pool: ResolvedPool, number: int, periods: Sequence[Period]) -> Iterator[Steps]:
    """Shorter lead times, so that a purchase arrives for an earlier period; the longest that gains one first."""
    lead = pool.spec.buy[number].lead_time
    assert lead is not None
    now = math.ceil(lead / DAY_S)
    gaps = [(p.start - periods[0].start).days for p in periods]
    shorter = sorted((days for days in gaps if days < now), reverse=True)
    if not shorter:
        return

    def at(step: int) -> PeriodChange:
        days = shorter[step]
        early = periods[0].start - timedelta(days=now - days)
        text = (
            f"`lead_time: {days} d` of `{pool.name}` instead of {now} d (or an order by {early}, before the "
            "horizon starts)"
        )
        change = _edit(pool, "buy", number, lead_time=Fraction(days * DAY_S) or None)
        return PeriodChange("lead-time", text, change)

    yield Steps("lead-time", len(shorter), at, f"a shorter `lead_time` of `{pool.name}`")


def _valid_longer(pool: ResolvedPool, number: int, periods: Sequence[Period]) -> Steps:
    last = pool.spec.buy[number].valid_until
    days = [p.start for p in periods if last is None or p.start > last]
    days = days or [periods[-1].end]

    def at(step: int) -> PeriodChange:
        text = f"`valid_until: {days[step]}` of `{pool.name}` instead of {last}"
        return PeriodChange("quote", text, _edit(pool, "buy", number, valid_until=days[step]))

    return Steps("quote", len(days), at, f"a later `valid_until` of `{pool.name}`")


def _ends(pool: ResolvedPool, periods: Sequence[Period]) -> Iterator[Steps]:
    """More owned nodes, later retirement, longer contracts, fewer spare nodes."""
    owned = pool.spec.owned
    if owned is not None:
        yield _more_owned(pool)
        if owned.retires is not None:
            days = [p.end for p in periods if p.end > owned.retires]
            if days:
                yield _later(pool, "retires", days)
    for number, contract in enumerate(pool.spec.contracts):
        ends = [p.end for p in periods if p.end > contract.until]
        if ends:
            yield _longer(pool, number, ends)
    if pool.spec.spare_nodes:
        yield _fewer_spare(pool)


def _longer(pool: ResolvedPool, number: int, ends: Sequence[date]) -> Steps:
    def at(step: int) -> PeriodChange:
        text = f"`until: {ends[step]}` for the contract of `{pool.name}`"
        return PeriodChange("contract", text, _edit(pool, "contracts", number, until=ends[step]))

    return Steps("contract", len(ends), at, f"a longer contract of `{pool.name}`")


def _fewer_spare(pool: ResolvedPool) -> Steps:
    spare = pool.spec.spare_nodes

    def at(step: int) -> PeriodChange:
        left = spare - step - 1
        text = f"`spare_nodes: {left}` for `{pool.name}` instead of {spare}"
        return PeriodChange("spare-nodes", text, _with(pool, spare_nodes=left))

    return Steps("spare-nodes", spare, at, f"no `spare_nodes` for `{pool.name}`")


def _more_owned(pool: ResolvedPool) -> Steps:
    owned = pool.spec.owned
    assert owned is not None

    def at(step: int) -> PeriodChange:
        more = step + 1
        text = (
            f"{owned.nodes + more} owned nodes of `{pool.name}` instead of {owned.nodes} (their price is not in "
            "the total)"
        )
        update: dict[str, object] = {"nodes": owned.nodes + more}
        if owned.available is not None:
            update["available"] = _more(owned.available, more)
        bigger = owned.model_copy(update=update)

        def apply(setting: Setting) -> Setting:
            now = setting.scenario.pool(pool.name)
            spec = now.spec.model_copy(update={"owned": bigger})
            return _put(
                setting,
                now._replace(
                    spec=spec,
                    owned_nodes=now.owned_nodes + more,
                    available_nodes=now.available_nodes + more,
                ),
            )

        return PeriodChange("nodes", text, apply)

    return Steps("nodes", MOST_MORE_NODES, at, f"more owned nodes of `{pool.name}`")


def _later(pool: ResolvedPool, key: str, days: Sequence[object]) -> Steps:
    owned = pool.spec.owned
    assert owned is not None

    def at(step: int) -> PeriodChange:
        text = f"`{key}: {days[step]}` for `{pool.name}` instead of {owned.retires}"
        later = owned.model_copy(update={key: days[step]})
        return PeriodChange(key, text, _with(pool, owned=later))

    return Steps(key, len(days), at, f"a later `{key}` for `{pool.name}`")


def _edit(
    pool: ResolvedPool, key: str, number: int, **update: object
) -> Callable[[Setting], Setting]:
    """Changes one entry of a list of the pool: rent, buy or contracts."""

    def apply(setting: Setting) -> Setting:
        now = setting.scenario.pool(pool.name)
        rows = list(getattr(now.spec, key))
        rows[number] = rows[number].model_copy(update=update)
        return _put(setting, now._replace(spec=now.spec.model_copy(update={key: tuple(rows)})))

    return apply


def _with(pool: ResolvedPool, **update: object) -> Callable[[Setting], Setting]:
    def apply(setting: Setting) -> Setting:
        now = setting.scenario.pool(pool.name)
        return _put(setting, now._replace(spec=now.spec.model_copy(update=update)))

    return apply


def _put(setting: Setting, pool: ResolvedPool) -> Setting:
    """The setting with the pool of that name replaced, or added."""
    scenario = setting.scenario
    known = any(p.name == pool.name for p in scenario.pools)
    pools = tuple(pool if p.name == pool.name else p for p in scenario.pools)
    return replace(setting, scenario=replace(scenario, pools=pools if known else (*pools, pool)))


def with_pool(pool: ResolvedPool) -> Callable[[Setting], Setting]:
    """Adds a pool."""
    return lambda setting: _put(setting, pool)
