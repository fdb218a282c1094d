"""The horizon cut into periods, and the scenario as it stands in one of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TypeVar

from planner.scenario.formats import Growth
from planner.scenario.resolved import ResolvedPool, ResolvedWorkload, Scenario
from planner.scenario.schema_file import Energy, Horizon, Limits
from planner.scenario.schema_supply import Rent
from planner.scenario.schema_training import Training
from planner.scenario.schema_workloads import InferenceWorkload, ServiceDemand
from planner.units import DAY_S, HOUR_S, MONTH_S, Price

T = TypeVar("T")

MICRO_CENT = Decimal("1e-8")
"""Prices that grow are kept to this: far below what a cent of any total can feel."""


@dataclass(frozen=True, slots=True)
class Period:
    """One budget step."""

    index: int
    name: str
    """Such as `2026-10`, or the first day where it is not the first of a month."""
    start: date
    end: date
    """First day of the next period."""
    hours: int
    """Billed hours; a month counts 730, whatever its days."""

    @property
    def elapsed_s(self) -> Fraction:
        """Seconds from the start of the horizon, for growth and deadlines."""
        return Fraction(self.index * self.hours * HOUR_S)


def period_s(horizon: Horizon) -> Fraction:
    """Length of a period in seconds."""
    return horizon.period or horizon.length


def in_whole_months(seconds: Fraction) -> bool:
    """Whether a length is a whole number of months (730 h each)."""
    return seconds % MONTH_S == 0


def periods_of(scenario: Scenario) -> tuple[Period, ...]:
    """All periods of a scenario with a horizon."""
    horizon = scenario.spec.horizon
    assert horizon is not None
    return horizon_periods(horizon)


def horizon_periods(horizon: Horizon) -> tuple[Period, ...]:
    """All periods of a horizon that divides evenly.

    Months follow the calendar in their dates and count 730 hours in money.
    """
    length = period_s(horizon)
    found = []
    for index in range(int(horizon.length / length)):
        start, end = _day(horizon.start, length, index), _day(horizon.start, length, index + 1)
        name = f"{start:%Y-%m}" if start.day == 1 else start.isoformat()
        found.append(Period(index, name, start, end, int(length / HOUR_S)))
    return tuple(found)


def _day(start: date, length: Fraction, steps: int) -> date:
    if in_whole_months(length):
        return add_months(start, int(length / MONTH_S) * steps)
    return start + timedelta(days=int(length / DAY_S) * steps)


def add_months(day: date, months: int) -> date:
    """The day so many months later, at most the last one of its month.

    >>> add_months(date(2026, 11, 30), 3)
    datetime.date(2027, 2, 28)
    """
    month = day.year * 12 + day.month - 1 + months
    first = date(month // 12, month % 12 + 1, 1)
    following = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    return first + timedelta(days=min(day.day, (following - first).days) - 1)


def add_time(day: date, seconds: Fraction) -> date:
    """The day a length of time later: by the calendar for whole months, else by days, rounded up."""
    if in_whole_months(seconds):
        return add_months(day, int(seconds / MONTH_S))
    return day + timedelta(days=math.ceil(seconds / DAY_S))


def grown(price: Price, growth: Growth | None, period: Period) -> Price:
    """A price as it stands in a period."""
    if growth is None or period.index == 0:
        return price
    factor = growth.factor(period.elapsed_s)
    exact = Decimal(factor.numerator) / Decimal(factor.denominator) * price.amount
    return replace(price, amount=exact.quantize(MICRO_CENT, ROUND_HALF_UP).normalize())


def price_in(prices: tuple[Price, ...], growth: Growth | None, period: Period) -> Price:
    """The price of a period: from a list of one per period, or one that may grow."""
    return grown(at(prices, period), growth, period)


def stock(pool: ResolvedPool, period: Period) -> int:
    """Owned nodes that workloads may use throughout a period: ordered ones included, held ones not.

    A list of available nodes has one value per period and already counts what is freed.
    """
    spec, owned = pool.spec, pool.spec.owned
    nodes = 0
    if owned is not None and (owned.retires is None or owned.retires >= period.end):
        if owned.available is not None and len(owned.available) > 1:
            nodes = at(owned.available, period)
        else:
            freed = (r.nodes for r in spec.reserved if r.until and r.until <= period.start)
            nodes = min(pool.available_nodes + sum(freed), owned.nodes)
    return nodes + sum(o.nodes for o in spec.ordered if o.arrives <= period.start)


def runs_every(workload: ResolvedWorkload) -> bool:
    """Whether a workload is there in every period: services and jobs that recur."""
    spec = workload.spec
    return isinstance(spec, InferenceWorkload) or spec.every is not None


def in_period(
    scenario: Scenario, period: Period, jobs: Mapping[str, int] | None = None
) -> Scenario:
    """The scenario of one period: its demand, stock, prices and power, and a horizon as long as it.

    Args:
        scenario: With a horizon.
        period: One of its periods.
        jobs: Single jobs that run in it, each with the number of the period it starts in; None: all that could
            start in it, given their deadlines.
    """
    horizon = scenario.spec.horizon
    assert horizon is not None
    workloads = tuple(
        here
        for one in scenario.workloads
        if jobs is None or runs_every(one) or one.name in jobs
        if (here := _workload(one, period, horizon.length, jobs or {})) is not None
    )
    power, rack_units = scenario.spec.limits.power, scenario.spec.limits.rack_units
    spec = scenario.spec.model_copy(
        update={
            "horizon": horizon.model_copy(
                update={"start": period.start, "length": Fraction(period.hours * HOUR_S), "period": None}
            ),
            "energy": _energy(scenario.spec.energy, period),
            "limits": Limits.model_construct(
                capex=None,
                opex=None,
                power=None if power is None else (at(power, period),),
                rack_units=None if rack_units is None else (at(rack_units, period),),
            ),
        }
    )  # fmt: skip
    return replace(
        scenario,
        spec=spec,
        pools=tuple(_pool(p, period) for p in scenario.pools),
        workloads=workloads,
    )


def at(values: tuple[T, ...], period: Period) -> T:
    """The value of a period: from a list of one per period, or the one that holds throughout."""
    return values[period.index] if len(values) > 1 else values[0]


def _energy(energy: Energy | None, period: Period) -> Energy | None:
    if energy is None:
        return None
    price = price_in(energy.price, energy.growth, period)
    return energy.model_copy(update={"price": (price,), "growth": None})


def _pool(pool: ResolvedPool, period: Period) -> ResolvedPool:
    rent = tuple(
        r.model_copy(
            update={
                "price": (price_in(r.price, r.growth, period),),
                "max_nodes": None if r.max_nodes is None else (at(r.max_nodes, period),),
            }
        )
        for r in on_demand(pool.spec.rent)
    )
    return pool._replace(
        spec=pool.spec.model_copy(update={"rent": rent}), available_nodes=stock(pool, period)
    )


def on_demand(rents: tuple[Rent, ...]) -> tuple[Rent, ...]:
    """Rents without a commitment."""
    return tuple(r for r in rents if r.commit == "none")


def _workload(
    workload: ResolvedWorkload, period: Period, length: Fraction, started: Mapping[str, int]
) -> ResolvedWorkload | None:
    """The workload with the demand or deadline of the period; None where it does not run.

    A single batch or embedding run lies in the first period; a single training run may start in any one before
    its deadline, which is counted from the period of its start.
    """
    spec = workload.spec
    if isinstance(spec, InferenceWorkload):
        factor = demand_factor(spec.demand, period)
        if factor == 0:
            return None
        demand = spec.demand
        update: dict[str, object] = {}
        if demand.requests is not None:
            update["requests"] = demand.requests * factor
        if demand.concurrent is not None:
            update["concurrent"] = math.ceil(demand.concurrent * factor)
        scaled = demand.model_copy(update=update)
        return workload._replace(spec=spec.model_copy(update={"demand": scaled}))
    if spec.every is not None:
        return workload
    if not isinstance(spec, Training) and period.index:
        return None
    if isinstance(spec, Training):
        elapsed = Fraction(started.get(spec.name, period.index) * period.hours * HOUR_S)
        left = length - elapsed
    else:
        elapsed, left = Fraction(0), Fraction(period.hours * HOUR_S)
    if spec.deadline is not None:
        left = min(left, spec.deadline - elapsed)
    if left <= 0:
        return None
    return workload._replace(spec=spec.model_copy(update={"deadline": left}))


def demand_factor(demand: ServiceDemand, period: Period) -> Fraction:
    """Demand of a period over the stated one."""
    if demand.periods is not None:
        return at(demand.periods, period)
    return demand.growth.factor(period.elapsed_s) if demand.growth else Fraction(1)
