"""What power of one's own nodes costs, and how a plan says so."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from planner import catalog
from planner.options.terms import Energy
from planner.scenario.resolved import ResolvedPool, Scenario


def energy_of(scenario: Scenario) -> Energy:
    """What power costs; nothing where no price is given."""
    spec = scenario.spec.energy
    if spec is None:
        return Energy()
    price = spec.price[0]
    per_kwh = price.amount / (1000 if price.per == "MWh" else 1)
    return Energy(per_kwh, Fraction(spec.pue), spec.idle)


def power_words(scenario: Scenario, energy: Energy, prices: Sequence[Decimal] = ()) -> list[str]:
    """How power and energy of one's own nodes are counted; nothing where neither matters.

    `prices`: of a kWh in each period, where there are several.
    """
    prices = prices or (energy.usd_per_kwh,)
    own = [p for p in scenario.pools if p.available_nodes or p.spec.ordered or p.spec.buy]
    limits = scenario.spec.limits
    limited, racks = limits.power is not None, limits.rack_units is not None
    if not own or not (any(prices) or limited or racks):
        return []
    texts = []
    if any(prices):
        idle = f"{100 * float(energy.idle):g} %"
        same = len(set(prices)) == 1
        each = str(prices[0]) if same else ", ".join(map(str, prices))
        unit = f"{scenario.spec.currency}/kWh" + ("" if same else " by period")
        texts.append(
            f"energy of owned and bought nodes: TDP of the GPUs in use while they work, {idle} of it while they "
            f"wait, x PUE {float(energy.pue):g} x {each} {unit}; each replica "
            "of a service is charged as if it took all the demand it can carry; rent includes energy"
        )
    whole = [_node_words(p, p.node.power_w) for p in own if p.node.power_w is not None]
    if whole and (limited or any(prices)):
        texts.append(
            f"a node in use draws all its power, not that of its GPUs alone: {', '.join(whole)}"
        )
    if limited:
        texts.append(
            "`limits.power` counts owned and bought nodes in use at full load, without cooling (no PUE)"
        )
    if racks:
        texts.append("`limits.rack_units` counts owned nodes in use, and bought nodes used or not")
    return texts


def _node_words(pool: ResolvedPool, watts: Fraction) -> str:
    """Power of a pool's node, and how sure it is where the scenario does not say."""
    words = f"{pool.name} {float(watts) / 1000:g} kW"
    if pool.spec.node is not None and pool.spec.node.power is not None:
        return words
    sure = "system_power_kw" not in catalog.node(pool.node.type).unverified_fields
    return f"{words} (catalog{'' if sure else ', unconfirmed'})"
