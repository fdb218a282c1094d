"""A scenario as it may turn out: other demand, other prices."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from planner.scenario.resolved import ResolvedWorkload, Scenario
from planner.scenario.schema_supply import Pool
from planner.scenario.schema_workloads import InferenceWorkload
from planner.units import DAY_S, Price

USUAL_DEMAND = (Fraction(4, 5), Fraction(6, 5))
USUAL_PRICES = (Fraction(9, 10), Fraction(11, 10))
USUAL_LATE_S = Fraction(28 * DAY_S)


@dataclass(frozen=True, slots=True)
class CaseFactors:
    """One way things may turn out, over what the scenario states."""

    name: str
    demand: Fraction
    prices: Fraction
    late_s: Fraction


def cases_of(scenario: Scenario) -> tuple[CaseFactors, ...]:
    """Low, best and high, from `uncertainty` or the usual spread."""
    stated = scenario.spec.uncertainty
    demand = (stated.demand if stated else None) or USUAL_DEMAND
    prices = (stated.prices if stated else None) or USUAL_PRICES
    late = (stated.late if stated else None) or USUAL_LATE_S
    one, none = Fraction(1), Fraction(0)
    return (
        CaseFactors("low", demand[0], prices[0], none),
        CaseFactors("best", one, one, none),
        CaseFactors("high", demand[1], prices[1], late),
    )


def in_case(scenario: Scenario, case: CaseFactors) -> Scenario:
    """The scenario with the demand of services, the rents on demand and the energy price of a case."""
    energy = scenario.spec.energy
    if energy is not None:
        energy = energy.model_copy(update={"price": _times(energy.price, case.prices)})
    pools = tuple(p._replace(spec=_pool(p.spec, case.prices)) for p in scenario.pools)
    spec = scenario.spec.model_copy(
        update={"energy": energy, "inventory": tuple(p.spec for p in pools)}
    )
    workloads = tuple(_workload(w, case.demand) for w in scenario.workloads)
    return replace(scenario, spec=spec, pools=pools, workloads=workloads)


def _times(prices: tuple[Price, ...], factor: Fraction) -> tuple[Price, ...]:
    numerator, denominator = factor.numerator, Decimal(factor.denominator)
    return tuple(replace(p, amount=p.amount * numerator / denominator) for p in prices)


def _pool(pool: Pool, prices: Fraction) -> Pool:
    rent = tuple(
        r.model_copy(update={"price": _times(r.price, prices)}) if r.commit == "none" else r
        for r in pool.rent
    )
    return pool.model_copy(update={"rent": rent})


def _workload(workload: ResolvedWorkload, factor: Fraction) -> ResolvedWorkload:
    spec = workload.spec
    if not isinstance(spec, InferenceWorkload):
        return workload
    demand = spec.demand
    update: dict[str, object] = {}
    if demand.requests is not None:
        update["requests"] = demand.requests * factor
    if demand.concurrent is not None:
        update["concurrent"] = math.ceil(demand.concurrent * factor)
    scaled = demand.model_copy(update=update)
    return workload._replace(spec=spec.model_copy(update={"demand": scaled}))
